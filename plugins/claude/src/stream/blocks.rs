//! The content blocks of a stream: opened, filled and closed by index.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::{Error, outcome};

use super::call::Call;
use super::own::Own;
use crate::wire::{NO_CITATIONS, citations, signed_citations, text};

/// The blocks that are open, and what the borders of text depend on.
#[derive(Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    opened: u32,
    calls: u32,
    /// The block whose unsigned text was the last thing recorded.
    writing: Option<u32>,
}

struct Open {
    /// The vendor's index.
    index: u64,
    /// Our own number: unlike the index it never comes twice.
    number: u32,
    content: Content,
}

enum Content {
    Text {
        /// Each as JSON text.
        citations: Vec<String>,
    },
    Thinking {
        signature: String,
    },
    Call(Call),
    Own(Own),
    /// Nothing follows that would matter.
    Over,
}

impl Blocks {
    /// Whether a tool was called so far.
    pub(super) fn has_tool_calls(&self) -> bool {
        self.calls > 0
    }

    /// Whether a block was opened so far.
    pub(super) fn any(&self) -> bool {
        self.opened > 0
    }

    /// Opens a block. Whatever is still open is closed, save calls: only their pieces say
    /// where they belong when they come mixed. `data` is the event as it came.
    pub(super) fn start(
        &mut self,
        event: &Json<'_>,
        data: &str,
        events: &mut Events,
    ) -> Result<(), Error> {
        let index = index(event).unwrap_or_default();
        let is_over =
            |block: &mut Open| block.index == index || !matches!(block.content, Content::Call(_));
        for block in self.open.extract_if(.., is_over).collect::<Vec<_>>() {
            self.close(block, events);
        }
        let Some(block) = event.get("content_block") else {
            return Ok(());
        };
        let kind = block.text("type").unwrap_or_default();
        let raw = || member(data, "content_block").map_or("{}", |raw| raw.get());
        match kind {
            "text" => {
                let citations = citations(block);
                let number = self.push(index, Content::Text { citations });
                self.write(number, text(block, "text")?, events);
            }
            "thinking" => {
                let signature = text(block, "signature")?.to_owned();
                self.push(index, Content::Thinking { signature });
                self.think(text(block, "thinking")?, events);
            }
            "redacted_thinking" => {
                self.writing = None;
                events.redacted_reasoning(text(block, "data")?);
                self.push(index, Content::Over);
            }
            // A call without a name is none.
            "tool_use" if block.text("name").is_none() => {
                self.push(index, Content::Over);
            }
            "tool_use" => {
                self.writing = None;
                if self.open.len() >= outcome::MOST_CALLS {
                    return Err(outcome::too_many_calls());
                }
                let given = member(raw(), "input").map(outcome::arguments_text);
                let call = Call::start(self.calls, block, &given.unwrap_or_default(), events)?;
                self.calls += 1;
                self.push(index, Content::Call(call));
            }
            "" => {
                self.push(index, Content::Over);
            }
            own => {
                self.push(index, Content::Own(Own::new(own, raw())));
            }
        }
        Ok(())
    }

    /// Adds to a block. One that was never opened is, if the delta says what it is.
    pub(super) fn delta(&mut self, event: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        let index = index(event).unwrap_or_default();
        let Some(delta) = event.get("delta") else {
            return Ok(());
        };
        let kind = delta.text("type").unwrap_or_default();
        if self.find(index).is_none() {
            let content = match kind {
                "text_delta" => Content::Text {
                    citations: Vec::new(),
                },
                "thinking_delta" => Content::Thinking {
                    signature: String::new(),
                },
                _ => return Ok(()),
            };
            self.push(index, content);
        }
        let Some(block) = self.find(index) else {
            return Ok(());
        };
        let number = block.number;
        match (&mut block.content, kind) {
            (Content::Text { .. }, "text_delta") => {
                self.write(number, text(delta, "text")?, events);
            }
            (Content::Text { citations }, "citations_delta") => {
                citations.extend(delta.get("citation").map(Json::to_string));
            }
            (Content::Thinking { .. }, "thinking_delta") => {
                self.think(text(delta, "thinking")?, events);
            }
            (Content::Thinking { signature }, "signature_delta") => {
                signature.push_str(text(delta, "signature")?);
            }
            (Content::Call(call), "input_json_delta") => {
                call.add(text(delta, "partial_json")?, events);
            }
            (Content::Own(own), "input_json_delta") => {
                own.add_input(text(delta, "partial_json")?);
            }
            (Content::Own(own), _) => own.add(delta),
            _ => {}
        }
        Ok(())
    }

    /// Closes a block; without an index the last one that was opened.
    pub(super) fn stop(&mut self, event: &Json<'_>, events: &mut Events) {
        let at = match index(event) {
            Some(index) => self.open.iter().position(|block| block.index == index),
            None => self.open.len().checked_sub(1),
        };
        if let Some(at) = at {
            let block = self.open.remove(at);
            self.close(block, events);
        }
    }

    /// Closes all blocks.
    pub(super) fn stop_all(&mut self, events: &mut Events) {
        for block in std::mem::take(&mut self.open) {
            self.close(block, events);
        }
    }

    fn close(&mut self, block: Open, events: &mut Events) {
        match block.content {
            Content::Text { citations } => {
                if self.writing == Some(block.number)
                    && let Some(signature) = signed_citations(&citations)
                {
                    self.writing = None;
                    events.text_signature(signature);
                }
            }
            Content::Thinking { signature } => {
                if !signature.is_empty() {
                    self.writing = None;
                    events.reasoning_signature(signature);
                }
            }
            Content::Call(call) => call.close(events),
            Content::Own(own) => {
                self.writing = None;
                events.opaque(own.close());
            }
            Content::Over => {}
        }
    }

    /// Records text. The text of another block just before it ends there.
    fn write(&mut self, number: u32, text: &str, events: &mut Events) {
        if text.is_empty() {
            return;
        }
        if self.writing.is_some_and(|other| other != number) {
            events.text_signature(NO_CITATIONS);
        }
        self.writing = Some(number);
        events.text(text);
    }

    fn think(&mut self, thought: &str, events: &mut Events) {
        if !thought.is_empty() {
            self.writing = None;
            events.reasoning(thought);
        }
    }

    fn push(&mut self, index: u64, content: Content) -> u32 {
        let number = self.opened;
        self.opened = self.opened.wrapping_add(1);
        self.open.push(Open {
            index,
            number,
            content,
        });
        number
    }

    fn find(&mut self, index: u64) -> Option<&mut Open> {
        self.open.iter_mut().find(|block| block.index == index)
    }
}

fn index(event: &Json<'_>) -> Option<u64> {
    event.get("index").and_then(Json::count)
}
