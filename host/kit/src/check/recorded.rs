//! Exchanges that an author recorded, and what follows from them: any grouping of frames means the same, an early end
//! is an error, nothing is invented, and members may come and go.

mod change;
mod origin;

use std::path::{Path, PathBuf};

use multillm::described::Framing;
use multillm::plugin::wire::{Answer, Event, Frame};
use multillm::transport::{Framer, Tail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answers::ended;
use super::report::Report;
use super::{Bench, Described, vocabulary};

/// A recorded answer: see `docs/plugin-check.md` for the format.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Recording {
    /// What it is called in reports; the file's name.
    #[serde(skip)]
    pub name: String,
    /// It answers a streamed question.
    #[serde(default)]
    pub stream: bool,
    /// HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Names in lower case and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body as it came, content coding undone.
    pub body: String,
    /// What was asked. Not looked at by the checks; a server that answers with recordings finds this one by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What the answer is to be read as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Said>,
}

/// The request that an answer answers, without its headers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Behind the server's address, encoded, without a query.
    pub path: String,
    /// As it was sent.
    pub body: String,
}

fn ok() -> u16 {
    200
}

/// What a recorded answer says. Absent members are not compared.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Said {
    /// All text of the answer, joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// All thoughts, joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Names of the tools that are called, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<String>>,
    /// `stop`, `length`, `tool_calls`, `content_filter`, `error` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Tokens of input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// The kind of the failure, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The recordings in a folder, by name.
///
/// # Errors
///
/// The folder or a file cannot be read, with its name.
pub fn recordings_of(folder: &Path) -> Result<Vec<Recording>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    let read = |path: &PathBuf| {
        let fault = |error: String| format!("{}: {error}", path.display());
        let text = multillm::bounded::text(path, 64 << 20).map_err(|e| fault(e.to_string()))?;
        let mut recording: Recording =
            serde_json::from_str(&text).map_err(|e| fault(e.to_string()))?;
        recording.name = super::stem(path);
        Ok(recording)
    };
    files.iter().map(read).collect()
}

/// What an answer says, whichever way it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Read {
    content: String,
    reasoning: String,
    calls: Vec<(String, String, String)>,
    finish: Option<String>,
    prompt: Option<u64>,
    completion: Option<u64>,
    id: Option<String>,
    model: Option<String>,
    failed: Option<String>,
    complete: bool,
}

impl Read {
    /// The same as an author would expect it.
    pub(super) fn said(self) -> Said {
        let calls: Vec<String> = self.calls.into_iter().map(|(_, name, _)| name).collect();
        Said {
            content: self.failed.is_none().then_some(self.content),
            reasoning: Some(self.reasoning).filter(|thoughts| !thoughts.is_empty()),
            tool_calls: (!calls.is_empty()).then_some(calls),
            finish_reason: self.finish,
            prompt_tokens: self.prompt,
            completion_tokens: self.completion,
            error: self.failed,
        }
    }
}

pub(super) async fn check(bench: &Bench, recordings: &[Recording], report: &mut Report) {
    for recording in recordings {
        match recording.stream {
            _ if recording.status >= 400 => refused(bench, recording, report).await,
            true => streamed(bench, recording, report).await,
            false => whole(bench, recording, report).await,
        }
    }
}

/// A failure is of the kind that its author says.
async fn refused(bench: &Bench, recording: &Recording, report: &mut Report) {
    const CODE: &str = "recorded-read";
    let name = &recording.name;
    let wanted = recording.expect.as_ref();
    let wanted = wanted.and_then(|said| said.error.as_deref());
    match bench.refusal(recording).await {
        Err(reason) => report.failed(CODE, format!("{name}: {reason}")),
        Ok(error) => {
            let kind = error.kind.as_str();
            report.judge(CODE, wanted.is_none_or(|wanted| wanted == kind), || {
                format!(
                    "{name}: it is {kind:?}, expected {:?}",
                    wanted.unwrap_or_default()
                )
            });
        }
    }
}

impl Bench {
    /// What a recorded success is read as; outside, the component broke or it cannot be cut.
    pub(super) async fn read(&self, recording: &Recording) -> Result<Read, String> {
        if !recording.stream {
            return self.decode(&recording.body).await.map(of_answer);
        }
        let frames = self.frames(recording).await?;
        let events = self.events(&frames, 1).await?;
        Ok(of_events(&events))
    }

