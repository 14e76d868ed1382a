//! The conversation as the vendor wants it: system text apart, turns of user and assistant
//! that alternate, the results of tools before anything else in the turn that follows the calls.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::outcome::tool_arguments;
use multillm_plugin_sdk::{
    ChatRequest, Error, Image, ImageSource, Message, Part, Reasoning, Role, Text, ToolCall,
};
use serde_json::value::RawValue;

use crate::model::Model;
use crate::tree::Tree;
use crate::wire::{CALLER, NO_CITATIONS, TOOLSET};

mod result;

/// System text and turns.
#[derive(Debug)]
pub(crate) struct Conversation<'a> {
    pub(crate) system: Option<String>,
    pub(crate) turns: Vec<Turn<'a>>,
}

/// A turn.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
    /// How many results of tools `content` begins with.
    results: usize,
}

const USER: &str = "user";
const ASSISTANT: &str = "assistant";
/// Stands for a user who said nothing: the vendor refuses empty and blank text.
const SILENCE: &str = ".";

/// A content block, told apart as far as its place in a turn matters.
#[derive(Debug)]
enum Block<'a> {
    Text {
        text: &'a str,
        citations: Option<&'a RawValue>,
    },
    Thought(Tree<'a>),
    ToolResult(Tree<'a>),
    Other(Tree<'a>),
}

impl<'a> From<Block<'a>> for Tree<'a> {
    fn from(block: Block<'a>) -> Self {
        match block {
            Block::Text { text, citations } => typed("text")
                .with("text", Some(text))
                .with("citations", citations.map(Tree::Raw)),
            Block::Thought(tree) | Block::ToolResult(tree) | Block::Other(tree) => tree,
        }
    }
}

impl<'a> From<Turn<'a>> for Tree<'a> {
    fn from(turn: Turn<'a>) -> Self {
        let content = turn.content.into_iter().map(Tree::from).collect();
        Tree::object([("role", turn.role.into()), ("content", Tree::List(content))])
    }
}

/// An object that begins with its type.
fn typed(kind: &'static str) -> Tree<'static> {
    Tree::object([("type", kind.into())])
}

/// Lays the conversation out.
///
/// # Errors
///
/// `unsupported` for what the vendor does not take (pictures of other types, pictures from the
/// assistant), `invalid-request` for parts that cannot stand where they stand.
pub(crate) fn conversation<'a>(
    request: &'a ChatRequest,
    model: Model,
    blobs: &mut Blobs,
) -> Result<Conversation<'a>, Error> {
    let mut system: Vec<&str> = Vec::new();
    let mut turns: Vec<Turn<'a>> = Vec::new();
    for message in &request.messages {
        match message.role {
            Role::System => system_text(message, &mut system)?,
            Role::User | Role::Tool => {
                for part in &message.content {
                    user_part(request, part, &mut turns, blobs)?;
                }
            }
            Role::Assistant => {
                for part in &message.content {
                    if let Some(block) = assistant_part(part, model)? {
                        push(&mut turns, ASSISTANT, block);
                    }
                }
            }
        }
    }
    begin_with_user(&mut turns);
    trim_prefill(&mut turns);
    Ok(Conversation {
        system: (!system.is_empty()).then(|| system.join("\n\n")),
        turns,
    })
}

impl Conversation<'_> {
    /// Whether the model is in the middle of calling tools and did not begin that with a thought.
    pub(crate) fn is_thoughtless_loop(&self) -> bool {
        let is_loop = self.turns.last().is_some_and(|turn| turn.results > 0);
        let first = self
            .turns
            .iter()
            .rev()
            .take_while(|turn| turn.role == ASSISTANT || turn.results > 0)
            .filter(|turn| turn.role == ASSISTANT)
            .last();
        is_loop
            && first.is_some_and(|turn| !matches!(turn.content.first(), Some(Block::Thought(_))))
    }
}

fn push<'a>(turns: &mut Vec<Turn<'a>>, role: &'static str, block: Block<'a>) {
    let turn = match turns.last_mut() {
        Some(turn) if turn.role == role => turn,
        _ => {
            turns.push(Turn {
                role,
                content: Vec::new(),
                results: 0,
            });
            let Some(turn) = turns.last_mut() else { return };
            turn
        }
    };
    if matches!(block, Block::ToolResult(_)) {
        turn.content.insert(turn.results, block);
        turn.results += 1;
    } else {
        turn.content.push(block);
    }
}

fn system_text<'a>(message: &'a Message, system: &mut Vec<&'a str>) -> Result<(), Error> {
    for part in &message.content {
        match part {
            Part::Text(text) if is_blank(&text.text) => {}
            Part::Text(text) => system.push(&text.text),
            _ => return Err(Error::unsupported("a system message can only hold text")),
        }
    }
    Ok(())
}

fn user_part<'a>(
    request: &'a ChatRequest,
    part: &'a Part,
    turns: &mut Vec<Turn<'a>>,
    blobs: &mut Blobs,
) -> Result<(), Error> {
    let block = match part {
        // The vendor refuses text without a visible character.
        Part::Text(text) if is_blank(&text.text) => return Ok(()),
        Part::Text(text) => Block::Text {
            text: &text.text,
            citations: None,
        },
        Part::Image(picture) => image(picture, blobs)?,
        Part::ToolResult(of) => Block::ToolResult(result::tree(request, of, blobs)?),
        Part::Opaque(own) => opaque(&own.data)?,
        Part::ToolCall(_) | Part::Reasoning(_) => {
            return Err(Error::invalid_request(
                "tool calls and reasoning can only stand in assistant messages",
            ));
        }
    };
    push(turns, USER, block);
    Ok(())
}

