//! From the guest to the host. Nothing here trusts what it reads to be sensible, only to be well-typed.

use serde_json::Value;

use crate::chat::{
    Billing, Delta, Extra, FinishReason, MediaPart, OpaquePart, Part, ReasoningPart, TextPart,
    ToolCall, Usage,
};
use crate::error::{Error, ErrorKind};
use crate::plugin::bindings::v0_1_0::exports::multillm::provider::chat as wit_chat;
use crate::plugin::bindings::v0_1_0::exports::multillm::provider::metadata as wit_meta;
use crate::plugin::bindings::v0_1_0::listing::exports::multillm::provider::models as wit_models;
use crate::plugin::bindings::v0_1_0::multillm::provider::http as wit_http;
use crate::plugin::bindings::v0_1_0::multillm::provider::types as wit;
use crate::plugin::wire;

pub(in crate::plugin) fn request(request: wit_http::Request) -> wire::Request {
    wire::Request {
        method: match request.method {
            wit_http::Method::Get => wire::Method::Get,
            wit_http::Method::Post => wire::Method::Post,
        },
        path: request.path,
        query: request.query,
        headers: request
            .headers
            .into_iter()
            .map(|header| {
                let value = match header.value {
                    wit_http::HeaderValue::Plain(value) => wire::HeaderValue::Plain(value),
                    wit_http::HeaderValue::Secret(secret) => wire::HeaderValue::Secret {
                        name: secret.name,
                        prefix: secret.prefix,
                        optional: secret.optional,
                    },
                };
                (header.name, value)
            })
            .collect(),
        body: request
            .body
            .into_iter()
            .map(|part| match part {
                wit_http::BodyPart::Text(text) => wire::BodyPart::Text(text),
                wit_http::BodyPart::BlobBase64(id) => wire::BodyPart::BlobBase64(id),
            })
            .collect(),
        framing: match request.framing {
            wit_http::Framing::Whole => wire::Framing::Whole,
            wit_http::Framing::Sse => wire::Framing::Sse,
            wit_http::Framing::Ndjson => wire::Framing::Ndjson,
        },
    }
}

pub(in crate::plugin) fn answer(answer: wit_chat::ChatResponse) -> wire::Answer {
    let (billing, parts) = take_billing(answer.content);
    wire::Answer {
        id: answer.id,
        model: answer.model,
        parts: parts.into_iter().filter_map(part).collect(),
        finish: finish(answer.finish),
        usage: usage(&answer.usage),
        billing,
        extra: Extra::default(),
    }
}

/// Takes what stands among the parts and is none.
fn take_billing(parts: Vec<wit::Part>) -> (Billing, Vec<wit::Part>) {
    let mut billing = Billing::default();
    let mut rest = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            wit::Part::Opaque(block) if block.kind == Billing::KIND => {
                billing.update(Billing::read(&block.data));
            }
            part => rest.push(part),
        }
    }
    (billing, rest)
}

/// A part of an answer. Answers hold no tool results and no pictures of the host.
fn part(part: wit::Part) -> Option<Part> {
    Some(match part {
        wit::Part::Text(text) => Part::Text(TextPart {
            text: text.text,
            signature: text.signature,
            ..TextPart::default()
        }),
        wit::Part::Reasoning(reasoning) => Part::Reasoning(ReasoningPart {
            text: reasoning.text,
            signature: reasoning.signature,
            redacted: reasoning.redacted,
            ..ReasoningPart::default()
        }),
        wit::Part::ToolCall(call) => Part::ToolCall(ToolCall {
            local: call.id.is_none(),
            id: call.id.unwrap_or_default(),
            name: call.name,
            arguments: call.arguments,
            signature: call.signature,
            ..ToolCall::default()
        }),
        wit::Part::Opaque(block) => Part::Opaque(opaque(block)),
        wit::Part::Image(wit::Image {
            source: wit::ImageSource::Url(url),
            detail,
        }) => Part::Media(MediaPart {
            detail,
            ..MediaPart::url(url)
        }),
        wit::Part::Image(_) | wit::Part::ToolResult(_) => return None,
    })
}

