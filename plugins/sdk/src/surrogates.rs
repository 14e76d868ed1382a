//! Halves of UTF-16 pairs, as some servers write them into JSON: `"\ud83d"` and then no other half.
//!
//! RFC 8259 lets them pass as grammar, section 8.2, and says that readers differ; ours refuses the
//! whole text for one. A server writes such a half where it cut a text between the two. In a
//! stream the other half may begin the next piece: [`Halves`] puts them together, within text,
//! thoughts and each call's arguments. A half that stays alone means nothing, so U+FFFD takes
//! its place, as Unicode advises.
//!
//! [`export_provider!`](crate::export_provider) has it done to every body, frame and event; an
//! adapter never sees a half.

use crate::{ChatEvent, ToolCallDelta};

/// Replaces each escape of half a pair by that of U+FFFD.
pub fn mend(json: &mut String) {
    replace(json, |_| '\u{fffd}');
}

/// The first of the 2,048 private characters that stand for halves while an adapter has them.
const MARK: u32 = 0x10_F800;

fn marked(unit: u16) -> char {
    char::from_u32(MARK + u32::from(unit - 0xD800)).unwrap_or('\u{fffd}')
}

/// The half that a character stands for.
fn unmarked(mark: char) -> Option<u16> {
    let unit = u32::from(mark).checked_sub(MARK)? + 0xD800;
    u16::try_from(unit).ok()
}

/// The halves of one stream: those that wait for their other half.
#[derive(Default)]
pub struct Halves {
    /// A half came; before that there is nothing to do.
    any: bool,
    text: Option<char>,
    reasoning: Option<char>,
    arguments: Vec<(u32, char)>,
}

impl Halves {
    /// Makes a frame readable, before the adapter gets it.
    pub fn mark(&mut self, json: &mut String) {
        self.any |= replace(json, marked);
    }

    /// Makes characters of halves, in what the adapter made of the frames. What still waits is
    /// given up at the end of its part, and once the stream is `over`.
    #[must_use]
    pub fn join(&mut self, events: Vec<ChatEvent>, over: bool) -> Vec<ChatEvent> {
        if !self.any {
            return events;
        }
        let mut joined = Vec::with_capacity(events.len());
        for event in events {
            self.event(event, &mut joined);
        }
        if over {
            self.give_up(&mut joined);
        }
        joined
    }

    fn event(&mut self, event: ChatEvent, joined: &mut Vec<ChatEvent>) {
        match event {
            ChatEvent::Text(text) => {
                let text = piece(&mut self.text, &text);
                joined.extend(
                    Some(text)
                        .filter(|text| !text.is_empty())
                        .map(ChatEvent::Text),
                );
            }
            ChatEvent::Reasoning(text) => {
                let text = piece(&mut self.reasoning, &text);
                let text = Some(text).filter(|text| !text.is_empty());
                joined.extend(text.map(ChatEvent::Reasoning));
            }
            ChatEvent::ToolCallDelta(mut delta) => {
                let at = self
                    .arguments
                    .iter()
                    .position(|(index, _)| *index == delta.index);
                let mut waiting = at.map(|at| self.arguments.swap_remove(at).1);
                delta.arguments = piece(&mut waiting, &delta.arguments);
                self.arguments
                    .extend(waiting.map(|half| (delta.index, half)));
                if !delta.arguments.is_empty() {
                    joined.push(ChatEvent::ToolCallDelta(delta));
                }
            }
            ChatEvent::TextSignature(_) | ChatEvent::TextEnd => {
                joined.extend(self.text.take().map(|_| ChatEvent::Text(LOST.to_owned())));
                joined.push(event);
            }
            ChatEvent::ReasoningSignature(_) => {
                let lost = self.reasoning.take();
                joined.extend(lost.map(|_| ChatEvent::Reasoning(LOST.to_owned())));
                joined.push(event);
            }
            ChatEvent::ToolCallStart(mut start) => {
                start.name = whole(&start.name);
                start.id = start.id.as_deref().map(whole);
                joined.push(ChatEvent::ToolCallStart(start));
            }
            ChatEvent::Opaque(mut block) => {
                block.data = whole(&block.data);
                joined.push(ChatEvent::Opaque(block));
            }
            ChatEvent::ServerToolCall(mut call) => {
                call.data = whole(&call.data);
                joined.push(ChatEvent::ServerToolCall(call));
            }
            ChatEvent::ServerToolResult(mut result) => {
                result.data = whole(&result.data);
                joined.push(ChatEvent::ServerToolResult(result));
            }
            ChatEvent::PartExtra(extra) => joined.push(ChatEvent::PartExtra(whole(&extra))),
            ChatEvent::Extra(extra) => joined.push(ChatEvent::Extra(whole(&extra))),
            ChatEvent::Failed(mut error) => {
                error.message = whole(&error.message);
                self.give_up(joined);
                joined.push(ChatEvent::Failed(error));
            }
            ChatEvent::Done => {
                self.give_up(joined);
                joined.push(event);
            }
            event => joined.push(event),
        }
    }

