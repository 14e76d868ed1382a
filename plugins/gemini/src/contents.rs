//! The conversation as the vendor wants it: turns of `user` and `model` in
//! alternation, system text apart, all results of a turn's calls in one turn.

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::outcome::{arguments_object, tool_arguments};
use multillm_plugin_sdk::{
    ChatRequest, Error, Image, ImageSource, Message, Part, ResultPart, Role, ToolCall, ToolResult,
};
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::settings::{Api, Settings};
use crate::thinking::{Generation, generation, refuses_system};

/// Stands for the signature of a call that another vendor's model made: Gemini 3
/// refuses a turn whose first call has none.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

/// A turn of `contents`.
#[derive(Serialize)]
pub(crate) struct Turn<'a> {
    role: &'static str,
    parts: Vec<WirePart<'a>>,
}

/// `systemInstruction`.
#[derive(Serialize)]
pub(crate) struct Instruction<'a> {
    parts: Vec<WirePart<'a>>,
}

/// A part of a turn.
#[derive(Serialize)]
#[serde(untagged)]
enum WirePart<'a> {
    /// As the vendor wrote it.
    Kept(&'a RawValue),
    Made(MadePart<'a>),
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct MadePart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<bool>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    media: Option<Media<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Media<'a> {
    #[serde(rename_all = "camelCase")]
    InlineData { mime_type: &'a str, data: String },
    #[serde(rename_all = "camelCase")]
    FileData {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<&'static str>,
        file_uri: &'a str,
    },
}

#[derive(Serialize)]
struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Box<RawValue>,
}

#[derive(Serialize)]
struct FunctionResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Box<RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Media<'a>>,
}

/// The system text and the turns of a conversation.
pub(crate) struct Conversation<'a> {
    pub(crate) system: Option<Instruction<'a>>,
    pub(crate) turns: Vec<Turn<'a>>,
}

/// Arranges the messages.
///
/// # Errors
///
/// `unsupported` or `invalid-request` for what has no place in a conversation with Gemini.
pub(crate) fn conversation<'a>(
    model: &str,
    request: &'a ChatRequest,
    settings: &Settings,
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
            Role::System => system.extend(system_parts(message)?),
            Role::Assistant => arranger.model(message)?,
            Role::User | Role::Tool => arranger.user(message)?,
        }
    }
    let mut turns = arranger.finish();
    if refuses_system(model) && !system.is_empty() {
        let first = turns.iter_mut().find(|turn| turn.role == "user");
        if let Some(first) = first {
            first.parts.splice(0..0, std::mem::take(&mut system));
        }
    }
    if turns.is_empty() {
        return Err(Error::invalid_request(
            "the conversation has no text for the model: add a user message",
        ));
    }
    Ok(Conversation {
        system: Some(Instruction { parts: system }).filter(|system| !system.parts.is_empty()),
        turns,
    })
}

fn system_parts(message: &Message) -> Result<Vec<WirePart<'_>>, Error> {
    let mut parts = Vec::new();
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
    Ok(parts)
}

fn text_part(text: &str) -> WirePart<'_> {
    WirePart::Made(MadePart {
        text: Some(text),
        ..MadePart::default()
    })
}

