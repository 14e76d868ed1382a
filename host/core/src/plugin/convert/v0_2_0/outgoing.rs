//! From the host to the guest.
//!
//! Bytes of pictures and files stay here: the guest gets a number and the length. What only one vendor
//! understands (signatures, thoughts, blocks, ids of calls) goes to that vendor's plugin alone, and of
//! open tails only what belongs to the plugin's wire.

use std::borrow::Cow;
use std::collections::HashSet;

use super::asked;
use crate::chat::{
    CacheMark, ChatMessage, ChatRequest, Citation, CitationSource, Extra, JsonObject, MediaPart,
    MediaSource, OpaquePart, Part, ReasoningEffort, ResponseFormat, ResultPart, Role,
    ServerToolCall, ServerToolResult, Tool, ToolChoice, Unsupported,
};
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::relay as wit_relay;
use crate::plugin::bindings::v0_2_0::multillm::provider::http as wit_http;
use crate::plugin::bindings::v0_2_0::multillm::provider::types as wit;
use crate::plugin::wire;
use bytes::Bytes;

/// The request for a guest, and the bytes that it only knows by number.
pub(in crate::plugin) fn chat_request<'a>(
    request: &'a ChatRequest,
    plugin: &'a str,
    wire: &'a str,
) -> (asked::ChatRequest<'a>, Vec<Bytes>) {
    let mut outgoing = Outgoing {
        plugin,
        wire,
        blobs: vec![],
        local_calls: local_calls(&request.messages, plugin, wire),
    };
    let messages = request.messages.iter();
    let messages = messages.map(|message| outgoing.message(message)).collect();
    let sampling = &request.sampling;
    let converted = asked::ChatRequest {
        messages,
        tools: request
            .tools
            .iter()
            .map(|tool| tool_of(tool, wire))
            .collect(),
        server_tools: request
            .server_tools
            .iter()
            .map(|tool| asked::ServerTool {
                name: &tool.name,
                options: tool.options.as_ref().map(ToString::to_string),
            })
            .collect(),
        tool_choice: match &request.tool_choice {
            ToolChoice::Auto => asked::ToolChoice::Auto,
            ToolChoice::None => asked::ToolChoice::None,
            ToolChoice::Required => asked::ToolChoice::Required,
            ToolChoice::Named(name) => asked::ToolChoice::Named(name),
            ToolChoice::OneOf(names) => asked::ToolChoice::OneOf(names),
        },
        parallel_tool_calls: request.parallel_tool_calls,
        response_format: match &request.response_format {
            ResponseFormat::Text => asked::ResponseFormat::Text,
            ResponseFormat::Json => asked::ResponseFormat::Json,
            ResponseFormat::JsonSchema(schema) => {
                asked::ResponseFormat::JsonSchema(asked::JsonSchema {
                    name: &schema.name,
                    description: schema.description.as_deref(),
                    schema: schema.schema.to_string(),
                    strict: schema.strict,
                })
            }
        },
        outputs: &request.outputs,
        sampling: asked::Sampling {
            max_tokens: sampling.max_tokens,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            stop: &sampling.stop,
            seed: sampling.seed,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
        },
        reasoning_effort: request.reasoning_effort.map(effort),
        user: request.user.as_deref(),
        drop_unsupported: request.unsupported == Some(Unsupported::Drop),
        extra: object(&body_tail(request, wire)),
    };
    (converted, outgoing.blobs)
}

/// What goes into the body: what is meant for every wire stands before what is meant for this one.
fn body_tail<'a>(request: &'a ChatRequest, wire: &str) -> Cow<'a, JsonObject> {
    match request.extra_by_wire.get(wire) {
        None => Cow::Borrowed(&request.extra),
        Some(own) => {
            let mut all = request.extra.clone();
            all.complete(own);
            Cow::Owned(all)
        }
    }
}

fn effort(effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::None => "none",
        ReasoningEffort::Minimal => "minimal",
        ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
        ReasoningEffort::Max => "max",
    }
}

/// An object as text; nothing if it is empty.
fn object(members: &JsonObject) -> Option<String> {
    (!members.is_empty()).then(|| members.to_string())
}

/// What of a tail belongs to a wire.
fn tail(extra: &Extra, wire: &str) -> Option<String> {
    extra.get(wire).and_then(object)
}

fn cache(mark: Option<CacheMark>) -> Option<wit::Cache> {
    mark.map(|mark| wit::Cache {
        seconds: mark.seconds,
    })
}

