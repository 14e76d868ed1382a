//! Amounts as people read them.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::chat::{ChatResponse, Usage};

/// `$0.0123`; `-` where it is unknown.
pub(super) fn money(amount: Option<Decimal>) -> String {
    match amount {
        None => "-".to_owned(),
        Some(amount) if amount.is_zero() => "$0".to_owned(),
        Some(amount) if amount < Decimal::ONE => {
            let digits = amount.round_sf(3).unwrap_or(amount).normalize();
            format!("${digits}")
        }
        Some(amount) => format!("${:.2}", amount),
    }
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
        assert_eq!(money("12.345"), "$12.34");
        assert_eq!(super::money(None), "-");
        assert_eq!(time(Duration::from_millis(820)), "820 ms");
        assert_eq!(time(Duration::from_millis(1240)), "1.2 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 5 s");
    }
}
