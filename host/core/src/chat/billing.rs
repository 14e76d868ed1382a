//! What a vendor says of the price of an answer beyond the counts of tokens.
//!
//! An adapter says it beside the counts. Those of contract 0.1.0, which has no place for it, tell it in
//! a block of the kind [`Billing::KIND`] among the parts of an answer; it is taken out where answers
//! come in, and never shown as content or sent back.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::Usage;
use super::response::exact_number;

/// Characters of a tier or a reason that are kept.
const WORDS: usize = 200;
/// Names of counts that are kept.
const DETAILS: usize = 64;
/// The counts that are paid, input and output, where the vendor bills others than it counts.
const PAID: [&str; 2] = ["billed-input-tokens", "billed-output-tokens"];
/// Reasons that are kept; one is enough for the cost to be unknown.
const REASONS: usize = 16;

/// What a vendor says of the price of an answer beyond the counts of tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billing {
    /// The vendor's word for the service level that answered, such as `priority`; absent where it
    /// is the standard one.
    pub tier: Option<String>,
    /// The tokens that are paid, input and output, where the vendor bills others than it counts.
    pub paid: Option<(u64, u64)>,
    /// What was counted beyond the six counts, by name, such as `web-searches`.
    pub details: BTreeMap<String, u64>,
    /// What the vendor says it took, in US dollars.
    pub cost: Option<Decimal>,
    /// What else the plain price of a token does not cover, for a person, such as `processed in
    /// another region`.
    pub remarks: Vec<String>,
    /// What was counted has a price, and the cost holds it.
    pub covered: bool,
}

/// What a plugin says of the price, in its own words.
#[derive(Debug, Default)]
pub struct Said {
    /// Counts by name.
    pub details: Vec<(String, u64)>,
    /// In US dollars, as decimal text.
    pub cost: Option<String>,
    /// The service level.
    pub tier: Option<String>,
    /// What else the plain price does not cover.
    pub unpriced: Vec<String>,
}

/// The block as adapters write it: `billing.rs` of the plugins' SDK.
#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    tier: Option<String>,
    #[serde(default)]
    paid: Option<Paid>,
    #[serde(default)]
    cost: Option<String>,
    #[serde(default)]
    unpriced: Vec<String>,
}

#[derive(Deserialize)]
struct Paid {
    input_tokens: u64,
    output_tokens: u64,
}

impl Billing {
    /// The kind of the block.
    pub const KIND: &'static str = "multillm.billing";

    /// Reads the block's JSON text. What cannot be read is a reason not to know the cost.
    #[must_use]
    pub fn read(data: &str) -> Self {
        let mut billing = Billing::default();
        match serde_json::from_str::<Block>(data) {
            Ok(block) => {
                billing.paid = block
                    .paid
                    .map(|paid| (paid.input_tokens, paid.output_tokens));
                billing.take(block.tier, &block.unpriced, block.cost.as_deref());
            }
            Err(_) => billing.add("a remark on the price that cannot be read".to_owned()),
        }
        billing
    }

    /// What a plugin says beside its counts. What cannot be read is a reason not to know the cost.
    #[must_use]
    pub fn said(said: Said) -> Self {
        let mut billing = Billing::default();
        for (name, count) in said.details.into_iter().take(DETAILS) {
            billing.details.insert(shortened(&name), count);
        }
        let [input, output] = PAID.map(|name| billing.details.remove(name));
        if input.is_some() || output.is_some() {
            billing.paid = Some((input.unwrap_or(0), output.unwrap_or(0)));
        }
        billing.take(said.tier, &said.unpriced, said.cost.as_deref());
        billing
    }

    fn take(&mut self, tier: Option<String>, unpriced: &[String], cost: Option<&str>) {
        self.tier = tier.map(|tier| shortened(&tier)).filter(is_special);
        for what in unpriced {
            self.add(match shortened(what) {
                what if what.is_empty() => "something that has no name".to_owned(),
                what => what,
            });
        }
        match cost.map(dollars) {
            Some(Some(cost)) => self.cost = Some(cost),
            Some(None) => self.add("a cost of the vendor that is no amount".to_owned()),
            None => {}
        }
    }

