//! Compares what the binary reported with what a recording expects. Knows the
//! rules of the comparison and no vendor; prints nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::case::{Case, Expect, Failure, Kind, ToolCall};
use super::drive::Outcome;
use super::{beside, counted};

/// The token counts of an answer.
const COUNTS: [&str; 6] = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
];

/// Retry hints that differ by less are equal.
const RETRY_TOLERANCE_MS: f64 = 1.0;

/// What differs, one line each; nothing means that the outcome is right.
pub(super) fn differences(case: &Case, outcome: &Outcome, requests: usize) -> Vec<String> {
    let expect = &case.expect;
    let mut found = match (outcome, &expect.error) {
        (Outcome::Answer { object, events }, None) => match case.kind {
            Kind::Embeddings => counted::vectors(expect, object),
            Kind::Tokens => counted::tokens(expect, object),
            Kind::Chat | Kind::Responses => {
                let mut found = answer(expect, object);
                if case.stream {
                    found.extend(stream(object, events));
                }
                if case.kind == Kind::Responses {
                    found.extend(beside::differences(expect, object));
                }
                found
            }
        },
        (Outcome::Answer { object, .. }, Some(failure)) => {
            let finish = text(object, "finish_reason");
            if expect.or_finish.as_deref() == Some(finish) {
                Vec::new()
            } else {
                vec![format!(
                    "an error of kind {} was expected, and there is an answer: {object}",
                    failure.kinds.join(" or ")
                )]
            }
        }
        (Outcome::Failure(error), None) => {
            let or_error = expect.or_error.as_ref();
            if or_error.is_some_and(|kinds| kinds.has(text(error, "kind"))) {
                Vec::new()
            } else {
                vec![format!(
                    "an answer was expected, and there is an error: {error}"
                )]
            }
        }
        (Outcome::Failure(error), Some(failure)) => failed(expect, failure, error),
    };
    if requests != 1 {
        found.push(format!(
            "one request was expected, and there were {requests}"
        ));
    }
    found
}

fn answer(expect: &Expect, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let content = text(got, "content");
    let wanted = expect.content.as_deref().unwrap_or_default();
    let mut others = expect.content_alt.iter();
    let is_right = content == wanted || others.any(|other| other.trim() == content.trim());
    if !is_right && !expect.doubts("content") {
        found.push(text_difference("content", wanted, content));
    }
    if expect.reasoning_checked != Some(false) && !expect.doubts("reasoning") {
        let wanted = expect.reasoning.as_deref().unwrap_or_default();
        let reasoning = text(got, "reasoning");
        let is_right = if expect.reasoning_blocks > 1 {
            without_space(wanted) == without_space(reasoning)
        } else {
            wanted == reasoning
        };
        if !is_right {
            found.push(text_difference("reasoning", wanted, reasoning));
        }
    }
    if !expect.doubts("tool_calls") {
        found.extend(tool_calls(&expect.tool_calls, got));
    }
    let named = [
        ("finish_reason", &expect.finish_reason),
        ("raw_finish_reason", &expect.raw_finish_reason),
        ("id", &expect.id),
        ("vendor_model", &expect.vendor_model),
    ];
    for (field, wanted) in named {
        if let Some(wanted) = wanted
            && wanted != text(got, field)
            && !expect.doubts(field)
        {
            found.push(format!(
                "{field}: expected {wanted:?}, got {}",
                field_of(got, field)
            ));
        }
    }
    found.extend(usage(expect, got));
    found
}

pub(super) fn usage(expect: &Expect, got: &Value) -> Vec<String> {
    let none = Map::new();
    let wanted = expect.usage.as_ref().unwrap_or(&none);
    let reported = got.get("usage").and_then(Value::as_object).unwrap_or(&none);
    COUNTS
        .iter()
        .filter(|count| !expect.doubts(&format!("usage.{count}")) && !expect.doubts(count))
        .filter_map(|count| {
            let (wanted, reported) = (number(wanted, count), number(reported, count));
            let same = wanted == reported;
            (!same).then(|| format!("usage.{count}: expected {wanted}, got {reported}"))
        })
        .collect()
}

/// A count; null, 0 and a missing one are equal.
pub(super) fn number(counts: &Map<String, Value>, name: &str) -> f64 {
    counts.get(name).and_then(Value::as_f64).unwrap_or_default()
}

