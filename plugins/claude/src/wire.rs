//! What answers have in common, whole or streamed: ends and signatures of calls. Their counts are in `usage`.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Finish, FinishReason, outcome};

/// The text of a member; empty if there is none.
///
/// # Errors
///
/// `malformed-response` if it is there and is no text.
pub(crate) fn text<'a>(of: &'a Json<'_>, key: &str) -> Result<&'a str, Error> {
    match of.get(key) {
        None => Ok(""),
        Some(Json::Text(text)) => Ok(text),
        Some(_) => Err(Error::malformed(format!(
            "the answer cannot be read: \"{key}\" is no text"
        ))),
    }
}

/// The signature of a tool call: who made it, where that was not the model itself but a program
/// that the model runs at the vendor, or one of a set of tools. It goes back with the call.
pub(crate) fn call_signature(block: &Json<'_>) -> Option<String> {
    let is_remarkable =
        |caller: &&Json<'_>| caller.text("type").is_some_and(|kind| kind != "direct");
    let members: Vec<_> = [
        (CALLER, block.get(CALLER).filter(is_remarkable)),
        (TOOLSET, block.get(TOOLSET)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.into(), value?.clone())))
    .collect();
    (!members.is_empty()).then(|| Json::Object(members).to_string())
}

/// The members of a call that its signature keeps.
pub(crate) const CALLER: &str = "caller";
/// See [`CALLER`].
pub(crate) const TOOLSET: &str = "toolset_name";

/// The failure that an end of an answer stands for on compatible servers, if it does.
pub(crate) fn failed(raw: Option<&str>) -> Option<Error> {
    let raw = raw.filter(|raw| {
        ["error", "network_error", "server_error", "abort"]
            .iter()
            .any(|word| raw.eq_ignore_ascii_case(word))
    })?;
    let message = format!("the server could not finish the answer: {raw}");
    Some(Error {
        retryable: true,
        ..Error::new(ErrorKind::Server, message).with_code(Some(raw))
    })
}

/// The end of an answer from the vendor's `stop_reason`, also in the words of compatible servers.
pub(crate) fn finish(raw: Option<&str>, has_tool_calls: bool) -> Finish {
    let word = raw.map(str::to_ascii_lowercase);
    let reason = match word.as_deref() {
        Some("end_turn" | "stop_sequence" | "stop" | "eos") => FinishReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded" | "length") => FinishReason::Length,
        Some("tool_use" | "tool_calls") if has_tool_calls => FinishReason::ToolCalls,
        // A call without a name is none.
        Some("tool_use" | "tool_calls") => FinishReason::Stop,
        Some("refusal" | "sensitive" | "content_filter" | "safety" | "guardrail_intervened") => {
            FinishReason::ContentFilter
        }
        None if has_tool_calls => FinishReason::ToolCalls,
        // `pause_turn` among them: the answer is to be sent back as it is, to be continued.
        _ => FinishReason::Other,
    };
    Finish {
        reason: outcome::finish_reason(reason, has_tool_calls),
        raw: raw.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::finish;
    use multillm_plugin_sdk::FinishReason;

    #[test]
    fn stop_reasons_are_unified_and_kept() {
        for (raw, tools, reason) in [
            ("end_turn", false, FinishReason::Stop),
            ("end_turn", true, FinishReason::ToolCalls),
            ("stop_sequence", false, FinishReason::Stop),
            ("max_tokens", true, FinishReason::Length),
            ("model_context_window_exceeded", false, FinishReason::Length),
            ("TOOL_USE", true, FinishReason::ToolCalls),
            ("tool_use", false, FinishReason::Stop),
            ("refusal", false, FinishReason::ContentFilter),
            ("sensitive", false, FinishReason::ContentFilter),
            ("length", false, FinishReason::Length),
            ("pause_turn", false, FinishReason::Other),
            ("something_new", false, FinishReason::Other),
        ] {
            let finish = finish(Some(raw), tools);
            assert_eq!((finish.reason, finish.raw.as_deref()), (reason, Some(raw)));
        }
        assert_eq!(finish(None, true).reason, FinishReason::ToolCalls);
        assert_eq!(finish(None, false).reason, FinishReason::Other);
    }
}
