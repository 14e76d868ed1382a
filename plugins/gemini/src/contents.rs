//! The conversation as the vendor wants it: turns of `user` and `model` in
//! alternation, system text apart, all results of a turn's calls in one turn.

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::tool_arguments;
use multillm_plugin_sdk::{
    ChatRequest, Error, Image, ImageSource, Message, Part, ResultPart, Role, ToolCall, ToolResult,
};

use crate::settings::{Api, Settings};
use crate::thinking::{Generation, generation, refuses_system};
use crate::wire::object;

/// Stands for the signature of a call that another vendor's model made: Gemini 3
/// refuses a turn whose first call has none.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

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
        api: settings.api,
        blobs,
        turns: Vec::new(),
        open: OpenTurn::default(),
    };
    let mut system = Vec::new();
    for message in &request.messages {
        match message.role {
            Role::System => system_parts(message, &mut system)?,
            Role::Assistant => arranger.model(message)?,
            Role::User | Role::Tool => arranger.user(message)?,
        }
    }
    let preface = match refuses_system(model) {
        true => std::mem::take(&mut system),
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
    let instruction = || Json::object([("parts", Json::List(system.clone()))]);
    Ok(Conversation {
        system: (!system.is_empty()).then(instruction),
        turns,
    })
}

fn system_parts<'a>(message: &'a Message, parts: &mut Vec<Json<'a>>) -> Result<(), Error> {
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => parts.push(text_part(&text.text)),
            _ => {
                return Err(Error::unsupported(
                    "Gemini takes only text in system messages: move the rest to a user message",
                ));
            }
        }
    }
    Ok(())
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
}

struct Arranger<'a, 'b> {
    generation: Generation,
    api: Api,
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
                Part::Text(text) => said(&text.text, None, text.signature.as_deref()),
                Part::Reasoning(it) => said(&it.text, Some(true), it.signature.as_deref()),
                Part::ToolCall(call) => Some(self.call(call)),
                Part::Image(image) => Some(self.picture(image)),
                Part::Opaque(block) => Some(kept(&block.data)?),
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
        Ok(())
    }

    fn user(&mut self, message: &'a Message) -> Result<(), Error> {
        for part in &message.content {
            let made = match part {
                Part::Text(text) => said(&text.text, None, None),
                Part::Image(image) => Some(self.picture(image)),
                Part::Opaque(block) => Some(kept(&block.data)?),
                Part::ToolResult(result) => {
                    self.result(result);
                    None
                }
                Part::ToolCall(_) | Part::Reasoning(_) => {
                    return Err(Error::invalid_request(
                        "only assistant messages can hold tool calls and reasoning",
                    ));
                }
            };
            if let Some(made) = made {
                self.turn(false).parts.push(made);
            }
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

    fn result(&mut self, result: &'a ToolResult) {
        let mut pictures = Vec::new();
        for part in &result.content {
            if let ResultPart::Image(image) = part {
                pictures.push(self.picture(image));
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
        self.turn(false).results.push((&result.call_id, part));
    }

    /// A picture as a part, and as an element of a function response's parts.
    fn picture(&mut self, image: &'a Image) -> Json<'a> {
        match &image.source {
            ImageSource::Blob(blob) => {
                let data = Json::object([
                    ("mimeType", blob.media_type.as_str().into()),
                    ("data", self.blobs.base64(blob).into()),
                ]);
                Json::object([("inlineData", data)])
            }
            ImageSource::Url(url) => {
                let vertex = self.api == Api::Vertex;
                let media_type = media_type(url).or(vertex.then_some("image/jpeg"));
                let data = object(vec![
                    ("mimeType", media_type.map(Json::from)),
                    ("fileUri", Some(url.as_str().into())),
                ]);
                Json::object([("fileData", data)])
            }
        }
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
                turns.push(self::turn(turn.is_model, parts));
            }
        }
        turns
    }
}

/// A part of text; nothing if there is neither text nor signature.
fn said<'a>(text: &'a str, thought: Option<bool>, signature: Option<&'a str>) -> Option<Json<'a>> {
    let part = object(vec![
        ("text", Some(text.into())),
        ("thought", thought.map(Json::from)),
        ("thoughtSignature", signature.map(Json::from)),
    ]);
    (!text.is_empty() || signature.is_some()).then_some(part)
}

/// Arguments as the object that the vendor wants. What is none (a cut-off call) goes
/// under `_raw` rather than being lost.
fn arguments(raw: &str) -> Json<'_> {
    match Json::parse(tool_arguments(raw)) {
        Ok(object @ Json::Object(_)) => object,
        _ => Json::object([("_raw", raw.into())]),
    }
}

/// What a tool returned, as the object that the vendor wants: an object stays as it
/// is, anything else goes under `result`, and what went wrong under `error`. Text that
/// only looks like a number stays text.
fn response(result: &ToolResult) -> Json<'_> {
    let mut texts = result.content.iter().filter_map(|part| match part {
        ResultPart::Text(text) => Some(text.as_str()),
        ResultPart::Image(_) => None,
    });
    let first = texts.next().unwrap_or_default();
    let rest: Vec<&str> = texts.collect();
    let value = match Json::parse(first) {
        _ if !rest.is_empty() => Json::from([&[first], rest.as_slice()].concat().join("\n")),
        Ok(value @ (Json::Object(_) | Json::List(_))) => value,
        _ => first.into(),
    };
    match (value, result.is_error) {
        (object @ Json::Object(_), false) => object,
        (value, false) => Json::object([("result", value)]),
        (value, true) => Json::object([("error", value)]),
    }
}

/// A block that was kept for sending back.
fn kept(data: &str) -> Result<Json<'_>, Error> {
    match Json::parse(data) {
        Ok(block @ Json::Object(_)) => Ok(block),
        _ => Err(Error::invalid_request(
            "a kept block of an answer is no JSON object",
        )),
    }
}

/// The media type that a URL's ending tells.
fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "bmp" => "image/bmp",
        "avif" => "image/avif",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
