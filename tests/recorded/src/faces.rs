//! Cross identity: a recorded answer, asked for through every face. What a strict caller of that face hears, whole and
//! streamed, must be what the recording is expected to say: text, thoughts, calls, counts, the end; and a recorded
//! failure must have the status by which the face's SDKs choose their exception.
//!
//! It runs natively: the adapter reads the recording, the face says it again. [`heard`] compares, [`written`] keeps it for
//! other readers.

mod heard;
mod written;

#[allow(
    clippy::expect_used,
    reason = "what is wrong with an adapter ends the judge"
)]
#[path = "../../fuzzing/src/adapter/convert.rs"]
#[allow(dead_code, reason = "lists of models are not judged here")]
mod convert;

use std::collections::BTreeMap;
use std::process::ExitCode;

use multillm::chat::{Accumulator, ChatEvent, ChatResponse, FinishReason};
use multillm::plugin::wire;
use multillm::{Error, ErrorKind};
use multillm_callers::Wire;
use multillm_gateway::face::{Entry, Face, Reply, Stamp};
use multillm_plugin_sdk::{Framing, Target};

use crate::case::Case;
use crate::vendors::{self, Adapter};
use crate::{frames, way};

/// The faces that strict callers read.
const FACES: [(Face, Wire); 4] = [
    (Face::OpenAiChat, Wire::OpenAiChat),
    (Face::OpenAiResponses, Wire::OpenAiResponses),
    (Face::AnthropicMessages, Wire::AnthropicMessages),
    (Face::OllamaChat, Wire::OllamaChat),
];

/// What an adapter read of a recording.
struct Read {
    answer: ChatResponse,
    events: Vec<ChatEvent>,
    /// The answer broke off, or failed after it began.
    broken: Option<Error>,
}

/// How many were right, of how many.
#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
}

pub(crate) use written::Writer;

