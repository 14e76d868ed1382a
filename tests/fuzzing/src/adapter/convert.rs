//! What adapters say, in the host's types. The host has this once more, for components: that both
//! agree is part of what is checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::chat::{
    Billing, Citation, CitationSource, Delta, Extra, FinishReason, JsonObject, MediaPart,
    OpaquePart, Part, ReasoningPart, ResultPart, Said, ServerToolCall, ServerToolResult, TextPart,
    ToolCall, Usage,
};
use multillm::error::{Error, ErrorKind};
use multillm::plugin::wire;
use multillm_plugin_sdk as sdk;

pub(super) fn answer(answer: sdk::ChatResponse, wire: &str) -> wire::Answer {
    let (usage, billing) = usage(answer.usage);
    let parts = answer.content.into_iter();
    wire::Answer {
        id: answer.id,
        model: answer.model,
        parts: parts.filter_map(|said| part(said, wire)).collect(),
        finish: (finish_reason(answer.finish.reason), answer.finish.raw),
        usage,
        billing,
        extra: tail(answer.extra, wire),
    }
}

fn tail(extra: Option<String>, wire: &str) -> Extra {
    let Some(text) = extra else {
        return Extra::default();
    };
    let members = JsonObject::parse(&text).expect("a tail is an object");
    Extra::of(wire, members)
}

fn part(part: sdk::Part, wire: &str) -> Option<Part> {
    match part {
        sdk::Part::Text(text) => Some(Part::Text(TextPart {
            text: text.text,
            citations: text
                .citations
                .into_iter()
                .map(|one| citation(one, wire))
                .collect(),
            signature: text.signature,
            extra: tail(text.extra, wire),
            ..TextPart::default()
        })),
        sdk::Part::Reasoning(thought) => Some(Part::Reasoning(ReasoningPart {
            text: thought.text,
            signature: thought.signature,
            redacted: thought.redacted,
            extra: tail(thought.extra, wire),
        })),
        sdk::Part::ToolCall(call) => {
            assert!(!call.local, "only the host makes ids");
            Some(Part::ToolCall(ToolCall {
                local: call.id.is_none(),
                id: call.id.unwrap_or_default(),
                name: call.name,
                arguments: call.arguments,
                signature: call.signature,
                extra: tail(call.extra, wire),
            }))
        }
        sdk::Part::Opaque(block) => Some(Part::Opaque(opaque(block))),
        sdk::Part::Media(one) => media(one, wire).map(Part::Media),
        sdk::Part::ServerToolCall(call) => Some(Part::ServerToolCall(server_call(call))),
        sdk::Part::ServerToolResult(result) => {
            Some(Part::ServerToolResult(server_result(result, wire)))
        }
        sdk::Part::ToolResult(_) => None,
    }
}

fn citation(citation: sdk::Citation, wire: &str) -> Citation {
    Citation {
        source: match citation.source {
            sdk::CitationSource::Url(url) => Some(CitationSource::Url(url)),
            sdk::CitationSource::Document(id) => Some(CitationSource::Document(id)),
            sdk::CitationSource::File(id) => Some(CitationSource::File(id)),
            sdk::CitationSource::Unknown => None,
        },
        title: citation.title,
        cited_text: citation.cited_text,
        start: citation.start,
        end: citation.end,
        extra: tail(citation.extra, wire),
    }
}

fn media(media: sdk::Media, wire: &str) -> Option<MediaPart> {
    let kind = media.media_type.clone();
    let made = match media.source {
        sdk::MediaSource::Url(url) => MediaPart::url(url),
        sdk::MediaSource::FileId(id) => MediaPart::file(id),
        sdk::MediaSource::Base64(text) => {
            let data = STANDARD.decode(text).ok()?;
            match kind.clone() {
                Some(kind) => MediaPart::of_type(kind, data),
                None => MediaPart::bytes(data)?,
            }
        }
        sdk::MediaSource::Blob(_) => return None,
    };
    Some(MediaPart {
        media_type: kind.filter(|_| made.media_type().is_none()),
        name: media.name,
        detail: media.detail,
        extra: tail(media.extra, wire),
        ..made
    })
}

fn server_call(call: sdk::ServerToolCall) -> ServerToolCall {
    ServerToolCall {
        id: call.id,
        name: call.name,
        input: call.input,
        data: call.data,
    }
}

fn server_result(result: sdk::ServerToolResult, wire: &str) -> ServerToolResult {
    let content = result.content.into_iter().filter_map(|part| match part {
        sdk::ResultPart::Text(text) => Some(ResultPart::Text { text }),
        sdk::ResultPart::Media(one) => media(one, wire).map(ResultPart::Media),
        sdk::ResultPart::Opaque(block) => Some(ResultPart::Opaque(opaque(block))),
    });
    ServerToolResult {
        call_id: result.call_id,
        name: result.name,
        is_error: result.is_error,
        content: content.collect(),
        data: result.data,
    }
}

pub(super) fn events(events: Vec<sdk::ChatEvent>, wire: &str) -> Vec<wire::Event> {
    let mut read = vec![];
    for said in events {
        match said {
            sdk::ChatEvent::Usage(counts) => {
                let (counts, billing) = usage(counts);
                if billing != Billing::default() {
                    read.push(wire::Event::Delta(Delta::Billing(billing)));
                }
                read.push(wire::Event::Delta(Delta::Usage(counts)));
            }
            sdk::ChatEvent::Media(one) => {
                let made = media(one, wire).map(Delta::Media);
                read.extend(made.map(wire::Event::Delta));
            }
            said => read.push(event(said, wire)),
        }
    }
    read
}

fn event(event: sdk::ChatEvent, wire: &str) -> wire::Event {
    use sdk::ChatEvent as E;
    wire::Event::Delta(match event {
        E::Started(sdk::Started { id, model }) => Delta::Started { id, model },
        E::Text(text) => Delta::Text(text),
        E::Citation(one) => Delta::Citation(citation(one, wire)),
        E::TextSignature(text) => Delta::TextSignature(text),
        E::TextEnd => Delta::TextEnd,
        E::Reasoning(text) => Delta::Reasoning(text),
        E::ReasoningSignature(text) => Delta::ReasoningSignature(text),
        E::RedactedReasoning(text) => Delta::RedactedReasoning(text),
        E::ToolCallStart(call) => Delta::ToolCallStart {
            index: call.index,
            id: call.id,
            name: call.name,
            signature: call.signature,
            extra: tail(call.extra, wire),
        },
        E::ToolCallDelta(more) => Delta::ToolCallArguments {
            index: more.index,
            arguments: more.arguments,
        },
        E::ServerToolCall(call) => Delta::ServerToolCall(server_call(call)),
        E::ServerToolResult(result) => Delta::ServerToolResult(server_result(result, wire)),
        E::Opaque(block) => Delta::Opaque(opaque(block)),
        E::PartExtra(extra) => Delta::PartExtra(tail(Some(extra), wire)),
        E::Extra(extra) => Delta::Extra(tail(Some(extra), wire)),
        E::Finished(end) => Delta::Finished {
            reason: finish_reason(end.reason),
            raw: end.raw,
        },
        E::Done => return wire::Event::Done,
        E::Failed(failure) => return wire::Event::Failed(error(failure)),
        E::Usage(_) | E::Media(_) => unreachable!("read before"),
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
        inputs: model.inputs,
        outputs: model.outputs,
        features: model.features,
        extra: model
            .extra
            .map(|text| serde_json::from_str(&text).expect("a tail is JSON")),
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

fn usage(usage: sdk::Usage) -> (Usage, Billing) {
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
