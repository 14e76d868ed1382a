//! Answers put together from pieces.

use super::*;
use crate::chat::{CitationSource, JsonObject};

fn parts(deltas: Vec<Delta>) -> Vec<Part> {
    let mut answer = Accumulator::default();
    for delta in deltas {
        answer.push(delta);
    }
    answer.into_parts(0)
}

#[test]
fn text_runs_are_one_part_and_signatures_end_it() {
    let made = parts(vec![
        Delta::Reasoning("a".into()),
        Delta::Reasoning("b".into()),
        Delta::ReasoningSignature("s1".into()),
        Delta::Text("x".into()),
        Delta::TextSignature("s2".into()),
        Delta::TextSignature("s3".into()),
        Delta::Text("y".into()),
    ]);
    assert_eq!(
        made,
        [
            Part::Reasoning(ReasoningPart {
                text: "ab".into(),
                signature: Some("s1".into()),
                ..ReasoningPart::default()
            }),
            Part::Text(TextPart {
                text: "x".into(),
                signature: Some("s2".into()),
                ..TextPart::default()
            }),
            Part::Text(TextPart {
                signature: Some("s3".into()),
                ..TextPart::default()
            }),
            Part::text("y"),
        ]
    );
}

#[test]
fn the_end_of_a_part_is_told_with_what_its_pieces_did_not_tell() {
    let mut answer = Accumulator::default();
    let mut ended = |delta| match answer.push(delta) {
        Some(ChatEvent::PartEnd { part }) => Some(part),
        _ => None,
    };
    assert_eq!(ended(Delta::Reasoning("a".into())), None);
    let signed = ReasoningPart {
        text: "a".into(),
        signature: Some("s".into()),
        ..ReasoningPart::default()
    };
    let end = ended(Delta::ReasoningSignature("s".into()));
    assert_eq!(end, Some(Part::Reasoning(signed)));
    let hidden = ended(Delta::RedactedReasoning("x".into()));
    assert!(matches!(hidden, Some(Part::Reasoning(_))), "{hidden:?}");
    // Nothing has begun that could end.
    assert_eq!(ended(Delta::TextEnd), None);
    assert_eq!(ended(Delta::Text("b".into())), None);
    assert_eq!(ended(Delta::TextEnd), Some(Part::text("b")));
    let block = OpaquePart {
        kind: "k".into(),
        data: "{}".into(),
    };
    let end = ended(Delta::Opaque(block.clone()));
    assert_eq!(end, Some(Part::Opaque(block)));
}

