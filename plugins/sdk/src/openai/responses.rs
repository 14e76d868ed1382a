//! The Responses API: <https://platform.openai.com/docs/api-reference/responses>.
//!
//! Here is what a relay must read of an answer too: who answered, what it took, how it ended. The end of a
//! stream is one of three events that hold the whole response; a marker beside them is not needed.
//!
//! - [`encode`]: the question; `input`, `answered` and `results`: the conversation so far; `tools` and
//!   `server`: tools of the caller's and of the vendor's
//! - [`stream`]: the answer; `items`, `ran` and [`citation`]: what is in it

mod answered;
pub(super) mod citation;
mod encode;
mod input;
mod items;
mod ran;
mod results;
mod server;
mod stream;
mod tools;

pub(super) use encode::{counting, encode, encode_count};
pub(super) use stream::{Stream, is_answer, is_event, whole, whole_stream};

use super::dialect::Dialect;
use super::usage::{bill, bill_usage, counts, report};
use crate::error::{Report, Sign};
use crate::events::Events;
use crate::json::Json;
use crate::relay::complete;
use crate::sse;
use crate::{ChatResponse, Error, Finish, FinishReason, Frame, Response, Usage};

/// Reads a response that came whole.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no response.
pub(super) fn read(dialect: &Dialect, response: &Response) -> Result<ChatResponse, Error> {
    let answer = match Json::parse(&response.body) {
        Ok(answer) => answer,
        Err(error) => {
            return match sse::frames(&response.body) {
                // A server that streams whatever it is asked.
                Some(frames) => streamed(dialect, &frames),
                None => Err(Error::malformed(format!("the answer is no JSON: {error}"))),
            };
        }
    };
    let mut said = Said::default();
    if is_response(&answer) {
        said.items(&answer);
        return answered_well(dialect.errors, &answer, &said);
    }
    if let Some(report) = Report::inside(&answer).or_else(|| Report::of(&answer)) {
        return Err(report.into_error(dialect.errors));
    }
    if answer.get("input_tokens").is_some() {
        // The answer to a count.
        return Ok(complete(None, Usage::UNKNOWN));
    }
    Err(Error::malformed("the answer is no response"))
}

/// Reads what counting tokens gave.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no count.
pub(super) fn decode_count(dialect: &Dialect, response: &Response) -> Result<u64, Error> {
    let answer = Json::parse(&response.body)
        .map_err(|error| Error::malformed(format!("the answer is no JSON: {error}")))?;
    let count = answer.get("input_tokens").and_then(Json::count);
    count.ok_or_else(
        || match Report::inside(&answer).or_else(|| Report::of(&answer)) {
            Some(report) => report.into_error(dialect.errors),
            None => Error::malformed("the answer has no count of tokens"),
        },
    )
}

fn streamed(dialect: &Dialect, frames: &[Frame]) -> Result<ChatResponse, Error> {
    let mut stream = Responses::new(dialect);
    let mut events = Events::new();
    for frame in frames {
        stream.frame(frame, &mut events)?;
        if events.is_over() {
            return Ok(crate::assemble::assemble(events.into_inner()));
        }
    }
    Err(Error::truncated())
}

/// Reads a stream.
pub(super) struct Responses {
    errors: &'static [Sign],
    named: bool,
    said: Said,
}

/// What was said, as far as the end depends on it.
#[derive(Default)]
struct Said {
    calls: bool,
    refused: bool,
    searches: u64,
    files: u64,
    ran_code: bool,
    drew: bool,
}

impl Responses {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Responses {
            errors: dialect.errors,
            named: false,
            said: Said::default(),
        }
    }

    /// Reads one event. Those that tell nothing of what is asked here are not even parsed.
    pub(super) fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        if is_passed_over(frame.event.as_deref().unwrap_or_default()) {
            return Ok(());
        }
        let Some((named, event)) = self.read(frame)? else {
            return Ok(());
        };
        let kind = event.text("type").unwrap_or(named);
        if kind == "response.output_item.done" {
            if let Some(item) = event.get("item") {
                self.item(item);
            }
            return Ok(());
        }
        self.event(kind, &event, events)
    }

    /// An item is in the answer.
    fn item(&mut self, item: &Json<'_>) {
        self.said.item(item);
    }

    /// An event and its name in the frame; nothing where it tells nothing new.
    fn read<'f>(&self, frame: &'f Frame) -> Result<Option<(&'f str, Json<'f>)>, Error> {
        let data = frame.data.trim();
        let named = frame.event.as_deref().unwrap_or_default();
        let shell = ["created", "in_progress", "queued"];
        let is_shell = |named: &str| {
            let state = named.strip_prefix("response.");
            state.is_some_and(|state| shell.contains(&state))
        };
        if data.is_empty() || data == "[DONE]" || (self.named && is_shell(named)) {
            return Ok(None);
        }
        match Json::parse(data) {
            Ok(event @ Json::Object(_)) => Ok(Some((named, event))),
            _ if named == "error" => Err(Report::said(data).into_error(self.errors)),
            _ => Err(Error::malformed("an event of the stream is no JSON object")),
        }
    }

    /// Reads an event as far as the end depends on it.
    fn event(&mut self, kind: &str, event: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        match kind {
            "error" => Err(self.failed(event)),
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = event.get("response").unwrap_or(&Json::Null);
                self.end(kind, response, events)
            }
            _ => match event.get("response") {
                Some(response) => {
                    self.name(response, events);
                    Ok(())
                }
                // What is no event of this API may be an error of what stands before it.
                None if !kind.starts_with("response.") => match Report::inside(event) {
                    Some(report) => Err(report.into_error(self.errors)),
                    None => Ok(()),
                },
                None => Ok(()),
            },
        }
    }

    fn name(&mut self, response: &Json<'_>, events: &mut Events) {
        if !self.named {
            let (id, model) = (response.text("id"), response.text("model"));
            self.named = id.is_some() && model.is_some();
            events.started(id, model);
        }
    }

    fn end(&mut self, kind: &str, response: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        self.name(response, events);
        if !response
            .get("output")
            .map_or(&[][..], Json::list)
            .is_empty()
        {
            // The whole response says the last word on what is in it.
            self.said = Said::default();
            self.said.items(response);
        }
        let usage = took(response, &self.said);
        if !usage.is_unknown() {
            events.usage(usage);
        }
        if kind == "response.failed" || failure(self.errors, response).is_some() {
            return Err(failure(self.errors, response).unwrap_or_else(nameless));
        }
        let status = match kind {
            "response.incomplete" => "incomplete",
            _ => response.text("status").unwrap_or("completed"),
        };
        let finish = finish(status, response, &self.said);
        events.finished(finish.reason, finish.raw);
        events.done();
        Ok(())
    }

    /// An error in one of its two forms: around its members, or with them in an object of its own.
    fn failed(&self, event: &Json<'_>) -> Error {
        match Report::inside(event).or_else(|| Report::of(event)) {
            Some(report) => report.into_error(self.errors),
            None => nameless(),
        }
    }
}

