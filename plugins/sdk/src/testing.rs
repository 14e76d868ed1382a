//! What the tests of an adapter need: requests, answers, and a stream that is read as the
//! host reads it. Not for adapters themselves.

use serde_json::Value;

use crate::assemble::assemble;
use crate::events::Events;
use crate::surrogates::Halves;
use crate::{
    BodyPart, ChatEvent, ChatRequest, ChatResponse, Decoder, Error, Frame, Message, Part,
    Reasoning, Request, Response, Role, Target, ToolCall,
};

/// A target.
#[must_use]
pub fn target(model: &str, settings: &str) -> Target {
    Target {
        model: model.to_owned(),
        settings: settings.to_owned(),
        ..Target::default()
    }
}

/// A request that asks for nothing special.
#[must_use]
pub fn ask(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        messages,
        ..ChatRequest::default()
    }
}

/// A message of text.
#[must_use]
pub fn says(role: Role, words: &str) -> Message {
    Message::new(role, vec![text(words)])
}

/// Unsigned text.
#[must_use]
pub fn text(text: &str) -> Part {
    Part::text(text)
}

/// Unsigned thoughts.
#[must_use]
pub fn thought(text: &str) -> Part {
    Part::Reasoning(Reasoning {
        text: text.to_owned(),
        ..Reasoning::default()
    })
}

/// A call whose id is the vendor's; an empty one is none.
#[must_use]
pub fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        ..ToolCall::default()
    })
}

/// A response without headers.
#[must_use]
pub fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// A request's body, with `<blob N>` where the host puts a picture. `null` if it is no JSON.
#[must_use]
pub fn body(request: &Request) -> Value {
    let text: String = request
        .body
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.clone(),
            BodyPart::BlobBase64(id) => format!("<blob {id}>"),
        })
        .collect();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The events of a stream of unnamed frames up to its end, and how it ended.
pub fn stream<D: Decoder>(target: &Target, data: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    let mut decoder = D::new(target);
    let mut halves = Halves::default();
    let mut events = Events::new();
    for data in data {
        let mut frame = Frame {
            event: None,
            data: (*data).to_owned(),
        };
        halves.mark(&mut frame.data);
        let read = decoder.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            return (halves.join(events.into_inner(), true), read);
        }
    }
    let end = decoder.end(&mut events);
    (halves.join(events.into_inner(), true), end)
}

/// The answer that a stream makes.
///
/// # Errors
///
/// The stream's failure.
pub fn streamed<D: Decoder>(target: &Target, data: &[&str]) -> Result<ChatResponse, Error> {
    let (events, end) = stream::<D>(target, data);
    end.map(|()| assemble(events))
}
