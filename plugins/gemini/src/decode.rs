//! A whole answer: its events, put together.

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{ChatResponse, Error, FinishReason};

use crate::stream::Reader;

/// Reads the body of a success: an answer, or an array of its pieces.
///
/// # Errors
///
/// The error that the body holds, `malformed-response` if it is no answer,
/// `truncated` for an array without the last piece.
pub(crate) fn answer(body: &str) -> Result<ChatResponse, Error> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let mut reader = Reader::default();
    let mut events = Events::new();
    reader.read(body, &mut events)?;
    reader.close(&mut events);
    if !reader.is_recognised() {
        return Err(Error::malformed(
            "a JSON body without candidates, prompt feedback or usage",
        ));
    }
    if body.starts_with('[') && !reader.is_finished() {
        return Err(Error::truncated());
    }
    let mut answer = assemble(events.into_inner());
    if !reader.is_finished() {
        let reason = match reader.calls() {
            0 => FinishReason::Other,
            _ => FinishReason::Stop,
        };
        answer.finish.reason = finish_reason(reason, reader.calls() > 0);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
