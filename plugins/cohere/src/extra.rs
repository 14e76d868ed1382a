//! What an answer says beyond the contract: what was billed, probabilities, citations of the plan.

use multillm_plugin_sdk::beyond::Beyond;
use multillm_plugin_sdk::json::Json;

use crate::citations::is_of_text;

/// What was said so far.
#[derive(Default)]
pub(crate) struct Extra(Beyond);

impl Extra {
    /// Takes over what a whole answer says, or the end of a stream.
    pub(crate) fn answer(&mut self, answer: &Json<'_>) {
        const KNOWN: [&str; 5] = ["id", "message", "finish_reason", "usage", "error"];
        self.0.add(answer.beside(&KNOWN));
        let usage = answer
            .get("usage")
            .and_then(|usage| usage.beside(&["tokens"]));
        self.0
            .add(usage.map(|usage| Json::object([("usage", usage)])));
        if let Some(message) = answer.get("message") {
            self.message(message);
        }
    }

    fn message(&mut self, message: &Json<'_>) {
        const KNOWN: [&str; 5] = ["role", "content", "tool_plan", "tool_calls", "citations"];
        self.0.add(message.beside(&KNOWN));
        let citations = message.get("citations").map_or(&[][..], Json::list);
        for citation in citations {
            self.citation(citation);
        }
    }

    /// Keeps a citation that is none of the text's.
    pub(crate) fn citation(&mut self, citation: &Json<'_>) {
        if !is_of_text(citation) {
            self.0.push("citations", citation);
        }
    }

    /// Keeps the probabilities of a piece.
    pub(crate) fn probabilities(&mut self, piece: &Json<'_>) {
        self.0.push("logprobs", piece);
    }

    /// All of it as JSON text.
    pub(crate) fn text(&self) -> Option<String> {
        self.0.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_elsewhere_is_told() {
        let mut extra = Extra::default();
        let text = r#"{"id":"a","message":{"role":"assistant","content":[],"citations":[
            {"start":0,"end":1,"type":"PLAN"},{"start":0,"end":1}]},"finish_reason":"COMPLETE",
            "usage":{"billed_units":{"input_tokens":3},"tokens":{"input_tokens":9}},"logprobs":[{"token_ids":[1]}]}"#;
        extra.answer(&Json::parse(text).unwrap());
        extra.probabilities(&Json::parse(r#"{"token_ids":[2]}"#).unwrap());
        assert_eq!(
            extra.text().unwrap(),
            r#"{"logprobs":[{"token_ids":[1]},{"token_ids":[2]}],"usage":{"billed_units":{"input_tokens":3}},"citations":[{"start":0,"end":1,"type":"PLAN"}]}"#
        );
        assert_eq!(Extra::default().text(), None);
    }
}
