//! The conversation as the vendor wants it: system text apart, turns of user and assistant
//! that alternate, the results of tools before anything else in the turn that follows the calls.

use std::borrow::Cow;

use multillm_plugin_sdk::body::{Blobs, tail};
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::outcome::tool_arguments;
use multillm_plugin_sdk::{
    Cache, ChatRequest, Error, Media, Message, Part, Reasoning, Role, ToolCall,
};
use serde_json::value::RawValue;

use crate::cache::{CACHE, Marks, control};
use crate::citations;
use crate::extra::kept_container;
use crate::model::Model;
use crate::tree::Tree;
use crate::wire::{CALLER, TOOLSET};

mod media;
mod result;
mod system;

pub(crate) use media::names_files;
pub(crate) use system::System;

/// System text and turns.
#[derive(Debug)]
pub(crate) struct Conversation<'a> {
    pub(crate) system: System<'a>,
    pub(crate) turns: Vec<Turn<'a>>,
    /// The container in which the model ran programs last.
    pub(crate) container: Option<String>,
}

/// A turn.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
    /// The open tails of the messages that it was made of.
    tails: Vec<Json<'a>>,
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
        citations: Option<Tree<'a>>,
        cache: Option<&'a Cache>,
        tail: Option<Json<'a>>,
    },
    Thought(Tree<'a>),
    ToolResult(Tree<'a>),
    Other(Tree<'a>),
}

impl<'a> From<Block<'a>> for Tree<'a> {
    fn from(block: Block<'a>) -> Self {
        match block {
            Block::Text {
                text,
                citations,
                cache,
                tail,
            } => typed("text")
                .with("text", Some(text))
                .with("citations", citations)
                .with(CACHE, cache.map(control))
                .with_tails(tail),
            Block::Thought(tree) | Block::ToolResult(tree) | Block::Other(tree) => tree,
        }
    }
}

impl<'a> From<Turn<'a>> for Tree<'a> {
    fn from(turn: Turn<'a>) -> Self {
        let content = turn.content.into_iter().map(Tree::from).collect();
        Tree::object([("role", turn.role.into()), ("content", Tree::List(content))])
            .with_tails(turn.tails)
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
/// `unsupported` for what the vendor does not take (pictures of other types, pictures that nobody
/// sends on), `invalid-request` for parts that cannot stand where they stand.
pub(crate) fn conversation<'a>(
    request: &'a ChatRequest,
    model: Model,
    marks: &Marks<'a>,
    blobs: &mut Blobs,
) -> Result<Conversation<'a>, Error> {
    let mut system = System::default();
    let mut turns: Vec<Turn<'a>> = Vec::new();
    let mut container = None;
    // What another vendor's model drew: this one only takes it from the user.
    let mut drawn: Vec<&'a Media> = Vec::new();
    let asked = Asked { request, marks };
    for message in &request.messages {
        match message.role {
            Role::System => system.add(message, marks)?,
            Role::User | Role::Tool => {
                for media in drawn.drain(..) {
                    push(
                        &mut turns,
                        USER,
                        Block::Other(media::tree(media, marks, blobs)?),
                    );
                }
                for part in &message.content {
                    asked.user_part(part, &mut turns, blobs)?;
                }
                close(&mut turns, USER, message)?;
            }
            Role::Assistant => {
                for part in &message.content {
                    match part {
                        Part::Media(media) => drawn.push(media),
                        Part::Opaque(own) if kept_container(own).is_some() => {
                            container = kept_container(own);
                        }
                        _ => {
                            let block = asked.assistant_part(part, model)?;
                            block
                                .into_iter()
                                .for_each(|block| push(&mut turns, ASSISTANT, block));
                        }
                    }
                }
                close(&mut turns, ASSISTANT, message)?;
            }
        }
    }
    if let Some(media) = drawn.first() {
        return Err(Error::unsupported(format!(
            "claude takes no {} in assistant messages: put it in a user message",
            media.named()
        )));
    }
    begin_with_user(&mut turns);
    trim_prefill(&mut turns);
    if let Some(own) = marks.own() {
        system.mark(own);
        mark_last(&mut turns, own);
    }
    Ok(Conversation {
        system,
        turns,
        container,
    })
}

