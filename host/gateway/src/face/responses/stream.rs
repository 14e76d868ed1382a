//! Streamed answers: items that begin, grow and end, each event with its number.

mod calls;
mod thoughts;
mod words;

use std::collections::BTreeMap;

use multillm::Error;
use multillm::chat::{ChatEvent, ChatResponse, Json, MediaPart, Part, ToolCall};
use serde::Serialize;
use serde_json::{Map, json};

use super::super::asked::Reply;
use super::super::calls::Calls;
use super::super::{Renderer, framing, refused};
use super::answer;
use calls::Growing;
use thoughts::Thoughts;
use words::Message;

/// What grows at present.
enum Open {
    Nothing,
    Text(Message),
    Thoughts(Thoughts),
    /// Calls, of which several may grow by turns; all of them end together.
    Calls,
}

/// The pieces of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    /// The number of the next event.
    sequence: u64,
    /// The place of the next item.
    next: usize,
    items: BTreeMap<usize, Json>,
    open: Open,
    calls: Calls,
    /// By the number of the call.
    growing: BTreeMap<usize, Growing>,
}

/// An event that says a piece of something.
#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'a str,
    sequence_number: u64,
    item_id: &'a str,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<usize>,
    delta: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[u8; 0]>,
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        Stream {
            reply,
            plugin: String::new(),
            sequence: 0,
            next: 0,
            items: BTreeMap::new(),
            open: Open::Nothing,
            calls: Calls::default(),
            growing: BTreeMap::new(),
        }
    }

    fn number(&mut self) -> u64 {
        let number = self.sequence;
        self.sequence += 1;
        number
    }

    /// An event with these members, in which items are kept as they are.
    fn tell(&mut self, name: &str, members: &impl Serialize, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Numbered<'a, T> {
            r#type: &'a str,
            sequence_number: u64,
            #[serde(flatten)]
            members: &'a T,
        }
        let numbered = Numbered {
            r#type: name,
            sequence_number: self.number(),
            members,
        };
        framing::event(out, name, &numbered);
    }

    fn added(&mut self, place: usize, item: &Json, out: &mut Vec<u8>) {
        self.item("response.output_item.added", place, item, out);
    }

    fn done_item(&mut self, place: usize, item: Json, out: &mut Vec<u8>) {
        self.item("response.output_item.done", place, &item, out);
        self.items.insert(place, item);
    }

    fn item(&mut self, name: &str, place: usize, item: &Json, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Event<'a> {
            r#type: &'a str,
            sequence_number: u64,
            output_index: usize,
            item: &'a Json,
        }
        let event = Event {
            r#type: name,
            sequence_number: self.number(),
            output_index: place,
            item,
        };
        framing::event(out, name, &event);
    }

    fn response(&mut self, name: &str, answer: Option<&ChatResponse>, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Event<'a> {
            r#type: &'a str,
            sequence_number: u64,
            response: &'a multillm::chat::JsonObject,
        }
        let output: Vec<Json> = self.items.values().cloned().collect();
        let event = Event {
            r#type: name,
            sequence_number: self.number(),
            response: &answer::response(&self.reply, answer, &output),
        };
        framing::event(out, name, &event);
    }

    fn place(&mut self) -> usize {
        let place = self.next;
        self.next += 1;
        place
    }

    /// Ends what grows.
    fn close(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Text(message) => self.end_text(message, out),
            Open::Thoughts(thoughts) => self.end_thoughts(thoughts, out),
            Open::Calls => {
                for (_, growing) in std::mem::take(&mut self.growing) {
                    self.end_call(&growing, out);
                }
            }
        }
    }

    /// An item that comes whole. One of another wire ends what grows all the same.
    fn native(&mut self, data: &str, out: &mut Vec<u8>) {
        self.close(out);
        if let Some(item) = answer::native(data) {
            let place = self.place();
            self.added(place, &item, out);
            self.done_item(place, item, out);
        }
    }

    fn drawn(&mut self, media: &MediaPart, out: &mut Vec<u8>) {
        self.close(out);
        let place = self.place();
        let id = answer::item_id(&self.reply, "ig", place);
        let mut items = vec![];
        answer::drawn(&mut items, &id, media);
        match items.pop() {
            Some(item) => {
                self.added(place, &item, out);
                self.done_item(place, item, out);
            }
            None => self.next = place,
        }
    }

    fn finish(&mut self, answer: &ChatResponse, out: &mut Vec<u8>) {
        self.close(out);
        let name = match answer::ended(answer).0 {
            "incomplete" => "response.incomplete",
            "failed" => "response.failed",
            _ => "response.completed",
        };
        self.response(name, Some(answer), out);
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
        self.response("response.created", None, out);
        self.response("response.in_progress", None, out);
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => self.text(text, out),
            ChatEvent::Reasoning { text } if text.is_empty() => {}
            ChatEvent::Reasoning { text } => self.thought(text, out),
            ChatEvent::ToolCallDelta {
                index,
                name: Some(name),
                id,
                signature,
                arguments,
            } => {
                let number = self.calls.begin(*index);
                let call = ToolCall {
                    local: id.is_none(),
                    id: id.clone().unwrap_or_default(),
                    name: name.clone(),
                    arguments: arguments.clone(),
                    signature: signature.clone(),
                    ..ToolCall::default()
                };
                self.call(number, &call, out);
            }
            ChatEvent::ToolCallDelta {
                index, arguments, ..
            } => {
                if let Some(number) = self.calls.place(*index) {
                    self.more(number, arguments, out);
                }
            }
            ChatEvent::ToolCall(call) => {
                if let Some(number) = self.calls.complete() {
                    self.call(number, call, out);
                }
            }
            ChatEvent::PartEnd { part } => match part {
                Part::Text(_) if matches!(self.open, Open::Text(_)) => self.close(out),
                Part::Reasoning(thought) => self.ended(thought, out),
                Part::Opaque(block) => self.native(&block.data, out),
                _ => {}
            },
            ChatEvent::Citation(one) => {
                if let Some(annotation) = answer::annotation(one) {
                    self.citation(&annotation, out);
                }
            }
            ChatEvent::Media(media) => self.drawn(media, out),
            ChatEvent::ServerToolCall(call) => self.native(&call.data, out),
            ChatEvent::ServerToolResult(_) => self.close(out),
            ChatEvent::Done(answer) => self.finish(answer, out),
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        let fault = refused::openai(error);
        let mut event = Map::new();
        event.insert("error".into(), fault.clone());
        for name in ["code", "message", "param"] {
            event.insert(name.into(), fault.get(name).cloned().unwrap_or_default());
        }
        self.tell("error", &event, out);
        let output: Vec<Json> = self.items.values().cloned().collect();
        let mut response = answer::response(&self.reply, None, &output);
        response.insert("status", "failed");
        let code = fault.get("code").cloned().unwrap_or_default();
        let message = fault.get("message").cloned().unwrap_or_default();
        response.insert("error", json!({ "code": code, "message": message }));
        let event = Map::from_iter([(
            "response".to_owned(),
            serde_json::to_value(&response).unwrap_or_default(),
        )]);
        self.tell("response.failed", &event, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        framing::comment(out);
    }
}
