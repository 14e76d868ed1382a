//! Prices of well-known models, for those that have none in the configuration.
//!
//! A table is a dated JSON file:
//!
//! ```json
//! { "as_of": "2026-11-23",
//!   "models": { "openai/gpt-4o": { "input_per_1m": 2.50, "output_per_1m": 10 } } }
//! ```
//!
//! The key is `provider/vendor's name of the model`; the prices are those of the configuration's
//! `cost`, in US dollars, read exactly from the text. `prompt_up_to` is the longest prompt, in
//! tokens, for which they hold: for a longer one, the price is unknown, unless `above` says it:
//! `{"tokens": 200000, "prices": {…}}`. `tiers` has the prices of other service levels by name. A file in the form of
//! LiteLLM's price list is read too, see [`litellm`].

mod changes;
mod litellm;

pub use changes::{Change, Changes};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::bounded;
use crate::config::{Amount, Model, Prices};

/// The largest table, in bytes. LiteLLM's has two million.
const MAX_FILE: u64 = 64 << 20;

/// The table that comes with the program.
static BUILT_IN: LazyLock<PriceTable> = LazyLock::new(|| {
    PriceTable::from_json(include_str!("../../../../configs/prices.json"))
        .map(|imported| imported.table)
        .unwrap_or_default()
});

/// Prices by provider and model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceTable {
    /// The day its prices are of, as it says itself.
    pub as_of: Option<String>,
    models: BTreeMap<String, Listed>,
}

