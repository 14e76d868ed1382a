//! Why a model stopped, in the words of OpenAI and of the engines behind compatible servers.

use crate::{Error, ErrorKind, FinishReason};

/// What a word means. Case does not count, nor what stands behind a colon
/// (`content_filter: RECITATION`).
pub(super) fn unified(raw: &str) -> FinishReason {
    const WORDS: &[(&str, FinishReason)] = &[
        ("stop", FinishReason::Stop),
        ("eos_token", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("stop_token", FinishReason::Stop),
        ("eos", FinishReason::Stop),
        ("end_turn", FinishReason::Stop),
        ("complete", FinishReason::Stop),
        ("completed", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("model_length", FinishReason::Length),
        ("max_length", FinishReason::Length),
        ("max_tokens", FinishReason::Length),
        ("max_output_tokens", FinishReason::Length),
        ("max_completion_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("context_length_exceeded", FinishReason::Length),
        ("context_window_exceeded", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("tool_call", FinishReason::ToolCalls),
        ("tool_use", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
        ("content_filtered", FinishReason::ContentFilter),
        ("content_policy_violation", FinishReason::ContentFilter),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("refusal", FinishReason::ContentFilter),
        ("sensitive", FinishReason::ContentFilter),
        ("safety", FinishReason::ContentFilter),
        ("recitation", FinishReason::ContentFilter),
        ("blocklist", FinishReason::ContentFilter),
        ("prohibited_content", FinishReason::ContentFilter),
        ("spii", FinishReason::ContentFilter),
        ("image_safety", FinishReason::ContentFilter),
        ("function_call_filter", FinishReason::Error),
        ("malformed_function_call", FinishReason::Error),
    ];
    let word = raw.split(':').next().unwrap_or(raw).trim();
    WORDS
        .iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known))
        .map_or(FinishReason::Other, |(_, reason)| *reason)
}

/// The failure that a word stands for, if it does: what was said so far is no answer.
pub(super) fn failure(raw: &str) -> Option<Error> {
    const WORDS: &[(&str, ErrorKind)] = &[
        ("error", ErrorKind::Server),
        ("network_error", ErrorKind::Server),
        ("server_error", ErrorKind::Server),
        ("engine_error", ErrorKind::Server),
        ("abort", ErrorKind::Server),
        ("aborted", ErrorKind::Server),
        ("insufficient_system_resource", ErrorKind::Overloaded),
    ];
    let (_, kind) = WORDS
        .iter()
        .find(|(word, _)| raw.eq_ignore_ascii_case(word))?;
    let message = format!("the vendor ended the answer with {raw:?} and no other words");
    Some(Error {
        retryable: true,
        ..Error::new(*kind, message).with_code(Some(raw))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_servers_words_are_known_in_any_case() {
        for (raw, reason) in [
            ("STOP", FinishReason::Stop),
            ("eos", FinishReason::Stop),
            ("Max_Output_Tokens", FinishReason::Length),
            ("model_context_window_exceeded", FinishReason::Length),
            ("sensitive", FinishReason::ContentFilter),
            ("content_filter: RECITATION", FinishReason::ContentFilter),
            (
                "function_call_filter: MALFORMED_FUNCTION_CALL",
                FinishReason::Error,
            ),
            ("function_call", FinishReason::ToolCalls),
            ("repetition", FinishReason::Other),
        ] {
            assert_eq!(unified(raw), reason, "{raw}");
            assert_eq!(failure(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_word_for_a_failure_is_one() {
        for (raw, kind) in [
            ("error", ErrorKind::Server),
            ("ABORT", ErrorKind::Server),
            ("insufficient_system_resource", ErrorKind::Overloaded),
        ] {
            let error = failure(raw).unwrap();
            assert_eq!((error.kind, error.retryable), (kind, true));
            assert!(error.message.contains(raw));
        }
    }
}
