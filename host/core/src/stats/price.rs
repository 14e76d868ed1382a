//! What an exchange cost, in exact decimals.
//!
//! Beyond tokens it may be paid by service level, by the length of the prompt, by how long what was written to a cache
//! is kept, by the kind of what a token stands for, and by the number of calls. Where any of it has no price, or it is
//! not known which part of a count it is, the cost is unknown.

use rust_decimal::Decimal;

use crate::chat::{Billing, Usage};
use crate::config::Prices;

/// Why a cost is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpriced {
    /// By what the answer itself says: see [`Billing::reasons`].
    AsSaid,
    /// The plain prices or counts of tokens are not known.
    Unknown,
    /// For another reason, for a person.
    Because(String),
}

/// What is taken for a price that is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// A configuration that says nothing of a cache means: as other input.
    AsOtherTokens,
    /// A table that has no price for writing to a cache does not know it.
    Unknown,
}

/// US dollars for this usage; nothing if a price or a count that matters is unknown.
///
/// Cached and cache-written input are parts of the prompt, thoughts are a part of the completion:
/// each is paid at its own price, where there is one, and the rest at the plain one.
#[must_use]
pub fn cost(prices: &Prices, usage: &Usage) -> Option<Decimal> {
    let flat = prices.per_request.unwrap_or_default();
    if prices.is_free() {
        return Some(flat);
    }
    let (input, output) = (prices.input_per_1m?, prices.output_per_1m?);
    let (Some(prompt), Some(completion)) = (usage.prompt_tokens, usage.completion_tokens) else {
        return match usage.total_tokens {
            Some(total) if input == output => add(flat, tokens(total, input)?),
            _ => None,
        };
    };
    let cached = usage.cached_tokens.unwrap_or(0).min(prompt);
    let written = usage.cache_write_tokens.unwrap_or(0).min(prompt - cached);
    let thought = usage.reasoning_tokens.unwrap_or(0).min(completion);
    [
        (prompt - cached - written, input),
        (cached, prices.cached_input_per_1m.unwrap_or(input)),
        (written, prices.cache_write_per_1m.unwrap_or(input)),
        (completion - thought, output),
        (thought, prices.reasoning_per_1m.unwrap_or(output)),
    ]
    .into_iter()
    .try_fold(flat, |sum, (count, price)| add(sum, tokens(count, price)?))
}

/// US dollars for an answer with all that is said of its price.
///
/// # Errors
///
/// Why it is unknown.
pub fn bill(
    prices: &Prices,
    absent: Absent,
    usage: &Usage,
    billing: &Billing,
) -> Result<Decimal, Unpriced> {
    if !billing.remarks.is_empty() {
        return Err(Unpriced::AsSaid);
    }
    if prices.is_free() && billing.tier.is_none() && billing.details.values().all(|n| *n == 0) {
        return Ok(prices.per_request.unwrap_or_default());
    }
    let set = Set::of(prices, absent, usage, billing)?;
    let counted = billing.payable(usage);
    let sum = match billing.details.values().all(|count| *count == 0) && set.is_plain {
        true => {
            let written = counted.cache_write_tokens.unwrap_or(0) > 0;
            let priced = absent == Absent::AsOtherTokens || set.prices.cache_write_per_1m.is_some();
            if written && !priced {
                return Err(because("it has no price for what was written to a cache"));
            }
            return cost(set.prices, &counted).ok_or(Unpriced::Unknown);
        }
        false => set.tokens(&counted, billing)?,
    };
    let calls = set.calls(billing)?;
    add(sum, calls).ok_or(Unpriced::Unknown)
}

fn because(what: impl Into<String>) -> Unpriced {
    Unpriced::Because(what.into())
}

/// The prices that hold for an answer.
struct Set<'a> {
    prices: &'a Prices,
    /// Those of the standard service and any prompt: what is absent there is as documented.
    is_plain: bool,
    absent: Absent,
}

impl<'a> Set<'a> {
    fn of(
        prices: &'a Prices,
        absent: Absent,
        usage: &Usage,
        billing: &Billing,
    ) -> Result<Self, Unpriced> {
        let mut set = match &billing.tier {
            None => Set {
                prices,
                is_plain: true,
                absent,
            },
            Some(tier) => Set {
                prices: prices.tiers.get(&level(tier)).ok_or(Unpriced::AsSaid)?,
                is_plain: false,
                absent: Absent::Unknown,
            },
        };
        let Some(above) = prices.above.as_deref() else {
            return Ok(set);
        };
        let prompt = usage.prompt_tokens.ok_or(Unpriced::Unknown)?;
        if prompt <= above.0 {
            return Ok(set);
        }
        let longer = set.prices.above.as_deref().filter(|own| own.0 == above.0);
        let longer = longer.ok_or_else(|| {
            because(format!(
                "this service level has no price for prompts of more than {} tokens",
                above.0
            ))
        })?;
        set.prices = &longer.1;
        set.is_plain = false;
        set.absent = Absent::Unknown;
        Ok(set)
    }

