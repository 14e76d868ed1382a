//! Every kind of text of an answer, whole and in pieces, cut at every byte.

use super::*;
use crate::chat::{Accumulator, FinishReason, ReasoningPart, TextPart, ToolCall, Usage};
use crate::error::ErrorKind;

const KEY: &str = "sk-abcdef-0123456789";

fn hidden() -> Hidden {
    Hidden::new(&[("api_key".to_owned(), SecretString::from(KEY))])
}

/// What comes out of the screen for these deltas, and the parts that it makes.
fn screened(deltas: Vec<Delta>) -> (Vec<Delta>, Vec<Part>) {
    let mut screen = Screen::new(hidden());
    let mut out = vec![];
    for delta in deltas {
        screen.push(delta, &mut out);
    }
    screen.finish(&mut out);
    let mut answer = Accumulator::default();
    for delta in out.clone() {
        answer.push(delta);
    }
    (out, answer.into_parts(0))
}

fn call(index: u32) -> Delta {
    Delta::ToolCallStart {
        index,
        id: Some(format!("call-{index}")),
        name: "look".to_owned(),
        signature: None,
        extra: Extra::default(),
    }
}

#[test]
fn each_kind_of_delta_is_one_text_however_it_is_cut() {
    let kinds: [fn(String) -> Delta; 3] = [Delta::Text, Delta::Reasoning, |arguments| {
        Delta::ToolCallArguments {
            index: 7,
            arguments,
        }
    }];
    let escaped = KEY.replacen('k', "\\u006b", 1);
    for kind in kinds {
        for key in [KEY, &escaped] {
            let text = format!("{{\"key\":\"{key}\"}}");
            for at in 0..=text.len() {
                let (left, right) = text.split_at(at);
                let mut deltas = vec![kind(left.into()), Delta::Usage(Usage::default())];
                deltas.push(kind(right.into()));
                if matches!(deltas.first(), Some(Delta::ToolCallArguments { .. })) {
                    deltas.insert(0, call(7));
                }
                let (out, parts) = screened(deltas);
                let shown = format!("{out:?} {parts:?}");
                assert!(!shown.contains("0123456789"), "{at}: {shown}");
                let made = match &parts[..] {
                    [Part::Text(part)] => &part.text,
                    [Part::Reasoning(part)] => &part.text,
                    [Part::ToolCall(call)] => &call.arguments,
                    other => panic!("{at}: {other:?}"),
                };
                assert_eq!(made, "{\"key\":\"[redacted]\"}", "cut at {at}");
            }
        }
    }
}

#[test]
fn calls_at_the_same_time_are_told_apart() {
    let more = |index, arguments: &str| Delta::ToolCallArguments {
        index,
        arguments: arguments.to_owned(),
    };
    let (left, right) = KEY.split_at(9);
    let (_, parts) = screened(vec![
        call(0),
        call(1),
        more(0, left),
        more(1, "sk-other"),
        more(0, right),
        more(1, "s"),
    ]);
    let arguments: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => &*call.arguments,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(arguments, ["[redacted]", "sk-others"]);
}

