//! The fault matrix: every vendor, every fault, streamed and not. What kind of error the caller
//! gets, after how many attempts, and whether one failure is repaired unseen.
//!
//! The rules are judged here; the table that results is `docs/fault-matrix.md`. `BLESS=1` writes it.

use std::fmt::Write as _;
use std::fs;

use futures_util::{StreamExt as _, stream};
use multillm::chat::{ChatResponse, FinishReason};
use multillm::{ErrorKind, MultiLlmService, Result};
use serde_json::json;

use crate::answers::ask;
use crate::stage::{Stage, root};
use crate::vendors::{LINES, Line, RESPONSES, admit_responses};

use ErrorKind as K;

/// Attempts that the configuration of these tests allows.
const MOST: u32 = 3;

/// What is allowed to come of a fault.
#[derive(Clone, Copy)]
enum Rule {
    /// The answer, complete, at the first attempt.
    Harmless,
    /// One of these kinds, at the first attempt: trying again would not help, or cost twice.
    Final(&'static [K]),
    /// One of these kinds, after every attempt; a single failure is repaired unseen.
    Passing(&'static [K]),
    /// As `Passing` while nothing was shown, as `Final` once a part of a stream was.
    UntilShown(&'static [K]),
    /// Either the answer, or one of these kinds at the first attempt.
    MayHarm(&'static [K]),
}

use Rule::{Final, Harmless, MayHarm, Passing, UntilShown};

const FAULTS: [(&str, Rule); 53] = [
    ("400", Final(&[K::InvalidRequest])),
    ("401", Final(&[K::Authentication])),
    ("402", Final(&[K::Billing])),
    ("403", Final(&[K::Permission])),
    ("404", Final(&[K::NotFound])),
    ("408", Passing(&[K::Timeout])),
    ("409", Passing(&[K::InvalidRequest])),
    ("413", Final(&[K::PayloadTooLarge])),
    ("422", Final(&[K::InvalidRequest])),
    ("429", Passing(&[K::RateLimited])),
    ("429-retry-after ms=5", Passing(&[K::RateLimited])),
    ("429-quota", Final(&[K::QuotaExhausted])),
    ("429-too-large", Final(&[K::RateLimited])),
    ("429-no-retry", Final(&[K::RateLimited, K::QuotaExhausted])),
    ("429-zero-hint", Passing(&[K::RateLimited])),
    ("500", Passing(&[K::Server])),
    ("500-no-retry", Final(&[K::Server])),
    ("502-html", Passing(&[K::Server])),
    ("503", Passing(&[K::Overloaded])),
    ("503-text", Passing(&[K::Overloaded])),
    ("503-loading seconds=0.01", Passing(&[K::Overloaded])),
    ("504", Passing(&[K::Timeout])),
    ("529", Passing(&[K::Overloaded])),
    ("context-length", Final(&[K::ContextLength])),
    ("content-filter", Final(&[K::ContentFiltered])),
    ("echo-key", Final(&[K::Authentication])),
    ("redirect", Final(&[K::Unavailable])),
    ("close-before-headers", Passing(&[K::Unavailable])),
    ("non-json", Final(&[K::MalformedResponse])),
    (
        "empty-body",
        UntilShown(&[K::MalformedResponse, K::Truncated]),
    ),
    ("malformed-json", Final(&[K::MalformedResponse])),
    (
        "wrong-shape shape=object",
        MayHarm(&[K::MalformedResponse, K::Truncated]),
    ),
    (
        "wrong-shape shape=array",
        MayHarm(&[K::MalformedResponse, K::Truncated]),
    ),
    (
        "wrong-shape shape=null",
        MayHarm(&[K::MalformedResponse, K::Truncated]),
    ),
    (
        "first-event-error",
        Passing(&[K::Server, K::Overloaded, K::Unavailable, K::RateLimited]),
    ),
    (
        "mid-stream-error k=3",
        UntilShown(&[K::Server, K::Overloaded, K::Other]),
    ),
    (
        "done-after-error k=3",
        UntilShown(&[K::Server, K::Overloaded, K::Other]),
    ),
    ("cut k=3", UntilShown(&[K::Truncated, K::MalformedResponse])),
    ("drop k=3", UntilShown(&[K::Truncated])),
    ("reset k=3", UntilShown(&[K::Truncated, K::Unavailable])),
    ("stall k=3", UntilShown(&[K::Timeout])),
    ("stall-keepalive k=3", UntilShown(&[K::Timeout])),
    ("slow-start ms=50", Harmless),
    ("slow-body ms=5", Harmless),
    ("drip", Harmless),
    ("huge-event mib=1", Harmless),
    ("giant-body mib=3", Final(&[K::MalformedResponse])),
    ("no-done", MayHarm(&[K::Truncated])),
    ("keepalive-comments", Harmless),
    ("cut k=0", UntilShown(&[K::Truncated])),
    ("cut-at=40", UntilShown(&[K::Truncated])),
    ("wrong-content-type", Harmless),
    ("gzip", Harmless),
];

/// What came of a question with a fault in it.
struct Cell {
    /// What stands in the table.
    text: String,
    /// What is wrong with it.
    wrong: Option<String>,
}

async fn answer(
    service: &MultiLlmService,
    line: &Line,
    text: &str,
    streamed: bool,
) -> Result<ChatResponse> {
    match streamed {
        true => {
            service
                .stream(ask(text), line.plugin)
                .await?
                .collect()
                .await
        }
        false => service.chat(ask(text), line.plugin).await,
    }
}

/// Is it a rule of this vendor's that differs from that of the others.
fn rule_for(line: &Line, (fault, rule): (&str, Rule)) -> Rule {
    match (line.plugin, fault) {
        // Gemini calls a request that is too large for the minute a plain rate limit.
        ("gemini", "429-too-large") => Passing(&[K::RateLimited]),
        // Events of no form are passed over, and then there was no end.
        ("openai-responses" | "azure-responses", "wrong-shape shape=object") => {
            UntilShown(&[K::MalformedResponse, K::Truncated])
        }
        _ => rule,
    }
}

fn shown(outcome: &Result<ChatResponse>) -> (String, u32) {
    match outcome {
        Ok(answer) if answer.finish_reason == FinishReason::ContentFilter => {
            ("answered, withheld".to_owned(), answer.attempts)
        }
        Ok(answer) => ("answered".to_owned(), answer.attempts),
        Err(error) => (error.kind.as_str().to_owned(), error.attempts.unwrap_or(1)),
    }
}

async fn cell(
    stage: &Stage,
    service: &MultiLlmService,
    line: &Line,
    (fault, rule): (&str, Rule),
    streamed: bool,
) -> Cell {
    let marker = format!("{} {} {streamed}", line.plugin, fault);
    let always = format!("{marker} [[fault:{fault}]] write 12 words");
    let outcome = answer(service, line, &always, streamed).await;
    if let Err(error) = &outcome
        && error.message.contains("simulator:")
    {
        return Cell {
            text: "–".to_owned(),
            wrong: None,
        };
    }
    let (what, attempts) = shown(&outcome);
    let sent = stage
        .simulator
        .log()
        .iter()
        .filter(|exchange| String::from_utf8_lossy(&exchange.body).contains(&marker))
        .count();
    let once = format!("{marker} once [[fault:{fault} times=1]] write 12 words");
    let repaired = match outcome {
        Ok(_) => None,
        Err(_) => Some(answer(service, line, &once, streamed).await),
    };
    let mut text = match attempts {
        1 => what.clone(),
        _ => format!("{what} ×{attempts}"),
    };
    if let Some(Ok(_)) = &repaired {
        text.push_str(", repaired");
    }
    let wrong = judge(
        rule_for(line, (fault, rule)),
        streamed,
        &outcome,
        attempts,
        repaired.as_ref(),
    )
    .or_else(|| {
        (sent != attempts as usize).then(|| format!("{attempts} attempts, {sent} requests"))
    })
    .map(|reason| {
        format!(
            "{fault} by {} (streamed: {streamed}): {reason}: {outcome:?}",
            line.plugin
        )
    });
    Cell { text, wrong }
}

/// What is wrong with an outcome by the rule.
fn judge(
    rule: Rule,
    streamed: bool,
    outcome: &Result<ChatResponse>,
    attempts: u32,
    repaired: Option<&Result<ChatResponse>>,
) -> Option<String> {
    let (kinds, may_answer) = match rule {
        Harmless => (&[][..], true),
        MayHarm(kinds) => (kinds, true),
        Final(kinds) | Passing(kinds) | UntilShown(kinds) => (kinds, false),
    };
    let error = match outcome {
        Ok(_) if may_answer && attempts == 1 => return None,
        // Gemini answers with nothing and says why.
        Ok(answer) if answer.finish_reason == FinishReason::ContentFilter => {
            let filtered = kinds == [K::ContentFiltered];
            return (!filtered).then(|| "withheld".to_owned());
        }
        Ok(_) => return Some("answered".to_owned()),
        Err(error) => error,
    };
    if !kinds.contains(&error.kind) {
        return Some(format!("kind {}", error.kind));
    }
    let was_shown = streamed && error.partial.is_some();
    let again = match rule {
        Passing(_) => true,
        // A body that cannot be read was paid for: it is not asked for again.
        UntilShown(_) => !was_shown && error.kind != K::MalformedResponse,
        _ => false,
    };
    let expected = if again { MOST } else { 1 };
    if attempts != expected {
        return Some(format!("{attempts} attempts instead of {expected}"));
    }
    match (again, repaired) {
        (true, Some(Ok(answer))) if answer.attempts == 2 => None,
        (true, other) => Some(format!("one failure was not repaired: {other:?}")),
        (false, Some(Ok(_))) => Some("tried again unasked".to_owned()),
        (false, _) => None,
    }
}

const HEAD: &str = "\
# What comes of every fault

Made by the test `faults` (`BLESS=1 cargo test -p multillm-tests faults`), which also judges it. Each fault hits
every attempt; three attempts are allowed. A cell says what the caller gets: `answered`, or the kind of the error,
with `×3` where all attempts were made. *repaired*: where the fault hits the first attempt alone, the caller
gets the answer and sees nothing of it. –: the vendor or the way of asking has no such fault.
`openai-responses` and `azure-responses` are the Responses API of both; the others are asked by chat.

After the first piece of an answer was shown nothing is tried again: the caller gets the error, and what had come.

";

fn row(table: &mut String, fault: &str, streamed: bool, cells: &[Cell]) {
    let way = if streamed { "streamed" } else { "whole" };
    let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
    if texts.iter().any(|text| *text != "–") {
        writeln!(table, "| `{fault}` | {way} | {} |", texts.join(" | ")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_as_the_table_says() {
    let mut stage = Stage::new();
    admit_responses(&mut stage);
    let lines: Vec<&Line> = LINES.iter().chain(&RESPONSES).collect();
    stage.config["retry"]["max_total_ms"] = 240_000.into();
    // Only a fault that never ends is to meet an end by the clock: on a busy machine megabytes
    // are read as slowly as an impatient service calls a stall.
    stage.config["timeouts"] = json!({
        "connect_ms": 30_000, "first_byte_ms": 60_000, "idle_ms": 60_000, "total_ms": 60_000,
    });
    let patient = stage.service();
    stage.config["limits"] = json!({ "response_mb": 2 });
    let narrow = stage.service();
    stage.config["limits"] = json!({});
    stage.config["timeouts"]["idle_ms"] = 1500.into();
    stage.config["timeouts"]["total_ms"] = 6000.into();
    let impatient = stage.service();
    for line in &lines {
        // Loading a plugin is not to count in anybody's time.
        for service in [&patient, &narrow, &impatient] {
            answer(service, line, "Hello", true).await.unwrap();
        }
    }
    let plugins: Vec<&str> = lines.iter().map(|line| line.plugin).collect();
    let mut table = format!(
        "{HEAD}| fault | asked | {} |\n|---|---|",
        plugins.join(" | ")
    );
    table.push_str(&"---|".repeat(lines.len()));
    table.push('\n');
    let mut wrong = vec![];
    for fault in FAULTS {
        let service = match fault.0.split(' ').next() {
            Some("stall" | "stall-keepalive") => &impatient,
            Some("giant-body") => &narrow,
            _ => &patient,
        };
        for streamed in [false, true] {
            let cells: Vec<Cell> = stream::iter(&lines)
                .map(|line| cell(&stage, service, line, fault, streamed))
                .buffered(LINES.len())
                .collect()
                .await;
            row(&mut table, fault.0, streamed, &cells);
            wrong.extend(cells.into_iter().filter_map(|cell| cell.wrong));
        }
    }
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
    let file = root().join("docs").join("fault-matrix.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let stands = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        stands, table,
        "docs/fault-matrix.md is not true: BLESS=1 cargo test -p multillm-tests faults"
    );
}
