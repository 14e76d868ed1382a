//! Times for people: in the zone of the machine, or the one that `TZ` names.

use std::sync::OnceLock;

use jiff::tz::TimeZone;

use super::Context;

/// The zone; says once if `TZ` names none.
pub(super) fn zone(context: &Context) -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let found = ZONE.get_or_init(|| {
        let named = std::env::var("TZ").unwrap_or_default();
        TimeZone::try_system().unwrap_or_else(|_| {
            if !named.is_empty() {
                context.printer.note(&format!(
                    "note: TZ={named} is no time zone that is known here: times are UTC"
                ));
            }
            TimeZone::UTC
        })
    });
    found.clone()
}
