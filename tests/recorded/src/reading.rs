//! What is read of an answer: the relay's view against the chat's, and against what a recording
//! expects where the chat has no view of that wire.

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::{
    ChatEvent, ChatResponse, Error, Finish, Framing, Operation, Target, Usage,
};
use serde_json::Value;

use crate::case::Case;
use crate::frames::cut;
use crate::vendors::{Adapter, Streamed};
use crate::way::mode;

/// What differs, one line each.
pub(crate) fn differences(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    if case.response.status >= 400 {
        let error = (adapter.failure)(target, &case.response);
        return failed(case, &error).into_iter().collect();
    }
    match (case.kind.as_str(), case.operation()) {
        ("chat", _) => beside_the_chat(case, adapter, target),
        ("responses", _) => responses(case, adapter, target),
        (_, Operation::Embeddings) => vectors(case, adapter, target),
        _ => counted(case, adapter, target),
    }
}

/// How the recorded body is cut; nothing where it came whole, whatever was asked for.
fn framing(case: &Case) -> Framing {
    match case.framing.as_str() {
        "sse" => Framing::Sse,
        "ndjson" => Framing::Ndjson,
        _ => Framing::Whole,
    }
}

/// The relay must find what the chat finds, whole and framed.
fn beside_the_chat(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    let mut found = Vec::new();
    let read = (adapter.read)(target, &case.response);
    let decoded = (adapter.decode)(target, &case.response);
    if essence(&read) != essence(&decoded) {
        found.push(format!("whole: read {read:?}, decoded {decoded:?}"));
    }
    let frames = cut(&case.response.body, framing(case));
    if !frames.is_empty() {
        let (read, read_end) = (adapter.reader)(target, &frames);
        let (decoded, decoded_end) = (adapter.decoder)(target, &frames);
        let told: Vec<ChatEvent> = decoded.into_iter().filter(is_essential).collect();
        if (&read, &read_end) != (&told, &decoded_end) {
            found.push(format!(
                "framed: read {read:?} {read_end:?}, decoded {told:?} {decoded_end:?}"
            ));
        }
    }
    found
}

/// Who answered, what it took and how it ended, or that it failed.
type Essence<'a> = Result<(Option<&'a str>, Option<&'a str>, &'a Finish, &'a Usage), &'a Error>;

fn essence(answer: &Result<ChatResponse, Error>) -> Essence<'_> {
    answer.as_ref().map(|answer| {
        (
            answer.id.as_deref(),
            answer.model.as_deref(),
            &answer.finish,
            &answer.usage,
        )
    })
}

fn is_essential(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::Started(_) | ChatEvent::Usage(_) | ChatEvent::Finished(_) | ChatEvent::Done
    )
}

/// The chat does not speak this wire: the recording says what is right.
fn responses(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    let frames = cut(&case.response.body, framing(case));
    let whole = (adapter.read)(target, &case.response);
    let framed = (!frames.is_empty()).then(|| outcome((adapter.reader)(target, &frames)));
    let mut found = Vec::new();
    for (how, answer) in [("whole", Some(whole)), ("framed", framed)] {
        let Some(answer) = answer else { continue };
        let wrong = match answer {
            Ok(answer) => answered(case, &answer),
            Err(error) => failed(case, &error).into_iter().collect(),
        };
        found.extend(wrong.into_iter().map(|line| format!("{how}: {line}")));
    }
    found
}

/// The answer that a stream's events make, where it ended well and said so.
fn outcome((events, end): Streamed) -> Result<ChatResponse, Error> {
    end?;
    match events.last() {
        Some(ChatEvent::Done) => Ok(assemble(events)),
        _ => Err(Error::truncated()),
    }
}

fn answered(case: &Case, answer: &ChatResponse) -> Vec<String> {
    let expect = &case.expect;
    if let Some(error) = expect.get("error") {
        let reason = word(&format!("{:?}", answer.finish.reason));
        let alike = expect.get("or_finish").and_then(Value::as_str) == Some(&reason);
        return match alike {
            true => Vec::new(),
            false => vec![format!("a failure was expected: {error}")],
        };
    }
    let mut found = usage(case, &answer.usage);
    let reason = word(&format!("{:?}", answer.finish.reason));
    for (field, got) in [
        ("finish_reason", Some(reason.as_str())),
        ("raw_finish_reason", answer.finish.raw.as_deref()),
        ("id", answer.id.as_deref()),
        ("vendor_model", answer.model.as_deref()),
    ] {
        let wanted = expect.get(field).and_then(Value::as_str);
        if let Some(wanted) = wanted.filter(|_| !case.doubts(field))
            && got != Some(wanted)
        {
            found.push(format!("{field}: expected {wanted:?}, read {got:?}"));
        }
    }
    let tier = expect.get("service_tier").and_then(Value::as_str);
    let tier = tier.filter(|tier| !["default", "auto"].contains(tier));
    if answer.usage.tier.as_deref() != tier && !case.doubts("service_tier") {
        found.push(format!(
            "tier: expected {tier:?}, read {:?}",
            answer.usage.tier
        ));
    }
    found
}

