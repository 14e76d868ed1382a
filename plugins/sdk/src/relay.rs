//! What relays have in common: the way of a body that the caller wrote, and readers that take from
//! an answer what the host must know and nothing of what it says.

use crate::events::Events;
use crate::{
    ChatResponse, Decoder, Error, Finish, FinishReason, Frame, Framing, Header, Method, Mode,
    Operation, Route, Target, Usage,
};

/// The decoder of a vendor's chat, of whose events only `started`, `usage`, `finished`, `done` and
/// `failed` are left.
pub struct Essentials<D>(D);

impl<D: Decoder> Decoder for Essentials<D> {
    fn new(target: &Target) -> Self {
        Essentials(D::new(target))
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let mut all = Events::new();
        let read = self.0.frame(frame, &mut all);
        events.essentials_of(all);
        read
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        let mut all = Events::new();
        let read = self.0.end(&mut all);
        events.essentials_of(all);
        read
    }
}

/// An answer without what it says.
#[must_use]
pub fn essentials(answer: ChatResponse) -> ChatResponse {
    ChatResponse {
        content: Vec::new(),
        extra: None,
        ..answer
    }
}

/// The answer of an operation that says nothing, such as vectors: it is complete by being there.
#[must_use]
pub fn complete(model: Option<&str>, usage: Usage) -> ChatResponse {
    ChatResponse {
        model: model.map(str::to_owned),
        finish: Finish {
            reason: FinishReason::Stop,
            raw: None,
        },
        usage,
        ..ChatResponse::default()
    }
}

impl Route {
    /// The way of a body that is sent to this path and names the target's model as `model`.
    #[must_use]
    pub fn post(target: &Target, path: Vec<String>, headers: Vec<Header>) -> Self {
        Route {
            method: Method::Post,
            path,
            query: Vec::new(),
            headers,
            framing: Framing::Whole,
            model: vec!["model".to_owned()],
            name: target.model.clone(),
        }
    }
}

/// How an answer comes: as `stream`, where the operation has streams and one is asked for.
#[must_use]
pub fn framing(operation: Operation, mode: Mode, stream: Framing) -> Framing {
    match (operation, mode) {
        (Operation::Chat, Mode::Stream) => stream,
        _ => Framing::Whole,
    }
}

/// The target's wire, which must be one of these; the first where it names none.
///
/// # Errors
///
/// `unsupported` for any other, naming it and `vendor`.
pub fn wire<'w>(vendor: &str, target: &Target, wires: &[&'w str]) -> Result<&'w str, Error> {
    let asked = target.wire.as_str();
    let mut wires = wires.iter().copied();
    let found = match asked {
        "" => wires.next(),
        _ => wires.find(|wire| *wire == asked),
    };
    found.ok_or_else(|| Error::unsupported(format!("{vendor} does not speak the wire {asked:?}")))
}

/// That a wire has no such operation with this vendor.
#[must_use]
pub fn unsupported(vendor: &str, wire: &str, operation: Operation) -> Error {
    let what = match operation {
        Operation::Chat => "chat",
        Operation::CountTokens => "counting of tokens",
        Operation::Embeddings => "embeddings",
    };
    Error::unsupported(format!("{vendor} has no {what} on the wire {wire}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::target;
    use crate::{ChatEvent, ErrorKind};

    /// Says something of every kind, and fails at `x`.
    struct Talker;

    impl Decoder for Talker {
        fn new(_: &Target) -> Self {
            Talker
        }

        fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
            events.started(Some("id"), None);
            events.text("words");
            events.reasoning("thoughts");
            events.extra("{}");
            if frame.data == "x" {
                return Err(Error::malformed("x"));
            }
            events.finished(FinishReason::Stop, None);
            Ok(())
        }

        fn end(&mut self, events: &mut Events) -> Result<(), Error> {
            events.text("more");
            events.done();
            Ok(())
        }
    }

    #[test]
    fn only_what_the_host_must_know_is_left() {
        let (events, end) =
            crate::testing::stream::<Essentials<Talker>>(&target("m", "{}"), &["a"]);
        assert_eq!(end, Ok(()));
        let kinds: Vec<bool> = events
            .iter()
            .map(|event| {
                matches!(
                    event,
                    ChatEvent::Started(_) | ChatEvent::Finished(_) | ChatEvent::Done
                )
            })
            .collect();
        assert_eq!(kinds, [true, true, true], "{events:?}");
        let (events, end) =
            crate::testing::stream::<Essentials<Talker>>(&target("m", "{}"), &["x"]);
        assert_eq!(end.unwrap_err().kind, ErrorKind::MalformedResponse);
        assert_eq!(events.len(), 1, "{events:?}");
    }

    #[test]
    fn a_wire_that_is_not_spoken_is_refused_by_name() {
        let wires = ["a-chat", "b-chat"];
        let mut target = target("m", "{}");
        assert_eq!(wire("parley", &target, &wires), Ok("a-chat"));
        target.wire = "b-chat".to_owned();
        assert_eq!(wire("parley", &target, &wires), Ok("b-chat"));
        target.wire = "c-chat".to_owned();
        let error = wire("parley", &target, &wires).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("c-chat"), "{}", error.message);
    }
}
