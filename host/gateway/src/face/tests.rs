//! What holds for every face: whole, kept and live answers say the same, and strict callers read them.

use fastrand::Rng;
use multillm::chat::{
    Accumulator, ChatEvent, ChatResponse, Citation, CitationSource, Delta, Extra, FinishReason,
    MediaPart, OpaquePart, Part, ServerToolCall, Usage,
};
use multillm::{Error, ErrorKind};
use multillm_callers::{Heard, Wire};

use super::*;

pub(super) fn stamp() -> Stamp {
    Stamp {
        id: "a1".to_owned(),
        created: 1_760_000_000,
        nanos: 7,
    }
}

/// The faces whose answers strict callers read.
pub(super) const READ: [(Face, Wire); 5] = [
    (Face::OpenAiChat, Wire::OpenAiChat),
    (Face::OpenAiResponses, Wire::OpenAiResponses),
    (Face::AnthropicMessages, Wire::AnthropicMessages),
    (Face::OllamaChat, Wire::OllamaChat),
    (Face::OllamaGenerate, Wire::OllamaChat),
];

/// How a face answers a plain question.
pub(super) fn reply(face: Face) -> Reply {
    let body = match face {
        Face::OpenAiChat => {
            r#"{"messages":[{"role":"user","content":"hi"}],"stream_options":{"include_usage":true}}"#
        }
        Face::OpenAiResponses => r#"{"input":"hi"}"#,
        Face::OllamaGenerate => r#"{"prompt":"hi"}"#,
        Face::Gemini => r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#,
        _ => r#"{"messages":[{"role":"user","content":"hi"}]}"#,
    };
    let asked = Entry::new(face).read(body.as_bytes()).unwrap();
    assert_eq!(asked.lost(["gemini"].into_iter()), [""; 0], "{body}");
    asked.reply("fast", stamp())
}

pub(super) fn streamed(face: Face, events: &[ChatEvent]) -> Vec<u8> {
    let mut renderer = reply(face).stream();
    let mut out = vec![];
    renderer.begin("gemini", &mut out);
    for event in events {
        renderer.ping(&mut out);
        renderer.event(event, &mut out);
    }
    out
}

/// The deltas of a live stream, and the answer that they make.
struct Live {
    events: Vec<ChatEvent>,
    answer: ChatResponse,
}

fn live(deltas: Vec<Delta>, finish: FinishReason) -> Live {
    let mut accumulator = Accumulator::default();
    let mut events: Vec<ChatEvent> = vec![];
    for delta in deltas {
        events.extend(accumulator.push(delta));
    }
    let mut answer = ChatResponse::new(accumulator.into_parts(0), finish);
    answer.plugin = "gemini".to_owned();
    answer.usage = Usage {
        prompt_tokens: Some(20),
        completion_tokens: Some(5),
        cached_tokens: Some(8),
        ..Usage::default()
    };
    let calls = answer.tool_calls().cloned().map(ChatEvent::ToolCall);
    let calls: Vec<ChatEvent> = calls.collect();
    events.extend(calls);
    events.push(ChatEvent::Done(Box::new(answer.clone())));
    Live { events, answer }
}