/// Marks the ends of the last two turns of the user.
fn mark_last(turns: &mut [Turn<'_>], mark: &'static Cache) {
    let users = turns.iter_mut().rev().filter(|turn| turn.role == USER);
    for turn in users.take(2) {
        match turn.content.last_mut() {
            Some(Block::Text { cache, .. }) => *cache = Some(mark),
            Some(Block::ToolResult(tree) | Block::Other(tree)) => {
                let unmarked = std::mem::replace(tree, Json::Null.into());
                *tree = unmarked.marked(CACHE, control(mark));
            }
            Some(Block::Thought(_)) | None => {}
        }
    }
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
                tails: Vec::new(),
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

/// What a message says of itself goes to the turn that it became part of.
fn close<'a>(
    turns: &mut [Turn<'a>],
    role: &'static str,
    message: &'a Message,
) -> Result<(), Error> {
    let tail = tail("a message", message.extra.as_deref())?;
    if let Some(turn) = turns.last_mut().filter(|turn| turn.role == role) {
        turn.tails.extend(tail);
    }
    Ok(())
}

/// What parts are laid out by.
struct Asked<'a, 'm> {
    request: &'a ChatRequest,
    marks: &'m Marks<'a>,
}

impl<'a> Asked<'a, '_> {
    fn user_part(
        &self,
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
                cache: self.marks.kept(text.cache.as_ref()),
                tail: tail("a text", text.extra.as_deref())?,
            },
            Part::Media(media) => Block::Other(media::tree(media, self.marks, blobs)?),
            Part::ToolResult(of) => {
                Block::ToolResult(result::tree(self.request, of, self.marks, blobs)?)
            }
            Part::Opaque(own) => opaque(&own.data)?,
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => {
                return Err(Error::invalid_request(
                    "what a tool of the vendor's did can only stand in assistant messages",
                ));
            }
            Part::ToolCall(_) | Part::Reasoning(_) => {
                return Err(Error::invalid_request(
                    "tool calls and reasoning can only stand in assistant messages",
                ));
            }
        };
        push(turns, USER, block);
        Ok(())
    }

    fn assistant_part(&self, part: &'a Part, model: Model) -> Result<Option<Block<'a>>, Error> {
        Ok(Some(match part {
            Part::Text(text) if is_blank(&text.text) => return Ok(None),
            Part::Text(text) => Block::Text {
                text: &text.text,
                citations: citations::sent(text),
                cache: self.marks.kept(text.cache.as_ref()),
                tail: tail("a text", text.extra.as_deref())?,
            },
            Part::Reasoning(reasoning) => return thought(reasoning, model),
            Part::ToolCall(call) => tool_use(call)?,
            Part::Opaque(own) => opaque(&own.data)?,
            Part::ServerToolCall(call) => opaque(&call.data)?,
            Part::ServerToolResult(result) => opaque(&result.data)?,
            // Pictures are sent on by the user: see above.
            Part::Media(_) => return Ok(None),
            Part::ToolResult(_) => {
                return Err(Error::invalid_request(
                    "tool results can only stand in tool or user messages",
                ));
            }
        }))
    }
}

/// Thoughts go back with their signature. Unsigned ones the vendor refuses; compatible servers, whose
/// models bear other names, make no other and want them back.
fn thought(reasoning: &Reasoning, model: Model) -> Result<Option<Block<'_>>, Error> {
    let tree = match (
        reasoning.redacted.as_deref(),
        reasoning.signature.as_deref(),
    ) {
        (Some(data), _) => typed("redacted_thinking").with("data", Some(data)),
        (None, Some(signature)) => typed("thinking")
            .with("thinking", Some(reasoning.text.as_str()))
            .with("signature", Some(signature)),
        (None, None) if model.signs_thoughts() || reasoning.text.is_empty() => return Ok(None),
        (None, None) => typed("thinking").with("thinking", Some(reasoning.text.as_str())),
    };
    let tree = tree.open("a thought", reasoning.extra.as_deref())?;
    Ok(Some(Block::Thought(tree)))
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
            .with(TOOLSET, member(signature, TOOLSET).map(Tree::Raw))
            .open("a tool call", call.extra.as_deref())?,
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

/// The vendor wants a user's turn first. One that was empty, or never was, is told by the least that
/// it takes.
fn begin_with_user(turns: &mut Vec<Turn<'_>>) {
    if turns.first().is_some_and(|turn| turn.role == ASSISTANT) {
        let silence = Turn {
            role: USER,
            content: vec![Block::Text {
                text: SILENCE,
                citations: None,
                cache: None,
                tail: None,
            }],
            tails: Vec::new(),
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
