//! Events and lines.

use serde::Serialize;
use serde_json::Value;

/// A server-sent event without a name.
pub(super) fn data(out: &mut Vec<u8>, value: &impl Serialize) {
    out.extend_from_slice(b"data: ");
    json(out, value);
    out.extend_from_slice(b"\n\n");
}

/// A server-sent event.
pub(super) fn event(out: &mut Vec<u8>, name: &str, value: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    data(out, value);
}

/// A comment, which every reader of events passes over.
pub(super) fn comment(out: &mut Vec<u8>) {
    out.extend_from_slice(b": ping\n\n");
}

/// A line of JSON.
pub(super) fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    json(out, value);
    out.push(b'\n');
}

/// JSON on one line. What cannot be written (there is no such thing: names are texts) is `null`.
pub(super) fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// A body of JSON.
pub(super) fn body(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    json(&mut out, value);
    out
}

/// Puts a member into an object; nothing else has members.
pub(super) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}
