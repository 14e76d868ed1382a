//! Streamed answers: each event an answer with what is new.

use multillm::Error;
use multillm::chat::{ChatEvent, Json, Part};
use serde_json::Value;

use super::super::asked::Reply;
use super::super::{Face, Renderer, framing, refused};
use super::answer;

/// The events of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    /// What texts rest on, told with the end.
    cited: Vec<Value>,
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        Stream {
            reply,
            plugin: String::new(),
            cited: vec![],
        }
    }

    fn tell(&self, part: Json, out: &mut Vec<u8>) {
        framing::data(out, &answer::response(&self.reply, vec![part], &[], None));
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, _out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => self.tell(answer::said(text, false, None, ""), out),
            ChatEvent::Reasoning { text } => self.tell(answer::said(text, true, None, ""), out),
            // A signature comes on a part without text, as the vendor's own streams have it.
            ChatEvent::PartEnd { part } => match part {
                Part::Text(text) if text.signature.is_some() => {
                    self.tell(
                        answer::said("", false, text.signature.as_deref(), &self.plugin),
                        out,
                    );
                }
                Part::Reasoning(thought) if thought.signature.is_some() => {
                    self.tell(
                        answer::said("", true, thought.signature.as_deref(), &self.plugin),
                        out,
                    );
                }
                Part::Opaque(block) => {
                    if let Some(part) = answer::native(&block.data) {
                        self.tell(part, out);
                    }
                }
                _ => {}
            },
            // Calls come whole on this wire.
            ChatEvent::ToolCall(call) => self.tell(answer::called(call, &self.plugin), out),
            ChatEvent::Media(media) => {
                if let Some(part) = answer::picture(media) {
                    self.tell(part, out);
                }
            }
            ChatEvent::Citation(citation) => self.cited.extend(answer::source(citation)),
            ChatEvent::ServerToolCall(call) => {
                if let Some(part) = answer::native(&call.data) {
                    self.tell(part, out);
                }
            }
            ChatEvent::ServerToolResult(result) => {
                if let Some(part) = answer::native(&result.data) {
                    self.tell(part, out);
                }
            }
            ChatEvent::Done(whole) => {
                let end = answer::said("", false, None, "");
                framing::data(
                    out,
                    &answer::response(&self.reply, vec![end], &self.cited, Some(whole)),
                );
            }
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        framing::data(out, &refused::told(Face::Gemini, error));
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        framing::comment(out);
    }
}