fn assistant_part(part: &Part, model: Model) -> Result<Option<Block<'_>>, Error> {
    Ok(Some(match part {
        Part::Text(text) if is_blank(&text.text) => return Ok(None),
        Part::Text(text) => Block::Text {
            text: &text.text,
            citations: citations(text),
        },
        Part::Reasoning(reasoning) => return Ok(thought(reasoning, model)),
        Part::ToolCall(call) => tool_use(call)?,
        Part::Opaque(own) => opaque(&own.data)?,
        Part::Image(_) => {
            return Err(Error::unsupported(
                "claude takes no pictures in assistant messages: put them in a user message",
            ));
        }
        Part::ToolResult(_) => {
            return Err(Error::invalid_request(
                "tool results can only stand in tool or user messages",
            ));
        }
    }))
}

/// Citations that came with the text, from its signature.
fn citations(text: &Text) -> Option<&RawValue> {
    let signature = text.signature.as_deref()?;
    if signature == NO_CITATIONS || !signature.starts_with('[') {
        return None;
    }
    serde_json::from_str(signature).ok()
}

/// Thoughts go back with their signature. Unsigned ones the vendor refuses; compatible servers, whose
/// models bear other names, make no other and want them back.
fn thought(reasoning: &Reasoning, model: Model) -> Option<Block<'_>> {
    let tree = match (
        reasoning.redacted.as_deref(),
        reasoning.signature.as_deref(),
    ) {
        (Some(data), _) => typed("redacted_thinking").with("data", Some(data)),
        (None, Some(signature)) => typed("thinking")
            .with("thinking", Some(reasoning.text.as_str()))
            .with("signature", Some(signature)),
        (None, None) if model.signs_thoughts() || reasoning.text.is_empty() => return None,
        (None, None) => typed("thinking").with("thinking", Some(reasoning.text.as_str())),
    };
    Some(Block::Thought(tree))
}

fn tool_use(call: &ToolCall) -> Result<Block<'_>, Error> {
    let Some(id) = call.id.as_deref() else {
        return Err(Error::invalid_request(format!(
            "the call of tool \"{}\" has no id",
            call.name
        )));
    };
    let signature = call.signature.as_deref().unwrap_or_default();
    Ok(Block::Other(
        typed("tool_use")
            .with("id", Some(wire_id(id)))
            .with("name", Some(call.name.as_str()))
            .with("input", Some(input(&call.arguments)))
            .with(CALLER, member(signature, CALLER).map(Tree::Raw))
            .with(TOOLSET, member(signature, TOOLSET).map(Tree::Raw)),
    ))
}

/// Arguments as the object that the vendor wants, byte for byte where they are one. Others (those
/// of a call that was cut off) are kept under a name of their own.
fn input(arguments: &str) -> Tree<'_> {
    match serde_json::from_str::<&RawValue>(tool_arguments(arguments)) {
        Ok(raw) if raw.get().starts_with('{') => Tree::Raw(raw),
        _ => Json::object([("_raw", arguments.into())]).into(),
    }
}

fn opaque(data: &str) -> Result<Block<'_>, Error> {
    let raw = serde_json::from_str(data).map_err(|error| {
        Error::invalid_request(format!("a block of the vendor's own is no JSON: {error}"))
    })?;
    Ok(Block::Other(Tree::Raw(raw)))
}

fn image<'a>(image: &'a Image, blobs: &mut Blobs) -> Result<Block<'a>, Error> {
    let (kind, source) = match &image.source {
        ImageSource::Url(url) => ("image", typed("url").with("url", Some(url.as_str()))),
        ImageSource::Blob(blob) => {
            let (kind, media_type) = media_type(&blob.media_type)?;
            let source = typed("base64")
                .with("media_type", Some(media_type))
                .with("data", Some(blobs.base64(blob)));
            (kind, source)
        }
    };
    Ok(Block::Other(typed(kind).with("source", Some(source))))
}

/// The type of block that takes this media type, and the media type as the vendor writes it.
fn media_type(of: &str) -> Result<(&'static str, &'static str), Error> {
    match of.to_ascii_lowercase().as_str() {
        "image/jpeg" | "image/jpg" => Ok(("image", "image/jpeg")),
        "image/png" => Ok(("image", "image/png")),
        "image/gif" => Ok(("image", "image/gif")),
        "image/webp" => Ok(("image", "image/webp")),
        "application/pdf" => Ok(("document", "application/pdf")),
        other => Err(Error::unsupported(format!(
            "claude takes jpeg, png, gif and webp pictures and pdf documents, not {other}"
        ))),
    }
}

/// The vendor wants a user's turn first. One that was empty, or never was, is told by the least that
/// it takes.
fn begin_with_user(turns: &mut Vec<Turn<'_>>) {
    if turns.first().is_some_and(|turn| turn.role == ASSISTANT) {
        let silence = Turn {
            role: USER,
            content: vec![Block::Text {
                text: SILENCE,
                citations: None,
            }],
            results: 0,
        };
        turns.insert(0, silence);
    }
}

/// The vendor refuses white space at the end of an answer that it is to continue.
fn trim_prefill(turns: &mut [Turn<'_>]) {
    if let Some(turn) = turns.last_mut()
        && turn.role == ASSISTANT
        && let Some(Block::Text { text, .. }) = turn.content.last_mut()
    {
        *text = text.trim_end();
    }
}

/// An id in the vendor's alphabet. Ids of its own pass as they are; one that another vendor made is
/// rewritten, and marked with a digest so that two of them stay two.
fn wire_id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    // FNV-1a, 32 bits.
    let digest = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let kept: String = id.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    Cow::Owned(format!("{kept}_{digest:08x}"))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests;
