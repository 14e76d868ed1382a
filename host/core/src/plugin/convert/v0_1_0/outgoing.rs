//! From the host to the guest.
//!
//! Pictures stay here: the guest gets a number and the length. What only one vendor understands
//! (signatures, thoughts, opaque blocks, ids of calls) goes to that vendor's plugin alone. What this
//! contract has no words for is refused by name, and nothing is left out in silence, save marks for a
//! prompt cache, which are hints.

use std::collections::HashSet;

use bytes::Bytes;

use crate::chat::{
    ChatMessage, ChatRequest, Extra, MediaPart, MediaSource, Part, ReasoningEffort, ResponseFormat,
    ResultPart, Role, Tool, ToolChoice,
};
use crate::error::{Error, ErrorKind};
use crate::plugin::bindings::v0_1_0::exports::multillm::provider::chat::Mode;
use crate::plugin::bindings::v0_1_0::multillm::provider::http as wit_http;
use crate::plugin::bindings::v0_1_0::multillm::provider::types as wit;
use crate::plugin::wire;

type Result<T> = std::result::Result<T, Error>;

/// What this contract has no words for.
fn unsupported(plugin: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the plugin {plugin:?} is built for contract 0.1.0, which knows no {what}: use a plugin \
             that is built for 0.2.0, or ask without"
        ),
    )
}

/// The request for a guest, and the pictures that it only knows by number.
pub(in crate::plugin) fn chat_request(
    request: &ChatRequest,
    plugin: &str,
) -> Result<(wit::ChatRequest, Vec<Bytes>)> {
    let none = |what: &str| unsupported(plugin, what);
    if let Some(tool) = request.server_tools.first() {
        return Err(none(&format!("tools that the vendor runs ({})", tool.name)));
    }
    if request.outputs.iter().any(|output| output != "text") {
        return Err(none("answers other than text"));
    }
    let mut outgoing = Outgoing {
        plugin,
        blobs: vec![],
        local_calls: local_calls(&request.messages, plugin),
    };
    let messages = request
        .messages
        .iter()
        .map(|message| outgoing.message(message))
        .collect::<Result<_>>()?;
    let sampling = &request.sampling;
    let converted = wit::ChatRequest {
        messages,
        tools: request
            .tools
            .iter()
            .map(|tool| tool_of(tool, plugin))
            .collect::<Result<_>>()?,
        tool_choice: match &request.tool_choice {
            ToolChoice::Auto => wit::ToolChoice::Auto,
            ToolChoice::None => wit::ToolChoice::None,
            ToolChoice::Required => wit::ToolChoice::Required,
            ToolChoice::Named(name) => wit::ToolChoice::Named(name.clone()),
            ToolChoice::OneOf(_) => return Err(none("choice of one among several tools")),
        },
        parallel_tool_calls: request.parallel_tool_calls,
        response_format: match &request.response_format {
            ResponseFormat::Text => wit::ResponseFormat::Text,
            ResponseFormat::Json => wit::ResponseFormat::Json,
            ResponseFormat::JsonSchema(schema) => {
                wit::ResponseFormat::JsonSchema(wit::JsonSchema {
                    name: schema.name.clone(),
                    description: schema.description.clone(),
                    schema: schema.schema.to_string(),
                    strict: schema.strict,
                })
            }
        },
        sampling: wit::Sampling {
            max_tokens: sampling.max_tokens,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            stop: sampling.stop.clone(),
            seed: sampling.seed,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
        },
        reasoning_effort: request.reasoning_effort.map(|effort| match effort {
            ReasoningEffort::None => wit::ReasoningEffort::None,
            ReasoningEffort::Minimal => wit::ReasoningEffort::Minimal,
            ReasoningEffort::Low => wit::ReasoningEffort::Low,
            ReasoningEffort::Medium => wit::ReasoningEffort::Medium,
            ReasoningEffort::High => wit::ReasoningEffort::High,
            ReasoningEffort::Max => wit::ReasoningEffort::Max,
        }),
        extra: request.extra.to_string(),
    };
    Ok((converted, outgoing.blobs))
}

fn tool_of(tool: &Tool, plugin: &str) -> Result<wit::Tool> {
    if tool.free_text.is_some() {
        return Err(unsupported(plugin, "tools that take free text"));
    }
    no_tail(&tool.extra, plugin, "a tool")?;
    Ok(wit::Tool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.parameters.to_string(),
        strict: tool.strict,
    })
}

/// An open tail that the caller wrote. Those that came with an answer belong to another wire: this
/// contract gives none.
fn no_tail(extra: &Extra, plugin: &str, of: &str) -> Result<()> {
    match extra.is_empty() {
        true => Ok(()),
        false => Err(unsupported(plugin, &format!("extra of {of}"))),
    }
}

/// Whether a message may show this plugin what only its vendor understands.
fn is_own(message: &ChatMessage, plugin: &str) -> bool {
    message
        .origin
        .as_deref()
        .is_none_or(|origin| origin == plugin)
}

