//! The gateway's faces: whatever a caller sends is read or refused; what was read means the same when it is said
//! again; and what is answered strict callers read, whole and streamed alike.
//!
//! Two bytes choose the end of the answer and how its events come; the rest is the body.

mod say;
pub(crate) mod vectors;

use multillm::chat::{ChatEvent, ChatResponse, FinishReason, MediaSource, Part, Usage};
use multillm::{Error, ErrorKind};
use multillm_callers::{Heard, Wire};
use multillm_gateway::face::{Asked, Entry, Face, Stamp};

use crate::input::{knobs, pick};

const ENDS: [FinishReason; 5] = [
    FinishReason::Stop,
    FinishReason::Length,
    FinishReason::ContentFilter,
    FinishReason::Other,
    FinishReason::ToolCalls,
];

/// Checks one input at one door.
pub(crate) fn check(face: Face, input: &[u8]) {
    let ([end, cut], body) = knobs(input);
    let entry = entry(face);
    let read = entry.read(body);
    let head = entry.head(body);
    if let (Ok(asked), Ok(head)) = (&read, &head) {
        assert_eq!((&asked.model, asked.stream), (&head.model, head.stream));
        assert_eq!(asked.shape, head.shape);
    }
    assert!(
        head.is_ok() || read.is_err(),
        "read, and not even passed over"
    );
    if let Ok(head) = head {
        let spliced = head.splice(body, "an\"other");
        let again = entry.head(&spliced).expect("what was passed over before");
        if face != Face::Gemini {
            assert_eq!(again.model.as_deref(), Some("an\"other"));
        }
        let rest = without(body, &head.names);
        // Where the body named none, the name is put in.
        if head.names.len() == again.names.len() {
            let same = without(&spliced, &again.names) == rest;
            assert!(same, "more than the name changed");
        }
        if let Ok(asked) = &read {
            let spliced = entry.read(&spliced).expect("what was read before");
            assert_eq!(spliced.request, asked.request);
        }
    }
    match read {
        Ok(asked) => {
            say::again(&entry, &asked);
            answers(face, &asked, *pick(end, &ENDS), cut);
        }
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::InvalidRequest, "{error}");
            let refused = face.refuse(&error);
            assert_eq!(refused.status, 400);
            serde_json::from_slice::<serde_json::Value>(&refused.body).expect("JSON");
        }
    }
}

fn entry(face: Face) -> Entry {
    match face {
        Face::Gemini => {
            Entry::gemini("m:streamGenerateContent")
                .expect("an operation")
                .1
        }
        face => Entry::new(face),
    }
}

/// A body without what stands at these places.
fn without(body: &[u8], names: &[std::ops::Range<usize>]) -> Vec<u8> {
    let mut rest = body.to_vec();
    for range in names.iter().rev() {
        rest.drain(range.clone());
    }
    rest
}

/// How strict callers read the face's answers.
fn wire(face: Face) -> Option<Wire> {
    match face {
        Face::OpenAiChat => Some(Wire::OpenAiChat),
        Face::OpenAiResponses => Some(Wire::OpenAiResponses),
        Face::AnthropicMessages => Some(Wire::AnthropicMessages),
        Face::OllamaChat | Face::OllamaGenerate => Some(Wire::OllamaChat),
        Face::Gemini | Face::CohereChat => None,
    }
}

/// Answers with the parts of the question.
fn answers(face: Face, asked: &Asked, end: FinishReason, cut: u8) {
    let parts = asked
        .request
        .messages
        .iter()
        .flat_map(|message| message.content.clone());
    let mut answer = ChatResponse::new(parts.filter_map(answerable).collect(), end);
    answer.plugin = "ollama".to_owned();
    answer.usage = Usage {
        prompt_tokens: Some(7),
        completion_tokens: Some(3),
        ..Usage::default()
    };
    let stamp = Stamp {
        id: "f1".to_owned(),
        created: 1_760_000_000,
        nanos: 1,
    };
    let reply = asked.reply("m", stamp);
    let whole = reply.whole(&answer);
    let events = answer.clone().into_events();
    let bytes = rendered(&reply, &events, None);
    let few = usize::from(cut) % events.len().max(1);
    let broken = rendered(&reply, events.get(..few).unwrap_or_default(), Some(()));
    let Some(wire) = wire(face) else {
        return;
    };
    let shown = String::from_utf8_lossy(&whole);
    let heard = wire
        .whole(&whole)
        .unwrap_or_else(|fault| panic!("{fault} in {shown}"));
    assert_eq!(
        (&heard.text, heard.usage),
        (&answer.content(), Some((7, 3)))
    );
    let mut streamed: Heard = wire.stream(&bytes).unwrap_or_else(|fault| {
        panic!("{fault} in {}", String::from_utf8_lossy(&bytes));
    });
    if face == Face::OpenAiChat && streamed.usage.is_none() {
        // Told in a stream only to those who ask for it.
        streamed.usage = heard.usage;
    }
    assert_eq!(streamed, heard, "streamed, and whole");
    let heard = wire.stream(&broken).unwrap_or_else(|fault| {
        panic!("{fault} in {}", String::from_utf8_lossy(&broken));
    });
    assert_eq!(
        (heard.end, heard.error.is_some()),
        (None, true),
        "a cut is no end"
    );
}

fn rendered(
    reply: &multillm_gateway::face::Reply,
    events: &[ChatEvent],
    cut: Option<()>,
) -> Vec<u8> {
    let mut renderer = reply.clone().stream();
    let mut out = vec![];
    renderer.begin("ollama", &mut out);
    for event in events {
        renderer.event(event, &mut out);
    }
    if cut.is_some() {
        let error = Error::new(ErrorKind::Truncated, "the stream broke off");
        renderer.cut(&error, &mut out);
    }
    out
}

/// A part as a model could have made it. Blocks of vendors' own pass as they are, and prove nothing.
fn answerable(part: Part) -> Option<Part> {
    match part {
        Part::Text(mut text) => {
            text.citations.clear();
            text.extra = Default::default();
            (!text.text.is_empty()).then_some(Part::Text(text))
        }
        Part::ToolCall(mut call) => {
            let object = serde_json::from_str::<serde_json::Map<_, _>>(&call.arguments).is_ok();
            if !object {
                call.arguments = "{}".to_owned();
            }
            call.local |= call.id.is_empty();
            // Only functions are called in the old way.
            call.signature = call.signature.filter(|signature| signature != "custom");
            (!call.name.is_empty()).then_some(Part::ToolCall(call))
        }
        Part::Media(media) => {
            matches!(media.source, MediaSource::Bytes { .. }).then_some(Part::Media(media))
        }
        Part::Reasoning(mut thought) => {
            thought.extra = Default::default();
            let hidden = thought.redacted.is_some();
            if hidden {
                thought.text.clear();
                thought.signature = None;
            }
            (hidden || !thought.text.is_empty()).then_some(Part::Reasoning(thought))
        }
        Part::ToolResult(_)
        | Part::Opaque(_)
        | Part::ServerToolCall(_)
        | Part::ServerToolResult(_) => None,
    }
}
