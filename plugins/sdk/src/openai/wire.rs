//! Where things stand in an answer, whole and streamed alike.
//!
//! Everything is optional, and `null` is absent: many servers speak this wire
//! and few of them all of it.

use std::borrow::Cow;

use crate::json::Json;

/// Text that some servers write as a number, such as an id; nothing if it is empty.
pub(super) fn scalar<'a>(value: &'a Json<'_>, key: &str) -> Option<Cow<'a, str>> {
    match value.get(key)? {
        Json::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Json::Unsigned(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The number by which a server tells calls or choices apart.
pub(super) fn index(value: &Json<'_>) -> Option<u32> {
    value.get("index")?.count()?.try_into().ok()
}

/// A function's arguments as text: a string with JSON in it, by some servers the JSON itself.
pub(super) fn arguments<'a>(function: &'a Json<'_>) -> Cow<'a, str> {
    match function.get("arguments") {
        None => Cow::Borrowed(""),
        Some(Json::Text(text)) => Cow::Borrowed(text),
        Some(value) => Cow::Owned(value.to_string()),
    }
}

/// The elements of a list; by some servers a single one stands there instead.
pub(super) fn one_or_many<'a, 'j>(value: Option<&'a Json<'j>>) -> &'a [Json<'j>] {
    match value {
        Some(Json::List(list)) => list,
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

/// The same value, borrowing from nobody.
pub(super) fn owned(value: &Json<'_>) -> Json<'static> {
    match value {
        Json::Null => Json::Null,
        Json::Bool(bool) => Json::Bool(*bool),
        Json::Unsigned(number) => Json::Unsigned(*number),
        Json::Signed(number) => Json::Signed(*number),
        Json::Number(text) => Json::Number(text.clone().into_owned().into()),
        Json::Text(text) => Json::Text(text.clone().into_owned().into()),
        Json::List(list) => Json::List(list.iter().map(owned).collect()),
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone().into_owned().into(), owned(value)))
                .collect(),
        ),
    }
}

/// What an object holds beside these members and what is `null`.
pub(super) fn beside(value: &Json<'_>, known: &[&str]) -> Vec<Member<'static>> {
    let Json::Object(members) = value else {
        return Vec::new();
    };
    let rest = members
        .iter()
        .filter(|(name, value)| *value != Json::Null && !known.contains(&&**name));
    rest.map(|(name, value)| (name.clone().into_owned().into(), owned(value)))
        .collect()
}

/// A member of an object.
pub(super) type Member<'a> = (Cow<'a, str>, Json<'a>);

/// The text of an object of these members; nothing if there are none.
pub(super) fn object(members: Vec<Member<'_>>) -> Option<String> {
    (!members.is_empty()).then(|| Json::Object(members).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_as_text_or_as_an_object() {
        for (json, expected) in [
            (r#"{"arguments":"{\"a\":1}"}"#, r#"{"a":1}"#),
            (r#"{"arguments":{"b":2,"a":1}}"#, r#"{"b":2,"a":1}"#),
            (r#"{"arguments":null}"#, ""),
            (r#"{"name":"f"}"#, ""),
            (r#"{"arguments":""}"#, ""),
        ] {
            assert_eq!(arguments(&Json::parse(json).unwrap()), expected, "{json}");
        }
    }
}
