//! Columns of numbers and small charts. What is unknown is `-`, never 0.

use rust_decimal::Decimal;

/// What stands for something unknown.
const UNKNOWN: &str = "-";

/// A count, its thousands apart.
pub(super) fn number(count: Option<u64>) -> String {
    let Some(count) = count else {
        return UNKNOWN.to_owned();
    };
    let digits = count.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// US dollars with all their digits.
pub(super) fn dollars(cost: Option<Decimal>) -> String {
    cost.map_or_else(
        || UNKNOWN.to_owned(),
        |cost| format!("${}", cost.normalize()),
    )
}

/// A sum of which only a part may be known.
pub(super) fn partial_dollars(cost: Option<Decimal>, known: u64, all: u64) -> String {
    match known >= all {
        true => dollars(cost),
        false if known == 0 => format!("? (0 of {all} priced)"),
        false => format!("{} ({known} of {all} priced)", dollars(cost)),
    }
}

/// A duration in milliseconds.
pub(super) fn millis(millis: Option<f64>) -> String {
    match millis {
        None => UNKNOWN.to_owned(),
        Some(millis) if millis < 10.0 => format!("{millis:.1} ms"),
        Some(millis) if millis < 10_000.0 => format!("{millis:.0} ms"),
        Some(millis) => format!("{:.1} s", millis / 1000.0),
    }
}

/// A rate or share with one decimal.
pub(super) fn rate(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.1}{unit}"))
}

/// A bar as long as a value is beside the largest one; something is never nothing.
pub(super) fn bar(value: u64, largest: u64, width: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value == 0 || largest == 0 {
        return String::new();
    }
    let eighths = (u128::from(value) * u128::from(width) * 8)
        .div_ceil(u128::from(largest))
        .min(u128::from(width) * 8);
    let eighths = usize::try_from(eighths).unwrap_or(0);
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// One character for each value.
pub(super) fn sparkline(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = values.iter().copied().max().unwrap_or(0).max(1);
    values
        .iter()
        .map(|value| {
            let step = (u128::from(*value) * 7).div_ceil(u128::from(largest));
            let step = usize::try_from(step).unwrap_or(0);
            HEIGHTS.get(step).copied().unwrap_or('█')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(None), "-");
        assert_eq!(number(Some(0)), "0");
        assert_eq!(number(Some(999)), "999");
        assert_eq!(number(Some(1_234_567)), "1,234,567");
        assert_eq!(dollars(Some("0.00390".parse().unwrap())), "$0.0039");
        assert_eq!(millis(Some(0.26)), "0.3 ms");
        assert_eq!(millis(Some(1234.6)), "1235 ms");
        assert_eq!(millis(Some(61_000.0)), "61.0 s");
        assert_eq!(rate(Some(12.34), "%"), "12.3%");
    }

    #[test]
    fn a_sum_says_how_much_of_it_is_known() {
        let one = Some(Decimal::ONE);
        assert_eq!(partial_dollars(one, 2, 2), "$1");
        assert_eq!(partial_dollars(one, 1, 2), "$1 (1 of 2 priced)");
        assert_eq!(partial_dollars(None, 0, 2), "? (0 of 2 priced)");
        assert_eq!(partial_dollars(Some(Decimal::ZERO), 0, 0), "$0");
    }

    #[test]
    fn charts_keep_the_proportion() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 1000, 4), "▏");
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(sparkline(&[0, 1, 7]), "▁▂█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
    }
}
