//! Answers that are none: bodies that cannot be read, streams that end before their end.

use multillm::described::{Framing, Response};
use multillm::plugin::wire::{Answer, Event, Frame};

use super::report::Report;
use super::{Bench, Described, vocabulary};

/// Bodies that no vendor sends as an answer.
pub(super) fn bad_bodies() -> Vec<(&'static str, String)> {
    vec![
        ("nothing", String::new()),
        ("blanks", " \r\n\t ".to_owned()),
        (
            "a web page",
            "<!doctype html><html><body>502</body></html>".to_owned(),
        ),
        ("words", "upstream connect error".to_owned()),
        (
            "JSON that is cut",
            r#"{"id":"kit","choices":[{"mess"#.to_owned(),
        ),
        ("two JSON values", "{} {}".to_owned()),
        ("a number", "7".to_owned()),
        ("a list", "[]".to_owned()),
        ("null", "null".to_owned()),
        ("half a character", r#"{"a":"\ud83d"}"#.to_owned()),
        ("deep lists", "[".repeat(20_000)),
        ("deep objects", r#"{"a":"#.repeat(20_000)),
        (
            "a large number",
            format!("{{\"usage\":{}}}", "9".repeat(400)),
        ),
    ]
}

impl Bench {
    /// What an answer is read as; outside, the component broke.
    pub(super) async fn decode(
        &self,
        body: &str,
    ) -> Result<Result<Answer, multillm::error::Error>, String> {
        let mut session = self.plugin.session().await.map_err(|e| e.to_string())?;
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let response = Response {
            status: 200,
            headers,
            body: body.to_owned(),
        };
        let read = session.decode(&self.target, response).await;
        read.map_err(|error| error.to_string())
    }

    /// The events of frames, so many a call, and those of the end; outside, the component broke.
    pub(super) async fn events(
        &self,
        frames: &[Frame],
        batch: usize,
    ) -> Result<Vec<Event>, String> {
        let session = self.plugin.session().await.map_err(|e| e.to_string())?;
        let decoder = session.into_decoder(&self.target).await;
        let mut decoder = decoder.map_err(|error| error.to_string())?;
        let mut events = vec![];
        for frames in frames.chunks(batch.max(1)) {
            let came = decoder.push(frames.to_vec()).await;
            events.extend(came.map_err(|error| error.to_string())?);
            if ended(&events) {
                return Ok(events);
            }
        }
        let came = decoder.finish().await;
        events.extend(came.map_err(|error| error.to_string())?);
        Ok(events)
    }
}

/// Nothing comes after these.
pub(super) fn ended(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::Done | Event::Failed(_)))
}

pub(super) async fn check(bench: &Bench, report: &mut Report) {
    whole(bench, report).await;
    unknown(bench, report).await;
    streams(bench, report).await;
}

async fn whole(bench: &Bench, report: &mut Report) {
    const CODE: &str = "malformed-answer";
    for (what, body) in bad_bodies() {
        match bench.decode(&body).await {
            Err(reason) => report.failed(CODE, format!("{what}: {reason}")),
            Ok(Ok(answer)) => report.failed(CODE, format!("{what} is read as {:?}", answer.parts)),
            Ok(Err(_)) => report.passed(CODE),
        }
    }
}

/// An empty object says nothing: no counts, and nothing that the model is said to have written.
async fn unknown(bench: &Bench, report: &mut Report) {
    const CODE: &str = "unknown-not-zero";
    match bench.decode("{}").await {
        Err(reason) => report.failed("malformed-answer", format!("an empty object: {reason}")),
        Ok(Err(_)) => report.passed(CODE),
        Ok(Ok(answer)) => {
            let usage = &answer.usage;
            let counts = [
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.total_tokens,
            ];
            report.judge(CODE, counts == [None; 3], || {
                format!("an answer without counts has {usage:?}")
            });
            report.judge("malformed-answer", answer.parts.is_empty(), || {
                format!("an empty object is read as {:?}", answer.parts)
            });
        }
    }
}

async fn streams(bench: &Bench, report: &mut Report) {
    let framing = match bench.describe(&vocabulary::plain(), true).await {
        Described::Request(request) => request.framing,
        _ => return,
    };
    if framing == Framing::Whole {
        return;
    }
    match bench.events(&[], 1).await {
        Err(reason) => report.failed("cut-stream", format!("a stream without a frame: {reason}")),
        Ok(events) => report.judge(
            "cut-stream",
            matches!(events.last(), Some(Event::Failed(_))),
            || format!("a stream without a frame ends as {events:?}"),
        ),
    }
    let junk = [
        "",
        " ",
        "{}",
        "[]",
        "null",
        "7",
        "\"words\"",
        "{\"type\":\"kit_unknown\",\"kit\":1}",
        "{\"kit_unknown\":{\"deep\":[1,2,{}]}}",
        "{\"broken",
        "keep-alive",
    ];
    for data in junk {
        const CODE: &str = "junk-frames";
        let frame = Frame {
            event: None,
            data: data.to_owned(),
        };
        match bench.events(&[frame], 1).await {
            Err(reason) => report.failed(CODE, format!("the frame {data:?}: {reason}")),
            Ok(events) => report.judge(CODE, !events.contains(&Event::Done), || {
                format!("the frame {data:?} ends the answer well")
            }),
        }
    }
    let deep = Frame {
        event: None,
        data: r#"{"a":"#.repeat(20_000),
    };
    if let Err(reason) = bench.events(&[deep], 1).await {
        report.failed("junk-frames", format!("a frame of deep objects: {reason}"));
    }
}
