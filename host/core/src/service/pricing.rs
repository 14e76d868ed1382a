//! Which prices hold for an answer: the configuration's, a price table's, none.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rust_decimal::Decimal;

use super::request::Most;
use crate::chat::{Billing, Usage};
use crate::config::{CostSource, Model, Prices};
use crate::stats::{self, Absent, Estimate, PriceTable, Unpriced};

/// Where Ollama's own servers are; everything else that its plugin talks to is the user's.
const OLLAMA_CLOUD: &str = "ollama.com";

/// The price tables, read when they are first needed.
pub(super) struct PriceList {
    /// The configuration's table, then the user's.
    paths: [Option<PathBuf>; 2],
    own: OnceLock<[PriceTable; 2]>,
}

/// What an answer cost.
#[derive(Debug, Default)]
pub(super) struct Priced {
    /// In US dollars; nothing where it is unknown.
    pub(super) cost: Option<Decimal>,
    /// It was reckoned by prices, of which everything that was counted has one.
    pub(super) covered: bool,
    /// Why it is unknown, where the answer itself does not say.
    pub(super) reason: Option<String>,
}

impl PriceList {
    /// The configuration's own table, and the user's behind it; the one that comes with the program stands behind both.
    pub(super) fn new(configured: Option<PathBuf>, user: Option<PathBuf>) -> Self {
        PriceList {
            paths: [configured, user],
            own: OnceLock::new(),
        }
    }

    /// What an answer cost in US dollars; nothing where that is unknown.
    ///
    /// What the vendor says it took is what it cost, unless the configuration says that the prices count. What was
    /// answered at another tier, or took more than tokens, is known where there are prices for exactly that.
    pub(super) fn cost(
        &self,
        model: &Model,
        answered: Option<&str>,
        usage: &Usage,
        billing: &Billing,
    ) -> Priced {
        if billing.cost.is_some() && model.cost_source == CostSource::Vendor {
            return Priced {
                cost: billing.cost,
                ..Priced::default()
            };
        }
        let (prices, absent) = match &model.prices {
            Some(prices) => (Some(prices.clone()), Absent::AsOtherTokens),
            None => {
                let listed = self.listed(model, answered, usage.prompt_tokens);
                (listed, Absent::Unknown)
            }
        };
        let Some(prices) = prices else {
            return Priced::default();
        };
        match stats::bill(&prices, absent, usage, billing) {
            Ok(cost) => Priced {
                cost: Some(cost),
                covered: true,
                reason: None,
            },
            Err(unpriced) => Priced {
                reason: match unpriced {
                    Unpriced::Because(reason) => Some(reason),
                    Unpriced::AsSaid | Unpriced::Unknown => None,
                },
                ..Priced::default()
            },
        }
    }

    /// What a request may cost; nothing where its price is unknown.
    pub(super) fn estimate(&self, model: &Model, most: &Most) -> Option<Estimate> {
        let prices = match &model.prices {
            Some(prices) => prices.clone(),
            None => self.listed(model, None, Some(most.input))?,
        };
        let prices = match prices.above.as_deref() {
            Some((tokens, longer)) if most.input > *tokens => longer.clone(),
            _ => prices,
        };
        let dearest = |a: Option<Decimal>, b: Option<Decimal>| a.map(|a| a.max(b.unwrap_or(a)));
        let prices = Prices {
            input_per_1m: dearest(prices.input_per_1m, prices.cache_write_per_1m),
            output_per_1m: dearest(prices.output_per_1m, prices.reasoning_per_1m),
            per_request: prices.per_request,
            ..Prices::default()
        };
        let of = |output: u64| {
            let usage = Usage {
                prompt_tokens: Some(most.input),
                completion_tokens: Some(output),
                ..Usage::default()
            };
            stats::cost(&prices, &usage)
        };
        Some(Estimate {
            input: of(0)?,
            whole: of(most.output)?,
            bounded: most.bounded,
        })
    }

