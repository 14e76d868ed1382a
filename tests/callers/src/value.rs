//! Members that must be there, or what is said of them if they are not.

use serde_json::Value;

use crate::Fault;

/// JSON of a body.
pub(crate) fn json(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|error| format!("no JSON: {error}"))
}

/// A member.
pub(crate) fn member<'a>(of: &'a Value, name: &str) -> Result<&'a Value, Fault> {
    of.get(name).ok_or_else(|| format!("no {name} in {of}"))
}

/// A text.
pub(crate) fn text<'a>(of: &'a Value, name: &str) -> Result<&'a str, Fault> {
    member(of, name)?
        .as_str()
        .ok_or_else(|| format!("{name} is no text in {of}"))
}

/// A text that is not empty.
pub(crate) fn word<'a>(of: &'a Value, name: &str) -> Result<&'a str, Fault> {
    match text(of, name)? {
        "" => Err(format!("{name} is empty in {of}")),
        word => Ok(word),
    }
}

/// A text that says this.
pub(crate) fn says(of: &Value, name: &str, word: &str) -> Result<(), Fault> {
    match text(of, name)? {
        said if said == word => Ok(()),
        said => Err(format!("{name} is {said:?} and not {word:?} in {of}")),
    }
}

/// A whole number.
pub(crate) fn count(of: &Value, name: &str) -> Result<u64, Fault> {
    member(of, name)?
        .as_u64()
        .ok_or_else(|| format!("{name} is no count in {of}"))
}

/// A list.
pub(crate) fn list<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], Fault> {
    let list = member(of, name)?.as_array();
    list.map(Vec::as_slice)
        .ok_or_else(|| format!("{name} is no list in {of}"))
}

/// A list, or nothing.
pub(crate) fn maybe_list<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(_) => list(of, name),
    }
}

/// A text, or nothing; `null` is nothing.
pub(crate) fn maybe_text<'a>(of: &'a Value, name: &str) -> Result<Option<&'a str>, Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(of, name).map(Some),
    }
}

/// Arguments that must be an object, as text.
pub(crate) fn arguments(text: &str) -> Result<(), Fault> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(format!("arguments that are no object: {text}")),
    }
}