/// Pieces of what is said, by the names of their events.
fn is_passed_over(named: &str) -> bool {
    named.ends_with(".delta") || (named.ends_with(".done") && named != "response.output_item.done")
}

fn is_response(answer: &Json<'_>) -> bool {
    answer.text("object") == Some("response")
        || (answer.text("status").is_some()
            && (answer.get("output").is_some() || answer.text("id").is_some()))
}

/// The answer without what it says.
fn answered_well(
    errors: &'static [Sign],
    response: &Json<'_>,
    said: &Said,
) -> Result<ChatResponse, Error> {
    let status = response.text("status").unwrap_or("completed");
    if let Some(error) = failure(errors, response) {
        return Err(error);
    }
    if status == "failed" {
        return Err(nameless());
    }
    Ok(ChatResponse {
        id: response.text("id").map(str::to_owned),
        model: response.text("model").map(str::to_owned),
        finish: finish(status, response, said),
        usage: took(response, said),
        ..ChatResponse::default()
    })
}

/// The failure that a response is, if it is one.
fn failure(errors: &'static [Sign], response: &Json<'_>) -> Option<Error> {
    let report = Report::told(response.get("error")?)?;
    Some(report.into_error(errors))
}

fn nameless() -> Error {
    Error {
        retryable: true,
        ..Error::new(
            crate::ErrorKind::Server,
            "the vendor reported a failure without a message",
        )
    }
}

/// The end, in the vendor's words: why it is incomplete, else its status.
fn finish(status: &str, response: &Json<'_>, said: &Said) -> Finish {
    let why = response
        .get("incomplete_details")
        .and_then(|details| details.text("reason"));
    let reason = match (status, why) {
        (_, Some("max_output_tokens" | "max_tokens")) => FinishReason::Length,
        (_, Some("content_filter")) => FinishReason::ContentFilter,
        ("completed", None) if said.calls => FinishReason::ToolCalls,
        ("completed", None) if said.refused => FinishReason::ContentFilter,
        ("completed", None) => FinishReason::Stop,
        _ => FinishReason::Other,
    };
    Finish {
        reason,
        raw: Some(why.unwrap_or(status).to_owned()),
    }
}

/// What the response took, with what is paid beside its tokens.
fn took(response: &Json<'_>, said: &Said) -> Usage {
    let mut usage = report(response).map_or(Usage::UNKNOWN, counts);
    bill(&mut usage, response);
    if let Some(report) = report(response) {
        bill_usage(&mut usage, report);
    }
    let tools = response.get("tool_usage");
    let told = |path: &[&str]| tools.and_then(|tools| tools.at(path)?.count());
    let searches = told(&["web_search", "num_requests"]).unwrap_or(said.searches);
    usage.count("web-searches", searches);
    usage.count("file-searches", said.files);
    if said.ran_code {
        usage.unpriced("code interpreter");
    }
    match told(&["image_gen", "total_tokens"]) {
        Some(tokens) => usage.count("image-generation-tokens", tokens),
        None if said.drew => usage.unpriced("image generation"),
        None => {}
    }
    usage
}

impl Said {
    fn items(&mut self, response: &Json<'_>) {
        for item in response.get("output").map_or(&[][..], Json::list) {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Json<'_>) {
        let opened = || {
            let action = item.at(&["action", "type"]).and_then(Json::str);
            action.is_some_and(|action| action != "search")
        };
        match item.text("type").unwrap_or_default() {
            "function_call" | "custom_tool_call" => self.calls = true,
            // A page that is opened after a search is no search.
            "web_search_call" if !opened() => self.searches = self.searches.saturating_add(1),
            "file_search_call" => self.files = self.files.saturating_add(1),
            "code_interpreter_call" => self.ran_code = true,
            "image_generation_call" => self.drew = true,
            "message" => {
                let pieces = item.get("content").map_or(&[][..], Json::list);
                self.refused |= pieces
                    .iter()
                    .any(|piece| piece.text("type") == Some("refusal"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
