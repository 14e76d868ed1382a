//! Streamed answers: parts of the content that begin, grow and end, and calls beside them.

use multillm::Error;
use multillm::chat::{ChatEvent, Part};
use serde_json::{Value, json};

use super::super::asked::Reply;
use super::super::calls::Calls;
use super::super::framing::put;
use super::super::{Renderer, framing};
use super::answer;

/// The events of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    calls: Calls,
    /// What grows: the type of the part.
    open: Option<&'static str>,
    /// The index of the next part of the content.
    next: usize,
    citations: usize,
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        Stream {
            reply,
            plugin: String::new(),
            calls: Calls::default(),
            open: None,
            next: 0,
            citations: 0,
        }
    }

    fn tell(kind: &str, index: Option<usize>, delta: Option<Value>, out: &mut Vec<u8>) {
        let mut event = json!({ "type": kind });
        if let Some(index) = index {
            put(&mut event, "index", index);
        }
        if let Some(delta) = delta {
            put(&mut event, "delta", delta);
        }
        framing::event(out, kind, &event);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            Self::tell("content-end", Some(self.next), None, out);
            self.next += 1;
        }
    }

    /// A piece of text or of thoughts, whose member is called as its type.
    fn say(&mut self, kind: &'static str, text: &str, out: &mut Vec<u8>) {
        if self.open != Some(kind) {
            self.close(out);
            let part = json!({ "message": { "content": { "type": kind, kind: "" } } });
            Self::tell("content-start", Some(self.next), Some(part), out);
            self.open = Some(kind);
        }
        let piece = json!({ "message": { "content": { kind: text } } });
        Self::tell("content-delta", Some(self.next), Some(piece), out);
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
        let event = json!({
            "id": self.reply.stamp.id,
            "type": "message-start",
            "delta": { "message": { "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [] } },
        });
        framing::event(out, "message-start", &event);
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => self.say("text", text, out),
            ChatEvent::Reasoning { text } => self.say("thinking", text, out),
            ChatEvent::PartEnd {
                part: Part::Text(_) | Part::Reasoning(_),
            } => self.close(out),
            ChatEvent::ToolCall(call) => {
                self.close(out);
                let Some(place) = self.calls.complete() else {
                    return;
                };
                let mut told = answer::called(&self.reply, call, place, &self.plugin);
                let arguments = told.pointer_mut("/function/arguments").map(Value::take);
                if let Some(function) = told.get_mut("function") {
                    put(function, "arguments", "");
                }
                let start = json!({ "message": { "tool_calls": told } });
                Self::tell("tool-call-start", Some(place), Some(start), out);
                let more = json!({ "message": { "tool_calls": { "function": { "arguments": arguments } } } });
                Self::tell("tool-call-delta", Some(place), Some(more), out);
                Self::tell("tool-call-end", Some(place), None, out);
            }
            ChatEvent::Citation(one) => {
                let cited = answer::citation(one, self.next);
                let start = json!({ "message": { "citations": cited } });
                Self::tell("citation-start", Some(self.citations), Some(start), out);
                Self::tell("citation-end", Some(self.citations), None, out);
                self.citations += 1;
            }
            ChatEvent::Done(whole) => {
                self.close(out);
                let end = json!({
                    "finish_reason": answer::finish(whole.finish_reason),
                    "usage": answer::usage(&whole.usage),
                });
                Self::tell("message-end", None, Some(end), out);
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        let end = json!({ "finish_reason": "ERROR", "error": error.message, "usage": {} });
        Self::tell("message-end", None, Some(end), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        framing::comment(out);
    }
}
