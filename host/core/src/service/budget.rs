//! Room in the day's budgets for one exchange: reserved before anything is sent, settled afterwards.

use std::collections::HashMap;
#[cfg(feature = "history")]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::time::Instant;

use super::caller::Caller;
use super::limits::DAY_MS;
use super::live::lock;
use super::pricing::PriceList;
use super::recording::now_ms;
use super::request::Most;
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::stats::{Answer, Budget, Filter, Held, Ledger, Order, Paid, Period};

/// How long an exchange waits for room that others hold. Most answers are there by then.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the ledger is asked meanwhile.
const STEP: Duration = Duration::from_millis(25);

/// The budgets of a service.
#[derive(Default)]
pub(super) struct Budgets {
    /// Where the ledger is; absent where there is no place for one.
    #[cfg(feature = "history")]
    path: Option<PathBuf>,
    #[cfg(feature = "history")]
    history: Option<PathBuf>,
    ledger: OnceLock<Ledger>,
    /// Who asks next for room in an account: one at a time, in order.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Budgets {
    /// `place` is the history's file, whether one is kept or not; `history` the one that is.
    #[cfg(feature = "history")]
    pub(super) fn new(place: Option<PathBuf>, history: Option<PathBuf>) -> Self {
        Budgets {
            path: place.map(|place| Ledger::beside(&place)),
            history,
            ..Budgets::default()
        }
    }

    /// Returns when everything that was spent is written down.
    pub(super) async fn flush(&self) {
        if let Some(ledger) = self.ledger.get() {
            ledger.flush().await;
        }
    }

    /// Room for an exchange in all budgets that it belongs to; nothing if there is none.
    ///
    /// # Errors
    ///
    /// `quota_exhausted`: there is no room. `rate_limited`: others hold it for long. `configuration`: nobody can
    /// tell what it will cost, or what was spent.
    pub(super) async fn reserve(
        &self,
        model: &Model,
        caller: Option<&Caller>,
        most: impl FnOnce() -> Most,
        prices: &PriceList,
    ) -> Result<Option<Reservation>> {
        let budgets = budgets_of(model, caller);
        if budgets.is_empty() {
            return Ok(None);
        }
        let Some(estimate) = prices.estimate(model, &most()) else {
            return Err(Error::configuration(
                "its price is not known, so limits.cost_per_day cannot be kept, nor a caller's budget: \
                 write its price as cost, or take the limit away",
            ));
        };
        if estimate.whole.is_zero() {
            return Ok(None);
        }
        let ledger = self.ledger()?;
        let turns: Vec<_> = budgets
            .iter()
            .map(|budget| self.turn(&budget.account))
            .collect();
        let mut taken = vec![];
        for turn in turns {
            taken.push(turn.lock_owned().await);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now_ms = now_ms();
            let order = Order {
                id: uuid::Uuid::now_v7().to_string(),
                model: model.name.clone(),
                budgets: dated(&budgets, now_ms),
                estimate,
                day: now_ms.div_euclid(DAY_MS),
                now_ms,
            };
            let answer = ledger.reserve(order).await.map_err(|error| {
                Error::configuration(format!("limits.cost_per_day cannot be kept: {error}"))
            })?;
            match answer {
                Answer::Begin(held) => {
                    return Ok(Some(Reservation {
                        ledger: ledger.clone(),
                        held: Mutex::new(Some(held)),
                    }));
                }
                Answer::Wait if Instant::now() < deadline => tokio::time::sleep(STEP).await,
                Answer::Wait => return Err(held_by_others(model)),
                Answer::Refused {
                    account,
                    spent,
                    held,
                    needs,
                } => {
                    let budget = budgets.iter().find(|budget| budget.account == account);
                    return Err(refused(budget, (spent, held, needs), now_ms));
                }
            }
        }
    }

    #[cfg(not(feature = "history"))]
    #[allow(clippy::unnecessary_wraps, reason = "as where there is a history")]
    fn ledger(&self) -> Result<&Ledger> {
        Ok(self.ledger.get_or_init(Ledger::start))
    }

    #[cfg(feature = "history")]
    fn ledger(&self) -> Result<&Ledger> {
        let path = self.path.as_ref().ok_or_else(|| {
            Error::configuration(
                "limits.cost_per_day cannot be kept: there is no home directory for the ledger of what was \
                 spent: set history.path",
            )
        })?;
        Ok(self
            .ledger
            .get_or_init(|| Ledger::start(path.clone(), self.history.clone())))
    }

    fn turn(&self, account: &str) -> Arc<tokio::sync::Mutex<()>> {
        lock(&self.turns)
            .entry(account.to_owned())
            .or_default()
            .clone()
    }
}

/// What an exchange holds in its budgets. Dropped without a word it counts as what was expected.
pub(super) struct Reservation {
    ledger: Ledger,
    held: Mutex<Option<Held>>,
}

