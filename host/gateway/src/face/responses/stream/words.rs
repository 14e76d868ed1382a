//! Messages: text and what it rests on.

use serde_json::{Value, json};

use super::super::super::framing;
use super::super::answer;
use super::{Delta, Open, Stream};

/// A message under way: one piece of text.
pub(super) struct Message {
    pub(super) place: usize,
    pub(super) id: String,
    pub(super) text: String,
    pub(super) annotations: Vec<Value>,
}

impl Stream {
    /// The message that grows, begun if there is none.
    pub(super) fn message(&mut self, out: &mut Vec<u8>) {
        if matches!(self.open, Open::Text(_)) {
            return;
        }
        self.close(out);
        let place = self.place();
        let id = answer::item_id(&self.reply, "msg", place);
        self.added(place, &answer::message(&id, "in_progress", &[]).into(), out);
        let part = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
        let event =
            json!({ "item_id": id, "output_index": place, "content_index": 0, "part": part });
        self.tell("response.content_part.added", &event, out);
        self.open = Open::Text(Message {
            place,
            id,
            text: String::new(),
            annotations: vec![],
        });
    }

    pub(super) fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.message(out);
        let sequence_number = self.number();
        if let Open::Text(message) = &mut self.open {
            message.text.push_str(text);
            let event = Delta {
                r#type: "response.output_text.delta",
                sequence_number,
                item_id: &message.id,
                output_index: message.place,
                content_index: Some(0),
                summary_index: None,
                delta: text,
                logprobs: Some([]),
            };
            framing::event(out, event.r#type, &event);
        }
    }

    pub(super) fn end_text(&mut self, message: Message, out: &mut Vec<u8>) {
        let Message {
            place,
            id,
            text,
            annotations,
        } = message;
        let event = json!({ "item_id": id, "output_index": place, "content_index": 0,
            "text": text, "logprobs": [] });
        self.tell("response.output_text.done", &event, out);
        let part = json!({ "type": "output_text", "text": text, "annotations": annotations, "logprobs": [] });
        let event =
            json!({ "item_id": id, "output_index": place, "content_index": 0, "part": part });
        self.tell("response.content_part.done", &event, out);
        let item = answer::message(&id, "completed", &[part]);
        self.done_item(place, item.into(), out);
    }

    pub(super) fn citation(&mut self, annotation: &Value, out: &mut Vec<u8>) {
        self.message(out);
        let Open::Text(message) = &mut self.open else {
            return;
        };
        let event = json!({
            "item_id": message.id, "output_index": message.place, "content_index": 0,
            "annotation_index": message.annotations.len(), "annotation": annotation,
        });
        message.annotations.push(annotation.clone());
        self.tell("response.output_text.annotation.added", &event, out);
    }
}
