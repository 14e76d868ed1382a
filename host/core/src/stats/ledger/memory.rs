//! The ledger in memory, for a library that is built without a database: it knows of this process alone.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::policy::{Balance, Decision, decide};
use super::{Answer, DAYS, Held, Order, Paid};
use crate::stats::{Filter, StatsError};

/// Where the ledger is: nowhere.
pub(super) struct Source;

#[allow(
    clippy::unused_async,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "as the file's, which waits and fails"
)]
impl Source {
    pub(super) async fn open(&self) -> Result<Book, StatsError> {
        Ok(Book::default())
    }

    /// Nothing tells what was spent before.
    pub(super) async fn spent_before(&self, _: &Filter) -> Result<Decimal, StatsError> {
        Ok(Decimal::ZERO)
    }

    pub(super) fn named(&self, error: StatsError) -> StatsError {
        error
    }
}

/// What was spent and is held by account and day, and what exchanges cost lately by model and day.
#[derive(Default)]
pub(super) struct Book {
    spent: HashMap<(String, i64), Decimal>,
    /// By account and day: exchanges under way and what they hold.
    held: HashMap<(String, i64), HashMap<String, Decimal>>,
    dearest: HashMap<(String, i64), Decimal>,
}

#[allow(
    clippy::unused_async,
    clippy::unnecessary_wraps,
    reason = "as the file's, which waits and fails"
)]
impl Book {
    /// Whether an account is known on a day.
    pub(super) async fn knows(&mut self, account: &str, day: i64) -> Result<bool, StatsError> {
        Ok(self.spent.contains_key(&(account.to_owned(), day)))
    }

    /// Decides about an exchange, and holds what it may cost if it may begin.
    pub(super) async fn reserve(
        &mut self,
        order: &Order,
        seeds: &[(String, i64, Decimal)],
    ) -> Result<Answer, StatsError> {
        for (account, day, spent) in seeds {
            let key = (account.clone(), *day);
            self.spent.entry(key).or_insert(*spent);
        }
        self.forget_before(order.day - DAYS);
        let of_model = self
            .dearest
            .iter()
            .filter(|((model, _), _)| *model == order.model);
        let dearest = of_model.map(|(_, cost)| *cost).max();
        let mut begin = vec![];
        let mut waits = false;
        for budget in &order.budgets {
            let key = (budget.account.clone(), budget.period.day(order.now_ms));
            let open = self.held.get(&key);
            let balance = Balance {
                budget: budget.limit,
                spent: self.spent.get(&key).copied().unwrap_or_default(),
                held: open.into_iter().flat_map(HashMap::values).sum(),
                open: open.map_or(0, |open| open.len() as u64),
                dearest,
            };
            match decide(&balance, &order.estimate) {
                Decision::Begin { expected, held } => begin.push((key, expected, held)),
                Decision::Wait => waits = true,
                Decision::Refuse { needs } => {
                    return Ok(Answer::Refused {
                        account: budget.account.clone(),
                        spent: balance.spent,
                        held: balance.held,
                        needs,
                    });
                }
            }
        }
        if waits {
            return Ok(Answer::Wait);
        }
        let mut expected = vec![];
        for (key, amount, held) in begin {
            expected.push((key.0.clone(), key.1, amount));
            self.held
                .entry(key)
                .or_default()
                .insert(order.id.clone(), held);
        }
        Ok(Answer::Begin(Held {
            id: order.id.clone(),
            model: order.model.clone(),
            day: order.day,
            expected,
        }))
    }

