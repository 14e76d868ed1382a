//! The calls of tools in a stream: which of them were told in pieces, and which come whole.
//!
//! A live stream tells each call in pieces and all of them whole before its end; an answer that was kept tells them
//! whole alone.

use std::collections::BTreeMap;

use multillm::chat::ToolCall;

use super::asked::Form;
use super::mark;

/// The signature by which OpenAI's wires know the call of a tool that takes free text.
pub(super) const FREE: &str = "custom";

/// The calls so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Places in the order of the answer, by the index of an event.
    places: BTreeMap<u32, usize>,
    /// Calls that were told in pieces.
    streamed: usize,
    /// Calls that came whole, told before or not.
    whole: usize,
    /// All that were told.
    told: usize,
}

impl Calls {
    /// The place of a call that begins.
    pub(super) fn begin(&mut self, index: u32) -> usize {
        let place = self.told;
        self.places.insert(index, place);
        self.streamed += 1;
        self.told += 1;
        place
    }

    /// The place of a call that goes on.
    pub(super) fn place(&self, index: u32) -> Option<usize> {
        self.places.get(&index).copied()
    }

    /// The place of a call that comes whole; nothing if it was told in pieces.
    pub(super) fn complete(&mut self) -> Option<usize> {
        let number = self.whole;
        self.whole += 1;
        if number < self.streamed {
            return None;
        }
        let place = self.told;
        self.told += 1;
        Some(place)
    }
}

/// The id that the caller is told. Vendors give some calls none; no two of a conversation may be the same.
pub(super) fn id(
    given: Option<&str>,
    place: usize,
    stamp: &str,
    plugin: &str,
    signature: Option<&str>,
) -> String {
    match given.filter(|id| !id.is_empty()) {
        Some(id) => mark::call_id(id, plugin, signature),
        None => mark::call_id(&format!("call_{stamp}_{place}"), plugin, signature),
    }
}

/// Whether a call is one of a tool that takes free text.
pub(super) fn is_free(form: &Form, call: &ToolCall) -> bool {
    call.signature.as_deref() == Some(FREE) || form.free_text.contains(&call.name)
}

/// Arguments as every caller can read them: nothing is an empty object.
pub(super) fn arguments(written: &str) -> &str {
    match written.trim() {
        "" => "{}",
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_once() {
        let mut live = Calls::default();
        assert_eq!((live.begin(7), live.begin(3)), (0, 1));
        assert_eq!((live.place(3), live.place(9)), (Some(1), None));
        assert_eq!((live.complete(), live.complete()), (None, None));
        assert_eq!(live.complete(), Some(2));
        let mut kept = Calls::default();
        assert_eq!((kept.complete(), kept.complete()), (Some(0), Some(1)));
    }

    #[test]
    fn ids_are_there_and_differ() {
        assert_eq!(id(Some("call_1"), 0, "s", "openai", None), "call_1");
        assert_eq!(id(None, 0, "s", "gemini", None), "call_s_0");
        assert_ne!(
            id(Some(""), 1, "s", "gemini", None),
            id(None, 0, "s", "gemini", None)
        );
        assert_eq!(
            (arguments(" "), arguments("{\"a\":1}")),
            ("{}", "{\"a\":1}")
        );
    }
}
