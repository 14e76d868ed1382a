//! Numbers as arguments, judged by their range before anybody is asked.

use std::ops::RangeInclusive;

use clap::builder::RangedI64ValueParser;

/// How many tokens: one at least.
pub(super) fn tokens() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(1..)
}

/// A temperature: as in the configuration.
pub(super) fn temperature(text: &str) -> Result<f64, String> {
    within(text, 0.0..=2.0)
}

/// A share of the probability.
pub(super) fn top_p(text: &str) -> Result<f64, String> {
    within(text, 0.0..=1.0)
}

fn within(text: &str, range: RangeInclusive<f64>) -> Result<f64, String> {
    let number = text.trim().parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            format!(
                "expected a number from {} to {}",
                range.start(),
                range.end()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!(temperature("0.7"), Ok(0.7));
        assert_eq!(temperature("2"), Ok(2.0));
        for text in ["-1", "2.5", "NaN", "inf", "hot", ""] {
            let fault = temperature(text).unwrap_err();
            assert_eq!(fault, "expected a number from 0 to 2", "{text}");
        }
        assert!(top_p("1.1").is_err());
    }
}
