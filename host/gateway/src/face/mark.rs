//! Where a signature comes from, written into what callers send back.
//!
//! Vendors sign thoughts and calls, and want the signatures back; other vendors must not see them. A caller knows
//! nothing of that and sends back what it was given: so the name of the plugin travels with the signature, in the
//! places that every caller returns unchanged (signatures of thoughts, ids of calls). What bears no mark came from a
//! vendor that speaks the caller's wire itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use multillm::chat::ToolCall;

/// Stands in what is marked, and in nothing else; of characters that all vendors allow in ids.
pub(super) const MARK: &str = "-mlm1-";

/// A signature of thoughts, with its plugin.
pub(super) fn signed(plugin: &str, signature: &str) -> String {
    format!("{plugin}{MARK}{signature}")
}

/// The plugin of a signature, if it is marked, and the signature itself.
pub(super) fn unsigned(signature: &str) -> (Option<&str>, &str) {
    match signature.split_once(MARK) {
        Some((plugin, signature)) => (Some(plugin), signature),
        None => (None, signature),
    }
}

/// How a packed signature begins: the mark in base64.
pub(super) const PACKED: &str = "LW1sbTEt";

/// A signature with its plugin where the wire wants base64.
pub(super) fn packed(plugin: &str, signature: &str) -> String {
    STANDARD.encode(format!("{MARK}{plugin} {signature}"))
}

/// The plugin of a packed signature, and the signature itself. Clients write either alphabet of base64.
pub(super) fn unpacked(written: &str) -> (Option<String>, String) {
    let marked = || {
        let plain: String = written
            .trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_");
        let kept = URL_SAFE_NO_PAD.decode(plain).ok()?;
        let kept = String::from_utf8(kept).ok()?;
        let (plugin, signature) = kept.strip_prefix(MARK)?.split_once(' ')?;
        Some((Some(plugin.to_owned()), signature.to_owned()))
    };
    let begins = written.starts_with(PACKED);
    let marked = if begins { marked() } else { None };
    marked.unwrap_or_else(|| (None, written.to_owned()))
}

/// What a marked id holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Id {
    /// The vendor's id.
    pub(super) id: String,
    /// The plugin, if the id is marked.
    pub(super) plugin: Option<String>,
    /// The signature of the call.
    pub(super) signature: Option<String>,
}

/// The id that a caller is told: a signed call carries its signature in it.
pub(super) fn call_id(id: &str, plugin: &str, signature: Option<&str>) -> String {
    match signature {
        None => id.to_owned(),
        Some(signature) => {
            let kept = URL_SAFE_NO_PAD.encode(format!("{plugin} {signature}"));
            format!("{id}{MARK}{kept}")
        }
    }
}

/// Reads an id that a caller sent back. One whose mark cannot be read is an id like any other.
pub(super) fn read_id(written: &str) -> Id {
    let marked = || {
        let (id, kept) = written.split_once(MARK)?;
        let kept = String::from_utf8(URL_SAFE_NO_PAD.decode(kept).ok()?).ok()?;
        let (plugin, signature) = kept.split_once(' ')?;
        Some(Id {
            id: id.to_owned(),
            plugin: Some(plugin.to_owned()),
            signature: Some(signature.to_owned()),
        })
    };
    marked().unwrap_or_else(|| Id {
        id: written.to_owned(),
        ..Id::default()
    })
}

/// A call as it was before a caller had it.
pub(super) fn call(written: &str, name: String, arguments: String) -> (ToolCall, Option<String>) {
    let Id {
        id,
        plugin,
        signature,
    } = read_id(written);
    let call = ToolCall {
        id,
        name,
        arguments,
        signature,
        ..ToolCall::default()
    };
    (call, plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_marked_is_read_back() {
        let written = call_id("look_1", "gemini", Some("CiQB/+== \u{e4}"));
        assert!(written.starts_with("look_1-mlm1-"));
        assert!(
            written
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        let read = read_id(&written);
        assert_eq!(read.id, "look_1");
        assert_eq!(read.plugin.as_deref(), Some("gemini"));
        assert_eq!(read.signature.as_deref(), Some("CiQB/+== \u{e4}"));
        assert_eq!(
            unsigned(&signed("claude", "Eu==")),
            (Some("claude"), "Eu==")
        );
    }

    #[test]
    fn packed_signatures_are_base64_and_come_back_in_either_alphabet() {
        for signature in ["CiQB/+==", "", "\u{e4}?>"] {
            let written = packed("gemini", signature);
            assert!(written.starts_with(PACKED) && STANDARD.decode(&written).is_ok());
            let other = written.replace('+', "-").replace('/', "_");
            for written in [written, other] {
                assert_eq!(
                    unpacked(&written),
                    (Some("gemini".to_owned()), signature.to_owned())
                );
            }
        }
        for foreign in ["CiQ=", "LW1sbTEt?", "LW1sbTEt", ""] {
            assert_eq!(unpacked(foreign), (None, foreign.to_owned()));
        }
    }

    #[test]
    fn what_bears_no_mark_is_left_alone() {
        assert_eq!(call_id("call_1", "openai", None), "call_1");
        for id in ["call_1", "x-mlm1-?", "x-mlm1-AAAA", ""] {
            let read = read_id(id);
            assert_eq!((read.id.as_str(), read.plugin), (id, None));
        }
        assert_eq!(unsigned("Eu=="), (None, "Eu=="));
    }
}
