//! Tests of the whole plugin, and the requests and streams that all tests are made of.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{
    ChatEvent, ChatRequest, Decoder, Error, Frame, Message, Part, Provider, Response, Role, Target,
    Text,
};

use crate::Gemini;
use crate::stream::Stream;

/// A target with this model and these settings.
pub(crate) fn target(model: &str, settings: &str) -> Target {
    Target {
        model: model.to_owned(),
        settings: settings.to_owned(),
        ..Target::default()
    }
}

/// A request with these messages and nothing else.
pub(crate) fn request(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        messages,
        ..ChatRequest::default()
    }
}

/// A message of these parts.
pub(crate) fn message(role: Role, content: Vec<Part>) -> Message {
    Message::new(role, content)
}

/// Unsigned text.
pub(crate) fn text(text: &str) -> Part {
    signed(text, None)
}

/// Text with a signature.
pub(crate) fn signed(text: &str, signature: Option<&str>) -> Part {
    Part::Text(Text {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        ..Text::default()
    })
}

/// A response without headers.
pub(crate) fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: vec![],
        body: body.to_owned(),
    }
}

/// What a stream of these frames comes to.
pub(crate) fn stream(frames: &[&str]) -> Result<Vec<ChatEvent>, Error> {
    let mut decoder = Stream::new(&target("gemini-2.5-flash", "{}"));
    let mut events = Events::new();
    for data in frames {
        let frame = Frame {
            event: None,
            data: (*data).to_owned(),
        };
        decoder.frame(&frame, &mut events)?;
    }
    decoder.end(&mut events)?;
    Ok(events.into_inner())
}

#[test]
fn every_setting_is_described_by_a_json_schema() {
    let info = Gemini::describe();
    for setting in &info.settings {
        let schema: serde_json::Value = serde_json::from_str(&setting.schema).unwrap();
        assert!(schema.is_object(), "{}", setting.name);
        assert!(!setting.description.is_empty(), "{}", setting.name);
    }
    assert_eq!(info.secrets.len(), 1);
}
