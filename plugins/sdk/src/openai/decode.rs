//! Reads an answer that came whole.

use super::dialect::Dialect;
use super::responses::{self, is_answer, is_event};
use super::stream::{Stream, told};
use super::wire::{index, one_or_many};
use crate::assemble::assemble;
use crate::events::Events;
use crate::json::Json;
use crate::sse;
use crate::{ChatResponse, Error, Frame, Response};

/// Reads a whole answer, as if it had come in one piece of a stream. Servers that stream
/// whatever they are asked are read as well.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no answer.
pub fn decode(dialect: &Dialect, response: &Response) -> Result<ChatResponse, Error> {
    let reply = match Json::parse(&response.body) {
        Ok(reply) => reply,
        Err(error) => {
            return match sse::frames(&response.body) {
                Some(frames) => streamed(dialect, &frames),
                None => Err(Error::malformed(format!("the answer is no JSON: {error}"))),
            };
        }
    };
    if dialect.responses.is_some() && is_answer(&reply) {
        return responses::whole(dialect, &reply);
    }
    let choices = one_or_many(reply.get("choices"));
    if let Some(report) = told(&reply, choices.is_empty()) {
        return Err(report.into_error(dialect.errors));
    }
    let choice = choices
        .iter()
        .find(|choice| index(choice) == Some(0))
        .or_else(|| choices.first())
        .ok_or_else(|| Error::malformed("the answer has no choices"))?;
    let says = |key: &str| choice.get(key).is_some();
    if !["message", "delta", "text", "finish_reason", "error"]
        .iter()
        .any(|key| says(key))
    {
        return Err(Error::malformed("the answer has no message"));
    }
    let mut stream = Stream::new(dialect);
    let mut events = Events::new();
    stream.shell(&reply, &mut events);
    stream.choice(choice, true, &mut events)?;
    stream.others(choices, choice);
    stream.over(&mut events);
    Ok(assemble(events.into_inner()))
}

fn streamed(dialect: &Dialect, frames: &[Frame]) -> Result<ChatResponse, Error> {
    if dialect.responses.is_some() && frames.first().and_then(is_event) == Some(true) {
        return responses::whole_stream(dialect, frames);
    }
    let mut stream = Stream::new(dialect);
    let mut events = Events::new();
    for frame in frames {
        stream.frame(frame, &mut events)?;
        if events.is_over() {
            break;
        }
    }
    if !events.is_over() {
        stream.end(&mut events)?;
    }
    Ok(assemble(events.into_inner()))
}

#[cfg(test)]
mod tests;