/// What is still to be put into order before a turn is complete.
#[derive(Default)]
struct OpenTurn<'a> {
    is_model: bool,
    /// The ids of the calls made in it, in order.
    calls: Vec<Option<&'a str>>,
    /// The results in it, with the id of the call that each answers.
    results: Vec<(&'a str, WirePart<'a>)>,
    /// Pictures that could not be put into the results.
    pictures: Vec<WirePart<'a>>,
    parts: Vec<WirePart<'a>>,
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
                Part::Text(text) if text.text.is_empty() && text.signature.is_none() => continue,
                Part::Text(text) => MadePart {
                    text: Some(&text.text),
                    thought_signature: text.signature.as_deref(),
                    ..MadePart::default()
                },
                Part::Reasoning(it) if it.text.is_empty() && it.signature.is_none() => continue,
                Part::Reasoning(it) => MadePart {
                    text: Some(&it.text),
                    thought: Some(true),
                    thought_signature: it.signature.as_deref(),
                    ..MadePart::default()
                },
                Part::ToolCall(call) => {
                    let unsigned_first =
                        self.generation == Generation::Level && self.turn(true).calls.is_empty();
                    self.turn(true).calls.push(call.id.as_deref());
                    function_call(call, unsigned_first.then_some(FOREIGN_CALL))?
                }
                Part::Image(image) => MadePart {
                    media: Some(self.media(image)),
                    ..MadePart::default()
                },
                Part::Opaque(block) => {
                    let kept = kept(&block.data)?;
                    self.turn(true).parts.push(kept);
                    continue;
                }
                Part::ToolResult(_) => {
                    return Err(Error::invalid_request(
                        "an assistant message holds a tool result: put it into a tool message",
                    ));
                }
            };
            self.turn(true).parts.push(WirePart::Made(made));
        }
        Ok(())
    }

    fn user(&mut self, message: &'a Message) -> Result<(), Error> {
        for part in &message.content {
            match part {
                Part::Text(text) if text.text.is_empty() => {}
                Part::Text(text) => self.turn(false).parts.push(text_part(&text.text)),
                Part::Image(image) => {
                    let picture = self.picture(image);
                    self.turn(false).parts.push(picture);
                }
                Part::ToolResult(result) => self.result(result)?,
                Part::Opaque(block) => {
                    let kept = kept(&block.data)?;
                    self.turn(false).parts.push(kept);
                }
                Part::ToolCall(_) | Part::Reasoning(_) => {
                    return Err(Error::invalid_request(
                        "only assistant messages can hold tool calls and reasoning",
                    ));
                }
            }
        }
        Ok(())
    }

    fn result(&mut self, result: &'a ToolResult) -> Result<(), Error> {
        let mut parts = Vec::new();
        for part in &result.content {
            let ResultPart::Image(image) = part else {
                continue;
            };
            if self.generation == Generation::Level {
                parts.push(self.media(image));
            } else {
                let picture = self.picture(image);
                self.turn(false).pictures.push(picture);
            }
        }
        let part = WirePart::Made(MadePart {
            function_response: Some(FunctionResponse {
                id: Some(result.call_id.as_str()).filter(|_| !result.local),
                name: &result.name,
                response: response(result)?,
                parts,
            }),
            ..MadePart::default()
        });
        self.turn(false).results.push((&result.call_id, part));
        Ok(())
    }

    fn picture(&mut self, image: &'a Image) -> WirePart<'a> {
        WirePart::Made(MadePart {
            media: Some(self.media(image)),
            ..MadePart::default()
        })
    }

    fn media(&mut self, image: &'a Image) -> Media<'a> {
        match &image.source {
            ImageSource::Blob(blob) => Media::InlineData {
                mime_type: &blob.media_type,
                data: self.blobs.base64(blob),
            },
            ImageSource::Url(url) => Media::FileData {
                mime_type: media_type(url).or((self.api == Api::Vertex).then_some("image/jpeg")),
                file_uri: url,
            },
        }
    }

    /// The turns, results first and in the order of their calls.
    fn finish(mut self) -> Vec<Turn<'a>> {
        let mut calls = Vec::new();
        let mut turns = Vec::new();
        self.turns.push(self.open);
        for turn in self.turns {
            let mut results = turn.results;
            results.sort_by_key(|(id, _)| {
                let position = calls.iter().position(|call| *call == Some(*id));
                position.unwrap_or(usize::MAX)
            });
            let mut parts: Vec<_> = results.into_iter().map(|(_, part)| part).collect();
            parts.extend(turn.pictures);
            parts.extend(turn.parts);
            calls = turn.calls;
            if !parts.is_empty() {
                let role = if turn.is_model { "model" } else { "user" };
                turns.push(Turn { role, parts });
            }
        }
        turns
    }
}

fn function_call<'a>(
    call: &'a ToolCall,
    otherwise: Option<&'static str>,
) -> Result<MadePart<'a>, Error> {
    let args = match object(tool_arguments(&call.arguments)) {
        Some(args) => args,
        None => raw(&arguments_object(&call.arguments))?,
    };
    Ok(MadePart {
        function_call: Some(FunctionCall {
            id: call.id.as_deref().filter(|_| !call.local),
            name: &call.name,
            args,
        }),
        thought_signature: call.signature.as_deref().or(otherwise),
        ..MadePart::default()
    })
}

/// What a tool returned, as the object that the vendor wants: an object stays as it
/// is, anything else goes under `result`, and what went wrong under `error`.
fn response(result: &ToolResult) -> Result<Box<RawValue>, Error> {
    let texts: Vec<&str> = result
        .content
        .iter()
        .filter_map(|part| match part {
            ResultPart::Text(text) => Some(text.as_str()),
            ResultPart::Image(_) => None,
        })
        .collect();
    let text = texts.join("\n");
    let field = if result.is_error { "error" } else { "result" };
    match structured(&text) {
        Some(value) if value.get().starts_with('{') && !result.is_error => Ok(value),
        Some(value) => raw(&std::collections::BTreeMap::from([(field, value)])),
        None => raw(&json!({ field: text })),
    }
}

/// A JSON object or array; text that only looks like a number stays text.
fn structured(text: &str) -> Option<Box<RawValue>> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    RawValue::from_string(text.to_owned()).ok()
}

fn object(text: &str) -> Option<Box<RawValue>> {
    structured(text).filter(|value| value.get().starts_with('{'))
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Error> {
    to_raw_value(value).map_err(|error| Error::invalid_request(format!("no JSON: {error}")))
}

/// A block that was kept for sending back.
fn kept(data: &str) -> Result<WirePart<'_>, Error> {
    serde_json::from_str::<&RawValue>(data)
        .ok()
        .filter(|value| value.get().starts_with('{'))
        .map(WirePart::Kept)
        .ok_or_else(|| Error::invalid_request("a kept block of an answer is no JSON object"))
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