fn tool_calls(wanted: &[ToolCall], got: &Value) -> Vec<String> {
    let none = Vec::new();
    let calls = got
        .get("tool_calls")
        .and_then(Value::as_array)
        .unwrap_or(&none);
    if wanted.len() != calls.len() {
        let list = Value::Array(calls.clone());
        return vec![format!(
            "tool_calls: expected {}, got {}: {list}",
            wanted.len(),
            calls.len()
        )];
    }
    let mut found: Vec<String> = wanted
        .iter()
        .zip(calls)
        .enumerate()
        .flat_map(|(number, (wanted, call))| tool_call(number, wanted, call))
        .collect();
    let ids: BTreeSet<&str> = calls.iter().map(|call| text(call, "id")).collect();
    if ids.len() != calls.len() || ids.contains("") {
        found.push(format!("tool_calls: the ids are not distinct: {ids:?}"));
    }
    found
}

fn tool_call(number: usize, wanted: &ToolCall, call: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(id) = &wanted.id
        && id != text(call, "id")
    {
        found.push(format!(
            "tool_calls[{number}].id: expected {id:?}, got {}",
            field_of(call, "id")
        ));
    }
    if wanted.name != text(call, "name") {
        let name = field_of(call, "name");
        found.push(format!(
            "tool_calls[{number}].name: expected {:?}, got {name}",
            wanted.name
        ));
    }
    let arguments = text(call, "arguments");
    let same = match &wanted.arguments_raw {
        Some(raw) => raw == arguments,
        None => serde_json::from_str(arguments).is_ok_and(|got| same_json(&wanted.arguments, &got)),
    };
    if !same {
        let parsed = wanted.arguments.to_string();
        let wanted = wanted.arguments_raw.as_ref().unwrap_or(&parsed);
        let field = format!("tool_calls[{number}].arguments");
        found.push(text_difference(&field, wanted, arguments));
    }
    found
}

/// Equality of JSON, where 1 and 1.0 are the same number.
fn same_json(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same_json(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let in_right = |(key, left): (&String, &Value)| {
                right.get(key).is_some_and(|right| same_json(left, right))
            };
            left.len() == right.len() && left.iter().all(in_right)
        }
        (left, right) => left == right,
    }
}

/// What was streamed must be what the last object says.
fn stream(object: &Value, events: &[Value]) -> Vec<String> {
    let joined: String = events
        .iter()
        .filter(|event| text(event, "type") == "text")
        .map(|event| text(event, "text"))
        .collect();
    if joined == text(object, "content") {
        Vec::new()
    } else {
        vec![text_difference(
            "joined text events",
            text(object, "content"),
            &joined,
        )]
    }
}

fn failed(expect: &Expect, wanted: &Failure, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = text(got, "kind");
    if !wanted.kinds.iter().any(|wanted| wanted == kind)
        && !expect.doubts("kind")
        && !expect.doubts("kinds")
    {
        let kinds = wanted.kinds.join(" or ");
        found.push(format!("error.kind: expected {kinds}, got {got}"));
    }
    let status = got.get("status").and_then(Value::as_u64);
    if wanted.status.map(u64::from) != status && !expect.doubts("status") {
        found.push(format!(
            "error.status: expected {:?}, got {status:?}",
            wanted.status
        ));
    }
    let hint = got.get("retry_after_ms").and_then(Value::as_f64);
    let same_hint = match (wanted.retry_after_ms, hint) {
        (Some(wanted), Some(hint)) => (wanted - hint).abs() <= RETRY_TOLERANCE_MS,
        (wanted, hint) => wanted.is_none() && hint.is_none(),
    };
    if !same_hint && !expect.doubts("retry_after_ms") {
        found.push(format!(
            "error.retry_after_ms: expected {:?}, got {hint:?}",
            wanted.retry_after_ms
        ));
    }
    let retryable = got.get("retryable").and_then(Value::as_bool);
    if wanted.retryable != retryable && !expect.doubts("retryable") {
        found.push(format!(
            "error.retryable: expected {:?}, got {retryable:?}",
            wanted.retryable
        ));
    }
    found
}

/// The text of a field; null and a missing one are empty.
pub(super) fn text<'value>(object: &'value Value, field: &str) -> &'value str {
    object
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn field_of(object: &Value, field: &str) -> Value {
    object.get(field).cloned().unwrap_or_default()
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Shows two texts from a little before the place where they part.
fn text_difference(field: &str, wanted: &str, got: &str) -> String {
    const BEFORE: usize = 20;
    const SHOWN: usize = 120;
    let same = wanted
        .chars()
        .zip(got.chars())
        .take_while(|(left, right)| left == right)
        .count();
    let from = same.saturating_sub(BEFORE);
    let part = |text: &str| -> String { text.chars().skip(from).take(SHOWN).collect() };
    format!(
        "{field} differs from character {same} on: expected …{:?}, got …{:?}",
        part(wanted),
        part(got)
    )
}

#[cfg(test)]
mod tests;