/// A table, and what was left out of it.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The table.
    pub table: PriceTable,
    /// How many entries of the file are no chat models, or have no price.
    pub without_price: usize,
    /// What was wrong with the entries that could not be read.
    pub skipped: Vec<String>,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceTableError {
    /// It cannot be read.
    #[error("the price table {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is none.
    #[error("no price table: {0}")]
    Invalid(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    prices: Prices,
    prompt_up_to: Option<u64>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    as_of: Option<String>,
    #[serde(default, rename = "source")]
    _source: Option<String>,
    models: BTreeMap<String, RawPrices>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrices {
    input_per_1m: Option<Amount>,
    output_per_1m: Option<Amount>,
    cached_input_per_1m: Option<Amount>,
    cache_write_per_1m: Option<Amount>,
    reasoning_per_1m: Option<Amount>,
    per_request: Option<Amount>,
    cache_write_1h_per_1m: Option<Amount>,
    audio_input_per_1m: Option<Amount>,
    audio_output_per_1m: Option<Amount>,
    image_output_per_1m: Option<Amount>,
    per_web_search: Option<Amount>,
    per_searched_request: Option<Amount>,
    per_web_fetch: Option<Amount>,
    per_file_search: Option<Amount>,
    #[serde(default)]
    tiers: BTreeMap<String, RawPrices>,
    above: Option<Box<RawAbove>>,
    prompt_up_to: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAbove {
    tokens: u64,
    prices: RawPrices,
}

impl PriceTable {
    /// The table that comes with the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads a file of either form.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no price table.
    pub fn load(path: &Path) -> Result<Imported, PriceTableError> {
        let text = bounded::text(path, MAX_FILE).map_err(|error| PriceTableError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::from_json(&text).map_err(|error| match error {
            PriceTableError::Invalid(reason) => {
                PriceTableError::Invalid(format!("{}: {reason}", path.display()))
            }
            other => other,
        })
    }

    /// Reads a text of either form.
    ///
    /// # Errors
    ///
    /// It is no price table.
    pub fn from_json(text: &str) -> Result<Imported, PriceTableError> {
        let text = text.trim_start_matches('\u{feff}');
        let invalid = |error: serde_json::Error| PriceTableError::Invalid(error.to_string());
        let keys: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(invalid)?;
        if !keys.contains_key("models") {
            return litellm::read(text);
        }
        let raw: Raw = serde_json::from_str(text).map_err(invalid)?;
        let models = raw.models.into_iter().map(|(name, raw)| (name, raw.into()));
        Ok(Imported {
            table: PriceTable {
                as_of: raw.as_of,
                models: models.collect(),
            },
            ..Imported::default()
        })
    }

    /// How many models it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Does it know none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// Prices as they stand in a table, as a JSON object.
    #[must_use]
    pub fn prices_as_json(prices: &Prices) -> String {
        serde_json::to_string(&members_of(prices)).unwrap_or_default()
    }

    /// Every amount of prices by its key, without those of service levels and long prompts.
    #[must_use]
    pub fn amounts(prices: &Prices) -> [(&'static str, Option<Decimal>); 14] {
        amounts_of(prices)
    }

    /// Every model as `provider/model` with its prices, in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Prices)> {
        let models = self.models.iter();
        models.map(|(name, listed)| (name.as_str(), &listed.prices))
    }

    /// What a model costs for a prompt of so many tokens; nothing where that is unknown.
    ///
    /// The name that the vendor answered with counts before the configured one, for an alias or
    /// a deployment says less. A provider of a plugin's own name has the plugin's prices; any
    /// other provider is somebody else's server, and has only those listed under its own name.
    #[must_use]
    pub fn of(&self, model: &Model, answered: Option<&str>, prompt: Option<u64>) -> Option<Prices> {
        let provider = &model.provider;
        let owners = [
            Some(provider.name.as_str()),
            model.endpoint.customary.then_some(&*provider.plugin.name),
        ];
        let names = [answered, Some(model.model_name.as_str())];
        let listed = owners.into_iter().flatten().find_map(|owner| {
            names
                .into_iter()
                .flatten()
                .find_map(|name| self.listed(owner, name))
        })?;
        match (listed.prompt_up_to, prompt) {
            (Some(most), Some(prompt)) if prompt > most => None,
            _ => Some(listed.prices.clone()),
        }
    }

    /// The entry of this name, or of the name without the date or version at its end.
    fn listed(&self, owner: &str, name: &str) -> Option<&Listed> {
        // Gemini's names of models are paths: https://ai.google.dev/api/models
        let name = name.strip_prefix("models/").unwrap_or(name);
        let exact = self.models.get(&format!("{owner}/{name}"));
        exact.or_else(|| {
            let key = format!("{owner}/{}", undated(name)?);
            self.models.get(&key)
        })
    }

    /// The file of this table.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct File<'a> {
            as_of: &'a Option<String>,
            models: BTreeMap<&'a str, Option<Box<RawValue>>>,
        }
        let models = self.models.iter().map(|(name, listed)| {
            let mut members = members_of(&listed.prices);
            if let Some(tokens) = listed.prompt_up_to {
                members.insert("prompt_up_to", to_raw_value(&tokens).ok());
            }
            (name.as_str(), to_raw_value(&members).ok())
        });
        let file = File {
            as_of: &self.as_of,
            models: models.collect(),
        };
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Prices as they stand in a file, to the last digit.
fn members_of(prices: &Prices) -> BTreeMap<&'static str, Option<Box<RawValue>>> {
    let mut members: BTreeMap<_, _> = amounts_of(prices)
        .into_iter()
        .filter_map(|(key, amount)| Some((key, crate::chat::exact_number(amount?))))
        .collect();
    if !prices.tiers.is_empty() {
        let tiers = prices.tiers.iter();
        let tiers: BTreeMap<_, _> = tiers.map(|(name, own)| (name, members_of(own))).collect();
        members.insert("tiers", to_raw_value(&tiers).ok());
    }
    if let Some((tokens, own)) = prices.above.as_deref() {
        #[derive(Serialize)]
        struct Above {
            tokens: u64,
            prices: BTreeMap<&'static str, Option<Box<RawValue>>>,
        }
        let above = Above {
            tokens: *tokens,
            prices: members_of(own),
        };
        members.insert("above", to_raw_value(&above).ok());
    }
    members
}

/// Every amount by its key, in the order in which people read them.
fn amounts_of(prices: &Prices) -> [(&'static str, Option<Decimal>); 14] {
    [
        ("input_per_1m", prices.input_per_1m),
        ("output_per_1m", prices.output_per_1m),
        ("cached_input_per_1m", prices.cached_input_per_1m),
        ("cache_write_per_1m", prices.cache_write_per_1m),
        ("cache_write_1h_per_1m", prices.cache_write_1h_per_1m),
        ("reasoning_per_1m", prices.reasoning_per_1m),
        ("audio_input_per_1m", prices.audio_input_per_1m),
        ("audio_output_per_1m", prices.audio_output_per_1m),
        ("image_output_per_1m", prices.image_output_per_1m),
        ("per_request", prices.per_request),
        ("per_web_search", prices.per_web_search),
        ("per_searched_request", prices.per_searched_request),
        ("per_web_fetch", prices.per_web_fetch),
        ("per_file_search", prices.per_file_search),
    ]
}

impl From<RawPrices> for Prices {
    fn from(raw: RawPrices) -> Self {
        let amount = |amount: Option<Amount>| amount.map(|amount| amount.0);
        Prices {
            input_per_1m: amount(raw.input_per_1m),
            output_per_1m: amount(raw.output_per_1m),
            cached_input_per_1m: amount(raw.cached_input_per_1m),
            cache_write_per_1m: amount(raw.cache_write_per_1m),
            reasoning_per_1m: amount(raw.reasoning_per_1m),
            per_request: amount(raw.per_request),
            cache_write_1h_per_1m: amount(raw.cache_write_1h_per_1m),
            audio_input_per_1m: amount(raw.audio_input_per_1m),
            audio_output_per_1m: amount(raw.audio_output_per_1m),
            image_output_per_1m: amount(raw.image_output_per_1m),
            per_web_search: amount(raw.per_web_search),
            per_searched_request: amount(raw.per_searched_request),
            per_web_fetch: amount(raw.per_web_fetch),
            per_file_search: amount(raw.per_file_search),
            tiers: raw
                .tiers
                .into_iter()
                .map(|(name, own)| (name, own.into()))
                .collect(),
            above: raw
                .above
                .map(|above| Box::new((above.tokens, above.prices.into()))),
        }
    }
}

impl From<RawPrices> for Listed {
    fn from(raw: RawPrices) -> Self {
        Listed {
            prompt_up_to: raw.prompt_up_to,
            prices: raw.into(),
        }
    }
}

/// The name without a date or version at its end: `-2024-08-06`, `-20241022`, `-0613`, `-03-2025`,
/// `-001`, `-latest`, `@20240620`. Nothing if there is none.
fn undated(name: &str) -> Option<&str> {
    const FORMS: [&str; 7] = [
        "-9999-99-99",
        "-99999999",
        "-99-9999",
        "-9999",
        "-999",
        "-latest",
        "@99999999",
    ];
    let fits = |tail: &str, form: &str| {
        tail.len() == form.len()
            && tail
                .bytes()
                .zip(form.bytes())
                .all(|(byte, form)| match form {
                    b'9' => byte.is_ascii_digit(),
                    _ => byte == form,
                })
    };
    FORMS.into_iter().find_map(|form| {
        let split = name.len().checked_sub(form.len())?;
        let (start, tail) = name.split_at_checked(split)?;
        // What is left of `-2024-08-06` without `-08-2024` is no name either.
        (!start.is_empty() && fits(tail, form)).then_some(start)
    })
}

#[cfg(test)]
mod tests;
