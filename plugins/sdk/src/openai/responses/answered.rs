//! An earlier answer of the model, as the items that it came in.

use super::super::dialect::Dialect;
use super::super::encode::{Body, call_id, takes_text};
use super::super::stream::CUSTOM;
use super::input::{own, piece, typed};
use super::results::IDS;
use crate::body::{Blobs, extended, tail};
use crate::json::Json;
use crate::outcome::tool_arguments;
use crate::{ChatRequest, Error, Media, MediaSource, Message, Part, Reasoning, Text, ToolCall};

/// What of a text's tail belongs to the message around it.
const OF_MESSAGES: [&str; 3] = ["id", "status", "phase"];

/// The items of an answer, in order. Those of other APIs are left out: only their maker reads them.
pub(super) fn encode<'a>(
    dialect: &Dialect,
    kept: bool,
    request: &ChatRequest,
    turn: &'a Message,
    blobs: &mut Blobs,
    items: &mut Vec<Json<'a>>,
) -> Result<(), Error> {
    let lost = |part: &Part| match part {
        Part::Reasoning(thought) => !kept && encrypted(thought).is_none(),
        _ => false,
    };
    let mut answer = Answer {
        turn,
        // The server knows an item by its id, and that thoughts led to it, which it would miss.
        named: !turn.content.iter().any(lost),
        message: None,
        drawn: None,
        items,
    };
    let mut pictures = Vec::new();
    for part in &turn.content {
        match part {
            Part::Text(text) => answer.text(text)?,
            Part::Reasoning(_) if lost(part) => {}
            Part::Reasoning(thought) => answer.thought(thought)?,
            Part::ToolCall(call) => answer.call(request, call)?,
            Part::ServerToolCall(call) => answer.whole(Json::parse(&call.data).ok())?,
            Part::ServerToolResult(result) => answer.whole(Json::parse(&result.data).ok())?,
            Part::Opaque(block) => answer.whole(own(block))?,
            Part::Media(media) if answer.draw(media, blobs) => {}
            Part::Media(media) => {
                // An answer of this API holds no picture of another's: it is shown to the model.
                let made = piece(dialect, media, blobs)?;
                pictures.push(extended(made, "a picture", media.extra.as_deref())?);
            }
            Part::ToolResult(_) => {
                return Err(Error::invalid_request(
                    "a message of the model cannot hold a tool's result",
                ));
            }
        }
    }
    answer.end()?;
    if !pictures.is_empty() {
        items.push(Json::object([
            ("role", "user".into()),
            ("content", Json::List(pictures)),
        ]));
    }
    Ok(())
}

/// The encrypted form of thoughts of this API; that of another is JSON.
fn encrypted(thought: &Reasoning) -> Option<&str> {
    let signed = thought.redacted.as_deref().or(thought.signature.as_deref());
    signed.filter(|text| !text.is_empty() && !text.starts_with(['{', '[']))
}

struct Answer<'a, 'i> {
    turn: &'a Message,
    named: bool,
    /// The message under way: its own tail and its pieces.
    message: Option<(Json<'a>, Vec<Json<'a>>)>,
    /// Where the last item stands that drew a picture, until the picture comes.
    drawn: Option<usize>,
    items: &'i mut Vec<Json<'a>>,
}

