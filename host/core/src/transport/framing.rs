//! Bytes to frames: server-sent events and NDJSON, cut once and natively for every vendor.
//!
//! Any cutting of the same bytes gives the same frames. Nothing here knows what a frame means;
//! that is the plugin's business. Server-sent events follow the WHATWG HTML standard, section
//! 9.2.6, with three additions that vendors make necessary:
//!
//! - A body that is no event stream at all (bare JSON, HTML), as servers send it that ignore a
//!   `stream` parameter, is collected and handed back whole.
//! - Bare JSON between events, as Gemini reports a failure in the middle of a stream, becomes a
//!   frame of its own.
//! - What is left at the end without its final blank line is a frame if it is whole: if it is a JSON
//!   object, list or text, or `[DONE]`. If it is not, the body was cut within an event, and says so.
//!
//! A body of server-sent events that comes where JSON lines were expected is cut as what it is, and
//! [`kind_of`] recognises either where a whole answer was expected.

mod kind;
mod lines;
mod ndjson;
mod sse;
#[cfg(test)]
mod tests;

use kind::is_events;
pub use kind::kind_of;
use memchr::memrchr2;
use ndjson::Ndjson;
use sse::Sse;
use thiserror::Error;

pub use crate::described::{Frame, Framing};

/// The most bytes of one event or line: 16 MiB. A picture in base64 is the largest thing that
/// vendors put into one.
pub const MAX_FRAME: usize = 16 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What the end of a body brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// The frames that only the end completed: none, as a rule.
    Frames(Vec<Frame>),
    /// The same, and behind them the beginning of a frame that is not whole: the body was cut.
    Cut(Vec<Frame>),
    /// Nothing in the body belongs into such a stream, and it is nothing else that is known: how it
    /// begins. No frame came before it.
    Foreign(String),
    /// The body was no stream: this is all of it, without a byte order mark, invalid UTF-8
    /// replaced by U+FFFD. No frame came before it.
    Whole(String),
}

/// The body cannot be cut within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// An event or a line is too long.
    #[error("an event of the stream has more than {limit} bytes")]
    FrameTooLong {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The body is no stream, and too long to be collected.
    #[error("the answer has more than {limit} bytes")]
    WholeTooLong {
        /// The bound, in bytes.
        limit: usize,
    },
}

/// Cuts one body: [`push`](Self::push) until the bytes end, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Framer {
    state: State,
    framing: Framing,
    max_frame: usize,
    max_whole: usize,
}

#[derive(Debug)]
enum State {
    /// Nothing but white space and perhaps a byte order mark has come.
    Start {
        head: Vec<u8>,
        bom_done: bool,
    },
    Sse(Sse),
    Ndjson(Ndjson),
    Whole(Vec<u8>),
}

impl Framer {
    /// A framer with the usual bounds: [`MAX_FRAME`] for an event, twice that for a body that is
    /// no stream.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self::with_limits(framing, MAX_FRAME, 2 * MAX_FRAME)
    }

    /// A framer with bounds of its own, in bytes: for one event or line, and for a body that has
    /// to be collected whole.
    #[must_use]
    pub fn with_limits(framing: Framing, max_frame: usize, max_whole: usize) -> Self {
        let head = Vec::new();
        let state = State::Start {
            head,
            bom_done: false,
        };
        Framer {
            state,
            framing,
            max_frame,
            max_whole,
        }
    }

    /// Whether the body is being collected rather than cut: it was asked for whole, or turned out
    /// to be no stream. False as long as that is not known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.state, State::Whole(_))
    }

    /// Takes the next bytes and appends the frames they complete.
    ///
    /// # Errors
    ///
    /// A bound is exceeded. Frames that were complete before that have been appended. The framer
    /// is of no further use.
    pub fn push(&mut self, bytes: &[u8], frames: &mut Vec<Frame>) -> Result<(), FramingError> {
        match &mut self.state {
            State::Sse(sse) => sse.push(bytes, frames),
            State::Ndjson(ndjson) => ndjson.push(bytes, frames),
            State::Whole(body) => {
                let limit = self.max_whole;
                if body.len().saturating_add(bytes.len()) > limit {
                    return Err(FramingError::WholeTooLong { limit });
                }
                body.extend_from_slice(bytes);
                Ok(())
            }
            State::Start { head, bom_done } => {
                head.extend_from_slice(bytes);
                let Some(state) = begin(self.framing, self.max_frame, head, bom_done)? else {
                    return Ok(());
                };
                let head = std::mem::take(head);
                self.state = state;
                self.push(&head, frames)
            }
        }
    }

    /// The body has ended, whether cleanly or not.
    #[must_use]
    pub fn finish(self) -> Tail {
        match self.state {
            State::Sse(sse) => sse.finish(),
            State::Ndjson(ndjson) => ndjson.finish(),
            State::Whole(body) => Tail::Whole(text_of(&body)),
            State::Start { head, .. } if self.framing == Framing::Whole => {
                Tail::Whole(text_of(&head))
            }
            State::Start { head, .. } if head.trim_ascii().is_empty() => Tail::Frames(Vec::new()),
            State::Start { .. } => Tail::Cut(Vec::new()),
        }
    }
}

/// A body as text: without a byte order mark, invalid UTF-8 replaced by U+FFFD.
#[must_use]
pub fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body.strip_prefix(BOM).unwrap_or(body)).into_owned()
}

/// Decides by the first bytes what the body is; `None` while they do not tell.
fn begin(
    framing: Framing,
    max_frame: usize,
    head: &mut Vec<u8>,
    bom_done: &mut bool,
) -> Result<Option<State>, FramingError> {
    if framing == Framing::Whole {
        return Ok(Some(State::Whole(Vec::new())));
    }
    if !*bom_done {
        if head.len() < BOM.len() && BOM.starts_with(head) {
            return Ok(None);
        }
        if head.starts_with(BOM) {
            head.drain(..BOM.len());
        }
        *bom_done = true;
    }
    let first = head.iter().position(|byte| !byte.is_ascii_whitespace());
    // Lines of white space mean nothing in either framing, nor before a whole body.
    let blank = first.and_then(|at| head.get(..at)).unwrap_or(head);
    let mut lines = blank.split(|byte| matches!(byte, b'\n' | b'\r'));
    if lines.any(|line| line.len() > max_frame) {
        return Err(FramingError::FrameTooLong { limit: max_frame });
    }
    if let Some(end) = memrchr2(b'\n', b'\r', blank) {
        head.drain(..=end);
    }
    let Some(first) = head.trim_ascii_start().first() else {
        return Ok(None);
    };
    Ok(Some(match (framing, first) {
        (Framing::Sse, b'{' | b'[' | b'"' | b'<') => State::Whole(Vec::new()),
        (Framing::Sse, _) => State::Sse(Sse::new(max_frame)),
        (_, b'<') => State::Whole(Vec::new()),
        _ => match is_events(head.trim_ascii_start()) {
            None => return Ok(None),
            Some(true) => State::Sse(Sse::new(max_frame)),
            Some(false) => State::Ndjson(Ndjson::new(max_frame)),
        },
    }))
}

/// Whether text is one complete JSON value that cannot be the beginning of a longer one.
fn is_closed_json(text: &str) -> bool {
    text.trim_ascii_start().starts_with(['{', '[', '"']) && is_json(text)
}

/// Whether text is one complete JSON value.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
