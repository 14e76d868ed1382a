//! Server-sent events.

use memchr::memchr;

use super::lines::{Ends, LineSink, Lines};
use super::{Frame, FramingError, is_json};

/// Cuts an event stream. The byte order mark has been removed.
#[derive(Debug)]
pub(super) struct Sse {
    lines: Lines,
    event: Event,
}

impl Sse {
    pub(super) fn new(limit: usize) -> Self {
        Sse {
            lines: Lines::new(Ends::Any, limit),
            event: Event::default(),
        }
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        frames: &mut Vec<Frame>,
    ) -> Result<(), FramingError> {
        self.lines.push(
            bytes,
            &mut Sink {
                event: &mut self.event,
                frames,
            },
        )
    }

    /// Dispatches what is buffered if it is whole.
    pub(super) fn finish(mut self, frames: &mut Vec<Frame>) {
        let last = self.lines.into_rest();
        // A line without an end may have been cut anywhere. Whether data is whole can be seen;
        // whether the name of an event is cannot.
        if !last.is_empty() && field(&last).0 != b"event" {
            self.event.take(&last);
        }
        if self.event.has_data && !is_whole(&self.event.data) {
            self.event.has_data = false;
        }
        self.event.dispatch(frames);
    }
}

struct Sink<'a> {
    event: &'a mut Event,
    frames: &'a mut Vec<Frame>,
}

impl LineSink for Sink<'_> {
    fn held(&self) -> usize {
        self.event.data.len() + self.event.name.len() + self.event.bare.len()
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.event.dispatch(self.frames);
        } else {
            self.event.take(line);
        }
    }
}

/// An event under way.
#[derive(Debug, Default)]
struct Event {
    name: String,
    data: String,
    has_data: bool,
    /// Lines that are no fields, from one on that begins like JSON.
    bare: String,
}

impl Event {
    fn take(&mut self, line: &[u8]) {
        match field(line) {
            (b"data", value) => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                append(&mut self.data, value);
            }
            (b"event", value) => {
                self.name.clear();
                append(&mut self.name, value);
            }
            (b"" | b"id" | b"retry", _) => {}
            _ => self.take_bare(line),
        }
    }

    fn take_bare(&mut self, line: &[u8]) {
        if !self.bare.is_empty() {
            self.bare.push('\n');
        } else if !matches!(line.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return;
        }
        append(&mut self.bare, line);
    }

    fn dispatch(&mut self, frames: &mut Vec<Frame>) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            frames.push(Frame {
                event: (!name.is_empty()).then_some(name),
                data,
            });
        }
        if !self.bare.is_empty() {
            let data = std::mem::take(&mut self.bare);
            if is_json(&data) {
                frames.push(Frame { event: None, data });
            }
        }
    }
}

/// Name and value of a line; a comment's name is empty.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let (name, value) = match line.strip_prefix(b"data:") {
        Some(value) => (b"data".as_slice(), value),
        None => match memchr(b':', line).and_then(|at| line.split_at_checked(at)) {
            Some((name, value)) => (name, value.strip_prefix(b":").unwrap_or(value)),
            None => (line, b"".as_slice()),
        },
    };
    (name, value.strip_prefix(b" ").unwrap_or(value))
}

fn append(text: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(valid) => text.push_str(valid),
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

fn is_whole(data: &str) -> bool {
    data.trim_ascii() == "[DONE]" || is_json(data)
}
