//! Reads an answer that came whole.

use super::dialect::Dialect;
use super::stream::Stream;
use super::wire::{index, one_or_many};
use crate::assemble::assemble;
use crate::error::Report;
use crate::events::Events;
use crate::json::Json;
use crate::{ChatResponse, Error, Response};

/// Reads a whole answer, as if it had come in one piece of a stream.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no answer.
pub fn decode(dialect: &Dialect, response: &Response) -> Result<ChatResponse, Error> {
    let reply = Json::parse(&response.body)
        .map_err(|error| Error::malformed(format!("the answer is no JSON: {error}")))?;
    let choices = one_or_many(reply.get("choices"));
    if (reply.get("error").is_some() || choices.is_empty())
        && let Some(report) = Report::of(&reply)
    {
        return Err(report.into_error(dialect.errors));
    }
    let choice = choices
        .iter()
        .find(|choice| index(choice) == Some(0))
        .or_else(|| choices.first())
        .ok_or_else(|| Error::malformed("the answer has no choices"))?;
    let says = |key: &&str| choice.get(key).is_some();
    if !["message", "delta", "text", "finish_reason"]
        .iter()
        .any(says)
    {
        return Err(Error::malformed("the answer has no message"));
    }
    let mut stream = Stream::new(dialect.clone());
    let mut events = Events::new();
    stream.shell(&reply, &mut events);
    stream.choice(choice, &mut events);
    stream.close(&mut events);
    Ok(assemble(events.into_inner()))
}

#[cfg(test)]
mod tests;
