//! What a body is, by how it begins.

use super::{Framing, is_json};

/// What a line of an event stream may begin with. JSON begins with none of them.
const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// How a body that was expected whole is to be cut after all, because a server streams unasked:
/// server-sent events, or several JSON objects, one a line. `None`: it is whole.
#[must_use]
pub fn kind_of(body: &str) -> Option<Framing> {
    let body = body.trim_start_matches('\u{feff}').trim_ascii();
    if is_events(body.as_bytes()) == Some(true) {
        return Some(Framing::Sse);
    }
    let (first, rest) = body.split_once('\n')?;
    let lines =
        first.starts_with('{') && rest.trim_ascii_start().starts_with('{') && is_json(first);
    lines.then_some(Framing::Ndjson)
}

/// Whether a body is an event stream, by its first bytes, which are no white space; `None` while they
/// do not tell.
pub(super) fn is_events(head: &[u8]) -> Option<bool> {
    if FIELDS.iter().any(|field| head.starts_with(field)) {
        return Some(true);
    }
    match FIELDS.iter().any(|field| field.starts_with(head)) {
        true => None,
        false => Some(false),
    }
}

/// Whether the beginning of a line may become a field of an event stream.
pub(super) fn begins_field(line: &[u8]) -> bool {
    is_events(line).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_from_whole_answers() {
        for (body, kind) in [
            ("data: {}\n\n", Some(Framing::Sse)),
            ("\u{feff}\n event: a\ndata: {}\n\n", Some(Framing::Sse)),
            (": hello\n\ndata: 1", Some(Framing::Sse)),
            ("{\"a\":1}\n{\"b\":2}\n", Some(Framing::Ndjson)),
            ("{\"a\":1}\r\n\r\n{\"b\"", Some(Framing::Ndjson)),
            ("{\"a\":1}\n", None),
            ("{\n\"a\":1}\n", None),
            ("{\"a\":\n{}}", None),
            ("[{}]\n{}", None),
            ("dat", None),
            ("data", None),
            ("database error", None),
            ("", None),
        ] {
            assert_eq!(kind_of(body), kind, "{body:?}");
        }
    }
}