/// Ids of calls that this vendor never gave.
fn local_calls(messages: &[ChatMessage], plugin: &str) -> HashSet<String> {
    messages
        .iter()
        .flat_map(|message| {
            let own = is_own(message, plugin);
            message.content.iter().filter_map(move |part| match part {
                Part::ToolCall(call) if call.local || !own => Some(call.id.clone()),
                _ => None,
            })
        })
        .collect()
}

struct Outgoing<'a> {
    plugin: &'a str,
    blobs: Vec<Bytes>,
    local_calls: HashSet<String>,
}

impl Outgoing<'_> {
    fn message(&mut self, message: &ChatMessage) -> Result<wit::Message> {
        let own = is_own(message, self.plugin);
        if message.origin.is_none() {
            no_tail(&message.extra, self.plugin, "a message")?;
        }
        let parts = message.content.iter();
        let parts = parts.map(|part| self.part(part, own, message.origin.is_none()));
        let content: Result<Vec<Option<wit::Part>>> = parts.collect();
        Ok(wit::Message {
            role: match message.role {
                Role::System => wit::Role::System,
                Role::User => wit::Role::User,
                Role::Assistant => wit::Role::Assistant,
                Role::Tool => wit::Role::Tool,
            },
            content: content?.into_iter().flatten().collect(),
        })
    }

    /// `written`: by the caller, and no model's answer.
    fn part(&mut self, part: &Part, own: bool, written: bool) -> Result<Option<wit::Part>> {
        let plugin = self.plugin;
        let tail = |extra: &Extra| match written {
            true => no_tail(extra, plugin, "a part"),
            false => Ok(()),
        };
        let signed = |signature: &Option<String>| signature.clone().filter(|_| own);
        Ok(Some(match part {
            Part::Text(text) => {
                tail(&text.extra)?;
                wit::Part::Text(wit::Text {
                    text: text.text.clone(),
                    signature: signed(&text.signature),
                })
            }
            Part::Media(media) => wit::Part::Image(self.image(media)?),
            Part::ToolCall(call) => {
                tail(&call.extra)?;
                wit::Part::ToolCall(wit::ToolCall {
                    id: Some(call.id.clone()),
                    local: call.local || !own,
                    name: call.name.clone(),
                    arguments: call.arguments.clone(),
                    signature: signed(&call.signature),
                })
            }
            Part::ToolResult(result) => {
                tail(&result.extra)?;
                let content = result.content.iter().map(|part| match part {
                    ResultPart::Text { text } => Ok(wit::ResultPart::Text(text.clone())),
                    ResultPart::Media(media) => Ok(wit::ResultPart::Image(self.image(media)?)),
                    ResultPart::Opaque(_) => Err(unsupported(
                        plugin,
                        "blocks of a vendor's own in tool results",
                    )),
                });
                let content = content.collect::<Result<_>>()?;
                wit::Part::ToolResult(wit::ToolResult {
                    call_id: result.call_id.clone(),
                    local: result.local || self.local_calls.contains(&result.call_id),
                    name: result.name.clone(),
                    content,
                    is_error: result.is_error,
                })
            }
            Part::Reasoning(reasoning) if own => wit::Part::Reasoning(wit::Reasoning {
                text: reasoning.text.clone(),
                signature: reasoning.signature.clone(),
                redacted: reasoning.redacted.clone(),
            }),
            Part::Opaque(opaque) if own => wit::Part::Opaque(wit::Opaque {
                kind: opaque.kind.clone(),
                data: opaque.data.clone(),
            }),
            // Another vendor's own, and no plugin of this contract makes any.
            Part::ServerToolCall(_) | Part::ServerToolResult(_) if written => {
                return Err(unsupported(plugin, "calls of tools that the vendor runs"));
            }
            Part::Reasoning(_)
            | Part::Opaque(_)
            | Part::ServerToolCall(_)
            | Part::ServerToolResult(_) => return Ok(None),
        }))
    }

    fn image(&mut self, media: &MediaPart) -> Result<wit::Image> {
        let none = |what: &str| unsupported(self.plugin, what);
        if let Some(other) = media
            .media_type()
            .filter(|kind| !kind.starts_with("image/"))
        {
            return Err(none(&format!("files besides pictures ({other})")));
        }
        no_tail(&media.extra, self.plugin, "a picture")?;
        let source = match &media.source {
            MediaSource::Url { url } => wit::ImageSource::Url(url.clone()),
            MediaSource::Bytes { media_type, data } => {
                let id = u32::try_from(self.blobs.len()).unwrap_or(u32::MAX);
                self.blobs.push(data.clone());
                wit::ImageSource::Blob(wit::Blob {
                    id,
                    media_type: media_type.clone(),
                    length: data.len() as u64,
                })
            }
            MediaSource::File { .. } => return Err(none("files that the vendor keeps")),
        };
        Ok(wit::Image {
            source,
            detail: media.detail.clone(),
        })
    }
}