fn tool_of<'a>(tool: &'a Tool, wire: &str) -> asked::Tool<'a> {
    asked::Tool {
        name: &tool.name,
        description: tool.description.as_deref(),
        input: match &tool.free_text {
            None => asked::ToolInput::Schema(tool.parameters.to_string()),
            Some(text) => asked::ToolInput::Text(text.grammar.as_ref().map(ToString::to_string)),
        },
        strict: tool.strict,
        defer_loading: tool.defer_loading,
        cache: cache(tool.cache),
        extra: tail(&tool.extra, wire),
    }
}

/// Whether a message may show this plugin what only its vendor understands.
fn is_own(message: &ChatMessage, plugin: &str, wire: &str) -> bool {
    message
        .origin
        .as_deref()
        .is_none_or(|origin| origin == plugin || origin == wire)
}

/// Ids of calls that this vendor never gave.
fn local_calls<'a>(messages: &'a [ChatMessage], plugin: &str, wire: &str) -> HashSet<&'a str> {
    messages
        .iter()
        .flat_map(|message| {
            let own = is_own(message, plugin, wire);
            message.content.iter().filter_map(move |part| match part {
                Part::ToolCall(call) if call.local || !own => Some(call.id.as_str()),
                _ => None,
            })
        })
        .collect()
}

/// What goes to a guest, and the bytes that stay.
pub(super) struct Outgoing<'a> {
    plugin: &'a str,
    wire: &'a str,
    blobs: Vec<Bytes>,
    local_calls: HashSet<&'a str>,
}

impl<'a> Outgoing<'a> {
    /// For what a model says in this wire, after these bytes.
    pub(super) fn of_answer(wire: &'a str, blobs: Vec<Bytes>) -> Self {
        Outgoing {
            plugin: "",
            wire,
            blobs,
            local_calls: HashSet::new(),
        }
    }

    pub(super) fn into_blobs(self) -> Vec<Bytes> {
        self.blobs
    }

    pub(super) fn tail(&self, extra: &Extra) -> Option<String> {
        tail(extra, self.wire)
    }

    pub(super) fn server_call(call: &'a ServerToolCall) -> asked::ServerToolCall<'a> {
        asked::ServerToolCall {
            id: call.id.as_deref(),
            name: &call.name,
            input: call.input.as_deref(),
            data: &call.data,
        }
    }

    pub(super) fn server_result(
        &mut self,
        result: &'a ServerToolResult,
    ) -> asked::ServerToolResult<'a> {
        asked::ServerToolResult {
            call_id: result.call_id.as_deref(),
            name: &result.name,
            is_error: result.is_error,
            content: self.content(&result.content),
            data: &result.data,
        }
    }