    /// An exchange is over.
    pub(super) async fn settle(&mut self, held: &Held, paid: Paid) -> Result<(), StatsError> {
        for (account, day, expected) in &held.expected {
            let key = (account.clone(), *day);
            if let Some(open) = self.held.get_mut(&key) {
                open.remove(&held.id);
            }
            let cost = match paid {
                Paid::Nothing => Decimal::ZERO,
                Paid::Known(cost) => cost,
                Paid::Unknown => *expected,
            };
            let spent = self.spent.entry(key).or_default();
            *spent = spent.saturating_add(cost).max(Decimal::ZERO);
        }
        if let Paid::Known(cost) = paid {
            let key = (held.model.clone(), held.day);
            let dearest = self.dearest.entry(key).or_insert(cost);
            *dearest = cost.max(*dearest);
        }
        Ok(())
    }

    /// Who holds something in memory is alive.
    pub(super) async fn renew<'a>(
        &mut self,
        _: impl Iterator<Item = &'a String>,
        _: i64,
    ) -> Result<(), StatsError> {
        Ok(())
    }

    pub(super) async fn close(self) {}

    fn forget_before(&mut self, day: i64) {
        self.spent.retain(|(_, of), _| *of >= day);
        self.dearest.retain(|(_, of), _| *of >= day);
        self.held
            .retain(|(_, of), open| *of >= day || !open.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Budget, Estimate};

    fn cents(cents: i64) -> Decimal {
        Decimal::new(cents, 2)
    }

    fn order(id: &str, day: i64, limits: &[i64], whole: i64) -> Order {
        let budget = |(number, limit): (usize, &i64)| Budget {
            period: super::super::Period::Day,
            account: format!("account {number}"),
            limit: cents(*limit),
            filter: Filter::default(),
        };
        Order {
            id: id.into(),
            model: "m".into(),
            budgets: limits.iter().enumerate().map(budget).collect(),
            estimate: Estimate {
                input: Decimal::ZERO,
                whole: cents(whole),
                bounded: true,
            },
            day,
            now_ms: day * 86_400_000,
        }
    }

    async fn begins(book: &mut Book, order: Order) -> Held {
        match book.reserve(&order, &[]).await.unwrap() {
            Answer::Begin(held) => held,
            other => panic!("it does not begin: {other:?}"),
        }
    }

    #[tokio::test]
    async fn spent_and_held_together_stay_within_every_budget() {
        let mut book = Source.open().await.unwrap();
        let first = begins(&mut book, order("a", 1, &[100, 50], 10)).await;
        // Nothing is known of the model: the first holds all that is left.
        let second = book
            .reserve(&order("b", 1, &[100, 50], 10), &[])
            .await
            .unwrap();
        assert!(matches!(second, Answer::Wait), "{second:?}");
        book.settle(&first, Paid::Known(cents(20))).await.unwrap();
        assert!(book.knows("account 0", 1).await.unwrap());
        let second = begins(&mut book, order("b", 1, &[100, 50], 10)).await;
        let third = book
            .reserve(&order("c", 1, &[100, 50], 10), &[])
            .await
            .unwrap();
        assert!(matches!(third, Answer::Wait), "{third:?}");
        book.settle(&second, Paid::Unknown).await.unwrap();
        let third = book
            .reserve(&order("c", 1, &[100, 50], 10), &[])
            .await
            .unwrap();
        let Answer::Refused {
            account,
            spent,
            held,
            needs,
        } = third
        else {
            panic!("{third:?}");
        };
        assert_eq!(account, "account 1");
        assert_eq!((spent, held, needs), (cents(40), cents(0), cents(20)));
    }

    #[tokio::test]
    async fn another_day_begins_with_nothing_and_old_days_are_forgotten() {
        let mut book = Book::default();
        let held = begins(&mut book, order("a", 1, &[100], 10)).await;
        book.settle(&held, Paid::Known(cents(90))).await.unwrap();
        let held = begins(&mut book, order("b", 2, &[100], 10)).await;
        book.settle(&held, Paid::Nothing).await.unwrap();
        assert!(book.knows("account 0", 1).await.unwrap());
        begins(&mut book, order("c", 1 + DAYS + 1, &[100], 10)).await;
        assert!(!book.knows("account 0", 1).await.unwrap());
    }
}