/// Judges all recordings, and prints counts and every difference.
///
/// # Errors
///
/// What was said cannot be written down.
pub(crate) fn judge(cases: &[Case], writer: &mut Writer) -> anyhow::Result<ExitCode> {
    let mut scores: BTreeMap<(String, &str), Score> = BTreeMap::new();
    let mut passed_over = 0;
    for case in cases {
        let chat = matches!(case.kind.as_str(), "chat" | "responses");
        let Some(adapter) = vendors::adapter(&case.vendor).filter(|_| chat && !case.optional)
        else {
            passed_over += 1;
            continue;
        };
        let target = way::target(case, &adapter);
        for (face, wire) in FACES {
            let found = differences(case, &adapter, &target, (face, wire), writer)?;
            let Some(differences) = found else {
                passed_over += 1;
                continue;
            };
            let score = scores
                .entry((case.vendor.clone(), face.wire()))
                .or_default();
            score.all += 1;
            score.right += usize::from(differences.is_empty());
            for line in differences {
                println!("{}/{} {}: {line}", case.vendor, case.name, face.wire());
            }
        }
    }
    let (mut right, mut all) = (0, 0);
    for ((vendor, face), score) in &scores {
        println!("{vendor:<12} {face:<20} {:>4}/{}", score.right, score.all);
        right += score.right;
        all += score.all;
    }
    println!("{right} of {all} are right, {passed_over} were passed over");
    Ok(match (all, all - right) {
        (0, _) => ExitCode::from(2),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Nothing if the adapter makes of the recording something else than is expected: that is judged elsewhere.
fn differences(
    case: &Case,
    adapter: &Adapter,
    target: &Target,
    (face, wire): (Face, Wire),
    writer: &mut Writer,
) -> anyhow::Result<Option<Vec<String>>> {
    let expects_error = case
        .expect
        .get("error")
        .is_some_and(|error| !error.is_null());
    let failed = |error: &Error, writer: &mut Writer| {
        writer.failure(case, face, error)?;
        Ok(Some(heard::failure(face, error).into_iter().collect()))
    };
    if case.response.status >= 400 {
        let error = convert::error((adapter.failure)(target, &case.response));
        return match expects_error {
            true => failed(&error, writer),
            false => Ok(None),
        };
    }
    let read = match read(case, adapter, target) {
        Ok(read) => read,
        // A failure within a success, before anything was said: the caller has an error in place of an answer.
        Err(error) if expects_error => return failed(&error, writer),
        Err(_) => return Ok(None),
    };
    if expects_error != read.broken.is_some() {
        return Ok(None);
    }
    writer.answer(case, face, &read)?;
    let streamed = streamed(&reply(face), &read);
    let streamed = match wire.stream(&streamed) {
        Ok(heard) => heard,
        Err(fault) => return Ok(Some(vec![format!("streamed: {fault}")])),
    };
    if let Some(error) = &read.broken {
        let told = streamed.error.is_some() && streamed.end.is_none();
        return Ok(Some(match told {
            true => vec![],
            false => vec![format!("{:?} was not told", error.message)],
        }));
    }
    let whole = match wire.whole(&reply(face).whole(&read.answer)) {
        Ok(heard) => heard,
        Err(fault) => return Ok(Some(vec![format!("whole: {fault}")])),
    };
    let mut differences = heard::differences(case, wire, &whole);
    if streamed != whole {
        differences.push(format!("streamed {streamed:?}, whole {whole:?}"));
    }
    Ok(Some(differences))
}

/// How a face answers a plain question.
fn reply(face: Face) -> Reply {
    let body = match face {
        Face::OpenAiResponses => r#"{"input":"hi"}"#,
        _ => r#"{"messages":[],"stream_options":{"include_usage":true}}"#,
    };
    let stamp = Stamp {
        id: "r1".to_owned(),
        created: 1_760_000_000,
        nanos: 1,
    };
    let asked = Entry::new(face).read(body.as_bytes());
    #[allow(clippy::expect_used, reason = "a constant")]
    asked.expect("a plain question").reply("m", stamp)
}

fn streamed(reply: &Reply, read: &Read) -> Vec<u8> {
    let mut renderer = reply.clone().stream();
    let mut out = vec![];
    renderer.begin(&read.answer.plugin, &mut out);
    for event in &read.events {
        renderer.event(event, &mut out);
    }
    if let Some(error) = &read.broken {
        renderer.cut(error, &mut out);
    }
    out
}

/// What the adapter makes of the recorded answer, as the library would hand it out.
fn read(case: &Case, adapter: &Adapter, target: &Target) -> Result<Read, Error> {
    let framing = match case.framing.as_str() {
        "sse" => Framing::Sse,
        "ndjson" => Framing::Ndjson,
        _ => Framing::Whole,
    };
    if framing == Framing::Whole {
        let decoded = (adapter.decode)(target, &case.response).map_err(convert::error)?;
        let decoded = convert::answer(decoded, &target.wire);
        let answer = answer(case, decoded.parts, decoded.finish, decoded.usage);
        let events = answer.clone().into_events();
        return Ok(Read {
            answer,
            events,
            broken: None,
        });
    }
    let frames = frames::cut(&case.response.body, framing);
    let (events, end) = (adapter.decoder)(target, &frames);
    let mut accumulator = Accumulator::default();
    let (mut told, mut broken) = (vec![], end.err().map(convert::error));
    for event in convert::events(events, &target.wire) {
        match event {
            wire::Event::Delta(delta) => told.extend(accumulator.push(delta)),
            wire::Event::Done => break,
            wire::Event::Failed(error) => broken = Some(error),
        }
    }
    if let (Some(error), true) = (&broken, told.is_empty()) {
        return Err(error.clone());
    }
    let finish = accumulator
        .finish
        .clone()
        .unwrap_or((FinishReason::Other, None));
    let usage = accumulator.usage;
    let answer = answer(case, accumulator.into_parts(0), finish, usage);
    if broken.is_none() {
        let calls = answer.tool_calls().cloned().map(ChatEvent::ToolCall);
        told.extend(calls.collect::<Vec<_>>());
        told.push(ChatEvent::Done(Box::new(answer.clone())));
    }
    Ok(Read {
        answer,
        events: told,
        broken,
    })
}

fn answer(
    case: &Case,
    parts: Vec<multillm::chat::Part>,
    (reason, raw): (FinishReason, Option<String>),
    usage: multillm::chat::Usage,
) -> ChatResponse {
    let mut answer = ChatResponse::new(parts, reason);
    answer.plugin = case.plugin().to_owned();
    answer.usage = usage.settled(&answer.parts);
    answer.raw_finish_reason = raw;
    // A whole answer gives calls without an id one of their own, as the library does.
    for (number, part) in answer.parts.iter_mut().enumerate() {
        if let multillm::chat::Part::ToolCall(call) = part
            && call.id.is_empty()
        {
            call.id = format!("call_{number}");
            call.local = true;
        }
    }
    answer
}

/// The kinds of failure that an SDK tells apart by the status.
fn statuses(kind: ErrorKind) -> &'static [u16] {
    match kind {
        ErrorKind::Authentication => &[401],
        ErrorKind::Permission => &[403],
        ErrorKind::Billing => &[402],
        ErrorKind::NotFound => &[404],
        ErrorKind::PayloadTooLarge => &[413],
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted => &[429],
        ErrorKind::InvalidRequest => &[400, 409, 422],
        ErrorKind::Unsupported | ErrorKind::ContextLength | ErrorKind::ContentFiltered => &[400],
        _ => &[500, 502, 503, 504, 529],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;

    /// A recording of one call, expected to say this.
    fn judged(change: impl Fn(&mut Value)) -> Vec<Vec<String>> {
        let body = json!({
            "type": "message", "id": "m", "model": "c", "role": "assistant", "stop_reason": "tool_use",
            "content": [{ "type": "text", "text": "I look." }, { "type": "tool_use", "id": "t", "name": "look", "input": { "x": 1 } }],
            "usage": { "input_tokens": 9, "output_tokens": 3 },
        });
        let mut expect = json!({
            "content": "I look.", "reasoning": null, "finish_reason": "tool_calls",
            "tool_calls": [{ "id": "t", "name": "look", "arguments": { "x": 1 } }],
            "usage": { "prompt_tokens": 9, "completion_tokens": 3 },
        });
        change(&mut expect);
        let case = json!({
            "vendor": "anthropic", "url": "https://h/v1/messages", "method": "POST", "status": 200,
            "response_body": STANDARD.encode(body.to_string()), "framing": "json", "expect": expect,
        });
        let case = Case::parse("one", &case.to_string()).unwrap();
        let adapter = vendors::adapter("anthropic").unwrap();
        let target = way::target(&case, &adapter);
        let mut writer = Writer::to(None).unwrap();
        let judge = |one| {
            let found = differences(&case, &adapter, &target, one, &mut writer);
            found.unwrap().unwrap()
        };
        FACES.into_iter().map(judge).collect()
    }

    #[test]
    fn what_is_as_expected_is_right_and_anything_else_is_named() {
        assert!(
            judged(|_| ()).iter().all(Vec::is_empty),
            "{:?}",
            judged(|_| ())
        );
        for (name, wrong) in [
            ("content", json!("You look.")),
            ("reasoning", json!("hm")),
            ("tool_calls", json!([])),
            (
                "tool_calls",
                json!([{ "name": "look", "arguments": { "x": 2 } }]),
            ),
            ("finish_reason", json!("length")),
            (
                "usage",
                json!({ "prompt_tokens": 9, "completion_tokens": 4 }),
            ),
        ] {
            let found = judged(|expect| expect[name] = wrong.clone());
            assert!(
                found.iter().all(|found| found.len() == 1),
                "{name}: {found:?}"
            );
        }
    }
}
