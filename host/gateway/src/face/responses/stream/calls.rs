//! Calls of tools, of which several may grow by turns.

use multillm::chat::ToolCall;
use serde_json::json;

use super::super::super::{calls, framing};
use super::super::answer::Call;
use super::{Delta, Open, Stream};

/// A call under way.
pub(super) struct Growing {
    pub(super) place: usize,
    pub(super) call: Call,
    pub(super) said: String,
}

impl Stream {
    pub(super) fn call(&mut self, number: usize, call: &ToolCall, out: &mut Vec<u8>) {
        if !matches!(self.open, Open::Calls) {
            self.close(out);
            self.open = Open::Calls;
        }
        let place = self.place();
        let head = Call::of(&self.reply, call, number, place, &self.plugin);
        self.added(place, &head.item("in_progress", ""), out);
        self.growing.insert(
            number,
            Growing {
                place,
                call: head,
                said: String::new(),
            },
        );
        self.more(number, &call.arguments, out);
    }

    /// More of a call, unless it has ended.
    pub(super) fn more(&mut self, number: usize, said: &str, out: &mut Vec<u8>) {
        if said.is_empty() {
            return;
        }
        let sequence_number = self.sequence;
        let Some(growing) = self.growing.get_mut(&number) else {
            return;
        };
        self.sequence += 1;
        growing.said.push_str(said);
        let event = Delta {
            r#type: match growing.call.free {
                true => "response.custom_tool_call_input.delta",
                false => "response.function_call_arguments.delta",
            },
            sequence_number,
            item_id: &growing.call.id,
            output_index: growing.place,
            content_index: None,
            summary_index: None,
            delta: said,
            logprobs: None,
        };
        framing::event(out, event.r#type, &event);
    }

    pub(super) fn end_call(&mut self, growing: &Growing, out: &mut Vec<u8>) {
        let Growing { place, call, said } = growing;
        if call.free {
            let event = json!({ "item_id": call.id, "output_index": place, "input": said });
            self.tell("response.custom_tool_call_input.done", &event, out);
        } else {
            let arguments = calls::arguments(said);
            let event = json!({ "item_id": call.id, "output_index": place,
                "name": call.name, "arguments": arguments });
            self.tell("response.function_call_arguments.done", &event, out);
        }
        self.done_item(*place, call.item("completed", said), out);
    }
}
