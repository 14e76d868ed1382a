//! What passes through filters: requests that come back, and answers in both directions.
//!
//! Bytes of pictures and files stay here, as with providers: a filter gets a number and the length, and what it
//! gives back by that number is what it was. Nothing that a filter returns is trusted to be sensible.

use bytes::Bytes;
use wasmtime::component::{ComponentType, Lower};

use super::asked;
use super::incoming;
use super::outgoing::Outgoing;
use crate::chat::{
    CacheMark, ChatMessage, ChatRequest, Delta, FinishReason, FreeText, Json, JsonObject,
    JsonSchema, MediaPart, Part, ReasoningEffort, ReasoningPart, ResponseFormat, ResultPart, Role,
    Sampling, ServerTool, TextPart, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::Error;
use crate::plugin::bindings::v0_2_0::multillm::provider::types as wit;
use crate::plugin::wire;

/// The bytes that a filter knows by number, for one exchange.
#[derive(Debug, Default)]
pub(in crate::plugin) struct Blobs(pub(in crate::plugin) Vec<Bytes>);

/// What a filter returned that makes no sense.
type Read<T> = Result<T, String>;

/// What happens in an answer, as a filter is told it.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum ChatEvent<'a> {
    #[component(name = "started")]
    #[allow(dead_code, reason = "the variant's shape is the contract's")]
    Started(wit::Started),
    #[component(name = "text")]
    Text(&'a str),
    #[component(name = "citation")]
    Citation(asked::Citation<'a>),
    #[component(name = "text-signature")]
    TextSignature(&'a str),
    #[component(name = "text-end")]
    TextEnd,
    #[component(name = "reasoning")]
    Reasoning(&'a str),
    #[component(name = "reasoning-signature")]
    ReasoningSignature(&'a str),
    #[component(name = "redacted-reasoning")]
    RedactedReasoning(&'a str),
    #[component(name = "tool-call-start")]
    ToolCallStart(ToolCallStart<'a>),
    #[component(name = "tool-call-delta")]
    ToolCallDelta(ToolCallDelta<'a>),
    #[component(name = "media")]
    Media(asked::Media<'a>),
    #[component(name = "server-tool-call")]
    ServerToolCall(asked::ServerToolCall<'a>),
    #[component(name = "server-tool-result")]
    ServerToolResult(asked::ServerToolResult<'a>),
    #[component(name = "opaque")]
    Opaque(asked::Opaque<'a>),
    #[component(name = "part-extra")]
    PartExtra(String),
    #[component(name = "usage")]
    #[allow(dead_code, reason = "the variant's shape is the contract's")]
    Usage(wit::Usage),
    #[component(name = "finished")]
    Finished(wit::Finish),
    #[component(name = "extra")]
    #[allow(dead_code, reason = "the variant's shape is the contract's")]
    Extra(String),
    #[component(name = "done")]
    Done,
    #[component(name = "failed")]
    Failed(wit::Error),
}

/// The start of a tool call.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::plugin) struct ToolCallStart<'a> {
    index: u32,
    id: Option<&'a str>,
    name: &'a str,
    signature: Option<&'a str>,
    extra: Option<String>,
}

/// A further piece of one.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::plugin) struct ToolCallDelta<'a> {
    index: u32,
    arguments: &'a str,
}

/// What a filter is told of these, and of the answer's end if this is it. What is not for filters is left out.
pub(in crate::plugin) fn said<'a>(
    deltas: &'a [Delta],
    end: Option<&wire::End>,
    wire: &'a str,
    blobs: &mut Blobs,
) -> Vec<ChatEvent<'a>> {
    let mut outgoing = Outgoing::of_answer(wire, std::mem::take(&mut blobs.0));
    let mut events: Vec<ChatEvent<'a>> = deltas
        .iter()
        .filter_map(|delta| event(delta, &mut outgoing))
        .collect();
    blobs.0 = outgoing.into_blobs();
    events.extend(end.map(|end| match end {
        wire::End::Done => ChatEvent::Done,
        wire::End::Failed(error) => ChatEvent::Failed(error_of(error)),
    }));
    events
}

fn event<'a>(delta: &'a Delta, outgoing: &mut Outgoing<'a>) -> Option<ChatEvent<'a>> {
    Some(match delta {
        Delta::Started { .. } | Delta::Usage(_) | Delta::Billing(_) | Delta::Extra(_) => {
            return None;
        }
        Delta::Text(text) => ChatEvent::Text(text),
        Delta::Citation(citation) => ChatEvent::Citation(outgoing.citation(citation)),
        Delta::TextSignature(signature) => ChatEvent::TextSignature(signature),
        Delta::TextEnd => ChatEvent::TextEnd,
        Delta::Reasoning(text) => ChatEvent::Reasoning(text),
        Delta::ReasoningSignature(signature) => ChatEvent::ReasoningSignature(signature),
        Delta::RedactedReasoning(data) => ChatEvent::RedactedReasoning(data),
        Delta::ToolCallStart {
            index,
            id,
            name,
            signature,
            extra,
        } => ChatEvent::ToolCallStart(ToolCallStart {
            index: *index,
            id: id.as_deref(),
            name,
            signature: signature.as_deref(),
            extra: outgoing.tail(extra),
        }),
        Delta::ToolCallArguments { index, arguments } => ChatEvent::ToolCallDelta(ToolCallDelta {
            index: *index,
            arguments,
        }),
        Delta::Media(media) => ChatEvent::Media(outgoing.media(media)),
        Delta::ServerToolCall(call) => ChatEvent::ServerToolCall(Outgoing::server_call(call)),
        Delta::ServerToolResult(result) => {
            ChatEvent::ServerToolResult(outgoing.server_result(result))
        }
        Delta::Opaque(block) => ChatEvent::Opaque(asked::Opaque {
            kind: &block.kind,
            data: &block.data,
        }),
        Delta::PartExtra(extra) => ChatEvent::PartExtra(outgoing.tail(extra)?),
        Delta::Finished { reason, raw } => ChatEvent::Finished(wit::Finish {
            reason: finish_reason(*reason),
            raw: raw.clone(),
        }),
    })
}

/// A failure, as far as a filter needs it.
fn error_of(error: &Error) -> wit::Error {
    wit::Error {
        kind: wit::ErrorKind::Other,
        message: error.message.clone(),
        status: error.status,
        vendor_code: error.vendor_code.clone(),
        retry_after_ms: None,
        retryable: error.retryable,
    }
}

/// What a filter says in their place. What is not for filters to say is passed over.
pub(in crate::plugin) fn deltas(
    events: Vec<wit::ChatEvent>,
    wire: &str,
    blobs: &Blobs,
) -> Read<Vec<wire::Event>> {
    let mut read = Vec::with_capacity(events.len());
    for event in events {
        match event {
            wit::ChatEvent::Started(_) | wit::ChatEvent::Usage(_) | wit::ChatEvent::Extra(_) => {}
            wit::ChatEvent::Media(one) => {
                read.push(wire::Event::Delta(Delta::Media(media(one, wire, blobs)?)));
            }
            wit::ChatEvent::ServerToolResult(result) => {
                let content = content(result.content, wire, blobs)?;
                read.push(wire::Event::Delta(Delta::ServerToolResult(
                    crate::chat::ServerToolResult {
                        call_id: result.call_id,
                        name: result.name,
                        is_error: result.is_error,
                        content,
                        data: result.data,
                    },
                )));
            }
            event => read.extend(incoming::event(event, wire)),
        }
    }
    Ok(read)
}

/// A reason for a guest: filters hear what providers said.
fn finish_reason(reason: FinishReason) -> wit::FinishReason {
    match reason {
        FinishReason::Stop => wit::FinishReason::Stop,
        FinishReason::Length => wit::FinishReason::Length,
        FinishReason::ToolCalls => wit::FinishReason::ToolCalls,
        FinishReason::ContentFilter => wit::FinishReason::ContentFilter,
        FinishReason::Error => wit::FinishReason::Error,
        FinishReason::Other => wit::FinishReason::Other,
    }
}

/// A request as a filter returned it, for a model whose plugin speaks this wire. `was` is the request that it was
/// given, `blobs` are those of it.
pub(in crate::plugin) fn request_of(
    request: wit::ChatRequest,
    was: &ChatRequest,
    (plugin, wire): (&str, &str),
    blobs: &Blobs,
) -> Read<ChatRequest> {
    let messages = request.messages.into_iter();
    let messages = messages.map(|one| message(one, plugin, wire, blobs));
    let sampling = request.sampling;
    Ok(ChatRequest {
        messages: messages.collect::<Read<_>>()?,
        tools: request
            .tools
            .into_iter()
            .map(|one| tool(one, wire))
            .collect::<Read<_>>()?,
        server_tools: request
            .server_tools
            .into_iter()
            .map(|one| {
                let options = one
                    .options
                    .map(|text| json(&text, "a server tool's options"));
                Ok(ServerTool {
                    name: one.name,
                    options: options.transpose()?,
                })
            })
            .collect::<Read<_>>()?,
        tool_choice: match request.tool_choice {
            wit::ToolChoice::Auto => ToolChoice::Auto,
            wit::ToolChoice::None => ToolChoice::None,
            wit::ToolChoice::Required => ToolChoice::Required,
            wit::ToolChoice::Named(name) => ToolChoice::Named(name),
            wit::ToolChoice::OneOf(names) => ToolChoice::OneOf(names),
        },
        parallel_tool_calls: request.parallel_tool_calls,
        response_format: match request.response_format {
            wit::ResponseFormat::Text => ResponseFormat::Text,
            wit::ResponseFormat::Json => ResponseFormat::Json,
            wit::ResponseFormat::JsonSchema(schema) => ResponseFormat::JsonSchema(JsonSchema {
                schema: json(&schema.schema, "the schema of the answer")?,
                name: schema.name,
                description: schema.description,
                strict: schema.strict,
            }),
        },
        outputs: request.outputs,
        sampling: Sampling {
            max_tokens: sampling.max_tokens,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            stop: sampling.stop,
            seed: sampling.seed,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
        },
        reasoning_effort: request.reasoning_effort.map(effort).transpose()?,
        user: request.user,
        extra: object(request.extra, "the request's extra")?,
        // What belongs to this wire was shown as the body's own, and comes back so.
        extra_by_wire: crate::chat::Extra::default(),
        conversation_id: was.conversation_id.clone(),
        unsupported: was.unsupported,
    })
}

fn json(text: &str, what: &str) -> Read<Json> {
    Json::parse(text).map_err(|error| format!("{what} is no JSON: {error}"))
}

fn object(text: Option<String>, what: &str) -> Read<JsonObject> {
    match text {
        None => Ok(JsonObject::new()),
        Some(text) => {
            JsonObject::parse(&text).map_err(|error| format!("{what} is no JSON object: {error}"))
        }
    }
}

fn effort(word: String) -> Read<ReasoningEffort> {
    Ok(match word.as_str() {
        "none" => ReasoningEffort::None,
        "minimal" => ReasoningEffort::Minimal,
        "low" => ReasoningEffort::Low,
        "medium" => ReasoningEffort::Medium,
        "high" => ReasoningEffort::High,
        "max" => ReasoningEffort::Max,
        _ => return Err(format!("{word:?} is no reasoning effort")),
    })
}

fn cache(mark: Option<wit::Cache>) -> Option<CacheMark> {
    mark.map(|mark| CacheMark {
        seconds: mark.seconds,
    })
}

fn message(message: wit::Message, plugin: &str, wire: &str, blobs: &Blobs) -> Read<ChatMessage> {
    let content = message.content.into_iter();
    let content = content.map(|one| part(one, wire, blobs));
    Ok(ChatMessage {
        role: match message.role {
            wit::Role::System => Role::System,
            wit::Role::User => Role::User,
            wit::Role::Assistant => Role::Assistant,
            wit::Role::Tool => Role::Tool,
        },
        content: content.collect::<Read<_>>()?,
        // What only another vendor understands was not shown, and so is not here.
        origin: Some(plugin.to_owned()),
        extra: incoming::tail(message.extra, wire),
    })
}

fn part(part: wit::Part, wire: &str, blobs: &Blobs) -> Read<Part> {
    Ok(match part {
        wit::Part::Text(text) => Part::Text(TextPart {
            text: text.text,
            citations: text
                .citations
                .into_iter()
                .map(|one| incoming::citation(one, wire))
                .collect(),
            signature: text.signature,
            cache: cache(text.cache),
            extra: incoming::tail(text.extra, wire),
        }),
        wit::Part::Media(one) => Part::Media(media(one, wire, blobs)?),
        wit::Part::ToolCall(call) => Part::ToolCall(ToolCall {
            id: call.id.unwrap_or_default(),
            local: call.local,
            name: call.name,
            arguments: call.arguments,
            signature: call.signature,
            extra: incoming::tail(call.extra, wire),
        }),
        wit::Part::ToolResult(result) => Part::ToolResult(ToolResult {
            call_id: result.call_id,
            local: result.local,
            name: result.name,
            content: content(result.content, wire, blobs)?,
            is_error: result.is_error,
            cache: cache(result.cache),
            extra: incoming::tail(result.extra, wire),
        }),
        wit::Part::Reasoning(reasoning) => Part::Reasoning(ReasoningPart {
            text: reasoning.text,
            signature: reasoning.signature,
            redacted: reasoning.redacted,
            extra: incoming::tail(reasoning.extra, wire),
        }),
        wit::Part::ServerToolCall(call) => Part::ServerToolCall(incoming::server_call(call)),
        wit::Part::ServerToolResult(result) => {
            Part::ServerToolResult(crate::chat::ServerToolResult {
                call_id: result.call_id,
                name: result.name,
                is_error: result.is_error,
                content: content(result.content, wire, blobs)?,
                data: result.data,
            })
        }
        wit::Part::Opaque(block) => Part::Opaque(incoming::opaque(block)),
    })
}

fn content(parts: Vec<wit::ResultPart>, wire: &str, blobs: &Blobs) -> Read<Vec<ResultPart>> {
    let parts = parts.into_iter().map(|part| {
        Ok(match part {
            wit::ResultPart::Text(text) => ResultPart::Text { text },
            wit::ResultPart::Media(one) => ResultPart::Media(media(one, wire, blobs)?),
            wit::ResultPart::Opaque(block) => ResultPart::Opaque(incoming::opaque(block)),
        })
    });
    parts.collect()
}

/// A picture or file: what the host holds under its number, or bytes that the filter made itself.
fn media(media: wit::Media, wire: &str, blobs: &Blobs) -> Read<MediaPart> {
    let mark = cache(media.cache);
    let wit::MediaSource::Blob(blob) = media.source else {
        let made = incoming::media(media, wire).ok_or("a picture or file without bytes")?;
        return Ok(MediaPart {
            cache: mark,
            ..made
        });
    };
    let data = usize::try_from(blob.id).ok().and_then(|id| blobs.0.get(id));
    let data = data.ok_or_else(|| format!("blob {}, which it was not given", blob.id))?;
    let made = match media.media_type {
        Some(kind) => MediaPart::of_type(kind, data.clone()),
        None => MediaPart::bytes(data.clone()).ok_or("a picture or file of no type")?,
    };
    Ok(MediaPart {
        name: media.name,
        detail: media.detail,
        cache: mark,
        extra: incoming::tail(media.extra, wire),
        ..made
    })
}

fn tool(tool: wit::Tool, wire: &str) -> Read<Tool> {
    let (parameters, free_text) = match tool.input {
        wit::ToolInput::Schema(schema) => (json(&schema, "a tool's schema")?, None),
        wit::ToolInput::Text(grammar) => {
            let grammar = grammar.map(|text| json(&text, "a tool's grammar"));
            let free_text = FreeText {
                grammar: grammar.transpose()?,
            };
            (Tool::new("", Json::default()).parameters, Some(free_text))
        }
    };
    Ok(Tool {
        name: tool.name,
        description: tool.description,
        parameters,
        free_text,
        strict: tool.strict,
        defer_loading: tool.defer_loading,
        cache: cache(tool.cache),
        extra: incoming::tail(tool.extra, wire),
    })
}