impl<'a> Answer<'a, '_> {
    fn text(&mut self, text: &'a Text) -> Result<(), Error> {
        if text.text.is_empty() {
            return Ok(());
        }
        let extra = tail("a text", text.extra.as_deref())?.unwrap_or_default();
        let (mut around, mut within) = (Vec::new(), Vec::new());
        if let Json::Object(members) = extra {
            for (name, value) in members {
                match OF_MESSAGES.contains(&&*name) {
                    true => around.push((name, value)),
                    false => within.push((name, value)),
                }
            }
        }
        let around = Json::Object(around);
        let mut piece = typed("output_text", &text.text);
        let within = Json::Object(within);
        if within.text("type") == Some("refusal") {
            piece = Json::object([("refusal", text.text.as_str().into())]);
        } else {
            let annotations = text.citations.iter().filter_map(|citation| {
                let written = Json::parse(citation.extra.as_deref()?).ok()?;
                written.text("type").is_some().then_some(written)
            });
            let annotations: Vec<_> = annotations.collect();
            if around.text("id").is_some() || !annotations.is_empty() {
                piece.merge(Json::object([("annotations", Json::List(annotations))]));
            }
        }
        piece.merge(within);
        let same = |known: &Json<'_>| known.text("id") == around.text("id");
        match &mut self.message {
            Some((known, pieces)) if same(known) => {
                known.merge(around);
                pieces.push(piece);
            }
            _ => {
                self.end()?;
                self.message = Some((around, vec![piece]));
            }
        }
        Ok(())
    }

    /// The message under way is over.
    fn end(&mut self) -> Result<(), Error> {
        let Some((mut around, mut pieces)) = self.message.take() else {
            return Ok(());
        };
        let mut message = Body(Vec::with_capacity(5));
        message.set("role", Some("assistant"));
        let only_text = |piece: &Json<'_>| {
            matches!(piece, Json::Object(members) if members.len() == 2)
                && piece.text("type") == Some("output_text")
        };
        let plain = around == Json::Object(Vec::new()) && pieces.iter().all(only_text);
        match (plain, pieces.as_mut_slice()) {
            (true, [Json::Object(piece)]) => {
                let text = piece.pop().map(|(_, text)| text);
                message.set("content", text);
            }
            _ => message.set("content", Some(Json::List(pieces))),
        }
        let mut message = Json::Object(message.0);
        if let Json::Object(members) = &mut around {
            members.retain(|(name, _)| self.named || name != "id");
        }
        if around.text("id").is_some() {
            message.merge(Json::object([("type", "message".into())]));
        }
        message.merge(around);
        let extra = self.turn.extra.as_deref();
        self.items.push(extended(message, "a message", extra)?);
        Ok(())
    }

    fn thought(&mut self, thought: &'a Reasoning) -> Result<(), Error> {
        self.end()?;
        let mut item = Body(Vec::with_capacity(4));
        item.set("type", Some("reasoning"));
        let extra = tail("a thought", thought.extra.as_deref())?.unwrap_or_default();
        let has_id = extra.text("id").is_some();
        let words = extra.get("content").is_some() || thought.text.is_empty();
        let summary = match words {
            true => Vec::new(),
            false => vec![typed("summary_text", &thought.text)],
        };
        item.set("summary", Some(Json::List(summary)));
        let encrypted = encrypted(thought);
        item.set("encrypted_content", encrypted);
        if !has_id && encrypted.is_none() {
            // Thoughts of another API.
            return Ok(());
        }
        let mut item = Json::Object(item.0);
        item.merge(extra);
        self.items.push(item);
        Ok(())
    }

    fn call(&mut self, request: &ChatRequest, call: &'a ToolCall) -> Result<(), Error> {
        self.end()?;
        let custom = call.signature.as_deref() == Some(CUSTOM) || takes_text(request, &call.name);
        let (kind, field, said) = match custom {
            true => ("custom_tool_call", "input", call.arguments.as_str()),
            false => (
                "function_call",
                "arguments",
                tool_arguments(&call.arguments),
            ),
        };
        let mut item = Body(Vec::with_capacity(5));
        item.set("type", Some(kind));
        let id = call_id(IDS, call.id.as_deref().unwrap_or_default());
        item.set("call_id", Some(id));
        item.set("name", Some(call.name.as_str()));
        item.set(field, Some(said));
        let mut extra = tail("a tool call", call.extra.as_deref())?.unwrap_or_default();
        if let Json::Object(members) = &mut extra {
            members.retain(|(name, _)| self.named || name != "id");
            let mut made = Json::Object(item.0);
            made.merge(extra);
            self.items.push(made);
        } else {
            self.items.push(Json::Object(item.0));
        }
        Ok(())
    }

    /// An item of the API's own; what only shows what another item said is none.
    fn whole(&mut self, item: Option<Json<'a>>) -> Result<(), Error> {
        self.end()?;
        let Some(item) = item.filter(|item| item.text("type").is_some()) else {
            return Ok(());
        };
        if item.text("type") == Some("image_generation_call") {
            self.drawn = Some(self.items.len());
        }
        self.items.push(item);
        Ok(())
    }

    /// Puts a picture into the item that drew it; false if there is none.
    fn draw(&mut self, media: &Media, blobs: &mut Blobs) -> bool {
        let MediaSource::Blob(blob) = &media.source else {
            return false;
        };
        let at = self.drawn.take();
        let Some(item) = at.and_then(|at| self.items.get_mut(at)) else {
            return false;
        };
        item.merge(Json::object([("result", blobs.base64(blob).into())]));
        true
    }
}