#[test]
fn what_belongs_to_one_part_keeps_it_apart_from_its_neighbours() {
    let cited = |url: &str| Citation {
        source: Some(CitationSource::Url(url.into())),
        ..Citation::default()
    };
    let tail = |text: &str| Extra::of("w", JsonObject::parse(text).unwrap());
    let made = parts(vec![
        Delta::Text("a ".into()),
        Delta::Text("b".into()),
        Delta::TextEnd,
        Delta::Text("c".into()),
        Delta::Citation(cited("x")),
        Delta::Citation(cited("y")),
        Delta::TextEnd,
        Delta::Text("d".into()),
        Delta::TextEnd,
        Delta::Text("e".into()),
        Delta::Reasoning("f".into()),
        Delta::PartExtra(tail(r#"{"g": 1}"#)),
        Delta::Reasoning("h".into()),
    ]);
    let text = |text: &str, citations: Vec<Citation>| {
        Part::Text(TextPart {
            text: text.into(),
            citations,
            ..TextPart::default()
        })
    };
    let thought = |text: &str, extra: Extra| {
        Part::Reasoning(ReasoningPart {
            text: text.into(),
            extra,
            ..ReasoningPart::default()
        })
    };
    let whole = [
        text("a b", vec![]),
        text("c", vec![cited("x"), cited("y")]),
        text("de", vec![]),
        thought("f", tail(r#"{"g": 1}"#)),
        thought("h", Extra::default()),
    ];
    assert_eq!(made, whole);
    assert_eq!(
        normalise(made, 0),
        whole,
        "a whole answer is put together alike"
    );
}

#[test]
fn media_and_tools_of_the_vendor_are_parts_and_events() {
    let mut answer = Accumulator::default();
    let call = ServerToolCall {
        name: "web-search".into(),
        data: "{}".into(),
        ..ServerToolCall::default()
    };
    let picture = MediaPart::of_type("image/png", &b"png"[..]);
    let told = answer.push(Delta::ServerToolCall(call.clone()));
    assert_eq!(told, Some(ChatEvent::ServerToolCall(call.clone())));
    let told = answer.push(Delta::Media(picture.clone()));
    assert_eq!(told, Some(ChatEvent::Media(picture.clone())));
    answer.push(Delta::Extra(Extra::of(
        "w",
        JsonObject::parse(r#"{"a": 1.0}"#).unwrap(),
    )));
    assert_eq!(answer.extra.get("w").unwrap().to_string(), r#"{"a":1.0}"#);
    assert_eq!(
        answer.into_parts(0),
        [Part::ServerToolCall(call), Part::Media(picture)]
    );
}

#[test]
fn interleaved_tool_calls_are_told_apart_by_index() {
    let start = |index, id: Option<&str>| Delta::ToolCallStart {
        index,
        id: id.map(str::to_owned),
        name: "look".into(),
        signature: None,
        extra: Extra::default(),
    };
    let more = |index, text: &str| Delta::ToolCallArguments {
        index,
        arguments: text.into(),
    };
    let made = parts(vec![
        start(0, Some("a")),
        start(1, None),
        more(0, "{\"x\""),
        more(1, "{}"),
        more(0, ":1}"),
        more(9, "lost"),
    ]);
    let calls: Vec<_> = made
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => (call.id.as_str(), call.arguments.as_str(), call.local),
            other => panic!("no call: {other:?}"),
        })
        .collect();
    assert_eq!(calls, [("a", "{\"x\":1}", false), ("call_0", "{}", true)]);
}

#[test]
fn the_price_is_no_part_and_no_event() {
    let mut answer = Accumulator::default();
    answer.push(Delta::Text("a".into()));
    let billing = Billing::read(r#"{"tier":"flex"}"#);
    assert_eq!(answer.push(Delta::Billing(billing.clone())), None);
    answer.push(Delta::Text("b".into()));
    assert_eq!(answer.billing, billing);
    assert_eq!(answer.into_parts(0), [Part::text("ab")]);
}

#[test]
fn the_output_of_a_cut_answer_is_known_only_if_it_was_counted_at_its_end() {
    let usage = |completion| {
        Delta::Usage(Usage {
            prompt_tokens: Some(9),
            completion_tokens: Some(completion),
            ..Usage::default()
        })
    };
    let mut answer = Accumulator::default();
    answer.push(usage(1));
    assert_eq!(answer.usage_if_cut().completion_tokens, None);
    assert_eq!(answer.usage_if_cut().prompt_tokens, Some(9));
    answer.push(Delta::Text("a".into()));
    answer.push(usage(3));
    assert_eq!(answer.usage_if_cut().completion_tokens, None);
    answer.push(Delta::Finished {
        reason: FinishReason::Stop,
        raw: None,
    });
    assert_eq!(answer.usage_if_cut().completion_tokens, Some(3));
    answer.push(Delta::Text("b".into()));
    assert_eq!(answer.usage_if_cut().completion_tokens, None);
    answer.push(usage(5));
    assert_eq!(answer.usage_if_cut().completion_tokens, Some(5));
}

#[test]
fn an_empty_answer_may_have_taken_nothing_although_more_was_announced() {
    let mut answer = Accumulator::default();
    for completion in [1, 0] {
        answer.push(Delta::Usage(Usage {
            prompt_tokens: Some(9),
            completion_tokens: Some(completion),
            ..Usage::default()
        }));
    }
    assert_eq!(answer.usage.completion_tokens, Some(0));
}

#[test]
fn usage_is_taken_over_field_by_field() {
    let mut answer = Accumulator::default();
    answer.push(Delta::Usage(Usage {
        prompt_tokens: Some(9),
        completion_tokens: Some(1),
        ..Usage::default()
    }));
    answer.push(Delta::Usage(Usage {
        completion_tokens: Some(5),
        ..Usage::default()
    }));
    assert_eq!(answer.usage.total(), Some(14));
}
