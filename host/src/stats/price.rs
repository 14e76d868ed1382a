//! What an exchange cost, in exact decimals.

use rust_decimal::Decimal;

use crate::chat::Usage;
use crate::config::Prices;

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
mod tests {
    use super::*;

    fn dollars(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn prices() -> Prices {
        Prices {
            input_per_1m: Some(dollars("30")),
            output_per_1m: Some(dollars("60")),
            cached_input_per_1m: Some(dollars("15")),
            ..Prices::default()
        }
    }

    fn usage(prompt: u64, completion: u64) -> Usage {
        Usage {
            prompt_tokens: Some(prompt),
            completion_tokens: Some(completion),
            ..Usage::default()
        }
    }

    #[test]
    fn every_kind_of_token_has_its_price() {
        assert_eq!(cost(&prices(), &usage(9, 2)), Some(dollars("0.00039")));
        let cached = Usage {
            cached_tokens: Some(4),
            ..usage(9, 2)
        };
        assert_eq!(cost(&prices(), &cached), Some(dollars("0.00033")));
        let all = Prices {
            cache_write_per_1m: Some(dollars("37.5")),
            reasoning_per_1m: Some(dollars("70")),
            per_request: Some(dollars("0.01")),
            ..prices()
        };
        let counted = Usage {
            cached_tokens: Some(4),
            cache_write_tokens: Some(3),
            reasoning_tokens: Some(1),
            ..usage(9, 2)
        };
        // 2×30 + 4×15 + 3×37.5 + 1×60 + 1×70 = 362.5 millionths, and 0.01
        assert_eq!(cost(&all, &counted), Some(dollars("0.0103625")));
    }

    #[test]
    fn what_is_unknown_stays_unknown() {
        assert_eq!(cost(&Prices::default(), &usage(9, 2)), None);
        assert_eq!(cost(&prices(), &Usage::default()), None);
        let total = Usage {
            total_tokens: Some(1000),
            ..Usage::default()
        };
        assert_eq!(cost(&prices(), &total), None);
        let single = Prices::single(dollars("0.03")).unwrap();
        assert_eq!(cost(&single, &total), Some(dollars("0.03")));
    }

    #[test]
    fn counts_that_contradict_each_other_never_go_below_zero() {
        let odd = Usage {
            cached_tokens: Some(100),
            reasoning_tokens: Some(100),
            ..usage(9, 2)
        };
        assert_eq!(cost(&prices(), &odd), Some(dollars("0.000255")));
    }

    #[test]
    fn a_tenth_of_a_cent_a_million_times_is_exact() {
        let price = Prices::single(dollars("0.0001")).unwrap();
        let one = cost(&price, &usage(1, 0)).unwrap();
        assert_eq!(one, dollars("0.0000001"));
        let sum = (0..1_000_000).fold(Decimal::ZERO, |sum, _| sum + one);
        assert_eq!(sum, dollars("0.1"));
    }
}
