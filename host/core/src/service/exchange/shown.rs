//! What goes back and forth, for whoever wants to see it (`-vv`): requests as a plugin described them, answers as a
//! plugin gets them. Secrets are not in the one yet and no longer in the other; what a person typed is cleaned of them
//! too. Texts are bounded, and whoever writes them to a terminal has to make them fit for it.

use std::borrow::Cow;

use tracing::{enabled, trace};

use crate::plugin::wire;
use crate::service::hidden::Hidden;
use crate::transport::{Blob, BodyPart, Frame, HeaderValue, Response};

/// The most bytes that are shown of a body,
const BODY: usize = 16 << 10;
/// and of a piece of a stream.
const FRAME: usize = 4 << 10;

/// A request, before the host completes it.
pub(super) fn request(hidden: &Hidden, request: &wire::Request, blobs: &[Blob]) {
    if !enabled!(tracing::Level::TRACE) {
        return;
    }
    let headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| match value {
            HeaderValue::Plain(value) => format!("{name}: {value}"),
            HeaderValue::Secret {
                name: whose,
                prefix,
                ..
            } => {
                format!("{name}: {prefix}(secret {whose})")
            }
        })
        .collect();
    let (mut path, mut headers) = (request.path.join("/"), headers.join(", "));
    hidden.text(&mut path);
    hidden.text(&mut headers);
    trace!(
        method = ?request.method,
        path,
        headers,
        framing = ?request.framing,
        "request"
    );
    let mut body = String::new();
    for part in &request.body {
        match part {
            BodyPart::Text(text) => body += text,
            BodyPart::Bytes(bytes) => body += &String::from_utf8_lossy(bytes),
            BodyPart::BlobBase64(id) => {
                let blob = blobs.iter().find(|blob| blob.id == *id);
                let length = blob.map_or(0, |blob| blob.bytes.len());
                body += &format!("({length} bytes in base64)");
            }
        }
    }
    if !body.is_empty() {
        hidden.text(&mut body);
        trace!("request body: {}", excerpt(&body, BODY));
    }
}

/// The head of an answer.
pub(super) fn head(response: &Response) {
    trace!(status = response.status, headers = ?response.headers, "answer");
}

/// The body of an answer. What a plugin gets has the words of which its structure is made even where they are a secret; what
/// a person sees has not.
pub(super) fn body(hidden: &Hidden, body: &str) {
    if enabled!(tracing::Level::TRACE) {
        let mut body = body.to_owned();
        hidden.text(&mut body);
        trace!("answer body: {}", excerpt(&body, BODY));
    }
}

/// Pieces of a stream, likewise.
pub(super) fn frames(hidden: &Hidden, frames: &[Frame]) {
    if enabled!(tracing::Level::TRACE) {
        for frame in frames {
            let mut event = frame.event.clone().unwrap_or_else(|| "-".to_owned());
            let mut data = frame.data.clone();
            hidden.text(&mut event);
            hidden.text(&mut data);
            trace!("frame {}: {}", excerpt(&event, 64), excerpt(&data, FRAME));
        }
    }
}

/// As much of a text as is shown.
fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at));
    let begin = text.get(..end.unwrap_or(0)).unwrap_or_default();
    format!("{begin}… ({} bytes in all)", text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("äb", 3), "äb");
        assert_eq!(excerpt("aäb", 2), "a… (4 bytes in all)");
        assert_eq!(excerpt("ää", 0), "… (4 bytes in all)");
    }
}
