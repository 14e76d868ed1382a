//! Which entries of the history are wanted, and since when.

#[cfg(feature = "history")]
mod sql;

use jiff::civil;
use jiff::tz::TimeZone;
#[cfg(feature = "history")]
pub(super) use sql::{choose, restrict, restrict_columns};

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this model only.
    pub model: Option<String>,
    /// Of this provider only.
    pub provider: Option<String>,
    /// On behalf of this caller only.
    pub caller: Option<String>,
    /// Begun at or after this Unix time in milliseconds.
    pub since_ms: Option<i64>,
    /// Begun before this Unix time in milliseconds.
    pub until_ms: Option<i64>,
    /// Only those that failed or were cancelled.
    pub failed: bool,
    /// Only those whose prompt or answer contains this text.
    pub text: Option<String>,
    /// At most so many, the newest first.
    pub limit: Option<u32>,
}

impl Filter {
    /// Does it let everything through.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Filter {
            model,
            provider,
            caller,
            since_ms,
            until_ms,
            failed,
            text,
            limit: _,
        } = self;
        let names = [model, provider, caller, text];
        names.into_iter().all(Option::is_none)
            && since_ms.is_none()
            && until_ms.is_none()
            && !failed
    }
}

/// A point in time as people write it, in Unix milliseconds: `90s`, `30m`, `2h`, `7d`, `2w` before
/// `now_ms`; a day such as `2026-11-01` or a time such as `2026-11-01T09:30`, which are of this zone
/// unless the time says otherwise (`2026-11-01T09:30:00+08:00`).
///
/// # Errors
///
/// What can be written instead.
pub fn since(text: &str, now_ms: i64, zone: &TimeZone) -> Result<i64, String> {
    let text = text.trim();
    let unknown = || {
        format!("{text:?} is no time: write 30m, 2h, 7d, 2026-11-01 or 2026-11-01T09:30:00+08:00")
    };
    if let Some(ago) = ago(text) {
        return ago
            .and_then(|ago| now_ms.checked_sub(ago))
            .ok_or_else(unknown);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let time = match text.parse::<civil::Date>() {
        Ok(day) if !text.contains(['T', 't', ' ', ':']) => day.to_datetime(civil::Time::midnight()),
        _ => text.parse::<civil::DateTime>().map_err(|_| unknown())?,
    };
    time.to_zoned(zone.clone())
        .map(|time| time.timestamp().as_millisecond())
        .map_err(|_| unknown())
}

/// Milliseconds of a span such as `2h`; the inner option is absent where they are too many.
fn ago(text: &str) -> Option<Option<i64>> {
    let unit = text.chars().last()?;
    let seconds = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: Option<i64> = number.parse().ok();
    Some(number.and_then(|number| number.checked_mul(seconds * 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T12:00:00Z
    const NOW: i64 = 1_795_435_200_000;

    fn since(text: &str, now_ms: i64) -> Result<i64, String> {
        super::since(text, now_ms, &TimeZone::UTC)
    }

    #[test]
    fn days_and_times_are_of_the_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let hours = |text: &str| (super::since(text, NOW, &zone).unwrap() - NOW) / 3_600_000;
        assert_eq!(hours("2026-11-23"), -20);
        assert_eq!(hours("2026-11-23T20:00"), 0);
        assert_eq!(hours("2026-11-23 21:00:00"), 1);
        assert_eq!(hours("2026-11-23T12:00:00Z"), 0);
        assert_eq!(hours("2h"), -2);
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(since("2h", NOW), Ok(NOW - 7_200_000));
        assert_eq!(since("7D", NOW), Ok(NOW - 604_800_000));
        assert_eq!(since("2026-11-23", NOW), Ok(NOW - 43_200_000));
        assert_eq!(since("2026-11-23T12:00:00Z", NOW), Ok(NOW));
        assert_eq!(since("2026-11-23T20:00:00+08:00", NOW), Ok(NOW));
        assert_eq!(since("2026-11-23T12:00", NOW), Ok(NOW));
        assert_eq!(since("2026-11-23 12:00:00", NOW), Ok(NOW));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "h",
            "2y",
            "-2h",
            "yesterday",
            "2026-13-01",
            "99999999999999999999d",
        ] {
            assert!(since(text, NOW).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_an_empty_filter_is_open() {
        assert!(Filter::default().is_open());
        let some = Filter {
            failed: true,
            ..Filter::default()
        };
        assert!(!some.is_open());
    }
}
