//! How long a server wants its callers to wait, where only the body says it.

use super::report::details;
use super::seconds_to_ms;
use crate::json::Json;

/// How long to wait, where a member says it.
pub(super) fn wait(top: &Json<'_>, detail: &Json<'_>) -> Option<u64> {
    let mut found = Vec::new();
    for about in details(detail) {
        found.extend(about.get("retryDelay"));
    }
    found.extend(top.get("estimated_time"));
    found.extend(detail.get("retry_after"));
    found.extend(detail.at(&["metadata", "retry_after_seconds"]));
    found.extend(top.get("retry_after"));
    found.into_iter().find_map(delay)
}

/// A time as Google writes it, `"34.4s"` or `{"seconds": 34, "nanos": 400000000}`, or as a number
/// of seconds.
#[must_use]
pub fn delay(value: &Json<'_>) -> Option<u64> {
    let seconds = match value {
        Json::Text(text) => {
            let text = text.trim();
            Json::parse(text.strip_suffix('s').unwrap_or(text))
                .ok()?
                .float()?
        }
        Json::Object(_) => {
            let field = |name| value.get(name).and_then(Json::float).unwrap_or(0.0);
            field("seconds") + field("nanos") / 1e9
        }
        _ => value.float()?,
    };
    seconds_to_ms(seconds)
}

/// How long to wait, where only the words say it: `try again in 1m2.5s`, `retry after 20 seconds`.
pub(super) fn wait_in_words(message: &str) -> Option<u64> {
    let message = message.to_ascii_lowercase();
    ["try again in ", "retry in ", "retry after ", "please wait "]
        .into_iter()
        .find_map(|words| {
            let (_, time) = message.split_once(words)?;
            seconds_to_ms(duration(time)?)
        })
}

/// Seconds from the beginning of a text such as `1h2m3.5s`, `20 seconds`, `350ms`.
fn duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = None;
    loop {
        let digits = rest
            .find(|next: char| !next.is_ascii_digit() && next != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number = Json::parse(number.trim_end_matches('.')).ok();
        let Some(number) = number.and_then(|number| number.float()) else {
            return total;
        };
        let after = after.trim_start();
        let letters = after
            .find(|next: char| !next.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let seconds = match unit {
            "ms" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => return total,
        };
        total = Some(total.unwrap_or(0.0) + number * seconds);
        rest = after;
    }
}
