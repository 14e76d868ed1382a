//! The unified request as Parley's.
//!
//! The rule: nothing that the caller asked for is dropped in silence. What the vendor cannot do
//! is an `unsupported` error that names it, or, where the request says so and the answer is of use without
//! it, a warning.

use multillm_plugin_sdk::able::Able;
use multillm_plugin_sdk::body::{Open, json_body, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
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
    let mut leaving = Leaving::of(request);
    refuse(request, &mut leaving)?;
    // Everything that came into the contract later: tools that the vendor runs, sound, and so on.
    request.within_or("parley", Able::default(), &mut leaving)?;
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
        warnings: leaving.warnings(),
    })
}

/// Everything that Parley cannot do.
fn refuse(request: &ChatRequest, leaving: &mut Leaving) -> Result<(), Error> {
    let sampling = &request.sampling;
    let asked = [
        (!request.tools.is_empty(), "tools"),
        (
            request.response_format != ResponseFormat::Text,
            "JSON output",
        ),
    ];
    if let Some((_, what)) = asked.iter().find(|(asked, _)| *asked) {
        return Err(Error::unsupported(format!("parley does not know {what}")));
    }
    // An answer is of use without these: they are left out where the request says so.
    for (asked, what) in [
        (request.reasoning_effort.is_some(), "reasoning_effort"),
        (sampling.top_k.is_some(), "top_k"),
        (sampling.seed.is_some(), "seed"),
        (sampling.frequency_penalty.is_some(), "frequency_penalty"),
        (sampling.presence_penalty.is_some(), "presence_penalty"),
    ] {
        if asked {
            leaving.out(what, "parley does not know it")?;
        }
    }
    Ok(())
}

/// The conversation. Parley wants the speakers to alternate: what one says in several
/// messages becomes one turn.
fn turns(messages: &[Message]) -> Result<Vec<Open<'_, Turn>>, Error> {
    let mut turns: Vec<(Turn, Vec<Json<'_>>)> = Vec::with_capacity(messages.len());
    for message in messages {
        let by = match message.role {
            Role::System => "host",
            Role::User => "guest",
            Role::Assistant => "parley",
            Role::Tool => return Err(Error::unsupported("parley does not know tools")),
        };
        let (say, tails) = text(message)?;
        match turns.last_mut() {
            Some((last, known)) if last.by == by => {
                last.say.push('\n');
                last.say.push_str(&say);
                known.extend(tails);
            }
            _ => turns.push((Turn { by, say }, tails)),
        }
    }
    let turns = turns.into_iter();
    Ok(turns.map(|(turn, tails)| Open::with(turn, tails)).collect())
}

/// A message's words, and the open tails of its parts and of itself: Parley has a turn and nothing
/// smaller, so all of them are merged into that.
fn text(message: &Message) -> Result<(String, Vec<Json<'_>>), Error> {
    let (mut say, mut tails) = (String::new(), Vec::new());
    for part in &message.content {
        match part {
            Part::Text(text) => {
                say.push_str(&text.text);
                tails.extend(tail("a text", text.extra.as_deref())?);
            }
            Part::Media(media) => return Err(media.refused("parley")),
            Part::ToolCall(_) | Part::ToolResult(_) => {
                return Err(Error::unsupported("parley does not know tools"));
            }
            // Only what this plugin returned comes back as these, and it never returns any.
            Part::Reasoning(_) | Part::Opaque(_) => {}
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => {
                return Err(Error::unsupported("parley runs no tools itself"));
            }
        }
    }
    tails.extend(tail("a message", message.extra.as_deref())?);
    Ok((say, tails))
}
