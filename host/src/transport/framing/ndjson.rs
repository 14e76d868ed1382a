//! Newline-delimited JSON.

use super::lines::{Ends, LineSink, Lines};
use super::{Frame, FramingError, is_json};

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

    /// A last line without its line feed counts if it is whole.
    pub(super) fn finish(self, frames: &mut Vec<Frame>) {
        let from = frames.len();
        let last = self.lines.into_rest();
        Sink { frames }.line(&last);
        if frames.get(from).is_some_and(|frame| !is_json(&frame.data)) {
            frames.truncate(from);
        }
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
