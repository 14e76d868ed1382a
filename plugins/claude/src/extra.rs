//! What an answer says beyond the contract: which stop sequence was met, why the model refused,
//! the container in which it ran programs, what was cleared from the conversation, and how tokens
//! were billed. Whatever is new is in it too.

use multillm_plugin_sdk::Opaque;
use multillm_plugin_sdk::beyond::Beyond;
use multillm_plugin_sdk::json::Json;

/// What the contract has a place for.
const OF_MESSAGE: [&str; 8] = [
    "id",
    "type",
    "role",
    "model",
    "content",
    "stop_reason",
    "usage",
    "error",
];
/// Of an event that ends a message.
const OF_EVENT: [&str; 3] = ["type", "delta", "usage"];
/// What the six counts say.
const OF_USAGE: [&str; 5] = [
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens_details",
];

/// The container that the answer ran programs in, kept as a part so that it goes on with the
/// conversation.
pub(crate) const CONTAINER: &str = "container";

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Extra(Beyond);

impl Extra {
    /// Takes over what a message says, whole or at its beginning.
    pub(crate) fn message(&mut self, message: &Json<'_>) {
        self.0.add(message.beside(&OF_MESSAGE));
        self.usage(message);
    }

    /// Takes over what the event says that ends a message.
    pub(crate) fn event(&mut self, event: &Json<'_>) {
        self.0.add(event.beside(&OF_EVENT));
        let delta = event.get("delta");
        self.0
            .add(delta.and_then(|delta| delta.beside(&["stop_reason"])));
        self.usage(event);
    }

    fn usage(&mut self, of: &Json<'_>) {
        let usage = of.get("usage").and_then(|usage| usage.beside(&OF_USAGE));
        self.0
            .add(usage.map(|usage| Json::object([("usage", usage)])));
    }

    /// The part that keeps the container, if there is one.
    pub(crate) fn container(&self) -> Option<Opaque> {
        let container = self.0.known()?.get(CONTAINER)?;
        container.text("id")?;
        Some(Opaque {
            kind: CONTAINER.to_owned(),
            data: Json::object([(CONTAINER, container.clone())]).to_string(),
        })
    }

    /// All of it as JSON text.
    pub(crate) fn text(&self) -> Option<String> {
        self.0.text()
    }
}

/// The id of a container that an earlier answer's part keeps.
pub(crate) fn kept_container(block: &Opaque) -> Option<String> {
    if block.kind != CONTAINER {
        return None;
    }
    let kept = Json::parse(&block.data).ok()?;
    let id = kept.at(&[CONTAINER, "id"])?.str()?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_elsewhere_is_told() {
        let mut extra = Extra::default();
        let plain = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[],
            "stop_reason":null,"stop_sequence":null,"container":null,"usage":{"input_tokens":1,"output_tokens":2}}"#;
        extra.message(&Json::parse(plain).unwrap());
        assert_eq!(extra.text(), None);
        let end = r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END",
            "container":{"id":"c1","expires_at":"2026-01-01T00:00:00Z"}},
            "usage":{"output_tokens":9,"service_tier":"standard","server_tool_use":{"web_search_requests":0}},
            "context_management":{"applied_edits":[]}}"#;
        extra.event(&Json::parse(end).unwrap());
        assert_eq!(
            extra.text().unwrap(),
            r#"{"context_management":{"applied_edits":[]},"stop_sequence":"END","container":{"id":"c1","expires_at":"2026-01-01T00:00:00Z"},"usage":{"service_tier":"standard","server_tool_use":{"web_search_requests":0}}}"#
        );
        let kept = extra.container().unwrap();
        assert_eq!(kept_container(&kept).as_deref(), Some("c1"));
        let other = Opaque {
            kind: "compaction".to_owned(),
            ..kept
        };
        assert_eq!(kept_container(&other), None);
    }
}