    fn give_up(&mut self, joined: &mut Vec<ChatEvent>) {
        let lost = || LOST.to_owned();
        joined.extend(self.reasoning.take().map(|_| ChatEvent::Reasoning(lost())));
        joined.extend(self.text.take().map(|_| ChatEvent::Text(lost())));
        for (index, _) in self.arguments.drain(..) {
            let arguments = lost();
            joined.push(ChatEvent::ToolCallDelta(ToolCallDelta { index, arguments }));
        }
    }
}

/// What stands for a half that stayed alone.
const LOST: &str = "\u{fffd}";

/// More of a text: with the half that waits before it, and without the one at its end, which
/// waits from now on.
fn piece(waiting: &mut Option<char>, more: &str) -> String {
    let mut text = String::with_capacity(more.len() + 4);
    for next in waiting.take().into_iter().chain(more.chars()) {
        let before = waiting.take();
        match (before.and_then(unmarked), unmarked(next)) {
            (Some(high), Some(low @ 0xDC00..)) => {
                text.extend(char::decode_utf16([high, low]).flatten());
            }
            (before, Some(0xD800..=0xDBFF)) => {
                text.push_str(before.map_or("", |_| LOST));
                *waiting = Some(next);
            }
            (before, found) => {
                text.push_str(before.map_or("", |_| LOST));
                match found {
                    Some(_) => text.push_str(LOST),
                    None => text.push(next),
                }
            }
        }
    }
    text
}

/// A text that has no next piece.
fn whole(text: &str) -> String {
    let mut waiting = None;
    let mut text = piece(&mut waiting, text);
    text.push_str(waiting.map_or("", |_| LOST));
    text
}

/// Writes something else for each escape of half a pair; whether there was any.
fn replace(json: &mut String, by: impl Fn(u16) -> char) -> bool {
    let Some(mut at) = half(json, 0) else {
        return false;
    };
    let mut mended = String::with_capacity(json.len());
    let mut from = 0;
    loop {
        mended.push_str(json.get(from..at).unwrap_or_default());
        mended.extend(unit(json, at).map(&by));
        from = at + 6;
        match half(json, from) {
            Some(next) => at = next,
            None => break,
        }
    }
    mended.push_str(json.get(from..).unwrap_or_default());
    *json = mended;
    true
}

/// Where, from here on, the next half of a pair stands without its other half.
fn half(json: &str, mut from: usize) -> Option<usize> {
    loop {
        let at = from + json.get(from..)?.find('\\')?;
        from = match unit(json, at) {
            Some(0xD800..=0xDBFF) => match unit(json, at + 6) {
                Some(0xDC00..=0xDFFF) => at + 12,
                _ => return Some(at),
            },
            Some(0xDC00..=0xDFFF) => return Some(at),
            Some(_) => at + 6,
            // Another escape, or none.
            None => at + 1 + json.get(at + 1..)?.chars().next()?.len_utf8(),
        };
    }
}

/// The UTF-16 unit whose escape begins here.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
