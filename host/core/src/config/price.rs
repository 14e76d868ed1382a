//! What a model costs: exact decimals in US dollars, read from the JSON text itself.
//!
//! A binary floating point number never stands between: 0.03 is 0.03. Knows nothing of usage;
//! what an exchange costs is reckoned elsewhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// The prices of a model in US dollars. Absent means unknown, and 0 means free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices {
    /// A million tokens of input.
    pub input_per_1m: Option<Decimal>,
    /// A million tokens of output.
    pub output_per_1m: Option<Decimal>,
    /// A million tokens of input that the vendor read from its cache. Absent: as other input.
    pub cached_input_per_1m: Option<Decimal>,
    /// A million tokens of input that the vendor wrote to its cache. Absent: as other input.
    pub cache_write_per_1m: Option<Decimal>,
    /// A million tokens of thoughts. Absent: as other output.
    pub reasoning_per_1m: Option<Decimal>,
    /// Each request, on top of the tokens. Absent: nothing.
    pub per_request: Option<Decimal>,
    /// A million tokens of input that the vendor keeps in its cache for an hour. Absent: unknown.
    pub cache_write_1h_per_1m: Option<Decimal>,
    /// A million tokens of sound in the input, where the vendor counts them apart. Absent: unknown.
    pub audio_input_per_1m: Option<Decimal>,
    /// A million tokens of sound in the output. Absent: unknown.
    pub audio_output_per_1m: Option<Decimal>,
    /// A million tokens of pictures in the output. Absent: unknown.
    pub image_output_per_1m: Option<Decimal>,
    /// Each search of the web by the vendor. Absent: unknown.
    pub per_web_search: Option<Decimal>,
    /// Each request in which the vendor searched, however often. Absent: it is paid by the search.
    pub per_searched_request: Option<Decimal>,
    /// Each page that the vendor fetched. Absent: unknown.
    pub per_web_fetch: Option<Decimal>,
    /// Each search in files that the vendor keeps. Absent: unknown.
    pub per_file_search: Option<Decimal>,
    /// The prices of other service levels, by the vendor's word: `priority`, `flex`, `batch`. What stands in none is
    /// unknown.
    pub tiers: BTreeMap<String, Prices>,
    /// The prices of prompts that are longer than so many tokens.
    pub above: Option<Box<(u64, Prices)>>,
}

impl Prices {
    /// One price for each token, input or output. Absent if a thousand times it has too many digits.
    #[must_use]
    pub fn single(per_1k_tokens: Decimal) -> Option<Self> {
        let per_1m = per_1k_tokens
            .checked_mul(Decimal::ONE_THOUSAND)?
            .normalize();
        Some(Self {
            input_per_1m: Some(per_1m),
            output_per_1m: Some(per_1m),
            ..Self::default()
        })
    }

    /// Nothing costs anything.
    #[must_use]
    pub fn free() -> Self {
        Self {
            input_per_1m: Some(Decimal::ZERO),
            output_per_1m: Some(Decimal::ZERO),
            ..Self::default()
        }
    }

    /// Does nothing cost anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let all = [
            self.input_per_1m,
            self.output_per_1m,
            self.cached_input_per_1m,
            self.cache_write_per_1m,
            self.reasoning_per_1m,
            self.per_request,
        ];
        self.input_per_1m.is_some()
            && self.output_per_1m.is_some()
            && all.into_iter().flatten().all(|price| price.is_zero())
    }
}

/// A sum of money in the configuration: a JSON number, not negative, kept to the last digit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(pub(crate) Decimal);

impl Amount {
    /// Reads the text of a JSON number.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let plain = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text)
        } else {
            Decimal::from_str_exact(text)
        };
        match plain {
            Ok(amount) if amount.is_sign_negative() && !amount.is_zero() => {
                Err("must not be negative".to_owned())
            }
            Ok(amount) => Ok(Self(amount)),
            Err(_) => Err("has more digits than can be kept: write at most 28".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Self::parse(text).map_err(de::Error::custom)
        } else {
            Err(de::Error::custom("expected a number"))
        }
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "format": "decimal", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> String {
        match serde_json::from_str::<Amount>(text) {
            Ok(amount) => amount.0.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(amount("0.03"), "0.03");
        assert_eq!(
            amount("0.1234567890123456789012345678"),
            "0.1234567890123456789012345678"
        );
        assert_eq!(amount("3e-5"), "0.00003");
        assert_eq!(amount("1.5E1"), "15");
        assert_eq!(amount("0"), "0");
        assert_eq!(amount("-0.0"), "0.0");
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        assert!(amount("-1").starts_with("must not be negative"));
        assert!(amount("0.12345678901234567890123456789").contains("digits"));
        assert!(amount("1e40").contains("digits"));
        assert!(amount("1e-40").contains("digits"));
        assert!(amount("\"0.03\"").starts_with("expected a number"));
        assert!(amount("1e99999999999999999999").contains("digits"));
    }

    #[test]
    fn one_price_is_for_input_and_output() {
        let prices = Prices::single(Decimal::new(3, 2)).unwrap();
        assert_eq!(prices.input_per_1m, Some(Decimal::from(30)));
        assert_eq!(prices.output_per_1m, Some(Decimal::from(30)));
        assert!(!prices.is_free());
        assert!(Prices::single(Decimal::ZERO).unwrap().is_free());
        assert!(!Prices::default().is_free());
        assert_eq!(Prices::single(Decimal::MAX), None);
    }
}
