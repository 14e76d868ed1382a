//! The list of models, page by page.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, Framing, Method, Model, Page, Request, Target};

use crate::error;
use crate::settings::Settings;

/// Models a page: the most that the vendor gives.
const PAGE: &str = "1000";

/// Asks for a page; `cursor` is the last model of the one before.
///
/// # Errors
///
/// Those of the settings.
pub(crate) fn request(target: &Target, cursor: Option<&str>) -> Result<Request, Error> {
    let mut query = vec![("limit".to_owned(), PAGE.to_owned())];
    if let Some(cursor) = cursor {
        query.push(("after_id".to_owned(), cursor.to_owned()));
    }
    Ok(Request {
        method: Method::Get,
        path: vec!["v1".to_owned(), "models".to_owned()],
        query,
        headers: Settings::of(target)?.headers(),
        body: Vec::new(),
        framing: Framing::Whole,
        warnings: Vec::new(),
    })
}

/// Reads a page.
///
/// # Errors
///
/// `malformed-response` if it is none; the vendor's error if the body holds one.
pub(crate) fn page(body: &str) -> Result<Page, Error> {
    let listing = Json::parse(body)
        .map_err(|problem| Error::malformed(format!("the answer lists no models: {problem}")))?;
    let Some(Json::List(entries)) = listing.get("data") else {
        return Err(error::inside(&listing).unwrap_or_else(|| {
            Error::malformed("the answer lists no models: it has no list of data")
        }));
    };
    let models: Vec<Model> = entries.iter().filter_map(model).collect();
    let last = listing.text("last_id").map(str::to_owned);
    let has_more = listing.get("has_more").and_then(Json::bool) == Some(true);
    Ok(Page {
        next: last
            .or_else(|| models.last().map(|model| model.id.clone()))
            .filter(|_| has_more),
        models,
    })
}

fn model(entry: &Json<'_>) -> Option<Model> {
    let count = |key: &str| entry.get(key).and_then(Json::count);
    Some(Model {
        id: entry.text("id")?.to_owned(),
        title: entry.text("display_name").map(str::to_owned),
        context_tokens: count("max_input_tokens"),
        output_tokens: count("max_tokens"),
        // The epoch stands for an unknown date.
        created: entry
            .text("created_at")
            .and_then(unix_seconds)
            .filter(|seconds| *seconds > 0),
        // A retired model stays on the list, but fails when it is asked.
        chat: Some(entry.text("lifecycle") != Some("retired")),
        ..Model::default()
    })
}

/// Seconds since 1970 of an RFC 3339 date and time.
fn unix_seconds(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|number| number.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let clock = time.get(..8)?;
    let mut clock = clock
        .splitn(3, ':')
        .map(|number| number.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let zone = time
        .get(8..)?
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let ahead = match zone.get(..1)? {
        "Z" | "z" => 0,
        sign => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March: leap days come last. 719,468 days before 1970 is March 0000.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3600 + (minute - ahead) * 60 + second;
    u64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::{page, request, unix_seconds};
    use crate::fixtures::target;
    use multillm_plugin_sdk::{ErrorKind, Method};

    #[test]
    fn pages_are_asked_for_by_the_last_id() {
        let first = request(&target("", "{}"), None).unwrap();
        assert_eq!(first.method, Method::Get);
        assert_eq!(first.path, ["v1", "models"]);
        assert_eq!(first.query, [("limit".to_owned(), "1000".to_owned())]);
        assert!(first.body.is_empty());
        let next = request(&target("", "{}"), Some("claude-x")).unwrap();
        assert!(
            next.query
                .contains(&("after_id".to_owned(), "claude-x".to_owned()))
        );
    }

    #[test]
    fn a_page_is_read() {
        let page = page(
            r#"{"data":[
                {"type":"model","id":"claude-opus-9","display_name":"Claude Opus 9",
                 "created_at":"2026-03-01T12:30:00Z","max_input_tokens":1000000,"max_tokens":128000,
                 "capabilities":{"batch":{"supported":true}},"lifecycle":"active"},
                {"type":"model","id":"claude-old","created_at":"1970-01-01T00:00:00Z","lifecycle":"retired"}],
                "has_more":true,"first_id":"claude-opus-9","last_id":"claude-old"}"#,
        )
        .unwrap();
        assert_eq!(page.next.as_deref(), Some("claude-old"));
        let [new, old] = page.models.as_slice() else {
            panic!("{page:?}");
        };
        assert_eq!(new.title.as_deref(), Some("Claude Opus 9"));
        assert_eq!(new.created, Some(1_772_368_200));
        assert_eq!(
            (new.context_tokens, new.output_tokens),
            (Some(1_000_000), Some(128_000))
        );
        assert_eq!(new.chat, Some(true));
        assert_eq!(
            (old.created, old.chat, old.title.clone()),
            (None, Some(false), None)
        );
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let last = page(r#"{"data":[{"id":"a"}],"has_more":false,"last_id":"a"}"#).unwrap();
        assert_eq!(last.next, None);
        let nameless = page(r#"{"data":[{"id":"a"}],"has_more":true,"last_id":null}"#).unwrap();
        assert_eq!(nameless.next.as_deref(), Some("a"));
        for empty in [r#"{"data":[]}"#, r#"{"data":[{}, 7],"has_more":true}"#] {
            let page = page(empty).unwrap();
            assert!(page.models.is_empty() && page.next.is_none(), "{page:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for body in [
            "",
            "[]",
            "{}",
            "\"x\"",
            r#"{"data":null}"#,
            r#"{"data":{}}"#,
        ] {
            assert_eq!(
                page(body).unwrap_err().kind,
                ErrorKind::MalformedResponse,
                "{body}"
            );
        }
        let error = page(r#"{"type":"error","error":{"type":"overloaded_error"}}"#).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Overloaded);
    }

    #[test]
    fn dates_become_seconds() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T23:59:59.123Z"), Some(951_868_799));
        assert_eq!(
            unix_seconds("2024-10-22T02:00:00+02:00"),
            Some(1_729_555_200)
        );
        for wrong in [
            "",
            "2024-10-22",
            "2024-13-01T00:00:00Z",
            "x-y-zTa:b:c",
            "2024-10-22T00:00:00",
        ] {
            assert_eq!(unix_seconds(wrong), None, "{wrong}");
        }
    }
}
