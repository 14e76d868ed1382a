//! The unified request as Parley's.
//!
//! The rule: nothing that the caller asked for is dropped in silence. What the vendor cannot do
//! is an `unsupported` error that names it.

use multillm_plugin_sdk::body::json_body;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Header, Message, Method, Mode, Part, Request, ResponseFormat,
    Role, Target,
};

use crate::Settings;
use crate::wire::{Talk, Turn};

/// The request that asks Parley this.
///
/// # Errors
///
/// `unsupported` for what Parley cannot do; `invalid-request` for settings that do not fit.
pub(crate) fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
    refuse(request)?;
    let settings: Settings = target.settings()?;
    let sampling = &request.sampling;
    // `json_body` writes the JSON, merges in the caller's `extra` last, and, for vendors that
    // can see, leaves gaps where the host puts the bytes of pictures (`Blobs::base64`).
    let body = json_body(request, |_blobs| {
        Ok(Talk {
            model: &target.model,
            turns: turns(&request.messages)?,
            live: mode == Mode::Stream,
            voice: settings.voice.clone(),
            limit: sampling.max_tokens,
            warmth: sampling.temperature,
            breadth: sampling.top_p,
            until: &sampling.stop,
        })
    })?;
    Ok(Request {
        method: Method::Post,
        // Segments, not a path: a `/` in one of them stays inside it.
        path: vec!["v1".to_owned(), "talk".to_owned()],
        query: vec![],
        // The host puts the key here, after everything else is settled.
        headers: vec![Header::api_key("x-parley-key", "")],
        body,
        // How the host cuts the answer: lines of JSON here, `Sse` for server-sent events.
        framing: match mode {
            Mode::Whole => Framing::Whole,
            Mode::Stream => Framing::Ndjson,
        },
    })
}

/// Everything that Parley cannot do.
fn refuse(request: &ChatRequest) -> Result<(), Error> {
    let sampling = &request.sampling;
    let asked = [
        (!request.tools.is_empty(), "tools"),
        (
            request.response_format != ResponseFormat::Text,
            "JSON output",
        ),
        (request.reasoning_effort.is_some(), "reasoning effort"),
        (sampling.top_k.is_some(), "top_k"),
        (sampling.seed.is_some(), "a seed"),
        (
            sampling.frequency_penalty.is_some() || sampling.presence_penalty.is_some(),
            "penalties",
        ),
    ];
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(Error::unsupported(format!("parley does not know {what}"))),
        None => Ok(()),
    }
}

/// The conversation. Parley wants the speakers to alternate: what one says in several
/// messages becomes one turn.
fn turns(messages: &[Message]) -> Result<Vec<Turn>, Error> {
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for message in messages {
        let by = match message.role {
            Role::System => "host",
            Role::User => "guest",
            Role::Assistant => "parley",
            Role::Tool => return Err(Error::unsupported("parley does not know tools")),
        };
        let say = text(message)?;
        match turns.last_mut() {
            Some(last) if last.by == by => {
                last.say.push('\n');
                last.say.push_str(&say);
            }
            _ => turns.push(Turn { by, say }),
        }
    }
    Ok(turns)
}

fn text(message: &Message) -> Result<String, Error> {
    let mut say = String::new();
    for part in &message.content {
        match part {
            Part::Text(text) => say.push_str(&text.text),
            Part::Image(_) => return Err(Error::unsupported("parley cannot see pictures")),
            Part::ToolCall(_) | Part::ToolResult(_) => {
                return Err(Error::unsupported("parley does not know tools"));
            }
            // Only what this plugin returned comes back as these, and it never returns any.
            Part::Reasoning(_) | Part::Opaque(_) => {}
        }
    }
    Ok(say)
}