    /// What the tokens cost.
    fn tokens(&self, counted: &Usage, billing: &Billing) -> Result<Decimal, Unpriced> {
        let prices = self.prices;
        let (input, output) = prices
            .input_per_1m
            .zip(prices.output_per_1m)
            .ok_or(Unpriced::Unknown)?;
        let (prompt, completion) = counted
            .prompt_tokens
            .zip(counted.completion_tokens)
            .ok_or(Unpriced::Unknown)?;
        let detail = |name: &str| billing.details.get(name).copied().unwrap_or(0);
        let cached = counted.cached_tokens.unwrap_or(0).min(prompt);
        let written = counted.cache_write_tokens.unwrap_or(0).min(prompt - cached);
        let hour = detail("cache-write-1h-tokens").min(written);
        let heard = detail("prompt-audio-tokens");
        if heard > 0 && cached + written > 0 {
            return Err(because(
                "how much of the sound in the prompt came from a cache is unknown",
            ));
        }
        let heard = heard.min(prompt - cached - written);
        let thought = counted.reasoning_tokens.unwrap_or(0).min(completion);
        let spoken = detail("completion-audio-tokens").min(completion - thought);
        let drawn = detail("completion-image-tokens").min(completion - thought - spoken);
        // Of other service levels and long prompts only what is listed is known.
        let or_input = |price: Option<Decimal>, lenient: bool| price.or(lenient.then_some(input));
        let lenient = self.absent == Absent::AsOtherTokens;
        let parts = [
            (prompt - cached - written - heard, Some(input), "input"),
            (
                cached,
                or_input(prices.cached_input_per_1m, lenient || self.is_plain),
                "what was read from a cache",
            ),
            (
                written - hour,
                or_input(prices.cache_write_per_1m, lenient),
                "what was written to a cache",
            ),
            (
                hour,
                prices.cache_write_1h_per_1m,
                "what is kept in a cache for an hour",
            ),
            (heard, prices.audio_input_per_1m, "sound in the prompt"),
            (
                completion - thought - spoken - drawn,
                Some(output),
                "output",
            ),
            (
                thought,
                prices.reasoning_per_1m.or(Some(output)),
                "thoughts",
            ),
            (spoken, prices.audio_output_per_1m, "sound in the answer"),
            (drawn, prices.image_output_per_1m, "pictures in the answer"),
        ];
        let flat = prices.per_request.unwrap_or_default();
        parts.into_iter().filter(|(count, ..)| *count > 0).try_fold(
            flat,
            |sum, (count, price, what)| {
                let price = price.ok_or_else(|| because(format!("it has no price for {what}")))?;
                let more = tokens(count, price).ok_or(Unpriced::Unknown)?;
                add(sum, more).ok_or(Unpriced::Unknown)
            },
        )
    }

    /// What is paid by the call, or has no price.
    fn calls(&self, billing: &Billing) -> Result<Decimal, Unpriced> {
        let prices = self.prices;
        let counts = billing.details.iter().filter(|(_, count)| **count > 0);
        counts
            .map(|(name, count)| (name.as_str(), *count))
            .try_fold(Decimal::ZERO, |sum, (name, count)| {
                let (count, price) = match name {
                    // Parts of what is paid by tokens.
                    "cache-write-1h-tokens"
                    | "prompt-audio-tokens"
                    | "completion-audio-tokens"
                    | "completion-image-tokens" => return Ok(sum),
                    "web-searches" if prices.per_searched_request.is_some() => {
                        (1, prices.per_searched_request)
                    }
                    "web-searches" => (count, prices.per_web_search),
                    "web-fetches" => (count, prices.per_web_fetch),
                    "file-searches" => (count, prices.per_file_search),
                    _ => return Err(Unpriced::AsSaid),
                };
                let price = price.ok_or(Unpriced::AsSaid)?;
                let more = Decimal::from(count)
                    .checked_mul(price)
                    .ok_or(Unpriced::Unknown)?;
                add(sum, more).ok_or(Unpriced::Unknown)
            })
    }
}

/// A service level by one word, however the vendor writes it: `ON_DEMAND_PRIORITY` is `priority`.
fn level(word: &str) -> String {
    let word = word.to_ascii_lowercase();
    let known = ["priority", "flex", "batch"];
    let known = known.into_iter().find(|known| word.contains(known));
    known.map_or(word.clone(), str::to_owned)
}

fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    a.checked_add(b).map(|sum| sum.normalize())
}

/// `count` tokens at a price for a million.
fn tokens(count: u64, per_1m: Decimal) -> Option<Decimal> {
    Decimal::from(count)
        .checked_mul(per_1m)?
        .checked_mul(Decimal::new(1, 6))
}

#[cfg(test)]
mod tests;