impl Reservation {
    /// It was answered, and cost this.
    pub(super) fn answered(&self, cost: Option<Decimal>) {
        self.settle(cost.map_or(Paid::Unknown, Paid::Known));
    }

    /// Nothing was sent.
    pub(super) fn release(&self) {
        self.settle(Paid::Nothing);
    }

    /// It failed. No vendor charges for what it refused; whatever else went wrong may have cost.
    pub(super) fn failed(&self, error: &Error) {
        let refused = error.status.is_some_and(|status| status >= 400)
            || matches!(
                error.kind,
                ErrorKind::InvalidRequest
                    | ErrorKind::Unsupported
                    | ErrorKind::Authentication
                    | ErrorKind::Permission
                    | ErrorKind::Billing
                    | ErrorKind::NotFound
                    | ErrorKind::ContextLength
                    | ErrorKind::PayloadTooLarge
                    | ErrorKind::RateLimited
                    | ErrorKind::QuotaExhausted
                    | ErrorKind::Unavailable
                    | ErrorKind::Configuration
            );
        self.settle(match refused && error.partial.is_none() {
            true => Paid::Nothing,
            false => Paid::Unknown,
        });
    }

    fn settle(&self, paid: Paid) {
        if let Some(held) = lock(&self.held).take() {
            self.ledger.settle(held, paid);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.settle(Paid::Unknown);
    }
}

fn budgets_of(model: &Model, caller: Option<&Caller>) -> Vec<Budget> {
    let of_model = model.limits.cost_per_day.map(|limit| Budget {
        account: format!("model {:?}", model.name),
        limit,
        period: Period::Day,
        filter: Filter {
            model: Some(model.name.clone()),
            ..Filter::default()
        },
    });
    let provider = &model.provider;
    let of_provider = provider.limits.cost_per_day.map(|limit| Budget {
        account: format!("provider {:?}", provider.name),
        limit,
        period: Period::Day,
        filter: Filter {
            provider: Some(provider.name.clone()),
            ..Filter::default()
        },
    });
    let of_caller = caller.into_iter().flat_map(|caller| {
        let periods = [
            (Period::Day, caller.limits.cost_per_day),
            (Period::Month, caller.cost_per_month),
        ];
        periods.into_iter().filter_map(|(period, limit)| {
            let name = caller.name.as_ref()?;
            let account = match period {
                Period::Day => format!("caller {name:?}"),
                Period::Month => format!("caller {name:?} by the month"),
            };
            Some(Budget {
                account,
                limit: limit?,
                period,
                filter: Filter {
                    caller: Some(name.clone()),
                    ..Filter::default()
                },
            })
        })
    });
    of_model
        .into_iter()
        .chain(of_provider)
        .chain(of_caller)
        .collect()
}

/// The same for today and this month.
fn dated(budgets: &[Budget], now_ms: i64) -> Vec<Budget> {
    let mut budgets = budgets.to_vec();
    for budget in &mut budgets {
        budget.filter.since_ms = Some(budget.period.since_ms(now_ms));
    }
    budgets
}

fn refused(
    budget: Option<&Budget>,
    (spent, held, needs): (Decimal, Decimal, Decimal),
    now_ms: i64,
) -> Error {
    let dollars = |amount: Decimal| format!("${}", amount.normalize());
    let held = match held.is_zero() {
        true => String::new(),
        false => format!(" and holds {} for requests under way", dollars(held)),
    };
    let account = budget.map_or("an account", |budget| &budget.account);
    let limit = budget.map_or(Decimal::ZERO, |budget| budget.limit);
    let period = budget.map_or(Period::Day, |budget| budget.period);
    let (raise, span, end) = match (period, account.starts_with("caller ")) {
        (Period::Month, _) => (
            "have the budget of the key raised",
            "this month",
            "the first of the month, UTC",
        ),
        (Period::Day, true) => ("have the budget of the key raised", "today", "midnight UTC"),
        (Period::Day, false) => ("raise limits.cost_per_day", "today", "midnight UTC"),
    };
    let mut error = Error::new(
        ErrorKind::QuotaExhausted,
        format!(
            "{account} has spent {}{held} of its {} for {span}, and this may cost {}: {raise}, set max_tokens lower, \
             or wait for {end}",
            dollars(spent),
            dollars(limit),
            dollars(needs),
        ),
    );
    error.retry_after_ms = u64::try_from(period.until_ms(now_ms) - now_ms).ok();
    error
}

fn held_by_others(model: &Model) -> Error {
    Error::new(
        ErrorKind::RateLimited,
        format!(
            "requests under way hold the rest of the budget of model {:?}, its provider or its caller for more \
             than {} s: ask later, or raise it",
            model.name,
            PATIENCE.as_secs()
        ),
    )
    .retryable(true)
}
