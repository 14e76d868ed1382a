//! What the tests of this module share.

use super::decode::decode;
use super::dialect::Dialect;
use super::stream::Stream;
use crate::events::Events;
use crate::{ChatEvent, ChatResponse, Error, Frame, Response};

pub(super) fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: vec![],
        body: body.to_owned(),
    }
}

pub(super) fn whole(dialect: &Dialect, body: &str) -> Result<ChatResponse, Error> {
    decode(dialect, &response(200, body))
}

/// The events of a stream of these data, up to its end.
pub(super) fn stream(dialect: &Dialect, data: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    let mut stream = Stream::new(dialect.clone());
    let mut events = Events::new();
    for data in data {
        let frame = Frame {
            event: None,
            data: (*data).to_owned(),
        };
        let read = stream.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            return (events.into_inner(), read);
        }
    }
    let end = stream.end(&mut events);
    (events.into_inner(), end)
}

/// A stream's answer, put together as the host does it.
pub(super) fn streamed(dialect: &Dialect, data: &[&str]) -> Result<ChatResponse, Error> {
    let (list, end) = stream(dialect, data);
    end.map(|()| super::decode::assemble(list))
}
