//! Changing text that comes in pieces: what might become more with the next piece is held back until it is known.

use std::collections::BTreeMap;

use crate::{ChatEvent, ToolCallDelta};

/// Which text of an answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The answer.
    Text,
    /// Thoughts.
    Reasoning,
    /// The arguments of the call of this index.
    Arguments(u32),
}

/// What changes text.
pub trait Change {
    /// How many bytes of the text can be changed now, whatever follows: up to a character's end.
    fn ready(&self, text: &str) -> usize;

    /// The text in its place.
    fn change(&mut self, stream: Stream, text: &str) -> String;
}

/// What is held back of an answer.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Pieces {
    text: String,
    reasoning: String,
    calls: BTreeMap<u32, String>,
}

impl Pieces {
    /// Takes an event in, and says what is ready. An event that is no text is said as it is, after what was held back
    /// before it.
    pub fn event(&mut self, event: ChatEvent, change: &mut impl Change, said: &mut Vec<ChatEvent>) {
        match event {
            ChatEvent::Text(text) => {
                self.end_calls(change, said);
                self.end_reasoning(change, said);
                self.text += &text;
                say(&mut self.text, Stream::Text, false, change, said);
            }
            ChatEvent::Reasoning(text) => {
                self.end_calls(change, said);
                self.end_text(change, said);
                self.reasoning += &text;
                say(&mut self.reasoning, Stream::Reasoning, false, change, said);
            }
            // Calls may come side by side.
            ChatEvent::ToolCallDelta(delta) => {
                self.end_text(change, said);
                self.end_reasoning(change, said);
                let held = self.calls.entry(delta.index).or_default();
                *held += &delta.arguments;
                say(held, Stream::Arguments(delta.index), false, change, said);
            }
            ChatEvent::ToolCallStart(start) => {
                self.end_text(change, said);
                self.end_reasoning(change, said);
                said.push(ChatEvent::ToolCallStart(start));
            }
            other => {
                self.end(change, said);
                said.push(other);
            }
        }
    }

    /// Says all that is held back.
    pub fn end(&mut self, change: &mut impl Change, said: &mut Vec<ChatEvent>) {
        self.end_text(change, said);
        self.end_reasoning(change, said);
        self.end_calls(change, said);
    }

    fn end_text(&mut self, change: &mut impl Change, said: &mut Vec<ChatEvent>) {
        say(&mut self.text, Stream::Text, true, change, said);
    }

    fn end_reasoning(&mut self, change: &mut impl Change, said: &mut Vec<ChatEvent>) {
        say(&mut self.reasoning, Stream::Reasoning, true, change, said);
    }

    fn end_calls(&mut self, change: &mut impl Change, said: &mut Vec<ChatEvent>) {
        for (index, held) in &mut self.calls {
            say(held, Stream::Arguments(*index), true, change, said);
        }
    }
}

/// Says what is ready of a text, or all of it.
fn say(
    held: &mut String,
    stream: Stream,
    all: bool,
    change: &mut impl Change,
    said: &mut Vec<ChatEvent>,
) {
    let ready = match all {
        true => held.len(),
        false => change.ready(held).min(held.len()),
    };
    if ready == 0 {
        return;
    }
    let rest = held.split_off(ready);
    let text = change.change(stream, held);
    *held = rest;
    if text.is_empty() {
        return;
    }
    said.push(match stream {
        Stream::Text => ChatEvent::Text(text),
        Stream::Reasoning => ChatEvent::Reasoning(text),
        Stream::Arguments(index) => ChatEvent::ToolCallDelta(ToolCallDelta {
            index,
            arguments: text,
        }),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ab` becomes `X`, wherever it is cut.
    struct Ab;

    impl Change for Ab {
        fn ready(&self, text: &str) -> usize {
            text.len() - usize::from(text.ends_with('a'))
        }

        fn change(&mut self, _: Stream, text: &str) -> String {
            text.replace("ab", "X")
        }
    }

    fn run(events: Vec<ChatEvent>) -> Vec<ChatEvent> {
        let (mut pieces, mut said) = (Pieces::default(), vec![]);
        for event in events {
            pieces.event(event, &mut Ab, &mut said);
        }
        said
    }

    fn text(text: &str) -> ChatEvent {
        ChatEvent::Text(text.to_owned())
    }

    fn call(index: u32, arguments: &str) -> ChatEvent {
        ChatEvent::ToolCallDelta(ToolCallDelta {
            index,
            arguments: arguments.to_owned(),
        })
    }

    #[test]
    fn what_may_become_more_is_held_back_and_said_at_the_latest_at_the_end() {
        assert_eq!(
            run(vec![text("x a"), text("b a"), ChatEvent::Done]),
            [text("x "), text("X "), text("a"), ChatEvent::Done]
        );
        assert_eq!(
            run(vec![
                text("a"),
                ChatEvent::TextEnd,
                text("b"),
                ChatEvent::Done
            ]),
            [text("a"), ChatEvent::TextEnd, text("b"), ChatEvent::Done]
        );
    }

    #[test]
    fn calls_that_come_side_by_side_are_not_mixed() {
        assert_eq!(
            run(vec![
                call(0, "1a"),
                call(1, "2a"),
                call(0, "b"),
                call(1, "c"),
                text("t")
            ]),
            [
                call(0, "1"),
                call(1, "2"),
                call(0, "X"),
                call(1, "ac"),
                text("t")
            ]
        );
    }
}
