//! From the guest to the host. Nothing here trusts what it reads to be sensible, only to be well-typed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::chat::{
    Billing, Citation, CitationSource, Delta, Extra, FinishReason, JsonObject, MediaPart,
    OpaquePart, Part, ReasoningPart, ResultPart, Said, ServerToolCall, ServerToolResult, TextPart,
    ToolCall, Usage,
};
use crate::error::{Error, ErrorKind};
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::embeddings as wit_embed;
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::metadata as wit_meta;
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::models as wit_models;
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::relay as wit_relay;
use crate::plugin::bindings::v0_2_0::multillm::provider::http as wit_http;
use crate::plugin::bindings::v0_2_0::multillm::provider::types as wit;
use crate::plugin::wire;

/// The most things that are said to be left out; a request has no more kinds of them.
const WARNINGS: usize = 64;
/// The most characters of what is said of one of them.
const WARNING: usize = 500;

/// A question with what belongs into it.
pub(in crate::plugin) fn encoded(
    mut encoded: wit_http::Request,
    blobs: Vec<bytes::Bytes>,
) -> wire::Encoded {
    let warnings = std::mem::take(&mut encoded.warnings).into_iter();
    let warnings = warnings.take(WARNINGS).map(|mut warning| {
        if let Some((end, _)) = warning.char_indices().nth(WARNING) {
            warning.truncate(end);
        }
        warning
    });
    wire::Encoded {
        warnings: warnings.collect(),
        request: request(encoded),
        blobs,
    }
}

pub(in crate::plugin) fn request(request: wit_http::Request) -> wire::Request {
    wire::Request {
        method: method(request.method),
        path: request.path,
        query: request.query,
        headers: headers(request.headers),
        body: request
            .body
            .into_iter()
            .map(|part| match part {
                wit_http::BodyPart::Text(text) => wire::BodyPart::Text(text),
                wit_http::BodyPart::BlobBase64(id) => wire::BodyPart::BlobBase64(id),
            })
            .collect(),
        framing: framing(request.framing),
    }
}

pub(in crate::plugin) fn route(route: wit_relay::Passage) -> wire::Route {
    wire::Route {
        request: wire::Request {
            method: method(route.method),
            path: route.path,
            query: route.query,
            headers: headers(route.headers),
            body: vec![],
            framing: framing(route.framing),
        },
        model: route.model,
        name: route.name,
    }
}

fn method(method: wit_http::Method) -> wire::Method {
    match method {
        wit_http::Method::Get => wire::Method::Get,
        wit_http::Method::Post => wire::Method::Post,
    }
}

fn framing(framing: wit_http::Framing) -> wire::Framing {
    match framing {
        wit_http::Framing::Whole => wire::Framing::Whole,
        wit_http::Framing::Sse => wire::Framing::Sse,
        wit_http::Framing::Ndjson => wire::Framing::Ndjson,
    }
}

fn headers(headers: Vec<wit_http::Header>) -> Vec<(String, wire::HeaderValue)> {
    let headers = headers.into_iter().map(|header| {
        let value = match header.value {
            wit_http::HeaderValue::Plain(value) => wire::HeaderValue::Plain(value),
            wit_http::HeaderValue::Secret(secret) => wire::HeaderValue::Secret {
                name: secret.name,
                prefix: secret.prefix,
                optional: secret.optional,
            },
        };
        (header.name, value)
    });
    headers.collect()
}

pub(in crate::plugin) fn answer(answer: wit::ChatResponse, wire: &str) -> wire::Answer {
    let (usage, billing) = usage(answer.usage);
    wire::Answer {
        id: answer.id,
        model: answer.model,
        parts: answer
            .content
            .into_iter()
            .filter_map(|one| part(one, wire))
            .collect(),
        finish: finish(answer.finish),
        usage,
        billing,
        extra: tail(answer.extra, wire),
    }
}

