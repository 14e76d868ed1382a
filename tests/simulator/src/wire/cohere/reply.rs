//! An answer in Cohere's form, whole and as events.
//! <https://docs.cohere.com/v2/docs/streaming>

use serde_json::{Value, json};

use crate::answer::{Answer, Finish};
use crate::question::Question;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::token;
use crate::wire::{Asked, Chat};

/// Bytes of arguments in one delta.
const ARGUMENT_SLICE: usize = 5;

/// The unnamed event after the last.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// A request that was found good.
pub(super) struct CohereChat {
    pub(super) question: Question,
    pub(super) streamed: bool,
    /// The first document that the answer may rest on, with its id.
    pub(super) document: Option<Value>,
    /// Those of every answer.
    pub(super) headers: Vec<(String, String)>,
}

impl Chat for CohereChat {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streamed)
    }

    fn unary(&self, answer: &Answer) -> Reply {
        let mut message = json!({"role": "assistant"});
        if let Some(members) = message.as_object_mut() {
            if answer.calls.is_empty() {
                members.insert("content".to_owned(), json!(blocks(answer)));
            } else {
                let calls: Vec<Value> = (0..answer.calls.len())
                    .filter_map(|index| call(answer, index))
                    .collect();
                members.insert("tool_plan".to_owned(), json!(plan(answer)));
                members.insert("tool_calls".to_owned(), json!(calls));
            }
            if let Some(citation) = self.citation(answer) {
                members.insert("citations".to_owned(), json!([citation]));
            }
        }
        let body = json!({"id": seal::uuid(answer.seed), "message": message, "finish_reason": reason(answer), "usage": usage(answer)});
        Reply::json(200, &body).with_headers(self.headers.clone())
    }

    fn stream(&self, answer: &Answer) -> Reply {
        Reply::events("text/event-stream", self.events(answer)).with_headers(self.headers.clone())
    }
}

impl CohereChat {
    /// What the text after tool results is based on.
    fn citation(&self, answer: &Answer) -> Option<Value> {
        let results = self.question.fresh_results();
        let of_tool = |result: &&crate::question::PastResult| json!({"type": "tool", "id": format!("{}:0", result.name), "tool_output": {"result": result.text}});
        let of_document = |document: &Value| {
            let id = document.get("id").cloned().unwrap_or(json!("doc:0"));
            json!({"type": "document", "id": id, "document": document.get("data")})
        };
        let source = results.first().map(of_tool);
        let source = source.or_else(|| self.document.as_ref().map(of_document));
        let source = source.filter(|_| answer.calls.is_empty())?;
        let end = answer.text.chars().count().min(5);
        let quoted: String = answer.text.chars().take(end).collect();
        Some(
            json!({"start": 0, "end": end, "text": quoted, "sources": [source], "content_index": 0, "type": "TEXT_CONTENT"}),
        )
    }

    fn events(&self, answer: &Answer) -> Vec<Event> {
        let id = seal::uuid(answer.seed);
        let start = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
        let mut events = vec![part(
            "message-start",
            json!({"id": id, "delta": {"message": start}}),
        )];
        if answer.calls.is_empty() {
            for (index, block) in blocks(answer).into_iter().enumerate() {
                events.extend(block_events(index, &block));
            }
            if let Some(citation) = self.citation(answer) {
                events.push(part(
                    "citation-start",
                    json!({"index": 0, "delta": {"message": {"citations": citation}}}),
                ));
                events.push(part("citation-end", json!({"index": 0})));
            }
        } else {
            let plan = plan(answer);
            let pieces = token::pieces(&plan).into_iter();
            events.extend(pieces.map(|piece| {
                part(
                    "tool-plan-delta",
                    json!({"delta": {"message": {"tool_plan": piece}}}),
                )
            }));
            for index in 0..answer.calls.len() {
                events.extend(call_events(answer, index));
            }
        }
        let ending =
            json!({"id": id, "delta": {"finish_reason": reason(answer), "usage": usage(answer)}});
        events.push(Event::finish(frame("message-end", ending)));
        events.push(Event::done(DONE));
        events
    }
}

/// One named event.
pub(super) fn frame(name: &str, mut event: Value) -> String {
    if let Some(members) = event.as_object_mut() {
        members.insert("type".to_owned(), json!(name));
    }
    format!("event: {name}\ndata: {event}\n\n")
}

fn part(name: &str, event: Value) -> Event {
    Event::part(frame(name, event))
}

/// Thinking and text.
fn blocks(answer: &Answer) -> Vec<Value> {
    let thinking = answer
        .reasoning
        .as_ref()
        .map(|text| json!({"type": "thinking", "thinking": text}));
    thinking
        .into_iter()
        .chain([json!({"type": "text", "text": answer.text})])
        .collect()
}

/// What is said beside calls: the reasoning, and why they are made.
fn plan(answer: &Answer) -> String {
    let parts = answer.reasoning.iter().chain(&answer.plan);
    parts.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Pieces, where the block is opened with an empty text.
fn block_events(index: usize, block: &Value) -> Vec<Event> {
    let kind = block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let text = block.get(kind).and_then(Value::as_str).unwrap_or_default();
    let content =
        |content: Value| json!({"index": index, "delta": {"message": {"content": content}}});
    let mut events = vec![part(
        "content-start",
        content(json!({"type": kind, kind: ""})),
    )];
    events.extend(
        token::pieces(text)
            .into_iter()
            .map(|piece| part("content-delta", content(json!({kind: piece})))),
    );
    events.push(part("content-end", json!({"index": index})));
    events
}

/// A call; one without arguments has `null` for them.
fn call(answer: &Answer, index: usize) -> Option<Value> {
    let call = answer.calls.get(index)?;
    let arguments = if call.arguments == "{}" {
        "null"
    } else {
        call.arguments.as_str()
    };
    let id = seal::id(&format!("{}_", call.name), answer.seed, index);
    Some(
        json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}}),
    )
}

/// The same in pieces; one without arguments has no delta at all.
fn call_events(answer: &Answer, index: usize) -> Vec<Event> {
    let (Some(mut opened), Some(source)) = (call(answer, index), answer.calls.get(index)) else {
        return Vec::new();
    };
    if let Some(function) = opened.get_mut("function").and_then(Value::as_object_mut) {
        function.insert("arguments".to_owned(), json!(""));
    }
    let calls = |calls: Value| json!({"index": index, "delta": {"message": {"tool_calls": calls}}});
    let arguments = if source.arguments == "{}" {
        ""
    } else {
        source.arguments.as_str()
    };
    let mut events = vec![part("tool-call-start", calls(opened))];
    let slices = token::slices(arguments, ARGUMENT_SLICE).into_iter();
    events.extend(slices.map(|slice| {
        part(
            "tool-call-delta",
            calls(json!({"function": {"arguments": slice}})),
        )
    }));
    events.push(part("tool-call-end", json!({"index": index})));
    events
}

/// Counts as floats; what is billed differs from what was counted, as it does at Cohere.
fn usage(answer: &Answer) -> Value {
    let usage = &answer.usage;
    json!({
        "billed_units": {"input_tokens": (usage.prompt / 2) as f64, "output_tokens": (usage.completion / 2) as f64},
        "tokens": {"input_tokens": usage.prompt as f64, "output_tokens": usage.completion as f64},
        "cached_tokens": usage.cached as f64,
    })
}

fn reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop | Finish::Refusal | Finish::Filtered => "COMPLETE",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
        Finish::Length => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
    }
}
