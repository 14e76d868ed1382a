//! The conversation as the vendor wants it: turns of `user` and `model` in
//! alternation, system text apart, all results of a turn's calls in one turn.

use multillm_plugin_sdk::able::unreturnable;
use multillm_plugin_sdk::body::{Blobs, extended, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    ChatRequest, Error, Media, MediaSource, Message, Part, ResultPart, Role, ToolCall, ToolResult,
};

use crate::media::{takes, takes_pictures_alone};
use crate::settings::{Api, Files, Settings};
use crate::thinking::{Generation, generation, refuses_system};
use crate::wire::object;

mod parts;

use parts::{arguments, kept, media_type, response, said, with_tail};

/// Stands for the signature of a call that another vendor's model made: Gemini 3
/// refuses a turn whose first call has none.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

/// What messages to a person call the vendor.
pub(crate) const NAME: &str = "gemini";

/// The model's role.
const MODEL: &str = "model";

/// The system text and the turns of a conversation.
pub(crate) struct Conversation<'a> {
    /// `systemInstruction`.
    pub(crate) system: Option<Json<'a>>,
    /// `contents`.
    pub(crate) turns: Vec<Json<'a>>,
}

/// Arranges the messages.
///
/// # Errors
///
/// `unsupported` or `invalid-request` for what has no place in a conversation with Gemini.
pub(crate) fn conversation<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings<'_>,
    blobs: &mut Blobs,
) -> Result<Conversation<'a>, Error> {
    let mut arranger = Arranger {
        generation: generation(model),
        settings,
        pictures_alone: takes_pictures_alone(model),
        blobs,
        turns: Vec::new(),
        open: OpenTurn::default(),
    };
    let (mut system, mut system_tails) = (Vec::new(), Vec::new());
    for message in &request.messages {
        match message.role {
            Role::System => {
                system_parts(message, &mut system)?;
                system_tails.extend(tail("a message", message.extra.as_deref())?);
            }
            Role::Assistant => arranger.model(message)?,
            Role::User | Role::Tool => arranger.user(message)?,
        }
    }
    let preface = match refuses_system(model) {
        true => {
            let mut preface = std::mem::take(&mut system);
            let last = preface.pop();
            preface.extend(last.map(|last| merged(last, std::mem::take(&mut system_tails))));
            preface
        }
        false => Vec::new(),
    };
    let mut turns = arranger.finish(preface);
    let mut said = request.messages.iter().map(|message| message.role);
    let user_opens = said.find(|role| *role != Role::System) == Some(Role::User);
    if user_opens && turns.first().is_some_and(is_model) {
        // A user who says nothing first is answered all the same; the vendor wants a part.
        turns.insert(0, turn(false, vec![text_part(" ")]));
    }
    if turns.is_empty() {
        return Err(Error::invalid_request(
            "the conversation has no text for the model: add a user message",
        ));
    }
    let system = (!system.is_empty()).then(|| {
        let instruction = Json::object([("parts", Json::List(system))]);
        merged(instruction, system_tails)
    });
    Ok(Conversation { system, turns })
}

fn system_parts<'a>(message: &'a Message, parts: &mut Vec<Json<'a>>) -> Result<(), Error> {
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => {
                let part = text_part(&text.text);
                parts.push(extended(part, "a text", text.extra.as_deref())?);
            }
            _ => {
                return Err(Error::unsupported(
                    "Gemini takes only text in system messages: move the rest to a user message",
                ));
            }
        }
    }
    Ok(())
}

/// An object with open tails.
fn merged<'a>(mut object: Json<'a>, tails: Vec<Json<'a>>) -> Json<'a> {
    for tail in tails {
        object.merge(tail);
    }
    object
}

fn turn(is_model: bool, parts: Vec<Json<'_>>) -> Json<'_> {
    let role = if is_model { MODEL } else { "user" };
    Json::object([("role", role.into()), ("parts", Json::List(parts))])
}

fn is_model(turn: &Json<'_>) -> bool {
    turn.text("role") == Some(MODEL)
}

fn text_part(text: &str) -> Json<'_> {
    Json::object([("text", text.into())])
}

