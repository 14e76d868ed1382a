//! What is different in a newer table, and whether it can be one at all.

use rust_decimal::Decimal;

use super::{PriceTable, amounts_of};
use crate::config::Prices;

/// US dollars for a million tokens, or for a call, that nobody asks: a table with such a price has another unit.
const ABSURD: Decimal = Decimal::ONE_HUNDRED;
const ABSURD_PER_1M: u64 = 100_000;

/// What is different in a newer table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Models that are new.
    pub added: Vec<String>,
    /// Models that are no longer there.
    pub removed: Vec<String>,
    /// Models whose prices are others.
    pub changed: Vec<Change>,
}

/// A model whose prices are others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `provider/model`.
    pub model: String,
    /// Key of the price, before and now; absent where it had or has none.
    pub prices: Vec<(&'static str, Option<Decimal>, Option<Decimal>)>,
    /// Prices of service levels or long prompts are others.
    pub others: bool,
}

impl Changes {
    /// Is everything as it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl PriceTable {
    /// What is different from an older table.
    #[must_use]
    pub fn changes_since(&self, older: &PriceTable) -> Changes {
        let mut changes = Changes::default();
        for (name, listed) in &self.models {
            match older.models.get(name) {
                None => changes.added.push(name.clone()),
                Some(before) if before == listed => {}
                Some(before) => changes
                    .changed
                    .push(change(name, &before.prices, &listed.prices)),
            }
        }
        let gone = older.models.keys();
        let gone = gone.filter(|name| !self.models.contains_key(*name));
        changes.removed = gone.cloned().collect();
        changes
    }

    /// Models with a price that nobody asks: the table is damaged, or has another unit.
    #[must_use]
    pub fn absurd(&self) -> Vec<&str> {
        let is_absurd = |(key, price): (&str, Option<Decimal>)| {
            let most = match key.ends_with("_per_1m") {
                true => Decimal::from(ABSURD_PER_1M),
                false => ABSURD,
            };
            price.is_some_and(|price| price > most)
        };
        let absurd = self
            .iter()
            .filter(|(_, prices)| amounts_of(prices).into_iter().any(is_absurd));
        absurd.map(|(name, _)| name).collect()
    }
}

fn change(name: &str, before: &Prices, now: &Prices) -> Change {
    let pairs = amounts_of(before).into_iter().zip(amounts_of(now));
    Change {
        model: name.to_owned(),
        prices: pairs
            .filter(|((_, before), (_, now))| before != now)
            .map(|((key, before), (_, now))| (key, before, now))
            .collect(),
        others: before.tiers != now.tiers || before.above != now.above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(models: &str) -> PriceTable {
        let text = format!(r#"{{"models": {models}}}"#);
        PriceTable::from_json(&text).unwrap().table
    }

    #[test]
    fn what_is_new_gone_or_dearer_is_told() {
        let old = table(
            r#"{"a/same": {"input_per_1m": 1, "output_per_1m": 2},
                "a/dearer": {"input_per_1m": 1, "output_per_1m": 2},
                "a/gone": {"input_per_1m": 1, "output_per_1m": 2}}"#,
        );
        let new = table(
            r#"{"a/same": {"input_per_1m": 1.0, "output_per_1m": 2},
                "a/dearer": {"input_per_1m": 1.5, "output_per_1m": 2, "per_web_search": 0.01},
                "a/new": {"input_per_1m": 1, "output_per_1m": 2}}"#,
        );
        let changes = new.changes_since(&old);
        assert_eq!(
            (changes.added, changes.removed),
            (vec!["a/new".to_owned()], vec!["a/gone".to_owned()])
        );
        let [dearer] = changes.changed.as_slice() else {
            panic!("{:?}", changes.changed)
        };
        assert_eq!(
            dearer.prices,
            [
                (
                    "input_per_1m",
                    Some(Decimal::ONE),
                    Some(Decimal::new(15, 1))
                ),
                ("per_web_search", None, Some(Decimal::new(1, 2))),
            ]
        );
        assert!(new.changes_since(&new).is_empty());
    }

    #[test]
    fn prices_of_another_unit_are_seen() {
        let odd = table(
            r#"{"a/a": {"input_per_1m": 3000000, "output_per_1m": 15000000}, "a/b": {"input_per_1m": 3, "output_per_1m": 15}}"#,
        );
        assert_eq!(odd.absurd(), ["a/a"]);
    }
}
