//! Amounts as people read them.

use std::time::Duration;

use rust_decimal::{Decimal, RoundingStrategy};

use multillm::chat::{ChatResponse, Usage};

/// `$0.0123`; `-` where it is unknown.
pub(super) fn money(amount: Option<Decimal>) -> String {
    match amount {
        None => "-".to_owned(),
        Some(amount) if amount.is_zero() => "$0".to_owned(),
        Some(amount) if amount < Decimal::ONE => {
            let half_up = RoundingStrategy::MidpointAwayFromZero;
            let digits = amount.round_sf_with_strategy(3, half_up).unwrap_or(amount);
            match digits >= Decimal::ONE {
                true => cents(digits),
                false => format!("${}", digits.normalize()),
            }
        }
        Some(amount) => cents(amount),
    }
}

/// Whole cents, half a cent upwards.
fn cents(amount: Decimal) -> String {
    let half_up = RoundingStrategy::MidpointAwayFromZero;
    let mut amount = amount.round_dp_with_strategy(2, half_up);
    // Adds the zeros that are missing; takes no digit away.
    amount.rescale(2);
    format!("${amount}")
}

/// `820 ms`, `1.2 s`, `2 min 5 s`.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// `12 → 34 tokens`; `?` for what is unknown.
pub(super) fn tokens(usage: &Usage) -> String {
    let count =
        |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    format!(
        "{} → {} tokens",
        count(usage.prompt_tokens),
        count(usage.completion_tokens)
    )
}

/// What an answer took, in one line.
pub(super) fn of_answer(answer: &ChatResponse) -> String {
    let mut figures = vec![tokens(&answer.usage)];
    if answer.cost.is_some() {
        figures.push(money(answer.cost));
    } else if let Some(reasons) = answer.billing.reasons() {
        figures.push(format!("cost unknown ({reasons})"));
    }
    figures.push(time(answer.latency));
    if let Some(first) = answer.time_to_first_token {
        figures.push(format!("first after {}", time(first)));
    }
    if let Some(speed) = answer.tokens_per_second() {
        figures.push(format!("{speed:.0} tokens/s"));
    }
    if answer.cached {
        figures.push("kept answer".to_owned());
    }
    figures.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_what_matters() {
        let money = |text: &str| money(Some(text.parse().unwrap()));
        assert_eq!(money("0"), "$0");
        assert_eq!(money("0.00001234"), "$0.0000123");
        assert_eq!(money("0.5"), "$0.5");
        assert_eq!(money("0.9996"), "$1.00");
        assert_eq!(money("0.0012345"), "$0.00123");
        assert_eq!(money("0.0012355"), "$0.00124");
        assert_eq!(money("1.999999"), "$2.00");
        assert_eq!(money("12.345"), "$12.35");
        assert_eq!(money("12.344999"), "$12.34");
        assert_eq!(money("7"), "$7.00");
        assert_eq!(super::money(None), "-");
        assert_eq!(time(Duration::from_millis(820)), "820 ms");
        assert_eq!(time(Duration::from_millis(1240)), "1.2 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 5 s");
    }
}
