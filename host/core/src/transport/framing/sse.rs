//! Server-sent events.

use memchr::memchr;

use super::kind::begins_field;
use super::lines::{Ends, LineSink, Lines};
use super::{Frame, FramingError, Tail, is_closed_json, is_json};

/// How much is kept of a body that is no event stream, in characters.
const SHOWN: usize = 200;

/// Cuts an event stream. The byte order mark has been removed.
#[derive(Debug)]
pub(super) struct Sse {
    lines: Lines,
    event: Event,
    /// The first line that belongs to no event, as long as there was no event.
    foreign: String,
    /// An event has come.
    begun: bool,
}

impl Sse {
    pub(super) fn new(limit: usize) -> Self {
        Sse {
            lines: Lines::new(Ends::Any, limit),
            event: Event::default(),
            foreign: String::new(),
            begun: false,
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
                foreign: &mut self.foreign,
                begun: &mut self.begun,
                frames,
            },
        )
    }

    /// Dispatches what is buffered if it is whole, and tells whether anything was not.
    pub(super) fn finish(mut self) -> Tail {
        let last = self.lines.into_rest();
        // A line without an end may have been cut anywhere. Whether data is whole can be seen;
        // whether the name of an event is cannot.
        let mut cut = match field(&last).0 {
            _ if last.is_empty() => false,
            b"event" => true,
            _ if begins_field(&last) => true,
            _ => {
                self.event.take(&last, &mut self.foreign);
                false
            }
        };
        let event = &mut self.event;
        if event.has_data && !is_whole(&event.data) {
            event.has_data = false;
            cut = true;
        }
        // A name announces data.
        cut |= !event.name.is_empty() && !event.has_data;
        cut |= !event.bare.is_empty() && !is_json(&event.bare);
        let mut frames = Vec::new();
        event.dispatch(&mut frames);
        self.begun |= !frames.is_empty();
        match (cut, self.begun || self.foreign.is_empty()) {
            (true, _) => Tail::Cut(frames),
            (false, true) => Tail::Frames(frames),
            (false, false) => Tail::Foreign(self.foreign),
        }
    }
}

struct Sink<'a> {
    event: &'a mut Event,
    foreign: &'a mut String,
    begun: &'a mut bool,
    frames: &'a mut Vec<Frame>,
}

impl LineSink for Sink<'_> {
    fn held(&self) -> usize {
        self.event.data.len() + self.event.name.len() + self.event.bare.len()
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.event.dispatch(self.frames);
            *self.begun |= !self.frames.is_empty();
        } else {
            self.event.take(line, self.foreign);
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
    fn take(&mut self, line: &[u8], foreign: &mut String) {
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
            _ => {
                self.take_bare(line);
                if foreign.is_empty() {
                    foreign.extend(String::from_utf8_lossy(line).chars().take(SHOWN));
                }
            }
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
    data.trim_ascii() == "[DONE]" || is_closed_json(data)
}
