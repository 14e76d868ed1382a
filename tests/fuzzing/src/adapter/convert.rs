//! What adapters say, in the host's types. The host has this once more, for components: that both
//! agree is part of what is checked.

use multillm::chat::{
    Billing, Delta, FinishReason, ImagePart, ImageSource, OpaquePart, Part, ReasoningPart,
    TextPart, ToolCall, Usage,
};
use multillm::error::{Error, ErrorKind};
use multillm::plugin::wire;
use multillm_plugin_sdk as sdk;

pub(super) fn answer(answer: sdk::ChatResponse) -> wire::Answer {
    let mut billing = Billing::default();
    let mut parts = vec![];
    for said in answer.content {
        match said {
            sdk::Part::Opaque(block) if block.kind == sdk::billing::KIND => {
                billing.update(Billing::read(&block.data));
            }
            said => parts.extend(part(said)),
        }
    }
    wire::Answer {
        id: answer.id,
        model: answer.model,
        parts,
        finish: (finish_reason(answer.finish.reason), answer.finish.raw),
        usage: usage(&answer.usage),
        billing,
    }
}

fn part(part: sdk::Part) -> Option<Part> {
    match part {
        sdk::Part::Text(sdk::Text { text, signature }) => {
            Some(Part::Text(TextPart { text, signature }))
        }
        sdk::Part::Reasoning(sdk::Reasoning {
            text,
            signature,
            redacted,
        }) => Some(Part::Reasoning(ReasoningPart {
            text,
            signature,
            redacted,
        })),
        sdk::Part::ToolCall(call) => {
            assert!(!call.local, "only the host makes ids");
            Some(Part::ToolCall(ToolCall {
                local: call.id.is_none(),
                id: call.id.unwrap_or_default(),
                name: call.name,
                arguments: call.arguments,
                signature: call.signature,
            }))
        }
        sdk::Part::Opaque(block) => Some(Part::Opaque(opaque(block))),
        sdk::Part::Image(image) => match image.source {
            sdk::ImageSource::Url(url) => Some(Part::Image(ImagePart {
                source: ImageSource::Url { url },
                detail: image.detail,
            })),
            sdk::ImageSource::Blob(_) => None,
        },
        sdk::Part::ToolResult(_) => None,
    }
}

pub(super) fn event(event: sdk::ChatEvent) -> wire::Event {
    use sdk::ChatEvent as E;
    wire::Event::Delta(match event {
        E::Started(sdk::Started { id, model }) => Delta::Started { id, model },
        E::Text(text) => Delta::Text(text),
        E::TextSignature(text) => Delta::TextSignature(text),
        E::Reasoning(text) => Delta::Reasoning(text),
        E::ReasoningSignature(text) => Delta::ReasoningSignature(text),
        E::RedactedReasoning(text) => Delta::RedactedReasoning(text),
        E::ToolCallStart(call) => Delta::ToolCallStart {
            index: call.index,
            id: call.id,
            name: call.name,
            signature: call.signature,
        },
        E::ToolCallDelta(more) => Delta::ToolCallArguments {
            index: more.index,
            arguments: more.arguments,
        },
        E::Opaque(block) if block.kind == sdk::billing::KIND => {
            Delta::Billing(Billing::read(&block.data))
        }
        E::Opaque(block) => Delta::Opaque(opaque(block)),
        E::Usage(counts) => Delta::Usage(usage(&counts)),
        E::Finished(end) => Delta::Finished {
            reason: finish_reason(end.reason),
            raw: end.raw,
        },
        E::Done => return wire::Event::Done,
        E::Failed(failure) => return wire::Event::Failed(error(failure)),
    })
}

pub(super) fn page(page: sdk::Page) -> wire::ModelPage {
    let model = |model: sdk::Model| wire::ListedModel {
        id: model.id,
        title: model.title,
        context_tokens: model.context_tokens,
        output_tokens: model.output_tokens,
        created: model.created,
        owner: model.owner,
        chat: model.chat,
    };
    wire::ModelPage {
        models: page.models.into_iter().map(model).collect(),
        next: page.next,
    }
}

pub(super) fn error(error: sdk::Error) -> Error {
    let mut converted = Error::new(kind(error.kind), error.message).retryable(error.retryable);
    converted.status = error.status;
    converted.vendor_code = error.vendor_code;
    converted.retry_after_ms = error.retry_after_ms;
    converted
}

fn opaque(block: sdk::Opaque) -> OpaquePart {
    OpaquePart {
        kind: block.kind,
        data: block.data,
    }
}

fn usage(usage: &sdk::Usage) -> Usage {
    Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        cached_tokens: usage.cached_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    }
}

fn finish_reason(reason: sdk::FinishReason) -> FinishReason {
    match reason {
        sdk::FinishReason::Stop => FinishReason::Stop,
        sdk::FinishReason::Length => FinishReason::Length,
        sdk::FinishReason::ToolCalls => FinishReason::ToolCalls,
        sdk::FinishReason::ContentFilter => FinishReason::ContentFilter,
        sdk::FinishReason::Error => FinishReason::Error,
        sdk::FinishReason::Other => FinishReason::Other,
    }
}

fn kind(kind: sdk::ErrorKind) -> ErrorKind {
    use sdk::ErrorKind as K;
    match kind {
        K::InvalidRequest => ErrorKind::InvalidRequest,
        K::Unsupported => ErrorKind::Unsupported,
        K::Authentication => ErrorKind::Authentication,
        K::Permission => ErrorKind::Permission,
        K::Billing => ErrorKind::Billing,
        K::NotFound => ErrorKind::NotFound,
        K::ContextLength => ErrorKind::ContextLength,
        K::ContentFiltered => ErrorKind::ContentFiltered,
        K::PayloadTooLarge => ErrorKind::PayloadTooLarge,
        K::RateLimited => ErrorKind::RateLimited,
        K::QuotaExhausted => ErrorKind::QuotaExhausted,
        K::Timeout => ErrorKind::Timeout,
        K::Overloaded => ErrorKind::Overloaded,
        K::Server => ErrorKind::Server,
        K::Truncated => ErrorKind::Truncated,
        K::MalformedResponse => ErrorKind::MalformedResponse,
        K::Unavailable => ErrorKind::Unavailable,
        K::Other => ErrorKind::Other,
    }
}