/// What a vendor said beyond the contract, under the wire it said it in. What is no object says nothing.
pub(super) fn tail(extra: Option<String>, wire: &str) -> Extra {
    let members = extra.and_then(|text| JsonObject::parse(&text).ok());
    members.map_or_else(Extra::default, |members| Extra::of(wire, members))
}

/// A part of an answer. Answers hold no results of the caller's tools.
fn part(part: wit::Part, wire: &str) -> Option<Part> {
    Some(match part {
        wit::Part::Text(text) => Part::Text(TextPart {
            text: text.text,
            citations: text
                .citations
                .into_iter()
                .map(|one| citation(one, wire))
                .collect(),
            signature: text.signature,
            cache: None,
            extra: tail(text.extra, wire),
        }),
        wit::Part::Reasoning(reasoning) => Part::Reasoning(ReasoningPart {
            text: reasoning.text,
            signature: reasoning.signature,
            redacted: reasoning.redacted,
            extra: tail(reasoning.extra, wire),
        }),
        wit::Part::ToolCall(call) => Part::ToolCall(ToolCall {
            local: call.id.is_none(),
            id: call.id.unwrap_or_default(),
            name: call.name,
            arguments: call.arguments,
            signature: call.signature,
            extra: tail(call.extra, wire),
        }),
        wit::Part::Media(one) => Part::Media(media(one, wire)?),
        wit::Part::ServerToolCall(call) => Part::ServerToolCall(server_call(call)),
        wit::Part::ServerToolResult(result) => Part::ServerToolResult(server_result(result, wire)),
        wit::Part::Opaque(block) => Part::Opaque(opaque(block)),
        wit::Part::ToolResult(_) => return None,
    })
}

pub(super) fn citation(citation: wit::Citation, wire: &str) -> Citation {
    Citation {
        source: match citation.source {
            wit::CitationSource::Url(url) => Some(CitationSource::Url(url)),
            wit::CitationSource::Document(id) => Some(CitationSource::Document(id)),
            wit::CitationSource::File(id) => Some(CitationSource::File(id)),
            wit::CitationSource::Unknown => None,
        },
        title: citation.title,
        cited_text: citation.cited_text,
        start: citation.start,
        end: citation.end,
        extra: tail(citation.extra, wire),
    }
}

/// A picture or file of an answer; nothing if its bytes are none, or the host's own.
pub(super) fn media(media: wit::Media, wire: &str) -> Option<MediaPart> {
    let kind = media.media_type.clone();
    let made = match media.source {
        wit::MediaSource::Url(url) => MediaPart::url(url),
        wit::MediaSource::FileId(id) => MediaPart::file(id),
        wit::MediaSource::Base64(text) => {
            let data = STANDARD.decode(text).ok()?;
            match kind.clone() {
                Some(kind) => MediaPart::of_type(kind, data),
                None => MediaPart::bytes(data)?,
            }
        }
        wit::MediaSource::Blob(_) => return None,
    };
    Some(MediaPart {
        media_type: kind.filter(|_| made.media_type().is_none()),
        name: media.name,
        detail: media.detail,
        extra: tail(media.extra, wire),
        ..made
    })
}

pub(super) fn server_call(call: wit::ServerToolCall) -> ServerToolCall {
    ServerToolCall {
        id: call.id,
        name: call.name,
        input: call.input,
        data: call.data,
    }
}

fn server_result(result: wit::ServerToolResult, wire: &str) -> ServerToolResult {
    let content = result.content.into_iter().filter_map(|part| {
        Some(match part {
            wit::ResultPart::Text(text) => ResultPart::Text { text },
            wit::ResultPart::Media(one) => ResultPart::Media(media(one, wire)?),
            wit::ResultPart::Opaque(block) => ResultPart::Opaque(opaque(block)),
        })
    });
    ServerToolResult {
        call_id: result.call_id,
        name: result.name,
        is_error: result.is_error,
        content: content.collect(),
        data: result.data,
    }
}

