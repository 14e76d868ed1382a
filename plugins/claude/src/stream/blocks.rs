//! The content blocks of an answer: opened, filled and closed by index.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::{Citation, Error, outcome};

use super::call::Call;
use super::own::Own;
use crate::citations;
use crate::servers::Calls;
use crate::wire::text;

/// The blocks that are open, and what the borders of text depend on.
#[derive(Default)]
pub(crate) struct Blocks {
    open: Vec<Open>,
    opened: u32,
    calls: u32,
    servers: Calls,
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
        /// Those that came before the first word: they rest on nothing yet.
        held: Vec<Citation>,
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
    pub(crate) fn has_tool_calls(&self) -> bool {
        self.calls > 0
    }

    /// Whether a block was opened so far.
    pub(crate) fn any(&self) -> bool {
        self.opened > 0
    }

    /// Reads a block that came whole.
    pub(crate) fn whole(&mut self, raw: &str, events: &mut Events) -> Result<(), Error> {
        let block = Json::parse(raw).unwrap_or_default();
        self.open(u64::from(self.opened), &block, raw, events)?;
        self.stop_all(events);
        Ok(())
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
        match (event.get("content_block"), member(data, "content_block")) {
            (Some(block), Some(raw)) => self.open(index, block, raw.get(), events),
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        index: u64,
        block: &Json<'_>,
        raw: &str,
        events: &mut Events,
    ) -> Result<(), Error> {
        let kind = block.text("type").unwrap_or_default();
        match kind {
            "text" => {
                let citations = block.get("citations").map_or(&[][..], Json::list);
                let held = citations.iter().map(citations::read).collect();
                let number = self.push(index, Content::Text { held });
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
                let given = member(raw, "input").map(outcome::arguments_text);
                let call = Call::start(self.calls, block, &given.unwrap_or_default(), events)?;
                self.calls += 1;
                self.push(index, Content::Call(call));
            }
            "" => {
                self.push(index, Content::Over);
            }
            own => {
                self.push(index, Content::Own(Own::new(own, raw)));
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
                "text_delta" => Content::Text { held: Vec::new() },
                "thinking_delta" => Content::Thinking {
                    signature: String::new(),
                },
                _ => return Ok(()),
            };
            self.push(index, content);
        }
        let writing = self.writing;
        let Some(block) = self.find(index) else {
            return Ok(());
        };
        let number = block.number;
        match (&mut block.content, kind) {
            (Content::Text { .. }, "text_delta") => {
                self.write(number, text(delta, "text")?, events);
            }
            (Content::Text { held }, "citations_delta") => {
                let citation = delta.get("citation").map(citations::read);
                if writing == Some(number) {
                    citation.into_iter().for_each(|one| events.citation(one));
                } else {
                    held.extend(citation);
                }
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
            // What rests on no words is nothing.
            Content::Text { .. } | Content::Over => {}
            Content::Thinking { signature } => {
                if !signature.is_empty() {
                    self.writing = None;
                    events.reasoning_signature(signature);
                }
            }
            Content::Call(call) => call.close(events),
            Content::Own(own) => {
                self.writing = None;
                let (kind, data) = own.close();
                self.servers.made(&kind, data).tell(events);
            }
        }
    }

    /// Records text. The text of another block just before it ends there.
    fn write(&mut self, number: u32, text: &str, events: &mut Events) {
        if text.is_empty() {
            return;
        }
        if self.writing.is_some_and(|other| other != number) {
            events.text_end();
        }
        self.writing = Some(number);
        events.text(text);
        let block = self.open.iter_mut().find(|block| block.number == number);
        if let Some(Content::Text { held }) = block.map(|block| &mut block.content) {
            held.drain(..).for_each(|one| events.citation(one));
        }
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
