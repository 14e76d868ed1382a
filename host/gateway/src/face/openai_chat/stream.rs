//! Streamed answers: chunks that hold what is new, the same frame around each.

use std::collections::BTreeMap;

use multillm::Error;
use multillm::chat::{ChatEvent, ChatResponse, Part};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::asked::Reply;
use super::super::calls::{self, Calls};
use super::super::framing::put;
use super::super::{Face, Renderer, framing, media, refused};
use super::answer;

/// The pieces of an answer.
pub(in super::super) struct Stream {
    reply: Reply,
    plugin: String,
    /// What every chunk begins with.
    before: Vec<u8>,
    /// What every chunk but the last ends with.
    after: &'static [u8],
    calls: Calls,
    /// Places of calls of tools that take free text.
    free: Vec<usize>,
    /// Calls of which no argument was told yet, by their place.
    bare: Vec<usize>,
    /// Characters of text so far, for the places of citations.
    said: usize,
    /// Where the last part of text began.
    begun: usize,
    details: usize,
    /// How many elements were told of each list.
    lists: BTreeMap<&'static str, usize>,
}

/// A piece of text under some name: nearly all that a stream says.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
}

/// A further piece of a call: neither id nor name, which a strict reader would take for new ones.
#[derive(Serialize)]
struct More<'a> {
    tool_calls: [Piece<'a>; 1],
}

#[derive(Serialize)]
struct Piece<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Arguments<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Input<'a>>,
}

#[derive(Serialize)]
struct Arguments<'a> {
    arguments: &'a str,
}

#[derive(Serialize)]
struct Input<'a> {
    input: &'a str,
}

impl Stream {
    pub(in super::super) fn new(reply: Reply) -> Self {
        let mut before = b"data: {\"id\":".to_vec();
        framing::json(&mut before, &answer::id(&reply));
        before.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        framing::json(&mut before, &reply.stamp.created);
        before.extend_from_slice(b",\"model\":");
        framing::json(&mut before, &reply.model);
        Stream {
            after: match reply.form.usage {
                true => b",\"usage\":null}\n\n",
                false => b"}\n\n",
            },
            before,
            reply,
            plugin: String::new(),
            calls: Calls::default(),
            bare: vec![],
            free: vec![],
            said: 0,
            begun: 0,
            details: 0,
            lists: BTreeMap::new(),
        }
    }

    /// A chunk with one more element of a list. Readers put such lists together by the index of each element.
    fn element(&mut self, name: &'static str, mut element: Value, out: &mut Vec<u8>) {
        let index = self.lists.entry(name).or_default();
        put(&mut element, "index", *index);
        *index += 1;
        self.delta(&json!({ name: [element] }), out);
    }

