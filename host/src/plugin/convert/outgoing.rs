//! From the host to the guest.
//!
//! Pictures stay here: the guest gets a number and the length. What only one vendor understands
//! (signatures, thoughts, opaque blocks, ids of calls) goes to that vendor's plugin alone.

use std::collections::HashSet;

use bytes::Bytes;

use super::super::bindings::exports::multillm::provider::chat::Mode;
use super::super::bindings::multillm::provider::http as wit_http;
use super::super::bindings::multillm::provider::types as wit;
use super::super::wire;
use crate::chat::{
    ChatMessage, ChatRequest, ImagePart, ImageSource, Part, ReasoningEffort, ResponseFormat,
    ResultPart, Role, ToolChoice,
};

/// The request for a guest, and the pictures that it only knows by number.
pub(in super::super) fn chat_request(
    request: &ChatRequest,
    plugin: &str,
) -> (wit::ChatRequest, Vec<Bytes>) {
    let mut outgoing = Outgoing {
        plugin,
        blobs: vec![],
        local_calls: local_calls(&request.messages, plugin),
    };
    let messages = request
        .messages
        .iter()
        .map(|message| outgoing.message(message))
        .collect();
    let sampling = &request.sampling;
    let converted = wit::ChatRequest {
        messages,
        tools: request
            .tools
            .iter()
            .map(|tool| wit::Tool {
                name: tool.name.clone(),
                description: tool.description.clone(),
                parameters: tool.parameters.to_string(),
                strict: tool.strict,
            })
            .collect(),
        tool_choice: match &request.tool_choice {
            ToolChoice::Auto => wit::ToolChoice::Auto,
            ToolChoice::None => wit::ToolChoice::None,
            ToolChoice::Required => wit::ToolChoice::Required,
            ToolChoice::Named(name) => wit::ToolChoice::Named(name.clone()),
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
        extra: if request.extra.is_empty() {
            "{}".to_owned()
        } else {
            serde_json::Value::Object(request.extra.clone()).to_string()
        },
    };
    (converted, outgoing.blobs)
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
    fn message(&mut self, message: &ChatMessage) -> wit::Message {
        let own = is_own(message, self.plugin);
        wit::Message {
            role: match message.role {
                Role::System => wit::Role::System,
                Role::User => wit::Role::User,
                Role::Assistant => wit::Role::Assistant,
                Role::Tool => wit::Role::Tool,
            },
            content: message
                .content
                .iter()
                .filter_map(|part| self.part(part, own))
                .collect(),
        }
    }

    fn part(&mut self, part: &Part, own: bool) -> Option<wit::Part> {
        let signed = |signature: &Option<String>| signature.clone().filter(|_| own);
        Some(match part {
            Part::Text(text) => wit::Part::Text(wit::Text {
                text: text.text.clone(),
                signature: signed(&text.signature),
            }),
            Part::Image(image) => wit::Part::Image(self.image(image)),
            Part::ToolCall(call) => wit::Part::ToolCall(wit::ToolCall {
                id: Some(call.id.clone()),
                local: call.local || !own,
                name: call.name.clone(),
                arguments: call.arguments.clone(),
                signature: signed(&call.signature),
            }),
            Part::ToolResult(result) => wit::Part::ToolResult(wit::ToolResult {
                call_id: result.call_id.clone(),
                local: result.local || self.local_calls.contains(&result.call_id),
                name: result.name.clone(),
                content: result
                    .content
                    .iter()
                    .map(|part| match part {
                        ResultPart::Text { text } => wit::ResultPart::Text(text.clone()),
                        ResultPart::Image(image) => wit::ResultPart::Image(self.image(image)),
                    })
                    .collect(),
                is_error: result.is_error,
            }),
            Part::Reasoning(reasoning) => {
                if !own {
                    return None;
                }
                wit::Part::Reasoning(wit::Reasoning {
                    text: reasoning.text.clone(),
                    signature: reasoning.signature.clone(),
                    redacted: reasoning.redacted.clone(),
                })
            }
            Part::Opaque(opaque) => {
                if !own {
                    return None;
                }
                wit::Part::Opaque(wit::Opaque {
                    kind: opaque.kind.clone(),
                    data: opaque.data.clone(),
                })
            }
        })
    }

    fn image(&mut self, image: &ImagePart) -> wit::Image {
        let source = match &image.source {
            ImageSource::Url { url } => wit::ImageSource::Url(url.clone()),
            ImageSource::Bytes { media_type, data } => {
                let id = u32::try_from(self.blobs.len()).unwrap_or(u32::MAX);
                self.blobs.push(data.clone());
                wit::ImageSource::Blob(wit::Blob {
                    id,
                    media_type: media_type.clone(),
                    length: data.len() as u64,
                })
            }
        };
        wit::Image {
            source,
            detail: image.detail.clone(),
        }
    }
}

pub(in super::super) fn target(target: &wire::Target) -> wit::Target {
    wit::Target {
        model: target.model.clone(),
        settings: target.settings.clone(),
    }
}

pub(in super::super) fn mode(stream: bool) -> Mode {
    match stream {
        true => Mode::Stream,
        false => Mode::Whole,
    }
}

pub(in super::super) fn response(response: wire::Response) -> wit_http::Response {
    wit_http::Response {
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

pub(in super::super) fn frames(frames: Vec<wire::Frame>) -> Vec<wit_http::Frame> {
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
    use crate::chat::{OpaquePart, ReasoningPart, TextPart, ToolCall, ToolResult};

    fn conversation(origin: &str) -> ChatRequest {
        let call = ToolCall {
            id: "toolu_1".into(),
            name: "look".into(),
            arguments: "{}".into(),
            local: false,
            signature: Some("sig".into()),
        };
        let mut answer = ChatMessage::new(
            Role::Assistant,
            vec![
                Part::Reasoning(ReasoningPart {
                    text: "hm".into(),
                    signature: Some("sig".into()),
                    redacted: None,
                }),
                Part::Opaque(OpaquePart {
                    kind: "server_tool_use".into(),
                    data: "{}".into(),
                }),
                Part::Text(TextPart {
                    text: "let me look".into(),
                    signature: Some("sig".into()),
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
        let (request, _) = chat_request(&conversation("claude"), "claude");
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
        let (request, _) = chat_request(&conversation("claude"), "gemini");
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
            ChatMessage::user("what?").with_image(ImagePart::bytes(data.clone()).unwrap());
        let (request, blobs) = chat_request(&ChatRequest::new([message]), "openai");
        assert_eq!(blobs, [Bytes::from(data)]);
        assert!(!format!("{request:?}").contains("pixels"));
    }
}