/// Absent, zero and not expected are equal.
fn usage(case: &Case, usage: &Usage) -> Vec<String> {
    let total = usage
        .total_tokens
        .or_else(|| usage.prompt_tokens?.checked_add(usage.completion_tokens?));
    let counts = [
        ("prompt_tokens", usage.prompt_tokens),
        ("completion_tokens", usage.completion_tokens),
        ("total_tokens", total),
        ("cached_tokens", usage.cached_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
    ];
    let wrong = counts.into_iter().filter_map(|(name, got)| {
        let wanted = case.expect.get("usage").and_then(|usage| usage.get(name));
        let wanted = wanted.and_then(Value::as_u64).unwrap_or(0);
        let doubted = case.doubts(name) || case.doubts(&format!("usage.{name}"));
        (wanted != got.unwrap_or(0) && !doubted)
            .then(|| format!("{name}: expected {wanted}, read {got:?}"))
    });
    wrong.collect()
}

fn failed(case: &Case, error: &Error) -> Option<String> {
    let kind = word(&format!("{:?}", error.kind));
    let kinds = case
        .expect
        .get("error")
        .and_then(|error| error.get("kinds"));
    let kinds = kinds.and_then(Value::as_array).into_iter().flatten();
    let mut others = case
        .expect
        .get("or_error")
        .into_iter()
        .flat_map(|or| match or {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        });
    let right = kinds.clone().any(|known| known == kind.as_str())
        || others.any(|known| known == kind.as_str());
    (!right && !case.doubts("error.kinds")).then(|| {
        let kinds: Vec<_> = kinds.collect();
        format!(
            "failure: expected {kinds:?}, read {kind}: {}",
            error.message
        )
    })
}

fn vectors(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    match (adapter.read)(target, &case.response) {
        Ok(answer) => {
            let wanted = case
                .expect
                .get("usage")
                .and_then(|usage| usage.get("prompt_tokens"));
            let wanted = wanted.and_then(Value::as_u64).unwrap_or(0);
            let got = answer.usage.prompt_tokens.unwrap_or(0);
            let differs = wanted != got && !case.doubts("usage");
            let line = format!("prompt_tokens: expected {wanted}, read {got}");
            differs.then_some(line).into_iter().collect()
        }
        Err(error) => vec![format!("vectors: {}", error.message)],
    }
}

/// A count took nothing that anybody knows of.
fn counted(case: &Case, adapter: &Adapter, target: &Target) -> Vec<String> {
    match (adapter.read)(target, &case.response) {
        Ok(answer) if answer.usage.is_unknown() => Vec::new(),
        other => vec![format!("a count ({:?}): read {other:?}", mode(case))],
    }
}

/// `FinishReason::ContentFilter` as recordings write it: `content_filter`.
fn word(name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::adapter;
    use crate::way;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    fn found(kind: &str, status: u16, body: &str, expect: &str) -> Vec<String> {
        let body = STANDARD.encode(body);
        let text = format!(
            r#"{{"vendor":"openai","kind":"{kind}","url":"https://h.example/v1/{kind}","method":"POST",
                "status":{status},"response_body":"{body}","framing":"json","expect":{expect}}}"#
        );
        let case = Case::parse("made", &text).unwrap();
        let adapter = adapter("openai").unwrap();
        differences(&case, &adapter, &way::target(&case, &adapter))
    }

    #[test]
    fn an_answer_that_is_read_otherwise_is_told() {
        let body = r#"{"object":"response","id":"r","status":"completed","output":[],
            "usage":{"input_tokens":9,"output_tokens":2},"service_tier":"flex"}"#;
        let right = r#"{"finish_reason":"stop","id":"r","service_tier":"flex",
            "usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"cached_tokens":null}}"#;
        let none: Vec<String> = Vec::new();
        assert_eq!(found("responses", 200, body, right), none);
        for (was, is, told) in [
            (r#""stop""#, r#""length""#, "finish_reason"),
            (r#""r""#, r#""other""#, "id"),
            (":2,", ":3,", "completion_tokens"),
            ("null", "4", "cached_tokens"),
            ("flex", "default", "tier"),
        ] {
            let found = found("responses", 200, body, &right.replacen(was, is, 1));
            assert_eq!(found.len(), 1, "{told}: {found:?}");
            assert!(found.iter().all(|line| line.contains(told)), "{found:?}");
        }
        let failure = r#"{"error":{"kinds":["rate_limited"]}}"#;
        assert_eq!(found("responses", 429, "{}", failure), none);
        assert_eq!(found("responses", 401, "{}", failure).len(), 1);
        assert_eq!(found("responses", 200, body, failure).len(), 1);
        assert_eq!(found("responses", 200, "<html>", right).len(), 1);
        assert_eq!(found("tokens", 200, body, "{}").len(), 1);
    }
}
