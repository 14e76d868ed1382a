//! Bodies that the caller wrote, in the chat completions or the Responses API.

use std::marker::PhantomData;

use super::choice::{CHAT, RESPONSES};
use super::dialect::{Dialect, Place};
use super::responses::{self, Responses};
use super::usage::{bill, bill_usage, counts, report};
use super::{Stream, Vendor, decode};
use crate::events::Events;
use crate::json::Json;
use crate::relay::{complete, essentials, framing, unsupported, wire};
use crate::{
    ChatResponse, Decoder, Error, Frame, Framing, Mode, Operation, Relay, Response, Route, Target,
};

impl<V: Vendor> Relay for V {
    type Reader = Reader<V>;

    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        let dialect = V::dialect(target)?;
        let wire = spoken(&dialect, target)?;
        let place = place(&dialect, wire, operation)
            .ok_or_else(|| unsupported(dialect.name, wire, operation))?;
        let headers = dialect.request_headers();
        let mut route = Route::post(target, place.path.segments(), headers);
        route.query = place.query;
        route.framing = framing(operation, mode, Framing::Sse);
        if !place.model_in_body {
            route.model.clear();
        }
        if let Some(name) = dialect.model {
            route.name = name;
        }
        Ok(route)
    }

    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let dialect = V::dialect(target)?;
        if spoken(&dialect, target)? == RESPONSES {
            return responses::read(&dialect, response);
        }
        match Json::parse(&response.body) {
            Ok(answer) if has_vectors(&answer) => Ok(vectors(&answer)),
            _ => decode(&dialect, response).map(essentials),
        }
    }
}

fn spoken(dialect: &Dialect, target: &Target) -> Result<&'static str, Error> {
    let wires: &[&str] = match dialect.responses {
        Some(_) => &[CHAT, RESPONSES],
        None => &[CHAT],
    };
    wire(dialect.name, target, wires)
}

fn place(dialect: &Dialect, wire: &str, operation: Operation) -> Option<Place> {
    match (wire, operation) {
        (CHAT, Operation::Chat) => Some(Place {
            path: dialect.chat_path.clone(),
            query: dialect.query.clone(),
            model_in_body: dialect.model_in_body,
        }),
        (CHAT, Operation::Embeddings) => dialect.embeddings.clone(),
        (RESPONSES, Operation::Chat) => dialect.responses.clone(),
        (RESPONSES, Operation::CountTokens) => dialect.responses.as_ref().map(responses::counting),
        _ => None,
    }
}

/// Whether this is an answer of the embeddings API: a list, and nothing that was said.
fn has_vectors(answer: &Json<'_>) -> bool {
    answer.get("choices").is_none()
        && answer.get("error").is_none()
        && matches!(answer.get("data"), Some(Json::List(_)))
}

fn vectors(answer: &Json<'_>) -> ChatResponse {
    let mut usage = report(answer).map_or(crate::Usage::UNKNOWN, counts);
    bill(&mut usage, answer);
    if let Some(report) = report(answer) {
        bill_usage(&mut usage, report);
    }
    // Nothing comes out of it, and some servers say so.
    usage.completion_tokens = usage.completion_tokens.filter(|count| *count > 0);
    complete(answer.text("model"), usage)
}

/// Reads a stream of either wire.
pub struct Reader<V> {
    wire: Wire,
    vendor: PhantomData<V>,
}

enum Wire {
    Chat(Box<Stream>),
    Responses(Responses),
}

impl<V: Vendor> Decoder for Reader<V> {
    fn new(target: &Target) -> Self {
        let dialect = V::dialect(target).unwrap_or_default();
        let wire = match target.wire.as_str() {
            RESPONSES => Wire::Responses(Responses::new(&dialect)),
            _ => Wire::Chat(Box::new(Stream::new(&dialect))),
        };
        Reader {
            wire,
            vendor: PhantomData,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let mut all = Events::new();
        let read = match &mut self.wire {
            Wire::Chat(stream) => stream.frame(frame, &mut all),
            Wire::Responses(responses) => responses.frame(frame, &mut all),
        };
        events.essentials_of(all);
        read
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        let mut all = Events::new();
        let read = match &mut self.wire {
            Wire::Chat(stream) => stream.end(&mut all),
            Wire::Responses(_) => Err(Error::truncated()),
        };
        events.essentials_of(all);
        read
    }
}

#[cfg(test)]
mod tests;
