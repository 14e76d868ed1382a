//! What a budget is for: a day or a month, both of UTC. A policy without I/O.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How long a budget has to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// From midnight to midnight.
    #[default]
    Day,
    /// From the first of a month to the next.
    Month,
}

impl Period {
    /// The first millisecond of the period that this time is in.
    #[must_use]
    pub fn since_ms(self, now_ms: i64) -> i64 {
        let midnight = now_ms - now_ms.rem_euclid(DAY_MS);
        let first = match self {
            Period::Day => None,
            Period::Month => at(now_ms).first_of_month().ok(),
        };
        first.map_or(midnight, |first| {
            let ms = first.timestamp().as_millisecond();
            ms - ms.rem_euclid(DAY_MS)
        })
    }

    /// The first millisecond after it.
    #[must_use]
    pub fn until_ms(self, now_ms: i64) -> i64 {
        let since = self.since_ms(now_ms);
        match self {
            Period::Day => since + DAY_MS,
            Period::Month => at(since)
                .checked_add(1.month())
                .map_or(since + 31 * DAY_MS, |next| {
                    next.timestamp().as_millisecond()
                }),
        }
    }

    /// Its last day (since 1970), under which the ledger keeps it: what is old there is forgotten.
    #[must_use]
    pub fn day(self, now_ms: i64) -> i64 {
        self.until_ms(now_ms).div_euclid(DAY_MS) - 1
    }
}

fn at(now_ms: i64) -> Zoned {
    let time = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    time.to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn days_and_months_begin_and_end_at_midnight_utc() {
        let now = ms("2026-02-27T13:14:15Z");
        assert_eq!(Period::Day.since_ms(now), ms("2026-02-27T00:00:00Z"));
        assert_eq!(Period::Day.until_ms(now), ms("2026-02-28T00:00:00Z"));
        assert_eq!(Period::Day.day(now), now / DAY_MS);
        assert_eq!(Period::Month.since_ms(now), ms("2026-02-01T00:00:00Z"));
        assert_eq!(Period::Month.until_ms(now), ms("2026-03-01T00:00:00Z"));
        assert_eq!(Period::Month.day(now), ms("2026-02-28T00:00:00Z") / DAY_MS);
        let first = ms("2026-12-01T00:00:00Z");
        assert_eq!(Period::Month.since_ms(first), first);
        assert_eq!(Period::Month.until_ms(first), ms("2027-01-01T00:00:00Z"));
        let last = ms("2026-12-31T23:59:59.999Z");
        assert_eq!(Period::Month.day(last), last / DAY_MS);
    }
}