pub(super) fn opaque(block: wit::Opaque) -> OpaquePart {
    OpaquePart {
        kind: block.kind,
        data: block.data,
    }
}

fn finish(finish: wit::Finish) -> (FinishReason, Option<String>) {
    let reason = match finish.reason {
        wit::FinishReason::Stop => FinishReason::Stop,
        wit::FinishReason::Length => FinishReason::Length,
        wit::FinishReason::ToolCalls => FinishReason::ToolCalls,
        wit::FinishReason::ContentFilter => FinishReason::ContentFilter,
        wit::FinishReason::Error => FinishReason::Error,
        wit::FinishReason::Other => FinishReason::Other,
    };
    (reason, finish.raw)
}

/// The counts, and what is said of the price beside them.
fn usage(usage: wit::Usage) -> (Usage, Billing) {
    let counts = Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        cached_tokens: usage.cached_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    };
    let details = usage.details.into_iter();
    let billing = Billing::said(Said {
        details: details.map(|count| (count.name, count.value)).collect(),
        cost: usage.cost,
        tier: usage.tier,
        unpriced: usage.unpriced,
    });
    (counts, billing)
}

pub(in crate::plugin) fn events(events: Vec<wit::ChatEvent>, wire: &str) -> Vec<wire::Event> {
    let mut read = Vec::with_capacity(events.len());
    for one in events {
        match one {
            wit::ChatEvent::Usage(counts) => {
                let (counts, billing) = usage(counts);
                if billing != Billing::default() {
                    read.push(wire::Event::Delta(Delta::Billing(billing)));
                }
                read.push(wire::Event::Delta(Delta::Usage(counts)));
            }
            one => read.extend(event(one, wire)),
        }
    }
    read
}

pub(super) fn event(event: wit::ChatEvent, wire: &str) -> Option<wire::Event> {
    use wit::ChatEvent as E;
    Some(wire::Event::Delta(match event {
        E::Started(started) => Delta::Started {
            id: started.id,
            model: started.model,
        },
        E::Text(text) => Delta::Text(text),
        E::Citation(one) => Delta::Citation(citation(one, wire)),
        E::TextSignature(signature) => Delta::TextSignature(signature),
        E::TextEnd => Delta::TextEnd,
        E::Reasoning(text) => Delta::Reasoning(text),
        E::ReasoningSignature(signature) => Delta::ReasoningSignature(signature),
        E::RedactedReasoning(data) => Delta::RedactedReasoning(data),
        E::ToolCallStart(start) => Delta::ToolCallStart {
            index: start.index,
            id: start.id,
            name: start.name,
            signature: start.signature,
            extra: tail(start.extra, wire),
        },
        E::ToolCallDelta(delta) => Delta::ToolCallArguments {
            index: delta.index,
            arguments: delta.arguments,
        },
        E::Media(one) => Delta::Media(media(one, wire)?),
        E::ServerToolCall(call) => Delta::ServerToolCall(server_call(call)),
        E::ServerToolResult(result) => Delta::ServerToolResult(server_result(result, wire)),
        E::Opaque(block) => Delta::Opaque(opaque(block)),
        E::PartExtra(extra) => Delta::PartExtra(tail(Some(extra), wire)),
        E::Extra(extra) => Delta::Extra(tail(Some(extra), wire)),
        E::Usage(counts) => Delta::Usage(usage(counts).0),
        E::Finished(end) => {
            let (reason, raw) = finish(end);
            Delta::Finished { reason, raw }
        }
        E::Done => return Some(wire::Event::Done),
        E::Failed(failure) => return Some(wire::Event::Failed(error(failure))),
    }))
}