#[test]
fn order_is_kept_and_nothing_is_lost() {
    let (out, _) = screened(vec![
        Delta::Reasoning("thus".into()),
        Delta::Text("it is".into()),
        call(0),
        Delta::Text("s".into()),
        Delta::Finished {
            reason: FinishReason::Stop,
            raw: Some(KEY.into()),
        },
    ]);
    let kinds: Vec<String> = out
        .iter()
        .map(|delta| match delta {
            Delta::Text(text) => format!("text {text}"),
            Delta::Reasoning(text) => format!("thought {text}"),
            Delta::ToolCallStart { .. } => "call".into(),
            Delta::Finished { raw, .. } => format!("end {raw:?}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "thought thu",
            "thought s",
            "text it i",
            "text s",
            "call",
            "end Some(\"[redacted]\")",
            "text s"
        ]
    );
}

#[test]
fn whole_answers_lose_it_too_also_across_parts() {
    let text = |text: &str| {
        Part::Text(TextPart {
            text: text.to_owned(),
            ..TextPart::default()
        })
    };
    let tail = || {
        let members = serde_json::json!({ "deep": [{ "down": KEY }] });
        Extra::of("w", members.as_object().cloned().unwrap())
    };
    let mut answer = wire::Answer {
        id: Some(KEY.to_owned()),
        model: Some(format!("m-{KEY}")),
        parts: vec![
            Part::Reasoning(ReasoningPart {
                text: format!("think {KEY}"),
                signature: Some(KEY.to_owned()),
                extra: tail(),
                ..ReasoningPart::default()
            }),
            text("a sk-abc"),
            text("def-0123456789 b"),
            Part::ToolCall(ToolCall {
                id: KEY.to_owned(),
                name: KEY.to_owned(),
                arguments: "{\"a\":\"sk-abcdef-012345678\\u0039\"}".to_owned(),
                extra: tail(),
                ..ToolCall::default()
            }),
            Part::Opaque(OpaquePart {
                kind: "block".to_owned(),
                data: format!("{{\"type\":\"x\",\"data\":\"{KEY}\"}}"),
            }),
            Part::Media(MediaPart {
                name: Some(KEY.to_owned()),
                extra: tail(),
                ..MediaPart::url(format!("https://example.org/{KEY}"))
            }),
            Part::ServerToolCall(ServerToolCall {
                id: Some(KEY.to_owned()),
                name: "web-search".to_owned(),
                input: Some(format!("{{\"query\":\"{KEY}\"}}")),
                data: format!("{{\"input\":\"{KEY}\"}}"),
            }),
            Part::ServerToolResult(ServerToolResult {
                content: vec![ResultPart::Text {
                    text: KEY.to_owned(),
                }],
                data: format!("[\"{KEY}\"]"),
                ..ServerToolResult::default()
            }),
            Part::Text(TextPart {
                text: "cited".to_owned(),
                citations: vec![Citation {
                    source: Some(CitationSource::Url(KEY.to_owned())),
                    title: Some(KEY.to_owned()),
                    cited_text: Some(KEY.to_owned()),
                    extra: tail(),
                    ..Citation::default()
                }],
                extra: tail(),
                ..TextPart::default()
            }),
            text("ends with s"),
        ],
        finish: (FinishReason::Stop, Some(KEY.to_owned())),
        usage: Usage::default(),
        billing: Billing {
            tier: Some(KEY.to_owned()),
            remarks: vec![KEY.to_owned()],
            ..Billing::default()
        },
        extra: tail(),
    };
    hidden().answer(&mut answer);
    let shown = format!("{answer:?}");
    assert!(
        !shown.contains("0123456789") && !shown.contains("012345678"),
        "{shown}"
    );
    assert_eq!(answer.parts[1], text("a "));
    assert_eq!(answer.parts[2], text("[redacted] b"));
    assert_eq!(answer.parts[9], text("ends with s"));
    assert!(shown.contains("\\\"type\\\":\\\"x\\\""), "{shown}");
}

#[test]
fn an_error_loses_it_in_words_and_code() {
    let mut error = Error::new(ErrorKind::Authentication, format!("bad {KEY}"));
    error.vendor_code = Some(KEY.to_uppercase());
    let error = hidden().error(error);
    assert_eq!(error.message, "bad [redacted]");
    assert_eq!(error.vendor_code.as_deref(), Some("[redacted]"));
}

#[test]
fn with_no_secret_to_find_nothing_is_held_back() {
    let words = Hidden::new(&[("api_key".to_owned(), SecretString::from("content"))]);
    let mut screen = Screen::new(words.clone());
    let mut out = vec![];
    screen.push(Delta::Text("the conten".into()), &mut out);
    assert_eq!(out, [Delta::Text("the conten".into())]);
    let body = "{\"content\":\"content\"}";
    assert_eq!(words.raw(body.to_owned()), body);
}