/// A turn, and what is still to be put into order before it is complete.
#[derive(Default)]
struct OpenTurn<'a> {
    is_model: bool,
    /// The ids of the calls made in it, in order.
    calls: Vec<Option<&'a str>>,
    /// The results in it, with the id of the call that each answers.
    results: Vec<(&'a str, Json<'a>)>,
    /// Pictures that could not be put into the results.
    pictures: Vec<Json<'a>>,
    parts: Vec<Json<'a>>,
    /// The open tails of the messages that it is made of.
    tails: Vec<Json<'a>>,
}

struct Arranger<'a, 'b> {
    generation: Generation,
    settings: &'b Settings<'b>,
    /// The model takes no media but pictures.
    pictures_alone: bool,
    blobs: &'b mut Blobs,
    turns: Vec<OpenTurn<'a>>,
    open: OpenTurn<'a>,
}

impl<'a> Arranger<'a, '_> {
    /// The turn that the next part of this role belongs to.
    fn turn(&mut self, is_model: bool) -> &mut OpenTurn<'a> {
        if self.open.is_model != is_model {
            let next = OpenTurn {
                is_model,
                ..OpenTurn::default()
            };
            self.turns.push(std::mem::replace(&mut self.open, next));
        }
        &mut self.open
    }

    fn model(&mut self, message: &'a Message) -> Result<(), Error> {
        for part in &message.content {
            let made = match part {
                Part::Text(text) => {
                    let said = said(&text.text, None, text.signature.as_deref());
                    with_tail(said, "a text", text.extra.as_deref())?
                }
                Part::Reasoning(it) => {
                    let said = said(&it.text, Some(true), it.signature.as_deref());
                    with_tail(said, "a thought", it.extra.as_deref())?
                }
                Part::ToolCall(call) => {
                    with_tail(Some(self.call(call)), "a tool call", call.extra.as_deref())?
                }
                Part::Media(media) => Some(medium(
                    media,
                    self.settings,
                    self.pictures_alone,
                    self.blobs,
                )?),
                Part::Opaque(block) => Some(kept(&block.data)?),
                Part::ServerToolCall(call) => Some(kept(&call.data)?),
                Part::ServerToolResult(result) => Some(kept(&result.data)?),
                Part::ToolResult(_) => {
                    return Err(Error::invalid_request(
                        "an assistant message holds a tool result: put it into a tool message",
                    ));
                }
            };
            if let Some(made) = made {
                self.turn(true).parts.push(made);
            }
        }
        self.close(true, message)
    }

    fn user(&mut self, message: &'a Message) -> Result<(), Error> {
        for part in &message.content {
            let made = match part {
                Part::Text(text) => {
                    let said = said(&text.text, None, None);
                    with_tail(said, "a text", text.extra.as_deref())?
                }
                Part::Media(media) => Some(medium(
                    media,
                    self.settings,
                    self.pictures_alone,
                    self.blobs,
                )?),
                Part::Opaque(block) => Some(kept(&block.data)?),
                Part::ToolResult(result) => {
                    self.result(result)?;
                    None
                }
                Part::ToolCall(_)
                | Part::Reasoning(_)
                | Part::ServerToolCall(_)
                | Part::ServerToolResult(_) => {
                    return Err(Error::invalid_request(
                        "only assistant messages can hold tool calls and reasoning",
                    ));
                }
            };
            if let Some(made) = made {
                self.turn(false).parts.push(made);
            }
        }
        self.close(false, message)
    }

    /// What a message says of itself goes to the turn that it became part of.
    fn close(&mut self, is_model: bool, message: &'a Message) -> Result<(), Error> {
        let tail = tail("a message", message.extra.as_deref())?;
        if self.open.is_model == is_model {
            self.open.tails.extend(tail);
        }
        Ok(())
    }

    fn call(&mut self, call: &'a ToolCall) -> Json<'a> {
        let needs_signature = self.generation == Generation::Level;
        let turn = self.turn(true);
        let otherwise = (needs_signature && turn.calls.is_empty()).then_some(FOREIGN_CALL);
        turn.calls.push(call.id.as_deref());
        let id = call.id.as_deref().filter(|_| !call.local);
        let function_call = object(vec![
            ("id", id.map(Json::from)),
            ("name", Some(call.name.as_str().into())),
            ("args", Some(arguments(&call.arguments))),
        ]);
        let signature = call.signature.as_deref().or(otherwise);
        object(vec![
            ("functionCall", Some(function_call)),
            ("thoughtSignature", signature.map(Json::from)),
        ])
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<(), Error> {
        let mut pictures = Vec::new();
        for part in &result.content {
            match part {
                ResultPart::Text(_) => {}
                ResultPart::Media(media) => pictures.push(medium(
                    media,
                    self.settings,
                    self.pictures_alone,
                    self.blobs,
                )?),
                other @ ResultPart::Opaque(_) => {
                    return Err(unreturnable(NAME, &result.name, other));
                }
            }
        }
        if self.generation != Generation::Level {
            self.turn(false).pictures.append(&mut pictures);
        }
        let id = Some(result.call_id.as_str()).filter(|_| !result.local);
        let function_response = object(vec![
            ("id", id.map(Json::from)),
            ("name", Some(result.name.as_str().into())),
            ("response", Some(response(result))),
            (
                "parts",
                (!pictures.is_empty()).then_some(Json::List(pictures)),
            ),
        ]);
        let part = Json::object([("functionResponse", function_response)]);
        let part = extended(part, "a tool's result", result.extra.as_deref())?;
        self.turn(false).results.push((&result.call_id, part));
        Ok(())
    }

    /// The turns, with results first and in the order of their calls; `preface` stands
    /// before what the user says first.
    fn finish(mut self, mut preface: Vec<Json<'a>>) -> Vec<Json<'a>> {
        let mut calls = Vec::new();
        let mut turns = Vec::new();
        self.turns.push(self.open);
        for mut turn in self.turns {
            let mut parts = Vec::new();
            if !turn.is_model {
                parts.append(&mut preface);
            }
            for call in calls {
                if let Some(at) = turn.results.iter().position(|(id, _)| call == Some(*id)) {
                    parts.push(turn.results.remove(at).1);
                }
            }
            parts.extend(turn.results.into_iter().map(|(_, part)| part));
            parts.append(&mut turn.pictures);
            parts.append(&mut turn.parts);
            calls = turn.calls;
            if !parts.is_empty() {
                turns.push(merged(self::turn(turn.is_model, parts), turn.tails));
            }
        }
        turns
    }
}

/// A picture, document, recording or film as a part, and as an element of a function response's parts.
///
/// # Errors
///
/// `unsupported` for types that are not taken.
pub(crate) fn medium<'a>(
    media: &'a Media,
    settings: &Settings<'_>,
    pictures_alone: bool,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    takes(media, pictures_alone)?;
    let part = match &media.source {
        MediaSource::Blob(blob) => {
            let data = Json::object([
                ("mimeType", media.known_type()?.into()),
                ("data", blobs.base64(blob).into()),
            ]);
            Json::object([("inlineData", data)])
        }
        MediaSource::Url(url) => {
            let vertex = settings.api == Api::Vertex;
            let said = media.media_type.as_deref();
            let media_type = said.or(media_type(url)).or(vertex.then_some("image/jpeg"));
            let data = object(vec![
                ("mimeType", media_type.map(Json::from)),
                ("fileUri", Some(url.as_str().into())),
            ]);
            Json::object([("fileData", data)])
        }
        MediaSource::FileId(id) => {
            let files = Files(settings.version());
            let data = object(vec![
                ("mimeType", media.media_type.as_deref().map(Json::from)),
                ("fileUri", Some(files.uri(id).into_owned().into())),
            ]);
            Json::object([("fileData", data)])
        }
        MediaSource::Base64(_) => return Err(media.refused(NAME)),
    };
    extended(part, "a medium", media.extra.as_deref())
}

#[cfg(test)]
mod tests;
