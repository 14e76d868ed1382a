//! A tool call in a stream: its arguments come in pieces, of which the first is usually empty.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ToolCallStart, outcome};

use crate::wire::{call_signature, text};

/// An open call.
pub(super) struct Call {
    index: u32,
    /// Pieces held back because all of them together may yet mean "no arguments".
    held: String,
    /// Something was recorded.
    begun: bool,
    /// What the block held when it was opened: some gateways send all arguments there, as an
    /// object or as its text.
    given: String,
}

impl Call {
    /// Records that a call begins. `given` is the input of the block as it was opened.
    pub(super) fn start(
        index: u32,
        block: &Json<'_>,
        given: &str,
        events: &mut Events,
    ) -> Result<Self, Error> {
        events.tool_call_start(ToolCallStart {
            index,
            id: block.text("id").map(str::to_owned),
            name: text(block, "name")?.to_owned(),
            signature: call_signature(block),
            extra: None,
        });
        Ok(Call {
            index,
            held: String::new(),
            begun: false,
            given: given.to_owned(),
        })
    }

    /// Adds a piece of the arguments.
    pub(super) fn add(&mut self, piece: &str, events: &mut Events) {
        if self.begun {
            events.tool_call_delta(self.index, piece);
            return;
        }
        self.held.push_str(piece);
        if !outcome::may_be_none(&self.held) {
            self.begun = true;
            events.tool_call_delta(self.index, std::mem::take(&mut self.held));
        }
    }

    /// Ends the call: the caller always gets arguments.
    pub(super) fn close(self, events: &mut Events) {
        if self.begun {
            return;
        }
        let arguments = if self.held.trim().is_empty() {
            &self.given
        } else {
            &self.held
        };
        events.tool_call_delta(self.index, outcome::tool_arguments(arguments));
    }
}
