//! Thoughts, of which more may be said after they have ended.

use multillm::chat::ReasoningPart;
use serde_json::json;

use super::super::super::framing;
use super::super::answer;
use super::{Delta, Open, Stream};

/// Thoughts under way.
pub(super) struct Thoughts {
    pub(super) place: usize,
    pub(super) id: String,
    pub(super) text: String,
    /// As they ended; more may be said of them.
    pub(super) end: Option<ReasoningPart>,
}

impl Stream {
    pub(super) fn thought(&mut self, text: &str, out: &mut Vec<u8>) {
        match &self.open {
            Open::Thoughts(Thoughts { end: None, .. }) => {}
            _ => self.begin_thoughts(out),
        }
        let is_first = matches!(&self.open, Open::Thoughts(thoughts) if thoughts.text.is_empty());
        if is_first {
            self.begin_summary(out);
        }
        let sequence_number = self.number();
        if let Open::Thoughts(thoughts) = &mut self.open {
            thoughts.text.push_str(text);
            let event = Delta {
                r#type: "response.reasoning_summary_text.delta",
                sequence_number,
                item_id: &thoughts.id,
                output_index: thoughts.place,
                content_index: None,
                summary_index: Some(0),
                delta: text,
                logprobs: None,
            };
            framing::event(out, event.r#type, &event);
        }
    }

    pub(super) fn begin_thoughts(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        let place = self.place();
        let id = answer::item_id(&self.reply, "rs", place);
        let item = json!({ "id": id, "type": "reasoning", "summary": [] });
        self.added(place, &item.into(), out);
        self.open = Open::Thoughts(Thoughts {
            place,
            id,
            text: String::new(),
            end: None,
        });
    }

    pub(super) fn begin_summary(&mut self, out: &mut Vec<u8>) {
        if let Open::Thoughts(thoughts) = &self.open {
            let part = json!({ "type": "summary_text", "text": "" });
            let event = json!({ "item_id": thoughts.id, "output_index": thoughts.place,
                "summary_index": 0, "part": part });
            self.tell("response.reasoning_summary_part.added", &event, out);
        }
    }

    /// Thoughts have ended, as far as is known: what comes next may say more of them.
    pub(super) fn ended(&mut self, thought: &ReasoningPart, out: &mut Vec<u8>) {
        let again = match &self.open {
            Open::Thoughts(Thoughts { end: Some(end), .. }) => {
                (&end.text, &end.signature, &end.redacted)
                    == (&thought.text, &thought.signature, &thought.redacted)
            }
            Open::Thoughts(Thoughts { text, .. }) => *text == thought.text,
            _ => false,
        };
        if !again {
            if thought.signature.is_none() && thought.redacted.is_none() && thought.text.is_empty()
            {
                return;
            }
            self.begin_thoughts(out);
        }
        if let Open::Thoughts(thoughts) = &mut self.open {
            thoughts.end = Some(thought.clone());
        }
    }

    pub(super) fn end_thoughts(&mut self, thoughts: Thoughts, out: &mut Vec<u8>) {
        let Thoughts {
            place,
            id,
            text,
            end,
        } = thoughts;
        if !text.is_empty() {
            let event =
                json!({ "item_id": id, "output_index": place, "summary_index": 0, "text": text });
            self.tell("response.reasoning_summary_text.done", &event, out);
            let part = json!({ "type": "summary_text", "text": text });
            let event =
                json!({ "item_id": id, "output_index": place, "summary_index": 0, "part": part });
            self.tell("response.reasoning_summary_part.done", &event, out);
        }
        let end = end.unwrap_or_else(|| ReasoningPart {
            text,
            ..ReasoningPart::default()
        });
        let item = answer::reasoning(&id, &end, &self.plugin);
        self.done_item(place, item, out);
    }
}