    /// A recorded stream, cut as the plugin says that its streams are cut.
    async fn frames(&self, recording: &Recording) -> Result<Vec<Frame>, String> {
        let framing = match self.describe(&vocabulary::plain(), true).await {
            Described::Request(request) => request.framing,
            Described::Refused(error) => return Err(error.to_string()),
            Described::Broken(reason) => return Err(reason),
        };
        let mut frames = vec![];
        let mut framer = Framer::new(framing);
        if framing == Framing::Whole || framer.push(recording.body.as_bytes(), &mut frames).is_err()
        {
            return Err("it cannot be cut into frames".to_owned());
        }
        if let Tail::Frames(last) | Tail::Cut(last) = framer.finish() {
            frames.extend(last);
        }
        Ok(frames)
    }
}

async fn whole(bench: &Bench, recording: &Recording, report: &mut Report) {
    let name = &recording.name;
    let read = match bench.decode(&recording.body).await {
        Ok(answer) => of_answer(answer),
        Err(reason) => return report.failed("recorded-read", format!("{name}: {reason}")),
    };
    compare(recording, &read, report);
    origin::check(recording, &read, report);
    let Ok(body) = serde_json::from_str::<Value>(&recording.body) else {
        return;
    };
    const UNKNOWN: &str = "recorded-unknown";
    let grown = change::with_unknown(&body).to_string();
    match bench.decode(&grown).await {
        Err(reason) => report.failed(UNKNOWN, format!("{name}: {reason}")),
        Ok(answer) => {
            let now = of_answer(answer);
            report.judge(UNKNOWN, now == read, || {
                format!("{name}: {now:?} instead of {read:?}")
            });
        }
    }
    const MISSING: &str = "recorded-missing";
    for (path, changed) in change::without_each(&body) {
        match bench.decode(&changed.to_string()).await {
            Err(reason) => report.failed(MISSING, format!("{name} with {path}: {reason}")),
            Ok(Err(_)) => report.passed(MISSING),
            Ok(Ok(answer)) => {
                let now = of_answer(Ok(answer));
                let zero = |was: Option<u64>, is: Option<u64>| was != Some(0) && is == Some(0);
                let invented =
                    zero(read.prompt, now.prompt) || zero(read.completion, now.completion);
                report.judge(MISSING, !invented, || {
                    format!("{name} with {path}: a count became zero")
                });
            }
        }
    }
}

async fn streamed(bench: &Bench, recording: &Recording, report: &mut Report) {
    let name = &recording.name;
    let frames = match bench.frames(recording).await {
        Ok(frames) => frames,
        Err(reason) => return report.failed("recorded-read", format!("{name}: {reason}")),
    };
    let read = match bench.events(&frames, 1).await {
        Ok(events) => of_events(&events),
        Err(reason) => return report.failed("recorded-read", format!("{name}: {reason}")),
    };
    compare(recording, &read, report);
    origin::check(recording, &read, report);
    for batch in [2, 7, frames.len().max(1)] {
        match bench.events(&frames, batch).await {
            Ok(events) => {
                let now = of_events(&events);
                report.judge("recorded-batches", now == read, || {
                    format!("{name}, {batch} frames a call: {now:?} instead of {read:?}")
                });
            }
            Err(reason) => report.failed("recorded-batches", format!("{name}: {reason}")),
        }
    }
    cuts(bench, name, &frames, report).await;
    let grown: Vec<Frame> = frames.iter().flat_map(change::with_junk).collect();
    match bench.events(&grown, 1).await {
        Ok(events) => {
            let now = of_events(&events);
            report.judge("recorded-unknown", now == read, || {
                format!("{name} with new members: {now:?} instead of {read:?}")
            });
        }
        Err(reason) => report.failed("recorded-unknown", format!("{name}: {reason}")),
    }
}

/// Wherever a stream ends early, the answer is none.
async fn cuts(bench: &Bench, name: &str, frames: &[Frame], report: &mut Report) {
    const CODE: &str = "recorded-cuts";
    // The frame with which the answer is complete; what comes after may be missing.
    let mut complete = frames.len();
    for length in 1..=frames.len() {
        let before = frames.get(..length).unwrap_or_default();
        let Ok(session) = bench.plugin.session().await else {
            return;
        };
        let Ok(mut decoder) = session.into_decoder(&bench.target).await else {
            return;
        };
        if let Ok(events) = decoder.push(before.to_vec()).await
            && ended(&events)
        {
            complete = length;
            break;
        }
    }
    let step = (complete / 200).max(1);
    for length in (0..complete).step_by(step) {
        let before = frames.get(..length).unwrap_or_default();
        match bench.events(before, 1).await {
            Ok(events) => report.judge(CODE, !events.contains(&Event::Done), || {
                format!(
                    "{name}: an answer after {length} of {} frames",
                    frames.len()
                )
            }),
            Err(reason) => report.failed(CODE, format!("{name}, {length} frames: {reason}")),
        }
    }
}