/// Pieces of a text, cut between characters.
fn pieces(rng: &mut Rng, text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for letter in text.chars() {
        if rng.u8(..3) == 0 {
            pieces.push(String::new());
        }
        pieces.last_mut().unwrap().push(letter);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn words(rng: &mut Rng) -> String {
    let words = [
        "Hi",
        " \u{1F600}",
        "\n",
        "\"x\"",
        "\\",
        "\u{2028}",
        " fin",
        "data: [DONE]\n\n",
    ];
    let count = 1 + rng.usize(..4);
    let chosen = (0..count).map(|_| *rng.choice(words.iter()).unwrap());
    chosen.collect()
}

fn deltas(rng: &mut Rng) -> (Vec<Delta>, FinishReason) {
    let mut made = vec![];
    let mut calls = 0;
    for _ in 0..rng.usize(..7) {
        match rng.u8(..10) {
            0..3 => {
                let text = words(rng);
                made.extend(pieces(rng, &text).into_iter().map(Delta::Text));
                if rng.bool() {
                    made.push(Delta::Citation(Citation {
                        source: Some(CitationSource::Url(format!(
                            "https://example.org/{}",
                            rng.u8(..)
                        ))),
                        title: Some("T".to_owned()),
                        start: Some(0),
                        end: Some(1),
                        ..Citation::default()
                    }));
                }
                if rng.bool() {
                    made.push(Delta::TextEnd);
                }
            }
            3 | 4 => {
                let text = words(rng);
                made.extend(pieces(rng, &text).into_iter().map(Delta::Reasoning));
                match rng.u8(..4) {
                    0 => {
                        made.push(Delta::ReasoningSignature("c2ln".to_owned()));
                        let tail = multillm::chat::JsonObject::parse(r#"{"id":"rs_9"}"#).unwrap();
                        made.push(Delta::PartExtra(Extra::of("openai-responses", tail)));
                    }
                    1 => made.push(Delta::ReasoningSignature("c2ln".to_owned())),
                    2 => made.push(Delta::RedactedReasoning("ZW5j".to_owned())),
                    _ => {}
                }
            }
            5 | 6 => {
                let both = rng.bool();
                for index in calls..calls + 1 + u32::from(both) {
                    made.push(Delta::ToolCallStart {
                        index: index * 3,
                        id: rng.bool().then(|| format!("id{index}")),
                        name: format!("tool{index}"),
                        signature: rng.bool().then(|| "U2ln".to_owned()),
                        extra: Extra::default(),
                    });
                }
                // Two calls may grow by turns.
                for index in calls..calls + 1 + u32::from(both) {
                    let arguments = ["{\"a\":1.50}", "{}", ""][rng.usize(..3)];
                    for piece in pieces(rng, arguments) {
                        made.push(Delta::ToolCallArguments {
                            index: index * 3,
                            arguments: piece,
                        });
                    }
                }
                calls += 1 + u32::from(both);
            }
            7 => made.push(Delta::Opaque(OpaquePart {
                kind: "executableCode".to_owned(),
                data: r#"{"executableCode":{"code":"1"}}"#.to_owned(),
            })),
            8 => made.push(Delta::Media(
                MediaPart::bytes(&b"\x89PNG\r\n\x1a\n...."[..]).unwrap(),
            )),
            _ => made.push(Delta::ServerToolCall(ServerToolCall {
                id: Some("w1".to_owned()),
                name: "web-search".to_owned(),
                input: None,
                data: r#"{"type":"web_search_call","id":"w1"}"#.to_owned(),
            })),
        }
    }
    let finish = match calls {
        0 => [
            FinishReason::Stop,
            FinishReason::Length,
            FinishReason::ContentFilter,
            FinishReason::Other,
        ][rng.usize(..4)],
        _ => FinishReason::ToolCalls,
    };
    (made, finish)
}

/// What every caller must hear of an answer.
fn expected(face: Face, answer: &ChatResponse) -> Heard {
    let thoughts = answer.reasoning().unwrap_or_default();
    Heard {
        text: answer.content(),
        thoughts,
        usage: Some((20, 5)),
        cached: (!matches!(face, Face::OllamaChat | Face::OllamaGenerate)).then_some(8),
        ..Heard::default()
    }
}

#[test]
fn whole_kept_and_live_answers_say_the_same() {
    for seed in 0..3000 {
        let mut rng = Rng::with_seed(seed);
        let (deltas, finish) = deltas(&mut rng);
        let Live { events, answer } = live(deltas, finish);
        for (face, wire) in READ {
            let body = reply(face).whole(&answer);
            let shown = String::from_utf8_lossy(&body);
            let whole = wire.whole(&body);
            let whole = whole.unwrap_or_else(|fault| panic!("{seed} {face:?}: {fault} in {shown}"));
            let should = expected(face, &answer);
            assert_eq!(
                (&whole.text, &whole.thoughts, whole.usage, whole.cached),
                (&should.text, &should.thoughts, should.usage, should.cached),
                "{seed} {face:?}"
            );
            let names: Vec<&str> = whole.calls.iter().map(|call| call.name.as_str()).collect();
            let called: Vec<&str> = answer.tool_calls().map(|call| call.name.as_str()).collect();
            assert_eq!(names, called, "{seed} {face:?}");
            for events in [events.clone(), answer.clone().into_events()] {
                let bytes = streamed(face, &events);
                let shown = String::from_utf8_lossy(&bytes);
                let heard = wire.stream(&bytes);
                let heard =
                    heard.unwrap_or_else(|fault| panic!("{seed} {face:?}: {fault} in\n{shown}"));
                assert_eq!(heard, whole, "{seed} {face:?}\n{shown}");
            }
        }
    }
}

#[test]
fn a_cut_is_never_an_end() {
    let error = Error::new(ErrorKind::Truncated, "the vendor's stream broke off");
    for seed in 0..1000 {
        let mut rng = Rng::with_seed(seed);
        let (deltas, finish) = deltas(&mut rng);
        let Live { events, .. } = live(deltas, finish);
        for (face, wire) in READ {
            let mut renderer = reply(face).stream();
            let mut out = vec![];
            renderer.begin("gemini", &mut out);
            for event in events.iter().take(rng.usize(..events.len())) {
                renderer.event(event, &mut out);
            }
            // Without a word of it.
            let heard = wire.stream(&out).unwrap();
            assert_eq!(heard.end, None, "{face:?}");
            renderer.cut(&error, &mut out);
            let heard = wire.stream(&out);
            let heard = heard.unwrap_or_else(|fault| panic!("{seed} {face:?}: {fault}"));
            assert_eq!(heard.end, None, "{face:?}");
            assert_eq!(
                heard.error.as_deref(),
                Some("the vendor's stream broke off"),
                "{face:?}"
            );
        }
    }
}

#[test]
fn errors_have_the_status_and_the_class_of_the_callers_wire() {
    let status = |face: Face, kind| {
        let mut error = Error::new(kind, "no").retryable(kind == ErrorKind::RateLimited);
        error.retry_after_ms = Some(1500);
        let refused = face.refuse(&error);
        let body: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        assert!(refused.headers.contains(&("retry-after", "2".to_owned())));
        (refused.status, body)
    };
    for (kind, code, openai, anthropic) in [
        (
            ErrorKind::InvalidRequest,
            400,
            "invalid_request_error",
            "invalid_request_error",
        ),
        (
            ErrorKind::Authentication,
            401,
            "authentication_error",
            "authentication_error",
        ),
        (
            ErrorKind::NotFound,
            404,
            "invalid_request_error",
            "not_found_error",
        ),
        (
            ErrorKind::PayloadTooLarge,
            413,
            "invalid_request_error",
            "request_too_large",
        ),
        (
            ErrorKind::RateLimited,
            429,
            "rate_limit_error",
            "rate_limit_error",
        ),
        (
            ErrorKind::QuotaExhausted,
            429,
            "insufficient_quota",
            "rate_limit_error",
        ),
        (ErrorKind::Server, 500, "server_error", "api_error"),
        (ErrorKind::Truncated, 502, "server_error", "api_error"),
        (ErrorKind::Timeout, 504, "timeout_error", "timeout_error"),
    ] {
        let (status_openai, body) = status(Face::OpenAiChat, kind);
        assert_eq!(
            (status_openai, body["error"]["type"].as_str()),
            (code, Some(openai))
        );
        assert!(body["error"]["message"].is_string() && body["error"]["code"].is_string());
        let (status_anthropic, body) = status(Face::AnthropicMessages, kind);
        assert_eq!(
            (status_anthropic, body["error"]["type"].as_str()),
            (code, Some(anthropic))
        );
        assert_eq!(body["type"], "error");
        let (_, body) = status(Face::OllamaChat, kind);
        assert!(body["error"].is_string());
        let (status_google, body) = status(Face::Gemini, kind);
        assert_eq!(body["error"]["code"], status_google);
    }
    assert_eq!(
        status(Face::AnthropicMessages, ErrorKind::Overloaded).0,
        529
    );
    assert_eq!(status(Face::OpenAiChat, ErrorKind::Overloaded).0, 503);
    let (_, body) = status(Face::OpenAiChat, ErrorKind::ContextLength);
    assert_eq!(body["error"]["code"], "context_length_exceeded");
}

/// The parts of an answer that a caller can send back, joined where the wire joins them.
fn returnable(answer: &ChatResponse) -> (Vec<Part>, String) {
    let kept = |part: &&Part| matches!(part, Part::Reasoning(_) | Part::ToolCall(_));
    (
        answer.parts.iter().filter(kept).cloned().collect(),
        answer.content(),
    )
}

/// The next request of a caller who appends an answer to its conversation as its client does.
fn next_request(face: Face, body: &[u8]) -> serde_json::Value {
    use serde_json::json;
    let mut body: serde_json::Value = serde_json::from_slice(body).unwrap();
    let question = json!({ "role": "user", "content": "hi" });
    match face {
        Face::OpenAiChat => {
            json!({ "messages": [question, body["choices"][0]["message"].take()] })
        }
        Face::AnthropicMessages => json!({ "messages": [question,
            { "role": "assistant", "content": body["content"].take() }] }),
        Face::OpenAiResponses => {
            let mut input = vec![question];
            input.extend(body["output"].as_array().unwrap().iter().cloned());
            json!({ "input": input })
        }
        Face::Gemini => {
            json!({ "contents": [{ "parts": [{ "text": "hi" }] }, body["candidates"][0]["content"].take()] })
        }
        _ => json!({ "messages": [question, body["message"].take()] }),
    }
}

#[test]
fn what_an_answer_said_comes_back_as_it_was() {
    for seed in 0..2000 {
        let mut rng = Rng::with_seed(seed);
        let (deltas, finish) = deltas(&mut rng);
        let Live { answer, .. } = live(deltas, finish);
        let (mut parts, text) = returnable(&answer);
        for face in [
            Face::OpenAiChat,
            Face::AnthropicMessages,
            Face::OpenAiResponses,
            Face::Gemini,
        ] {
            let next = next_request(face, &reply(face).whole(&answer)).to_string();
            let entry = Entry::new(face);
            let asked = entry.read(next.as_bytes());
            let asked = asked.unwrap_or_else(|error| panic!("{seed} {face:?}: {error} in {next}"));
            let said: Vec<&multillm::ChatMessage> = asked.request.messages.iter().collect();
            let said: Vec<Part> = said
                .iter()
                .skip(1)
                .flat_map(|message| message.content.clone())
                .collect();
            let back = ChatResponse::new(said, finish);
            let (mut read, words) = returnable(&back);
            assert_eq!(words, text, "{seed} {face:?}");
            let mut marked = false;
            for part in parts.iter_mut().chain(&mut read) {
                match part {
                    Part::ToolCall(call) => {
                        marked |= call.signature.is_some();
                        // An id that the vendor did not give is ours, and so is the tail of a stream's part.
                        if call.local || call.id.starts_with("call_a1") {
                            call.id.clear();
                        }
                        call.local = false;
                        call.arguments = serde_json::from_str::<serde_json::Value>(
                            calls::arguments(&call.arguments),
                        )
                        .unwrap()
                        .to_string();
                    }
                    Part::Reasoning(thought) => {
                        marked = true;
                        thought.extra = Extra::default();
                    }
                    _ => {}
                }
            }
            if face == Face::OpenAiChat {
                // Thoughts stand before everything else there, and those that nobody signed in one text.
                let signed = |part: &Part| matches!(part, Part::Reasoning(thought) if thought.signature.is_some() || thought.redacted.is_some());
                let calls = |part: &&Part| matches!(part, Part::ToolCall(_));
                assert_eq!(
                    read.iter().filter(calls).collect::<Vec<_>>(),
                    parts.iter().filter(calls).collect::<Vec<_>>()
                );
                let read: Vec<&Part> = read.iter().filter(|part| signed(part)).collect();
                assert_eq!(
                    read,
                    parts.iter().filter(|part| signed(part)).collect::<Vec<_>>(),
                    "{seed}"
                );
                continue;
            }
            let mut parts = parts.clone();
            if face == Face::Gemini {
                // Encrypted thoughts have no place there, and what nobody signed bears no mark.
                let hidden = |part: &Part| matches!(part, Part::Reasoning(thought) if thought.redacted.is_some());
                parts.retain(|part| !hidden(part));
                marked = next.contains(mark::PACKED);
            }
            assert_eq!(read, parts, "{seed} {face:?}\n{next}");
            if marked {
                assert!(!entry.head(next.as_bytes()).unwrap().relayable, "{next}");
                let origins = asked
                    .request
                    .messages
                    .iter()
                    .filter_map(|message| message.origin.as_deref());
                assert!(
                    origins.into_iter().any(|origin| origin == "gemini"),
                    "{next}"
                );
            }
        }
    }
}
