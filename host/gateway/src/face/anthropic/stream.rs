//! Streamed answers: blocks that begin, grow and end.

use multillm::Error;
use multillm::chat::{ChatEvent, ChatResponse, Json, Part, ReasoningPart, ToolCall};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::asked::Reply;
use super::super::calls::{self, Calls};
use super::super::{Face, Renderer, framing, mark, refused};
use super::{answer, citation};

/// What grows at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Text(usize),
    Thinking(usize),
    /// Calls, of which several may grow by turns; all of them end together.
    Calls,
}

/// The pieces of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    open: Open,
    /// The index of the next block.
    next: usize,
    calls: Calls,
    /// The blocks of calls, by their place, and of those the ones that grow.
    blocks: Vec<usize>,
    growing: usize,
    /// The places of calls of tools that take free text.
    free: Vec<usize>,
    /// The last block held thoughts and ended with their signature.
    signed: bool,
}

#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    index: usize,
    delta: Piece<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Piece<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citation { citation: Value },
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        Stream {
            reply,
            plugin: String::new(),
            open: Open::Nothing,
            next: 0,
            calls: Calls::default(),
            blocks: vec![],
            growing: 0,
            free: vec![],
            signed: false,
        }
    }

    /// Begins a block, and says its index.
    fn start(&mut self, block: &impl Serialize, out: &mut Vec<u8>) -> usize {
        let index = self.next;
        self.next += 1;
        self.signed = false;
        let event = json!({ "type": "content_block_start", "index": index });
        let mut event: multillm::chat::JsonObject = match event {
            Value::Object(members) => members.into(),
            _ => return index,
        };
        let block = serde_json::to_string(block).unwrap_or_default();
        event.insert("content_block", Json::parse(&block).unwrap_or_default());
        framing::event(out, "content_block_start", &event);
        index
    }

    fn delta(index: usize, delta: Piece<'_>, out: &mut Vec<u8>) {
        let event = Delta {
            r#type: "content_block_delta",
            index,
            delta,
        };
        framing::event(out, "content_block_delta", &event);
    }

    fn stop(index: usize, out: &mut Vec<u8>) {
        let event = json!({ "type": "content_block_stop", "index": index });
        framing::event(out, "content_block_stop", &event);
    }

    /// Ends what grows. Thoughts end with a signature, if only to say whose they are.
    fn close(&mut self, out: &mut Vec<u8>) {
        match self.open {
            Open::Nothing => {}
            Open::Text(index) => Self::stop(index, out),
            Open::Thinking(index) => {
                let signature = &mark::signed(&self.plugin, "");
                Self::delta(index, Piece::Signature { signature }, out);
                Self::stop(index, out);
            }
            Open::Calls => {
                for (place, index) in self.blocks.iter().enumerate().skip(self.growing) {
                    if self.free.contains(&place) {
                        let partial_json = "\"}";
                        Self::delta(*index, Piece::Input { partial_json }, out);
                    }
                    Self::stop(*index, out);
                }
                self.growing = self.blocks.len();
            }
        }
        self.open = Open::Nothing;
    }

    fn text(&mut self, out: &mut Vec<u8>) -> usize {
        if let Open::Text(index) = self.open {
            return index;
        }
        self.close(out);
        let index = self.start(&json!({ "type": "text", "text": "" }), out);
        self.open = Open::Text(index);
        index
    }

    fn thinking(&mut self, out: &mut Vec<u8>) -> usize {
        if let Open::Thinking(index) = self.open {
            return index;
        }
        self.close(out);
        let block = json!({ "type": "thinking", "thinking": "", "signature": "" });
        let index = self.start(&block, out);
        self.open = Open::Thinking(index);
        index
    }

    /// The thoughts so far are complete.
    fn thought(&mut self, thought: &ReasoningPart, out: &mut Vec<u8>) {
        if thought.redacted.is_some() {
            return self.block(&answer::thinking(thought, &self.plugin), out);
        }
        let grows = matches!(self.open, Open::Thinking(_));
        if !grows && (self.signed || thought.signature.is_none()) {
            return;
        }
        let index = self.thinking(out);
        let signature = thought.signature.as_deref().unwrap_or_default();
        let signature = &mark::signed(&self.plugin, signature);
        Self::delta(index, Piece::Signature { signature }, out);
        Self::stop(index, out);
        self.open = Open::Nothing;
        self.signed = true;
    }

    /// A block that comes whole.
    fn block(&mut self, block: &impl Serialize, out: &mut Vec<u8>) {
        self.close(out);
        let index = self.start(block, out);
        Self::stop(index, out);
    }

    /// A block of this wire's. One of another ends what grows all the same.
    fn native(&mut self, data: &str, out: &mut Vec<u8>) {
        self.close(out);
        if let Some(block) = answer::native(data) {
            self.block(&block, out);
        }
    }

    fn call(&mut self, call: &ToolCall, place: usize, out: &mut Vec<u8>) {
        if self.open != Open::Calls {
            self.close(out);
            self.open = Open::Calls;
        }
        let mut head = answer::call_head(&self.reply, call, place, &self.plugin);
        head.insert("input".into(), json!({}));
        let index = self.start(&head, out);
        self.blocks.push(index);
        if calls::is_free(&self.reply.form, call) {
            // Free text is the text of an object's only member.
            self.free.push(place);
            let partial_json = &format!("{{\"{}\":\"", answer::RAW);
            Self::delta(index, Piece::Input { partial_json }, out);
        }
        self.input(place, &call.arguments, out);
    }

    /// More of a call's arguments, unless its block has ended.
    fn input(&mut self, place: usize, partial_json: &str, out: &mut Vec<u8>) {
        if partial_json.is_empty() || place < self.growing {
            return;
        }
        let escaped: String;
        let mut partial_json = partial_json;
        if self.free.contains(&place) {
            escaped = Value::from(partial_json).to_string();
            partial_json = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        }
        if let Some(index) = self.blocks.get(place) {
            Self::delta(*index, Piece::Input { partial_json }, out);
        }
    }

    fn part(&mut self, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Text(_) if matches!(self.open, Open::Text(_)) => self.close(out),
            Part::Reasoning(thought) => self.thought(thought, out),
            Part::Opaque(block) => self.native(&block.data, out),
            _ => {}
        }
    }

    fn done(&mut self, whole: &ChatResponse, out: &mut Vec<u8>) {
        self.close(out);
        let (reason, sequence) = answer::stop(whole);
        let event = json!({
            "type": "message_delta",
            "delta": { "stop_reason": reason, "stop_sequence": sequence },
            "usage": answer::usage(whole),
        });
        framing::event(out, "message_delta", &event);
        framing::event(out, "message_stop", &json!({ "type": "message_stop" }));
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
        let message = json!({
            "id": answer::id(&self.reply),
            "type": "message",
            "role": "assistant",
            "model": self.reply.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            // What was counted comes with the end.
            "usage": { "input_tokens": 0, "output_tokens": 0 },
        });
        let event = json!({ "type": "message_start", "message": message });
        framing::event(out, "message_start", &event);
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => {
                let index = self.text(out);
                Self::delta(index, Piece::Text { text }, out);
            }
            ChatEvent::Reasoning { text } => {
                let index = self.thinking(out);
                Self::delta(index, Piece::Thinking { thinking: text }, out);
            }
            ChatEvent::ToolCallDelta {
                index,
                name: Some(name),
                id,
                signature,
                arguments,
            } => {
                let place = self.calls.begin(*index);
                let call = ToolCall {
                    local: id.is_none(),
                    id: id.clone().unwrap_or_default(),
                    name: name.clone(),
                    arguments: arguments.clone(),
                    signature: signature.clone(),
                    ..ToolCall::default()
                };
                self.call(&call, place, out);
            }
            ChatEvent::ToolCallDelta {
                index, arguments, ..
            } => {
                if let Some(place) = self.calls.place(*index) {
                    self.input(place, arguments, out);
                }
            }
            ChatEvent::ToolCall(call) => {
                if let Some(place) = self.calls.complete() {
                    self.call(call, place, out);
                }
            }
            ChatEvent::PartEnd { part } => self.part(part, out),
            ChatEvent::Citation(one) => {
                let index = self.text(out);
                let citation = citation::written(one);
                Self::delta(index, Piece::Citation { citation }, out);
            }
            ChatEvent::Media(_) => self.close(out),
            ChatEvent::ServerToolCall(call) => self.native(&call.data, out),
            ChatEvent::ServerToolResult(result) => self.native(&result.data, out),
            ChatEvent::Done(whole) => self.done(whole, out),
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        framing::event(out, "error", &refused::told(Face::AnthropicMessages, error));
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        framing::event(out, "ping", &json!({ "type": "ping" }));
    }
}