fn compare(recording: &Recording, read: &Read, report: &mut Report) {
    const CODE: &str = "recorded-read";
    let name = &recording.name;
    let said = recording.expect.clone().unwrap_or_default();
    let fails = said.error.is_some();
    report.judge(
        CODE,
        fails || read.failed.is_none() && read.complete,
        || {
            format!(
                "{name}: {}",
                read.failed.clone().unwrap_or("it has no end".to_owned())
            )
        },
    );
    let mut same = |what: &str, wanted: Option<String>, is: Option<String>| {
        if let Some(wanted) = wanted {
            report.judge(CODE, is.as_ref() == Some(&wanted), || {
                format!("{name}: {what} is {is:?}, expected {wanted:?}")
            });
        }
    };
    same("content", said.content, Some(read.content.clone()));
    same("reasoning", said.reasoning, Some(read.reasoning.clone()));
    let calls: Vec<_> = read.calls.iter().map(|(_, name, _)| name.clone()).collect();
    let listed = |names: &[String]| names.join(", ");
    same(
        "tool_calls",
        said.tool_calls.as_deref().map(listed),
        Some(listed(&calls)),
    );
    same("finish_reason", said.finish_reason, read.finish.clone());
    let text = |count: Option<u64>| count.map(|count| count.to_string());
    same("prompt_tokens", text(said.prompt_tokens), text(read.prompt));
    same(
        "completion_tokens",
        text(said.completion_tokens),
        text(read.completion),
    );
    same("error", said.error, read.failed.clone());
}

fn of_answer(answer: Result<Answer, multillm::error::Error>) -> Read {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return Read {
                failed: Some(error.kind.as_str().to_owned()),
                ..Read::default()
            };
        }
    };
    let mut read = Read {
        finish: Some(answer.finish.0.as_str().to_owned()),
        prompt: answer.usage.prompt_tokens,
        completion: answer.usage.completion_tokens,
        id: answer.id,
        model: answer.model,
        complete: true,
        ..Read::default()
    };
    for part in answer.parts {
        match part {
            multillm::chat::Part::Text(text) => read.content += &text.text,
            multillm::chat::Part::Reasoning(thought) => read.reasoning += &thought.text,
            multillm::chat::Part::ToolCall(call) => {
                read.calls.push((call.id, call.name, call.arguments));
            }
            _ => {}
        }
    }
    read
}

fn of_events(events: &[Event]) -> Read {
    use multillm::chat::Delta;
    let mut read = Read::default();
    let mut numbers: Vec<u32> = vec![];
    for event in events {
        match event {
            Event::Done => read.complete = true,
            Event::Failed(error) => read.failed = Some(error.kind.as_str().to_owned()),
            Event::Delta(Delta::Text(text)) => read.content += text,
            Event::Delta(Delta::Reasoning(text)) => read.reasoning += text,
            Event::Delta(Delta::ToolCallStart {
                index, id, name, ..
            }) => {
                numbers.push(*index);
                let id = id.clone().unwrap_or_default();
                read.calls.push((id, name.clone(), String::new()));
            }
            Event::Delta(Delta::ToolCallArguments { index, arguments }) => {
                let place = numbers.iter().position(|number| number == index);
                if let Some(call) = place.and_then(|place| read.calls.get_mut(place)) {
                    call.2 += arguments;
                }
            }
            Event::Delta(Delta::Usage(usage)) => {
                read.prompt = usage.prompt_tokens.or(read.prompt);
                read.completion = usage.completion_tokens.or(read.completion);
            }
            Event::Delta(Delta::Finished { reason, .. }) => {
                read.finish = Some(reason.as_str().to_owned());
            }
            Event::Delta(Delta::Started { id, model }) => {
                read.id = id.clone().or(read.id);
                read.model = model.clone().or(read.model);
            }
            Event::Delta(_) => {}
        }
    }
    read
}