fn opaque(block: wit::Opaque) -> OpaquePart {
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

fn usage(usage: &wit::Usage) -> Usage {
    Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        cached_tokens: usage.cached_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    }
}

pub(in crate::plugin) fn events(events: Vec<wit_chat::ChatEvent>) -> Vec<wire::Event> {
    events.into_iter().map(event).collect()
}

fn event(event: wit_chat::ChatEvent) -> wire::Event {
    use wit_chat::ChatEvent as E;
    wire::Event::Delta(match event {
        E::Started(started) => Delta::Started {
            id: started.id,
            model: started.model,
        },
        E::Text(text) => Delta::Text(text),
        E::TextSignature(signature) => Delta::TextSignature(signature),
        E::Reasoning(text) => Delta::Reasoning(text),
        E::ReasoningSignature(signature) => Delta::ReasoningSignature(signature),
        E::RedactedReasoning(data) => Delta::RedactedReasoning(data),
        E::ToolCallStart(start) => Delta::ToolCallStart {
            index: start.index,
            id: start.id,
            name: start.name,
            signature: start.signature,
            extra: Extra::default(),
        },
        E::ToolCallDelta(delta) => Delta::ToolCallArguments {
            index: delta.index,
            arguments: delta.arguments,
        },
        E::Opaque(block) if block.kind == Billing::KIND => {
            Delta::Billing(Billing::read(&block.data))
        }
        E::Opaque(block) => Delta::Opaque(opaque(block)),
        E::Usage(counts) => Delta::Usage(usage(&counts)),
        E::Finished(end) => {
            let (reason, raw) = finish(end);
            Delta::Finished { reason, raw }
        }
        E::Done => return wire::Event::Done,
        E::Failed(failure) => return wire::Event::Failed(error(failure)),
    })
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
    let c = &info.capabilities;
    let capabilities = [
        ("streaming", c.streaming),
        ("system", c.system),
        ("tools", c.tools),
        ("parallel_tools", c.parallel_tools),
        ("tool_choice_required", c.tool_choice_required),
        ("tool_choice_named", c.tool_choice_named),
        ("image_file", c.image_blob),
        ("image_url", c.image_url),
        ("json", c.json),
        ("json_schema", c.json_schema),
        ("reasoning", c.reasoning),
        ("reasoning_effort", c.reasoning_effort),
        ("seed", c.seed),
        ("stop", c.stop),
        ("top_k", c.top_k),
        ("penalties", c.penalties),
        ("list_models", c.list_models),
        ("cached_tokens", c.cached_tokens),
    ]
    .map(|(name, support)| (name.to_owned(), convert_support(support)))
    .to_vec();
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
        wires: vec![],
        passes: vec![],
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
                ..wire::ListedModel::default()
            })
            .collect(),
        next: page.next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billing(data: &str) -> wit::Opaque {
        wit::Opaque {
            kind: Billing::KIND.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn what_an_adapter_says_of_the_price_is_taken_out_of_the_answer() {
        let other = wit::Opaque {
            kind: "server_tool_use".to_owned(),
            data: "{}".to_owned(),
        };
        let said = wit_chat::ChatResponse {
            id: None,
            model: None,
            content: vec![
                wit::Part::Opaque(billing(r#"{"tier": "flex"}"#)),
                wit::Part::Opaque(other),
                wit::Part::Opaque(billing(r#"{"unpriced": ["2 searches"]}"#)),
            ],
            finish: wit::Finish {
                reason: wit::FinishReason::Stop,
                raw: None,
            },
            usage: wit::Usage {
                prompt_tokens: None,
                completion_tokens: None,
                total_tokens: None,
                cached_tokens: None,
                cache_write_tokens: None,
                reasoning_tokens: None,
            },
        };
        let answer = answer(said);
        assert_eq!(answer.billing.reasons().unwrap(), "tier flex, 2 searches");
        assert_eq!(answer.parts.len(), 1, "{answer:?}");
        let event = event(wit_chat::ChatEvent::Opaque(billing(r#"{"cost": "1"}"#)));
        let wire::Event::Delta(Delta::Billing(billing)) = event else {
            panic!("a part: {event:?}");
        };
        assert_eq!(billing.cost, Some(1.into()));
    }
}