    /// What the plain price of a token does not cover, besides the tier, for a person: what was counted
    /// and has no price, and what else the vendor says.
    #[must_use]
    pub fn unpriced(&self) -> Vec<String> {
        let counted = self.details.iter();
        let counted = counted.filter(|(_, count)| **count > 0 && !self.covered);
        counted
            .map(|(name, count)| format!("{count} {}", name.replace('-', " ")))
            .chain(self.remarks.iter().cloned())
            .collect()
    }

    /// Whether there is nothing to say to a person.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_by_tokens() && self.cost.is_none()
    }

    /// The counts to be paid, where those of the answer are these.
    #[must_use]
    pub fn payable(&self, counted: &Usage) -> Usage {
        match self.paid {
            None => *counted,
            Some((input, output)) => Usage {
                prompt_tokens: Some(input),
                completion_tokens: Some(output),
                ..Usage::default()
            },
        }
    }

    /// Whether the price of a token is all that it takes to know the cost.
    #[must_use]
    pub fn is_by_tokens(&self) -> bool {
        self.tier.is_none()
            && self.remarks.is_empty()
            && self.details.values().all(|count| *count == 0)
    }

    /// A further reason not to know the cost.
    pub(crate) fn remark(&mut self, reason: String) {
        self.add(shortened(&reason));
    }

    /// Takes over what is said later: a tier, a cost or a count replaces the former one, reasons are
    /// added.
    pub fn update(&mut self, newer: Billing) {
        self.tier = newer.tier.or(self.tier.take());
        self.paid = newer.paid.or(self.paid);
        self.cost = newer.cost.or(self.cost);
        self.details.extend(newer.details);
        for what in newer.remarks {
            self.add(what);
        }
    }

    /// What the plain price does not cover, for a person; nothing if it covers everything.
    #[must_use]
    pub fn reasons(&self) -> Option<String> {
        let tier = self.tier.iter().map(|tier| format!("tier {tier}"));
        let reasons: Vec<String> = tier.chain(self.unpriced()).collect();
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }

    fn add(&mut self, what: String) {
        if self.remarks.len() < REASONS && !self.remarks.contains(&what) {
            self.remarks.push(what);
        }
    }
}

#[allow(clippy::ptr_arg, reason = "a filter's form")]
fn is_special(tier: &String) -> bool {
    !["", "standard", "default"]
        .iter()
        .any(|plain| tier.eq_ignore_ascii_case(plain))
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(WORDS).collect()
}

/// An amount as vendors write it: a decimal, perhaps with an exponent. Digits beyond the 28th after
/// the point are rounded off.
fn dollars(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let digits: Decimal = digits.parse().ok()?;
    // No more than Decimal can hold, and whatever is smaller is nothing.
    let steps = exponent.unsigned_abs().min(64);
    let amount = (0..steps).try_fold(digits, |amount, _| match exponent > 0 {
        true => amount.checked_mul(Decimal::TEN),
        false => amount.checked_div(Decimal::TEN),
    })?;
    (!amount.is_sign_negative() || amount.is_zero()).then(|| amount.normalize().abs())
}

