//! Newline-delimited JSON.

use super::lines::{Ends, LineSink, Lines};
use super::{Frame, FramingError, Tail, is_closed_json};

/// Cuts a body of one JSON value a line. The byte order mark has been removed.
#[derive(Debug)]
pub(super) struct Ndjson {
    lines: Lines,
}

impl Ndjson {
    pub(super) fn new(limit: usize) -> Self {
        Ndjson {
            lines: Lines::new(Ends::Feed, limit),
        }
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        frames: &mut Vec<Frame>,
    ) -> Result<(), FramingError> {
        self.lines.push(bytes, &mut Sink { frames })
    }

    /// A last line without its line feed counts if it is whole, or is no JSON however it goes on.
    pub(super) fn finish(self) -> Tail {
        let mut frames = Vec::new();
        let last = self.lines.into_rest();
        Sink {
            frames: &mut frames,
        }
        .line(&last);
        match frames.first() {
            Some(frame) if !is_closed_json(&frame.data) && may_go_on(&frame.data) => {
                Tail::Cut(Vec::new())
            }
            _ => Tail::Frames(frames),
        }
    }
}

/// Whether text may be the beginning of JSON.
fn may_go_on(text: &str) -> bool {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
}

struct Sink<'a> {
    frames: &'a mut Vec<Frame>,
}

impl LineSink for Sink<'_> {
    fn held(&self) -> usize {
        0
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            let data = String::from_utf8_lossy(line).into_owned();
            self.frames.push(Frame { event: None, data });
        }
    }
}
