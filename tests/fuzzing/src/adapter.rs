//! An adapter twice: its Rust code as it stands, and its component in the host's sandbox.
//!
//! Four bytes choose the status, the settings, the headers and the cuts; the rest is the body.
//! Below status 400 it is read as an answer, as a page of models and as a stream; from there on
//! it is a failure to be classified.
//!
//! Both must say the same, and neither may panic or trap. A stream ends in exactly one event that
//! says so, and in success only where the vendor said that it was the end.

mod component;
mod convert;
mod native;
pub(crate) mod subjects;

use std::sync::OnceLock;

use component::Component;
use multillm::chat::{Accumulator, Part};
use multillm::plugin::wire;
use multillm::transport::{Framer, Framing, Tail, text_of};
use native::Native;

use crate::input::{cut, knobs, pick};

const STATUS: [u16; 28] = [
    200, 400, 401, 402, 403, 404, 408, 409, 413, 422, 424, 429, 498, 499, 500, 502, 503, 504, 529,
    201, 202, 204, 302, 399, 599, 999, 65_535, 0,
];

/// Headers that a plugin may see.
const HEADERS: [&[(&str, &str)]; 6] = [
    &[],
    &[("content-type", "application/json")],
    &[("retry-after", "7"), ("x-should-retry", "true")],
    &[("x-should-retry", "false")],
    &[("retry-after-ms", "-1"), ("retry-after", "soon")],
    &[("content-type", "text/html; charset=utf-8")],
];

/// A plugin, and what is known of its vendor.
pub(crate) struct Subject {
    /// As its component is called.
    name: &'static str,
    model: &'static str,
    framing: Framing,
    settings: &'static [Settings],
    native: Native,
    component: OnceLock<Component>,
}

/// Settings, and what a stream must hold to be complete under them: one of these in one frame.
struct Settings {
    json: &'static str,
    ends: &'static [&'static str],
}

impl Subject {
    pub(crate) fn prepare(&self) {
        self.component();
    }

    fn component(&self) -> &Component {
        self.component.get_or_init(|| Component::load(self.name))
    }

    pub(crate) fn check(&self, input: &[u8]) {
        let ([status, settings, headers, cuts], body) = knobs(input);
        let settings = pick(settings, self.settings);
        let headers = pick(headers, &HEADERS)
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let target = wire::Target {
            model: self.model.to_owned(),
            settings: settings.json.to_owned(),
            wire: self.native.wire(),
        };
        let response = wire::Response {
            status: *pick(status, &STATUS),
            headers: headers.collect(),
            body: text_of(body),
        };
        if response.status >= 400 {
            let native = self.native.failure(&target, &response);
            let component = self.component().failure(&target, response);
            assert_eq!(component, native, "the component, and natively");
            return;
        }
        self.whole(&target, response.clone());
        let native = self.native.page(&target, &response);
        let component = self.component().page(&target, response.clone());
        assert_eq!(component, native, "the component, and natively");
        self.stream(&target, response, settings, &cut(cuts, body));
    }

    fn whole(&self, target: &wire::Target, response: wire::Response) {
        let native = self.native.whole(target, &response);
        let component = self.component().whole(target, response);
        assert_eq!(component, native, "the component, and natively");
    }

    fn stream(
        &self,
        target: &wire::Target,
        response: wire::Response,
        settings: &Settings,
        pieces: &[&[u8]],
    ) {
        let mut batches = Vec::new();
        let mut framer = Framer::new(self.framing);
        for piece in pieces {
            let mut frames = Vec::new();
            framer.push(piece, &mut frames).expect("a short body");
            batches.push(frames);
        }
        match framer.finish() {
            Tail::Frames(frames) | Tail::Cut(frames) => batches.push(frames),
            Tail::Foreign(_) => {}
            Tail::Whole(body) => return self.whole(target, wire::Response { body, ..response }),
        }
        let frames = batches.concat();
        let native = self.native.stream(target, &frames);
        let component = self.component().stream(target, batches);
        assert_eq!(component, native, "the component, and natively");
        ends_once(&native);
        if native.last() == Some(&wire::Event::Done) {
            let said = |frame: &wire::Frame| settings.ends.iter().any(|end| says(frame, end));
            assert!(
                frames.iter().any(said),
                "success without an end: {native:?}"
            );
        }
        let mut answer = Accumulator::default();
        for event in native {
            if let wire::Event::Delta(delta) = event {
                answer.push(delta);
            }
        }
        let nameless = |part: &Part| matches!(part, Part::ToolCall(call) if call.id.is_empty());
        assert!(
            !answer.into_parts(0).iter().any(nameless),
            "a call without id"
        );
    }
}

/// One event says how the stream ended, and it is the last.
fn ends_once(events: &[wire::Event]) {
    let ends = |event: &wire::Event| !matches!(event, wire::Event::Delta(_));
    let count = events.iter().filter(|event| ends(event)).count();
    assert_eq!(count, 1, "ends of one stream: {events:?}");
    assert!(
        events.last().is_some_and(ends),
        "more than its end: {events:?}"
    );
}

/// Whether a frame holds a word, however JSON wrote it, and not as the key of `null`. A word that
/// stands somewhere else in the frame counts too: this asks for less than an adapter should.
fn says(frame: &wire::Frame, word: &str) -> bool {
    let mut text = frame.event.clone().unwrap_or_default();
    let mut rest = frame.data.as_str();
    while let Some((before, after)) = rest.split_once("\\u") {
        text.push_str(before);
        let escaped = after.get(..4).and_then(|digits| {
            let letter = u32::from_str_radix(digits, 16).ok()?;
            char::from_u32(letter)
        });
        text.extend(escaped);
        rest = after
            .get(4..)
            .filter(|_| escaped.is_some())
            .unwrap_or(after);
    }
    text.push_str(rest);
    text.retain(|letter| !letter.is_ascii_whitespace());
    text.replace(&format!("\"{word}\":null"), "").contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_found_however_it_is_written() {
        let frame = |data: &str| wire::Frame {
            event: None,
            data: data.to_owned(),
        };
        let said = |data: &str, word| says(&frame(data), word);
        assert!(said(" [DONE]", "[DONE]"));
        assert!(said(r#"{"done" : true}"#, r#""done":true"#));
        assert!(said(r#"{"type":"message\u005fstop"}"#, "message_stop"));
        assert!(!said(r#"{"type":"message_start"}"#, "message_stop"));
        assert!(!said(r#"{"finish_reason": null}"#, "finish_reason"));
        assert!(!said(r"\u00", "finish_reason"));
    }
}