    fn message(&mut self, message: &'a ChatMessage) -> asked::Message<'a> {
        let own = is_own(message, self.plugin, self.wire);
        let parts = message.content.iter();
        asked::Message {
            role: match message.role {
                Role::System => wit::Role::System,
                Role::User => wit::Role::User,
                Role::Assistant => wit::Role::Assistant,
                Role::Tool => wit::Role::Tool,
            },
            content: parts.filter_map(|part| self.part(part, own)).collect(),
            extra: tail(&message.extra, self.wire),
        }
    }

    fn part(&mut self, part: &'a Part, own: bool) -> Option<asked::Part<'a>> {
        Some(match part {
            Part::Text(text) => asked::Part::Text(asked::Text {
                text: &text.text,
                citations: match own {
                    true => text
                        .citations
                        .iter()
                        .map(|one| self.citation(one))
                        .collect(),
                    false => vec![],
                },
                signature: text.signature.as_deref().filter(|_| own),
                cache: cache(text.cache),
                extra: tail(&text.extra, self.wire),
            }),
            Part::Media(media) => asked::Part::Media(self.media(media)),
            Part::ToolCall(call) => asked::Part::ToolCall(asked::ToolCall {
                id: Some(&call.id),
                local: call.local || !own,
                name: &call.name,
                arguments: &call.arguments,
                signature: call.signature.as_deref().filter(|_| own),
                extra: tail(&call.extra, self.wire),
            }),
            Part::ToolResult(result) => asked::Part::ToolResult(asked::ToolResult {
                call_id: &result.call_id,
                local: result.local || self.local_calls.contains(result.call_id.as_str()),
                name: &result.name,
                content: self.content(&result.content),
                is_error: result.is_error,
                cache: cache(result.cache),
                extra: tail(&result.extra, self.wire),
            }),
            // What follows only its own vendor understands.
            _ if !own => return None,
            Part::Reasoning(reasoning) => asked::Part::Reasoning(asked::Reasoning {
                text: &reasoning.text,
                signature: reasoning.signature.as_deref(),
                redacted: reasoning.redacted.as_deref(),
                extra: tail(&reasoning.extra, self.wire),
            }),
            Part::ServerToolCall(call) => asked::Part::ServerToolCall(Self::server_call(call)),
            Part::ServerToolResult(result) => {
                asked::Part::ServerToolResult(self.server_result(result))
            }
            Part::Opaque(block) => asked::Part::Opaque(opaque(block)),
        })
    }

    fn content(&mut self, parts: &'a [ResultPart]) -> Vec<asked::ResultPart<'a>> {
        let parts = parts.iter().map(|part| match part {
            ResultPart::Text { text } => asked::ResultPart::Text(text),
            ResultPart::Media(media) => asked::ResultPart::Media(self.media(media)),
            ResultPart::Opaque(block) => asked::ResultPart::Opaque(opaque(block)),
        });
        parts.collect()
    }

    pub(super) fn citation(&self, citation: &'a Citation) -> asked::Citation<'a> {
        asked::Citation {
            source: match &citation.source {
                Some(CitationSource::Url(url)) => asked::CitationSource::Url(url),
                Some(CitationSource::Document(id)) => asked::CitationSource::Document(id),
                Some(CitationSource::File(id)) => asked::CitationSource::File(id),
                None => asked::CitationSource::Unknown,
            },
            title: citation.title.as_deref(),
            cited_text: citation.cited_text.as_deref(),
            start: citation.start,
            end: citation.end,
            extra: tail(&citation.extra, self.wire),
        }
    }

    pub(super) fn media(&mut self, media: &'a MediaPart) -> asked::Media<'a> {
        let source = match &media.source {
            MediaSource::Url { url } => asked::MediaSource::Url(url),
            MediaSource::Bytes { data, .. } => {
                let id = u32::try_from(self.blobs.len()).unwrap_or(u32::MAX);
                self.blobs.push(data.clone());
                let length = data.len() as u64;
                asked::MediaSource::Blob(wit::Blob { id, length })
            }
            MediaSource::File { file_id } => asked::MediaSource::FileId(file_id),
        };
        asked::Media {
            source,
            media_type: media.media_type(),
            name: media.name.as_deref(),
            detail: media.detail.as_deref(),
            cache: cache(media.cache),
            extra: tail(&media.extra, self.wire),
        }
    }
}

fn opaque(block: &OpaquePart) -> asked::Opaque<'_> {
    asked::Opaque {
        kind: &block.kind,
        data: &block.data,
    }
}

pub(in crate::plugin) fn mode(stream: bool) -> wit::Mode {
    match stream {
        true => wit::Mode::Stream,
        false => wit::Mode::Whole,
    }
}

pub(in crate::plugin) fn operation(operation: wire::Operation) -> wit_relay::Operation {
    match operation {
        wire::Operation::Chat => wit_relay::Operation::Chat,
        wire::Operation::CountTokens => wit_relay::Operation::CountTokens,
        wire::Operation::Embeddings => wit_relay::Operation::Embeddings,
    }
}

pub(in crate::plugin) fn embed_request(request: &wire::EmbedRequest) -> asked::EmbedRequest<'_> {
    let inputs = request.inputs.iter();
    asked::EmbedRequest {
        inputs: inputs.map(|text| asked::EmbedInput::Text(text)).collect(),
        dimensions: request.dimensions,
        purpose: request.purpose.as_deref(),
        extra: object(&request.extra),
    }
}

impl<'a> From<&'a wire::Target> for asked::Target<'a> {
    fn from(target: &'a wire::Target) -> Self {
        asked::Target {
            model: &target.model,
            settings: &target.settings,
            wire: &target.wire,
        }
    }
}

impl<'a> From<&'a wire::Response> for asked::Response<'a> {
    fn from(response: &'a wire::Response) -> Self {
        asked::Response {
            status: response.status,
            headers: &response.headers,
            body: &response.body,
        }
    }
}

/// The texts are moved, not copied.
pub(in crate::plugin) fn frames(frames: Vec<wire::Frame>) -> Vec<wit_http::Frame> {
    let frames = frames.into_iter().map(|frame| wit_http::Frame {
        event: frame.event,
        data: frame.data,
    });
    frames.collect()
}

#[cfg(test)]
mod tests;