impl Serialize for Billing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Billing", 4)?;
        fields.serialize_field("tier", &self.tier)?;
        fields.serialize_field("vendor_cost", &self.cost.map(exact_number))?;
        fields.serialize_field("unpriced", &self.unpriced())?;
        match self.details.is_empty() {
            false => fields.serialize_field("details", &self.details)?,
            true => fields.skip_field("details")?,
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_the_sdk_writes_it() {
        let read =
            Billing::read(r#"{"tier":"flex","cost":"0.0123","unpriced":["2 searches"," "]}"#);
        assert_eq!(read.tier.as_deref(), Some("flex"));
        assert_eq!(read.cost, Some(Decimal::new(123, 4)));
        assert_eq!(
            read.reasons().unwrap(),
            "tier flex, 2 searches, something that has no name"
        );
        let shown = serde_json::to_string(&Billing::read(
            r#"{"tier":null,"cost":"1.2300","unpriced":["a"]}"#,
        ));
        assert_eq!(
            shown.unwrap(),
            r#"{"tier":null,"vendor_cost":1.23,"unpriced":["a"]}"#
        );
    }

    #[test]
    fn tokens_that_are_billed_are_paid_instead_of_those_that_were_counted() {
        let counted = Usage {
            prompt_tokens: Some(71),
            completion_tokens: Some(9),
            cached_tokens: Some(64),
            ..Usage::default()
        };
        let read = Billing::read(r#"{"paid":{"input_tokens":5,"output_tokens":2}}"#);
        assert!(read.is_plain() && read.is_by_tokens());
        let payable = read.payable(&counted);
        assert_eq!(
            (
                payable.prompt_tokens,
                payable.completion_tokens,
                payable.cached_tokens
            ),
            (Some(5), Some(2), None)
        );
        assert_eq!(Billing::default().payable(&counted), counted);
        assert!(!Billing::read(r#"{"paid":{"input_tokens":-5,"output_tokens":2}}"#).is_by_tokens());
    }

    #[test]
    fn what_is_counted_and_has_no_price_makes_the_cost_unknown() {
        let said = |details: &[(&str, u64)]| {
            let details = details
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count));
            Billing::said(Said {
                details: details.collect(),
                ..Said::default()
            })
        };
        let mut billing = said(&[("web-searches", 2), ("prompt-audio-tokens", 0)]);
        assert!(!billing.is_by_tokens());
        assert_eq!(billing.reasons().unwrap(), "2 web searches");
        billing.update(said(&[("web-searches", 3)]));
        assert_eq!(billing.reasons().unwrap(), "3 web searches");
        assert_eq!(
            serde_json::to_string(&billing).unwrap(),
            r#"{"tier":null,"vendor_cost":null,"unpriced":["3 web searches"],"details":{"prompt-audio-tokens":0,"web-searches":3}}"#
        );
        assert!(said(&[("web-searches", 0)]).is_plain());
        let paid = said(&[("billed-input-tokens", 5), ("billed-output-tokens", 2)]);
        assert_eq!(paid.paid, Some((5, 2)));
        assert!(paid.is_plain());
    }

    #[test]
    fn the_standard_tier_is_nothing_to_say() {
        for tier in ["standard", "Default", ""] {
            let data = serde_json::json!({ "tier": tier }).to_string();
            assert!(Billing::read(&data).is_plain(), "{tier:?}");
        }
    }

    #[test]
    fn costs_are_read_to_the_last_digit_and_nonsense_makes_the_cost_unknown() {
        let cost = |text: &str| dollars(text).map(|cost| cost.to_string());
        assert_eq!(cost("1.2345e-05").as_deref(), Some("0.000012345"));
        assert_eq!(cost("2E3").as_deref(), Some("2000"));
        assert_eq!(
            cost("0.000012345678901234567").as_deref(),
            Some("0.000012345678901234567")
        );
        assert_eq!(cost("0").as_deref(), Some("0"));
        assert_eq!(cost("1e-99").as_deref(), Some("0"));
        for text in ["-1", "free", "1e99999999999", "1e40", "NaN", ""] {
            assert_eq!(cost(text), None, "{text}");
            let data = serde_json::json!({ "cost": text }).to_string();
            let read = Billing::read(&data);
            assert!(read.cost.is_none() && !read.is_by_tokens(), "{read:?}");
        }
        assert!(!Billing::read("no JSON").is_by_tokens());
    }

    #[test]
    fn in_a_stream_tier_and_cost_replace_and_reasons_add_up() {
        let mut billing = Billing::read(r#"{"tier":"flex","unpriced":["a"]}"#);
        billing.update(Billing::read(r#"{"cost":"1","unpriced":["a","b"]}"#));
        billing.update(Billing::read(r#"{"tier":"priority","cost":"2"}"#));
        assert_eq!(billing.reasons().unwrap(), "tier priority, a, b");
        assert_eq!(billing.cost, Some(Decimal::TWO));
    }

    #[test]
    fn what_a_plugin_says_is_bounded() {
        let many: Vec<String> = (0..1000)
            .map(|number| number.to_string().repeat(300))
            .collect();
        let data = serde_json::json!({ "unpriced": many }).to_string();
        let read = Billing::read(&data);
        assert_eq!(read.remarks.len(), REASONS);
        assert!(
            read.remarks
                .iter()
                .all(|what| what.chars().count() <= WORDS)
        );
    }
}