pub(in crate::plugin) fn error(error: wit::Error) -> Error {
    let kind = match error.kind {
        wit::ErrorKind::InvalidRequest => ErrorKind::InvalidRequest,
        wit::ErrorKind::Unsupported => ErrorKind::Unsupported,
        wit::ErrorKind::Authentication => ErrorKind::Authentication,
        wit::ErrorKind::Permission => ErrorKind::Permission,
        wit::ErrorKind::Billing => ErrorKind::Billing,
        wit::ErrorKind::NotFound => ErrorKind::NotFound,
        wit::ErrorKind::ContextLength => ErrorKind::ContextLength,
        wit::ErrorKind::ContentFiltered => ErrorKind::ContentFiltered,
        wit::ErrorKind::PayloadTooLarge => ErrorKind::PayloadTooLarge,
        wit::ErrorKind::RateLimited => ErrorKind::RateLimited,
        wit::ErrorKind::QuotaExhausted => ErrorKind::QuotaExhausted,
        wit::ErrorKind::Timeout => ErrorKind::Timeout,
        wit::ErrorKind::Overloaded => ErrorKind::Overloaded,
        wit::ErrorKind::Server => ErrorKind::Server,
        wit::ErrorKind::Truncated => ErrorKind::Truncated,
        wit::ErrorKind::MalformedResponse => ErrorKind::MalformedResponse,
        wit::ErrorKind::Unavailable => ErrorKind::Unavailable,
        wit::ErrorKind::Other => ErrorKind::Other,
    };
    let mut converted = Error::new(kind, error.message).retryable(error.retryable);
    converted.status = error.status;
    converted.vendor_code = error.vendor_code;
    converted.retry_after_ms = error.retry_after_ms;
    converted
}

/// The description; an error says which of its JSON texts is none.
pub(in crate::plugin) fn info(info: wit_meta::Info) -> Result<wire::Info, String> {
    let capabilities = info.capabilities.iter();
    let capabilities = capabilities
        .map(|one| (one.name.replace('-', "_"), convert_support(one.support)))
        .collect();
    let settings = info
        .settings
        .into_iter()
        .map(|setting| {
            let schema: Value = serde_json::from_str(&setting.schema)
                .map_err(|error| format!("the schema of setting {:?}: {error}", setting.name))?;
            Ok(wire::SettingInfo {
                name: setting.name,
                description: setting.description,
                schema,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(wire::Info {
        name: info.name,
        title: info.title,
        version: info.version,
        documentation: info.documentation,
        default_base_url: info.default_base_url,
        base_url_env: info.base_url_env,
        secrets: info
            .secrets
            .into_iter()
            .map(|secret| wire::SecretInfo {
                name: secret.name,
                env: secret.env,
                required: secret.required,
            })
            .collect(),
        settings,
        capabilities,
        wires: info.wires,
        passes: info.passes,
    })
}

fn convert_support(support: wit_meta::Support) -> wire::Support {
    match support {
        wit_meta::Support::No => wire::Support::No,
        wit_meta::Support::Yes => wire::Support::Yes,
        wit_meta::Support::SomeModels => wire::Support::SomeModels,
        wit_meta::Support::Emulated => wire::Support::Emulated,
    }
}

pub(in crate::plugin) fn page(page: wit_models::Page) -> wire::ModelPage {
    wire::ModelPage {
        models: page
            .models
            .into_iter()
            .map(|model| wire::ListedModel {
                id: model.id,
                title: model.title,
                context_tokens: model.context_tokens,
                output_tokens: model.output_tokens,
                created: model.created,
                owner: model.owner,
                chat: model.chat,
                inputs: model.inputs,
                outputs: model.outputs,
                features: model.features,
                extra: model
                    .extra
                    .and_then(|text| serde_json::from_str(&text).ok()),
            })
            .collect(),
        next: page.next,
    }
}

pub(in crate::plugin) fn vectors(vectors: wit_embed::Vectors, wire: &str) -> wire::Vectors {
    let (usage, billing) = usage(vectors.usage);
    wire::Vectors {
        model: vectors.model,
        vectors: vectors.vectors,
        usage,
        billing,
        extra: tail(vectors.extra, wire),
    }
}