    fn listed(&self, model: &Model, answered: Option<&str>, prompt: Option<u64>) -> Option<Prices> {
        let [configured, user] = self.own.get_or_init(|| {
            let [configured, user] = &self.paths;
            // The user's table need not be there.
            let user = user.as_deref().filter(|path| path.exists());
            [read(configured.as_deref()), read(user)]
        });
        configured
            .of(model, answered, prompt)
            .or_else(|| user.of(model, answered, prompt))
            .or_else(|| PriceTable::built_in().of(model, answered, prompt))
            .or_else(|| is_local(model).then(Prices::free))
    }
}

fn read(path: Option<&Path>) -> PriceTable {
    let Some(path) = path else {
        return PriceTable::default();
    };
    match PriceTable::load(path) {
        Ok(imported) => imported.table,
        Err(error) => {
            tracing::warn!("{error}");
            PriceTable::default()
        }
    }
}

/// Does it run on a machine of the user's: any Ollama but Ollama's own, and no model that one of
/// the user's passes on to there (<https://docs.ollama.com/cloud>).
fn is_local(model: &Model) -> bool {
    let elsewhere = model
        .endpoint
        .base_url
        .as_ref()
        .and_then(|url| url.host_str())
        .is_some_and(|host| host == OLLAMA_CLOUD || host.ends_with(".ollama.com"));
    let name = &model.model_name;
    let passed_on = name.ends_with("-cloud") || name.ends_with(":cloud");
    model.provider.plugin.name == "ollama" && !elsewhere && !passed_on
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{Config, Env};

    fn model(entry: &str) -> Arc<Model> {
        let text = format!(r#"{{"models": {{"m": {entry}}}}}"#);
        let env = Env::fixed("", [("A", "b")]);
        let config = Config::from_json_str(&text, Path::new("."), &env).unwrap();
        config.models["m"].clone()
    }

    fn cost(list: &PriceList, entry: &str) -> Option<String> {
        let usage = Usage {
            prompt_tokens: Some(1000),
            completion_tokens: Some(100),
            ..Usage::default()
        };
        let priced = list.cost(&model(entry), None, &usage, &Billing::default());
        priced.cost.map(|cost| cost.normalize().to_string())
    }

    #[test]
    fn the_configuration_wins_over_its_table_and_that_over_the_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prices.json");
        let table = r#"{"models": {"openai/gpt-4o": {"input_per_1m": 1, "output_per_1m": 2},
            "ollama/llama3.2": {"input_per_1m": 0.1, "output_per_1m": 0.1}}}"#;
        std::fs::write(&path, table).unwrap();
        let built_in = PriceList::new(None, None);
        let own = PriceList::new(Some(path.clone()), None);
        let user = PriceList::new(None, Some(path.clone()));
        let absent = PriceList::new(None, Some(dir.path().join("absent.json")));
        let gpt = r#"{"provider": "openai", "model_name": "gpt-4o"}"#;
        // 1000×2.50 + 100×10 = 3500 millionths
        assert_eq!(cost(&built_in, gpt).as_deref(), Some("0.0035"));
        assert_eq!(cost(&own, gpt).as_deref(), Some("0.0012"));
        assert_eq!(cost(&user, gpt).as_deref(), Some("0.0012"));
        assert_eq!(cost(&absent, gpt).as_deref(), Some("0.0035"));
        let other = dir.path().join("other.json");
        std::fs::write(
            &other,
            table.replace("\"input_per_1m\": 1,", "\"input_per_1m\": 7,"),
        )
        .unwrap();
        let both = PriceList::new(Some(path), Some(other));
        assert_eq!(cost(&both, gpt).as_deref(), Some("0.0012"));
        let priced =
            r#"{"provider": "openai", "model_name": "gpt-4o", "cost_per_1k_tokens": 0.01}"#;
        assert_eq!(cost(&own, priced).as_deref(), Some("0.011"));
        let llama = r#"{"provider": "ollama", "model_name": "llama3.2"}"#;
        assert_eq!(cost(&own, llama).as_deref(), Some("0.00011"));
        assert_eq!(cost(&built_in, llama).as_deref(), Some("0"));
    }

    #[test]
    fn what_the_price_of_a_token_does_not_cover_is_unknown_unless_the_vendor_said_it() {
        let list = PriceList::new(None, None);
        let priced =
            r#"{"provider": "openai", "model_name": "gpt-4o", "cost_per_1k_tokens": 0.01}"#;
        let listed = r#"{"provider": "openai", "model_name": "gpt-4o"}"#;
        let usage = Usage {
            prompt_tokens: Some(1000),
            completion_tokens: Some(100),
            ..Usage::default()
        };
        for entry in [priced, listed] {
            let cost = |said: &str| {
                let priced = list.cost(&model(entry), None, &usage, &Billing::read(said));
                priced.cost.map(|cost| cost.normalize().to_string())
            };
            assert!(cost("{}").is_some());
            assert!(cost(r#"{"tier": "default"}"#).is_some());
            assert_eq!(cost(r#"{"tier": "priority"}"#), None);
            assert_eq!(cost(r#"{"unpriced": ["2 web searches"]}"#), None);
            let said = r#"{"tier": "priority", "cost": "0.25", "unpriced": ["2 searches"]}"#;
            assert_eq!(cost(said).as_deref(), Some("0.25"));
        }
    }

    #[test]
    fn writing_to_a_cache_is_not_priced_as_input_where_a_table_has_no_price_for_it() {
        let list = PriceList::new(None, None);
        let written = Usage {
            prompt_tokens: Some(1000),
            completion_tokens: Some(100),
            cache_write_tokens: Some(500),
            ..Usage::default()
        };
        let cost = |entry: &str| {
            list.cost(&model(entry), None, &written, &Billing::default())
                .cost
        };
        assert_eq!(
            cost(r#"{"provider": "openai", "model_name": "gpt-4o"}"#),
            None
        );
        // A configuration that has no price for it says: as other input.
        let own = r#"{"provider": "openai", "model_name": "gpt-4o", "cost_per_1k_tokens": 0.01}"#;
        assert_eq!(cost(own), Some(Decimal::new(11, 3)));
    }

    #[test]
    fn the_configuration_says_whether_the_vendors_cost_or_the_prices_count() {
        let list = PriceList::new(None, None);
        let usage = Usage {
            prompt_tokens: Some(1000),
            completion_tokens: Some(100),
            ..Usage::default()
        };
        let cost = |source: &str, said: &str| {
            let entry = format!(
                r#"{{"provider": "openai", "model_name": "gpt-4o", "cost_per_1k_tokens": 0.01 {source}}}"#
            );
            let priced = list.cost(&model(&entry), None, &usage, &Billing::read(said));
            priced.cost.map(|cost| cost.normalize().to_string())
        };
        let said = r#"{"cost": "0.25"}"#;
        assert_eq!(cost("", said).as_deref(), Some("0.25"));
        assert_eq!(
            cost(r#", "cost_source": "vendor""#, said).as_deref(),
            Some("0.25")
        );
        assert_eq!(
            cost(r#", "cost_source": "prices""#, said).as_deref(),
            Some("0.011")
        );
        let dear = r#"{"cost": "0.25", "tier": "priority"}"#;
        assert_eq!(cost(r#", "cost_source": "prices""#, dear), None);
    }

    #[test]
    fn what_nobody_knows_is_unknown() {
        let list = PriceList::new(Some("/nowhere/prices.json".into()), None);
        assert_eq!(
            cost(&list, r#"{"provider": "openai", "model_name": "new"}"#),
            None
        );
        for cloud in [
            r#"{"provider": "ollama", "model_name": "gpt-oss:120b-cloud"}"#,
            r#"{"provider": "ollama", "model_name": "x", "base_url": "https://ollama.com"}"#,
        ] {
            assert_eq!(cost(&list, cloud), None, "{cloud}");
        }
    }
}
