//! What was heard, against what a recording is expected to say.

use multillm::Error;
use multillm_callers::{Heard, Wire};
use multillm_gateway::face::Face;
use serde_json::Value;

use super::statuses;
use crate::case::Case;

/// What is wrong with the answer to a failure.
pub(super) fn failure(face: Face, error: &Error) -> Option<String> {
    let refused = face.refuse(error);
    let fits = statuses(error.kind).contains(&refused.status);
    let body: Result<Value, _> = serde_json::from_slice(&refused.body);
    let told = body.is_ok_and(|body| {
        let error = body.get("error").unwrap_or(&Value::Null);
        error.is_string() || error.get("message").is_some_and(Value::is_string)
    });
    (!fits || !told).then(|| format!("{} became {}", error.kind, refused.status))
}

/// What is not as it is expected.
pub(super) fn differences(case: &Case, wire: Wire, heard: &Heard) -> Vec<String> {
    let expect = &case.expect;
    let mut found = vec![];
    let texts = || {
        let first = expect.get("content").and_then(Value::as_str);
        let others = expect.get("content_alt").and_then(Value::as_array);
        let others = others.into_iter().flatten().filter_map(Value::as_str);
        first.into_iter().chain(others)
    };
    if !case.doubts("content") && !texts().any(|text| text.trim() == heard.text.trim()) {
        found.push(format!("text {:?}", heard.text));
    }
    let checked = expect.get("reasoning_checked") != Some(&Value::Bool(false));
    if checked && !case.doubts("reasoning") {
        let wanted = expect
            .get("reasoning")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        if bare(wanted) != bare(&heard.thoughts) {
            found.push(format!("thoughts {:?}", heard.thoughts));
        }
    }
    if !case.doubts("tool_calls") {
        found.extend(calls(expect, heard));
    }
    if !case.doubts("finish_reason") {
        found.extend(end(expect, wire, heard));
    }
    if !case.doubts("usage") {
        found.extend(counts(expect, heard));
    }
    found
}

fn calls(expect: &Value, heard: &Heard) -> Option<String> {
    let wanted = expect.get("tool_calls").and_then(Value::as_array);
    let wanted = wanted.map(Vec::as_slice).unwrap_or_default();
    let same = wanted.len() == heard.calls.len()
        && wanted.iter().zip(&heard.calls).all(|(wanted, heard)| {
            let name = wanted.get("name").and_then(Value::as_str);
            let said = match wanted.get("arguments_raw").and_then(Value::as_str) {
                // A wire whose arguments are an object has no place for half of one.
                Some(raw) => heard.arguments == raw || heard.arguments.contains("_raw"),
                None => {
                    let parsed = serde_json::from_str::<Value>(&heard.arguments);
                    parsed.is_ok_and(|parsed| Some(&parsed) == wanted.get("arguments"))
                }
            };
            name == Some(&heard.name) && said
        });
    (!same).then(|| format!("calls {:?}", heard.calls))
}

/// The words of a wire for an end.
fn words(wire: Wire, reason: &str) -> &'static [&'static str] {
    match (wire, reason) {
        (Wire::OpenAiChat, "stop" | "other") => &["stop"],
        (Wire::OpenAiChat, "tool_calls") => &["tool_calls"],
        (Wire::OpenAiChat, "length") => &["length"],
        (Wire::OpenAiChat, "content_filter") => &["content_filter"],
        (Wire::OpenAiResponses, "length") => &["max_output_tokens"],
        (Wire::OpenAiResponses, "content_filter") => &["content_filter", "completed"],
        (Wire::OpenAiResponses, "error") => &["failed"],
        (Wire::OpenAiResponses, _) => &["completed"],
        (Wire::AnthropicMessages, "stop") => &["end_turn", "stop_sequence"],
        (Wire::AnthropicMessages, "length") => &["max_tokens", "model_context_window_exceeded"],
        (Wire::AnthropicMessages, "tool_calls") => &["tool_use"],
        (Wire::AnthropicMessages, "content_filter") => &["refusal"],
        (Wire::AnthropicMessages, "other") => &["end_turn", "pause_turn"],
        (Wire::OllamaChat, "length") => &["length"],
        (Wire::OllamaChat, "stop" | "tool_calls" | "content_filter" | "other") => &["stop"],
        _ => &["error"],
    }
}

fn end(expect: &Value, wire: Wire, heard: &Heard) -> Option<String> {
    let reasons = ["finish_reason", "or_finish"];
    let mut reasons = reasons
        .iter()
        .filter_map(|name| expect.get(*name)?.as_str());
    let end = heard.end.as_deref().unwrap_or_default();
    let fits = reasons.any(|reason| words(wire, reason).contains(&end));
    (!fits).then(|| format!("end {end:?}"))
}

/// `null`, nothing and zero are the same.
fn counts(expect: &Value, heard: &Heard) -> Option<String> {
    let count = |name: &str| {
        let counts = expect.get("usage");
        counts
            .and_then(|counts| counts.get(name)?.as_u64())
            .unwrap_or(0)
    };
    let wanted = (count("prompt_tokens"), count("completion_tokens"));
    // A wire tells both sides or none.
    let known = wanted.0 > 0 && wanted.1 > 0;
    let heard = heard.usage.unwrap_or_default();
    (known && heard != wanted).then(|| format!("usage {heard:?} and not {wanted:?}"))
}
