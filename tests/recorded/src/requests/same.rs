//! Whether two bodies mean the same. What a vendor takes for the same is brought into one form first.

use multillm_plugin_sdk::json::Json;

/// Where the order of keys has a meaning.
const SCHEMAS: [&str; 7] = [
    "parameters",
    "schema",
    "input_schema",
    "parametersJsonSchema",
    "responseSchema",
    "responseJsonSchema",
    // Where a wire's own form has the schema under another name.
    FORM,
];

/// The name under which a form that is a schema is compared.
pub(super) const FORM: &str = "the form of the answer";

/// A body in the form that is compared.
pub(super) fn canonical<'a>(wire: &str, mut body: Json<'a>) -> Json<'a> {
    tidy(&mut body, false);
    match wire {
        "openai-chat" => super::openai_chat::canonical(&mut body),
        "responses" => super::responses::canonical(&mut body),
        "anthropic" => super::anthropic::canonical(&mut body),
        "gemini" => super::gemini::canonical(&mut body),
        "cohere" => super::cohere::canonical(&mut body),
        "ollama" => super::ollama::canonical(&mut body),
        _ => {}
    }
    body
}

/// Takes out what is `null`, and the difference between 1 and 1.0. In schemas everything stays.
fn tidy(value: &mut Json<'_>, schema: bool) {
    match value {
        Json::Object(members) => {
            if !schema {
                members.retain(|(_, value)| *value != Json::Null);
            }
            for (name, value) in members {
                tidy(value, schema || SCHEMAS.contains(&&**name));
            }
        }
        Json::List(list) => list.iter_mut().for_each(|value| tidy(value, schema)),
        Json::Number(_) if !schema => {
            let float = value.float().unwrap_or(0.5);
            #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
            if float.fract() == 0.0 && float.abs() < 1e15 {
                *value = Json::from(float as i64);
            }
        }
        _ => {}
    }
}

/// The member of an object, to be changed; `null` and a missing one are none.
pub(super) fn member<'v, 'a>(value: &'v mut Json<'a>, name: &str) -> Option<&'v mut Json<'a>> {
    let Json::Object(members) = value else {
        return None;
    };
    let (_, value) = members.iter_mut().find(|(known, _)| known == name)?;
    Some(value)
}

/// Takes out a member.
pub(super) fn drop(value: &mut Json<'_>, name: &str) {
    if let Json::Object(members) = value {
        members.retain(|(known, _)| known != name);
    }
}

/// Takes out a member that says what goes without saying.
pub(super) fn drop_if(value: &mut Json<'_>, name: &str, usual: impl Fn(&Json<'_>) -> bool) {
    if let Json::Object(members) = value {
        members.retain(|(known, value)| known != name || !usual(value));
    }
}

/// The elements of a list among the members, to be changed.
pub(super) fn elements<'v, 'a>(value: &'v mut Json<'a>, name: &str) -> &'v mut [Json<'a>] {
    match member(value, name) {
        Some(Json::List(list)) => list,
        _ => &mut [],
    }
}

/// Content that is a text becomes a list of one piece of this type.
pub(super) fn pieces(value: &mut Json<'_>, name: &str, kind: &'static str) {
    if let Some(content) = member(value, name)
        && let Json::Text(text) = content
    {
        let text = std::mem::take(text);
        let piece = Json::object([("type", kind.into()), ("text", text.into())]);
        *content = Json::List(vec![piece]);
    }
}

/// What differs, one line for each place.
pub(super) fn differences(recorded: &Json<'_>, sent: &Json<'_>) -> Vec<String> {
    let mut found = Vec::new();
    compare(recorded, sent, "", false, &mut found);
    found
}

fn compare(a: &Json<'_>, b: &Json<'_>, place: &str, schema: bool, found: &mut Vec<String>) {
    match (a, b) {
        (Json::Object(before), Json::Object(after)) => {
            let names = |members: &[(std::borrow::Cow<'_, str>, Json<'_>)]| -> Vec<String> {
                members.iter().map(|(name, _)| name.to_string()).collect()
            };
            if schema && names(before) != names(after) {
                found.push(format!(
                    "{place}: keys {:?} became {:?}",
                    names(before),
                    names(after)
                ));
                return;
            }
            for (name, value) in before {
                let place = format!("{place}/{name}");
                let schema = schema || SCHEMAS.contains(&&**name);
                match after.iter().find(|(known, _)| known == name) {
                    Some((_, other)) => compare(value, other, &place, schema, found),
                    None => found.push(format!("{place}: {} is missing", short(value))),
                }
            }
            for (name, value) in after {
                if !before.iter().any(|(known, _)| known == name) {
                    found.push(format!("{place}/{name}: {} is added", short(value)));
                }
            }
        }
        (Json::List(before), Json::List(after)) if before.len() == after.len() => {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                compare(before, after, &format!("{place}/{at}"), schema, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{place}: {} became {}", short(a), short(b))),
    }
}

fn short(value: &Json<'_>) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_counts_in_schemas_alone_and_null_nowhere_else() {
        let differ = |a: &str, b: &str| {
            let of = |text| canonical("none", Json::parse(text).unwrap());
            differences(&of(a), &of(b)).len()
        };
        for (a, b, count) in [
            (r#"{"a":1,"b":2.0}"#, r#"{"b":2,"a":1.0,"c":null}"#, 0),
            (
                r#"{"parameters":{"a":1,"b":2}}"#,
                r#"{"parameters":{"b":2,"a":1}}"#,
                1,
            ),
            (
                r#"{"parameters":{"default":null}}"#,
                r#"{"parameters":{}}"#,
                1,
            ),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, 2),
            (r#"{"a":"x"}"#, r#"{"b":"x"}"#, 2),
        ] {
            assert_eq!(differ(a, b), count, "{a} {b}");
        }
    }
}