    /// A chunk with something new.
    fn delta(&self, delta: &impl Serialize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before);
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
        framing::json(out, delta);
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}]");
        out.extend_from_slice(self.after);
    }

    fn begin_call(
        &mut self,
        place: usize,
        name: &str,
        given: Option<&str>,
        signature: Option<&str>,
        arguments: &str,
        out: &mut Vec<u8>,
    ) {
        let form = &self.reply.form;
        if form.functions {
            if place == 0 {
                let call = json!({ "name": name, "arguments": arguments });
                self.delta(&json!({ "function_call": call }), out);
            }
            return;
        }
        let free = signature == Some(calls::FREE) || form.free_text.iter().any(|free| free == name);
        let signature = signature.filter(|_| !free);
        let id = calls::id(given, place, &self.reply.stamp.id, &self.plugin, signature);
        let call = match free {
            true => json!({ "index": place, "id": id, "type": "custom",
                "custom": { "name": name, "input": arguments } }),
            false => json!({ "index": place, "id": id, "type": "function",
                "function": { "name": name, "arguments": arguments } }),
        };
        if !free && arguments.is_empty() {
            self.bare.push(place);
        }
        if free {
            self.free.push(place);
        }
        self.delta(&json!({ "tool_calls": [call] }), out);
    }

    fn more(&mut self, place: usize, arguments: &str, out: &mut Vec<u8>) {
        if arguments.is_empty() {
            return;
        }
        self.bare.retain(|bare| *bare != place);
        if self.reply.form.functions {
            if place == 0 {
                self.delta(&json!({ "function_call": { "arguments": arguments } }), out);
            }
            return;
        }
        let free = self.free.contains(&place);
        let piece = Piece {
            index: place,
            function: (!free).then_some(Arguments { arguments }),
            custom: free.then_some(Input { input: arguments }),
        };
        self.delta(
            &More {
                tool_calls: [piece],
            },
            out,
        );
    }

    fn part(&mut self, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Text(_) => self.begun = self.said,
            Part::Reasoning(thought) => {
                if let Some(detail) = answer::detail(thought, &self.plugin, self.details) {
                    self.details += 1;
                    self.delta(&json!({ "reasoning_details": [detail] }), out);
                }
            }
            Part::Opaque(block) => {
                let data = || serde_json::from_str::<Value>(&block.data).ok();
                match block.kind.as_str() {
                    name @ ("reasoning_details" | "audio") => {
                        if let Some(data) = data() {
                            self.delta(&json!({ name: data }), out);
                        }
                    }
                    "image_url" => {
                        if let Some(data) = data() {
                            self.element("images", data, out);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn done(&mut self, whole: &ChatResponse, out: &mut Vec<u8>) {
        for place in std::mem::take(&mut self.bare) {
            self.more(place, "{}", out);
        }
        let mut choice = Map::new();
        choice.insert("index".into(), 0.into());
        choice.insert("delta".into(), json!({}));
        choice.insert("logprobs".into(), Value::Null);
        let finish = answer::finish(&self.reply.form, whole.finish_reason);
        choice.insert("finish_reason".into(), finish.into());
        answer::native(&mut choice, whole);
        let mut beyond = Map::new();
        answer::beyond(&mut beyond, whole);
        out.extend_from_slice(&self.before);
        out.extend_from_slice(b",\"choices\":[");
        framing::json(out, &choice);
        out.push(b']');
        for (name, value) in &beyond {
            out.push(b',');
            framing::json(out, name);
            out.push(b':');
            framing::json(out, value);
        }
        out.extend_from_slice(self.after);
        if let (true, Some(usage)) = (self.reply.form.usage, answer::usage(&whole.usage)) {
            out.extend_from_slice(&self.before);
            out.extend_from_slice(b",\"choices\":[],\"usage\":");
            framing::json(out, &usage);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl Renderer for Stream {
    fn begin(&mut self, plugin: &str, out: &mut Vec<u8>) {
        plugin.clone_into(&mut self.plugin);
        self.delta(
            &json!({ "role": "assistant", "content": "", "refusal": null }),
            out,
        );
    }

    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Text { text } => {
                self.said += text.chars().count();
                let said = Said {
                    content: Some(text),
                    reasoning_content: None,
                };
                self.delta(&said, out);
            }
            ChatEvent::Reasoning { text } => {
                let said = Said {
                    content: None,
                    reasoning_content: Some(text),
                };
                self.delta(&said, out);
            }
            ChatEvent::ToolCallDelta {
                index,
                name: Some(name),
                id,
                signature,
                arguments,
            } => {
                let place = self.calls.begin(*index);
                self.begin_call(
                    place,
                    name,
                    id.as_deref(),
                    signature.as_deref(),
                    arguments,
                    out,
                );
            }
            ChatEvent::ToolCallDelta {
                index, arguments, ..
            } => {
                if let Some(place) = self.calls.place(*index) {
                    self.more(place, arguments, out);
                }
            }
            ChatEvent::ToolCall(call) => {
                if let Some(place) = self.calls.complete() {
                    let given = (!call.local).then_some(call.id.as_str());
                    let signature = call.signature.as_deref();
                    self.begin_call(place, &call.name, given, signature, &call.arguments, out);
                }
            }
            ChatEvent::PartEnd { part } => self.part(part, out),
            ChatEvent::Citation(citation) => match answer::annotation(citation, self.begun) {
                Some(annotation) => self.element("annotations", annotation, out),
                None => self.element("citations", json!(citation), out),
            },
            ChatEvent::Media(one) => match answer::sound(&self.reply, one) {
                Some(sound) => self.delta(&json!({ "audio": sound }), out),
                None => {
                    if let Some(picture) = media::picture(one) {
                        self.element("images", picture, out);
                    }
                }
            },
            ChatEvent::Done(whole) => self.done(whole, out),
            _ => {}
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Vec<u8>) {
        framing::data(out, &refused::told(Face::OpenAiChat, error));
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        framing::comment(out);
    }
}
