//! The relays' readers, natively: what they find in an answer is what the chat's decoder finds, and a
//! stream ends once, in success only where its wire said so.
//!
//! Four bytes choose the wire, the cuts, whether frames come one by one, and nothing yet; the rest is
//! the body.

use multillm::transport::{Framer, Framing, Tail, text_of};
use multillm_plugin_azure::Azure;
use multillm_plugin_claude::Claude;
use multillm_plugin_cohere::Cohere;
use multillm_plugin_gemini::Gemini;
use multillm_plugin_huggingface::HuggingFace;
use multillm_plugin_ollama::Ollama;
use multillm_plugin_openai::OpenAi;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::surrogates::{Halves, mend};
use multillm_plugin_sdk::{
    ChatEvent, ChatResponse, Decoder, Error, Frame, Relay, Response, Target,
};

use crate::input::{cut, knobs, pick};

/// A reader of one wire.
struct Subject {
    wire: &'static str,
    framing: Framing,
    /// What a stream must hold to be complete: one of these in one frame.
    ends: &'static [&'static str],
    /// The chat's decoder reads this wire too.
    chat: bool,
    read: fn(&Target, &Response) -> Result<ChatResponse, Error>,
    decode: fn(&Target, &Response) -> Result<ChatResponse, Error>,
    reader: fn(&Target, &[Frame]) -> Vec<ChatEvent>,
    decoder: fn(&Target, &[Frame]) -> Vec<ChatEvent>,
}

const fn subject<P: Relay>(
    wire: &'static str,
    framing: Framing,
    ends: &'static [&'static str],
    chat: bool,
) -> Subject {
    Subject {
        wire,
        framing,
        ends,
        chat,
        read: P::read,
        decode: P::decode,
        reader: stream::<P::Reader>,
        decoder: stream::<P::Decoder>,
    }
}

const RESPONSE: &[&str] = &["response.completed", "response.incomplete"];

const SUBJECTS: [Subject; 9] = [
    subject::<OpenAi>("openai-chat", Framing::Sse, &["[DONE]"], true),
    subject::<OpenAi>("openai-responses", Framing::Sse, RESPONSE, false),
    subject::<Azure>("openai-chat", Framing::Sse, &["[DONE]"], true),
    subject::<Azure>("openai-responses", Framing::Sse, RESPONSE, false),
    subject::<HuggingFace>(
        "openai-chat",
        Framing::Sse,
        &["[DONE]", "finish_reason"],
        true,
    ),
    subject::<Claude>("anthropic-messages", Framing::Sse, &["message_stop"], true),
    subject::<Gemini>(
        "gemini",
        Framing::Sse,
        &["finishReason", "blockReason"],
        true,
    ),
    subject::<Cohere>("cohere-chat", Framing::Sse, &["message-end"], true),
    subject::<Ollama>("ollama-chat", Framing::Ndjson, &["done"], true),
];

/// Checks one input.
pub(crate) fn check(input: &[u8]) {
    let ([which, cuts, _, _], body) = knobs(input);
    let subject = pick(which, &SUBJECTS);
    let target = Target {
        model: "m".to_owned(),
        wire: subject.wire.to_owned(),
        ..Target::default()
    };
    let mut frames = Vec::new();
    let mut framer = Framer::new(subject.framing);
    for piece in cut(cuts, body) {
        framer.push(piece, &mut frames).expect("a short body");
    }
    match framer.finish() {
        Tail::Frames(rest) | Tail::Cut(rest) => frames.extend(rest),
        Tail::Foreign(_) | Tail::Whole(_) => {}
    }
    let frames: Vec<Frame> = frames
        .into_iter()
        .map(|frame| Frame {
            event: frame.event,
            data: frame.data,
        })
        .collect();
    subject.whole(&target, &text_of(body));
    subject.framed(&target, &frames);
}

impl Subject {
    fn whole(&self, target: &Target, body: &str) {
        let mut response = Response {
            status: 200,
            headers: Vec::new(),
            body: body.to_owned(),
        };
        mend(&mut response.body);
        let read = (self.read)(target, &response);
        if let Ok(answer) = &read {
            assert!(answer.content.is_empty(), "something is said: {answer:?}");
        }
        // What the chat reads the relay reads alike; it reads more, such as vectors.
        if self.chat
            && let Ok(decoded) = (self.decode)(target, &response)
            && !is_other(&response.body)
        {
            let read = read.expect("an answer, as the chat found one");
            assert_eq!(
                (&read.id, &read.model, &read.finish, &read.usage),
                (&decoded.id, &decoded.model, &decoded.finish, &decoded.usage),
                "the relay, and the chat"
            );
        }
    }

    fn framed(&self, target: &Target, frames: &[Frame]) {
        let read = (self.reader)(target, frames);
        assert!(read.iter().all(is_essential), "something is said: {read:?}");
        let ends = |event: &ChatEvent| matches!(event, ChatEvent::Done | ChatEvent::Failed(_));
        let count = read.iter().filter(|event| ends(event)).count();
        assert!(
            count == 1 && read.last().is_some_and(ends),
            "ends of one stream: {read:?}"
        );
        if read.last() == Some(&ChatEvent::Done) {
            let said = |frame: &Frame| self.ends.iter().any(|end| says(frame, end));
            assert!(frames.iter().any(said), "success without an end: {read:?}");
        }
        // OpenAI's chat reads whichever of its two APIs answers; a relay reads the wire that the caller spoke.
        let is_others = |frame: &Frame| self.wire == "openai-chat" && says(frame, "response.");
        if self.chat && !frames.iter().any(is_others) {
            let decoded: Vec<ChatEvent> = (self.decoder)(target, frames)
                .into_iter()
                .filter(is_essential)
                .collect();
            assert_eq!(read, decoded, "the relay, and the chat");
        }
    }
}

/// The answer of another operation, which no chat reads as what it is.
fn is_other(body: &str) -> bool {
    ["embedding", "data", "totalTokens", "input_tokens"]
        .iter()
        .any(|word| body.contains(word))
        || body.contains("\\u")
}

fn is_essential(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::Started(_)
            | ChatEvent::Usage(_)
            | ChatEvent::Finished(_)
            | ChatEvent::Done
            | ChatEvent::Failed(_)
    )
}

/// Frame by frame up to the end, whichever it is.
fn stream<D: Decoder>(target: &Target, frames: &[Frame]) -> Vec<ChatEvent> {
    let mut decoder = D::new(target);
    let mut halves = Halves::default();
    let mut events = Events::new();
    let mut read = Ok(());
    for frame in frames {
        let mut frame = frame.clone();
        halves.mark(&mut frame.data);
        read = decoder.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            break;
        }
    }
    if read.is_ok() && !events.is_over() {
        read = decoder.end(&mut events);
    }
    let failed = read.err().map(ChatEvent::Failed);
    let events = events.into_inner().into_iter().chain(failed).collect();
    halves.join(events, true)
}

/// Whether a frame holds a word, however JSON wrote it. That it stands somewhere else in the frame
/// counts too: this asks for less than a reader should.
fn says(frame: &Frame, word: &str) -> bool {
    let named = frame.event.as_deref().unwrap_or_default();
    named.contains(word) || frame.data.contains(word) || frame.data.contains("\\u")
}
