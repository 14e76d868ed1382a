//! A request as a plugin describes it becomes one as HTTP is described by. The same things under other
//! names, so that neither side need know the other.

use crate::plugin::wire;
use crate::transport::{BodyPart, Framing, HeaderValue, HttpRequest, Method};

pub(super) fn to_http(described: wire::Request) -> HttpRequest {
    HttpRequest {
        method: match described.get {
            true => Method::Get,
            false => Method::Post,
        },
        path: described.path,
        query: described.query,
        headers: described
            .headers
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    wire::HeaderValue::Plain(value) => HeaderValue::Plain(value),
                    wire::HeaderValue::Secret {
                        name,
                        prefix,
                        optional,
                    } => HeaderValue::Secret {
                        name,
                        prefix,
                        optional,
                    },
                };
                (name, value)
            })
            .collect(),
        body: described
            .body
            .into_iter()
            .map(|part| match part {
                wire::BodyPart::Text(text) => BodyPart::Text(text),
                wire::BodyPart::BlobBase64(id) => BodyPart::BlobBase64(id),
            })
            .collect(),
        framing: match described.framing {
            wire::Framing::Whole => Framing::Whole,
            wire::Framing::Sse => Framing::Sse,
            wire::Framing::Ndjson => Framing::Ndjson,
        },
    }
}