pub(in crate::plugin) fn target(target: &wire::Target) -> wit::Target {
    wit::Target {
        model: target.model.clone(),
        settings: target.settings.clone(),
    }
}

pub(in crate::plugin) fn mode(stream: bool) -> Mode {
    match stream {
        true => Mode::Stream,
        false => Mode::Whole,
    }
}

pub(in crate::plugin) fn response(response: &wire::Response) -> wit_http::Response {
    wit_http::Response {
        status: response.status,
        headers: response.headers.clone(),
        body: response.body.clone(),
    }
}

pub(in crate::plugin) fn frames(frames: Vec<wire::Frame>) -> Vec<wit_http::Frame> {
    frames
        .into_iter()
        .map(|frame| wit_http::Frame {
            event: frame.event,
            data: frame.data,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{OpaquePart, ReasoningPart, ServerTool, TextPart, ToolCall, ToolResult};

    fn conversation(origin: &str) -> ChatRequest {
        let call = ToolCall {
            id: "toolu_1".into(),
            name: "look".into(),
            arguments: "{}".into(),
            local: false,
            signature: Some("sig".into()),
            ..ToolCall::default()
        };
        let mut answer = ChatMessage::new(
            Role::Assistant,
            vec![
                Part::Reasoning(ReasoningPart {
                    text: "hm".into(),
                    signature: Some("sig".into()),
                    ..ReasoningPart::default()
                }),
                Part::Opaque(OpaquePart {
                    kind: "server_tool_use".into(),
                    data: "{}".into(),
                }),
                Part::Text(TextPart {
                    text: "let me look".into(),
                    signature: Some("sig".into()),
                    ..TextPart::default()
                }),
                Part::ToolCall(call.clone()),
            ],
        );
        answer.origin = Some(origin.into());
        ChatRequest::new([
            answer,
            ChatMessage::new(
                Role::Tool,
                vec![Part::ToolResult(ToolResult::new(&call, "ok"))],
            ),
        ])
    }

    #[test]
    fn a_vendors_own_parts_go_back_to_it_unchanged() {
        let (request, _) = chat_request(&conversation("claude"), "claude").unwrap();
        let text = format!("{request:?}");
        assert_eq!(
            text.matches("sig").count() - text.matches("signature").count(),
            3
        );
        assert!(text.contains("server_tool_use"));
        assert!(!text.contains("local: true"), "{text}");
    }

    #[test]
    fn another_vendor_sees_only_what_it_can_understand() {
        let (request, _) = chat_request(&conversation("claude"), "gemini").unwrap();
        let text = format!("{request:?}");
        assert!(!text.contains("\"sig\""), "{text}");
        assert!(!text.contains("server_tool_use"));
        assert!(!text.contains("hm"));
        assert_eq!(text.matches("local: true").count(), 2, "{text}");
    }

    #[test]
    fn pictures_stay_with_the_host() {
        let data = b"\x89PNG\r\n\x1a\nsecret pixels".to_vec();
        let message =
            ChatMessage::user("what?").with_media(MediaPart::bytes(data.clone()).unwrap());
        let (request, blobs) = chat_request(&ChatRequest::new([message]), "openai").unwrap();
        assert_eq!(blobs, [Bytes::from(data)]);
        assert!(!format!("{request:?}").contains("pixels"));
    }

    #[test]
    fn what_this_contract_has_no_words_for_is_refused_by_name() {
        let pdf = MediaPart::of_type("application/pdf", &b"%PDF-1.7"[..]);
        let tail = |extra: &str| {
            Extra::of(
                "openai-chat",
                crate::chat::JsonObject::parse(extra).unwrap(),
            )
        };
        let mut named = ChatMessage::user("hi");
        named.extra = tail(r#"{"name": "ann"}"#);
        let mut tailed = ChatMessage::user("hi");
        tailed.content = vec![Part::Text(TextPart {
            text: "hi".into(),
            extra: tail(r#"{"a": 1}"#),
            ..TextPart::default()
        })];
        let mut searching = ChatRequest::new([ChatMessage::user("hi")]);
        searching.server_tools = vec![ServerTool {
            name: "web-search".into(),
            options: None,
        }];
        let of = |message: ChatMessage| ChatRequest::new([message]);
        for (request, what) in [
            (
                of(ChatMessage::user("hi").with_media(pdf)),
                "application/pdf",
            ),
            (
                of(ChatMessage::user("hi").with_media(MediaPart::file("f-1"))),
                "vendor keeps",
            ),
            (of(named), "extra of a message"),
            (of(tailed), "extra of a part"),
            (searching, "web-search"),
        ] {
            let error = chat_request(&request, "old").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            for part in ["\"old\"", "contract 0.1.0", what, "0.2.0"] {
                assert!(error.message.contains(part), "{part}: {}", error.message);
            }
        }
    }
}
