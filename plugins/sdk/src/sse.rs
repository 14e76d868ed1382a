//! Server-sent events in a body that came whole.
//!
//! Some servers stream whatever they are asked. The host cuts streams; this is only for an
//! answer that was asked for in one piece and came as events all the same.

use crate::assemble::assemble;
use crate::events::Events;
use crate::{ChatResponse, Decoder, Error, Frame, Target};

/// The answer that a stream makes, read where one was asked for in one piece.
///
/// # Errors
///
/// The stream's failure, or that it has no end.
pub fn answer<D: Decoder>(
    target: &Target,
    frames: impl IntoIterator<Item = Frame>,
) -> Result<ChatResponse, Error> {
    let mut decoder = D::new(target);
    let mut events = Events::new();
    for frame in frames {
        decoder.frame(&frame, &mut events)?;
        if events.is_over() {
            return Ok(assemble(events.into_inner()));
        }
    }
    decoder.end(&mut events)?;
    Ok(assemble(events.into_inner()))
}

/// The events of a body; nothing if it does not begin as such a stream does.
#[must_use]
pub fn frames(body: &str) -> Option<Vec<Frame>> {
    let body = body.trim_start_matches('\u{feff}').trim_start();
    let begins = |field: &str| body.starts_with(field);
    if !["data:", "event:", "id:", "retry:", ":"]
        .into_iter()
        .any(begins)
    {
        return None;
    }
    let (mut frames, mut event, mut data) = (Vec::new(), None, Vec::new());
    for line in body.replace("\r\n", "\n").split(['\n', '\r']).chain([""]) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event = Some(value.to_owned()),
            "data" => data.push(value.to_owned()),
            _ if line.is_empty() => {
                let event = event.take();
                if !data.is_empty() {
                    frames.push(Frame {
                        event,
                        data: std::mem::take(&mut data).join("\n"),
                    });
                }
            }
            _ => {}
        }
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_at_blank_lines_and_anything_else_is_none() {
        let found =
            frames(": hi\r\n\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\nid: 7\n\ndata: [DONE]")
                .unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|frame| (frame.event.as_deref(), frame.data.as_str()))
            .collect();
        assert_eq!(told, [(Some("a"), "1\n2"), (None, "[DONE]")]);
        for body in ["", "{}", "database", "<html>"] {
            assert!(frames(body).is_none(), "{body}");
        }
    }
}
