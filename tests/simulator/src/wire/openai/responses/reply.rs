//! The answer: a response of items, whole and as events.
#![allow(
    clippy::indexing_slicing,
    reason = "members of values that are made here"
)]

use serde_json::{Value, json};

use crate::answer::{Answer, Finish, PAGE, PIXEL, PROGRAM, REFUSAL};
use crate::reply::Event;
use crate::seal;
use crate::token;
use crate::wire::CREATED;

use super::{Responses, SEALED};

impl Responses {
    /// The whole response.
    pub(super) fn response(&self, answer: &Answer) -> Value {
        let (status, details) = match answer.finish {
            Finish::Length => ("incomplete", json!({"reason": "max_output_tokens"})),
            Finish::Filtered => ("incomplete", json!({"reason": "content_filter"})),
            _ => ("completed", Value::Null),
        };
        let mut response = self.shell(answer, status);
        response["incomplete_details"] = details;
        response["output"] = Value::Array(self.items(answer));
        if self.filters {
            response["content_filters"] = filters();
        }
        let usage = &answer.usage;
        response["usage"] = json!({
            "input_tokens": usage.prompt,
            "input_tokens_details": {"cached_tokens": usage.cached},
            "output_tokens": usage.completion,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.total(),
        });
        response
    }

    fn shell(&self, answer: &Answer, status: &str) -> Value {
        json!({"id": seal::id("resp_", answer.seed, 0), "object": "response", "created_at": CREATED,
            "status": status, "error": null, "incomplete_details": null, "model": self.question.model,
            "output": [], "service_tier": self.tier, "store": self.store, "usage": null})
    }

    fn items(&self, answer: &Answer) -> Vec<Value> {
        let mut items = Vec::new();
        if let Some(reasoning) = &answer.reasoning {
            let id = seal::id("rs_", answer.seed, 0);
            let summary = match self.summary {
                true => json!([{"type": "summary_text", "text": reasoning}]),
                false => json!([]),
            };
            let mut item = json!({"id": id, "type": "reasoning", "summary": summary});
            if self.encrypted {
                item["encrypted_content"] = json!(seal::sign(SEALED, &id));
            }
            items.push(item);
        }
        for (number, used) in answer.used.iter().enumerate() {
            items.push(match *used {
                "web-search" => json!({"id": seal::id("ws_", answer.seed, number), "type": "web_search_call",
                    "status": "completed", "action": {"type": "search", "query": answer.asked}}),
                _ => json!({"id": seal::id("ci_", answer.seed, number), "type": "code_interpreter_call",
                    "status": "completed", "code": PROGRAM.0, "container_id": seal::id("cntr_", answer.seed, 0),
                    "outputs": [{"type": "logs", "logs": PROGRAM.1}]}),
            });
        }
        if answer.draws {
            items.push(
                json!({"id": seal::id("ig_", answer.seed, 0), "type": "image_generation_call",
                "status": "completed", "output_format": "png", "result": PIXEL}),
            );
        }
        if answer.calls.is_empty() || !answer.text.is_empty() {
            items.push(self.message(answer));
        }
        for (number, call) in answer.calls.iter().enumerate() {
            let status = match call.complete {
                true => "completed",
                false => "incomplete",
            };
            items.push(
                json!({"id": seal::id("fc_", answer.seed, number), "type": "function_call",
                "status": status, "call_id": seal::id("call_", answer.seed, number),
                "name": call.name, "arguments": call.arguments}),
            );
        }
        items
    }

    fn message(&self, answer: &Answer) -> Value {
        let text = match answer.finish {
            Finish::Filtered => "",
            _ => answer.text.as_str(),
        };
        let content = match answer.finish {
            Finish::Refusal => json!([{"type": "refusal", "refusal": REFUSAL}]),
            _ => {
                json!([{"type": "output_text", "text": text, "logprobs": [], "annotations": citations(answer)}])
            }
        };
        let status = match answer.finish {
            Finish::Length | Finish::Filtered => "incomplete",
            _ => "completed",
        };
        json!({"id": seal::id("msg_", answer.seed, 0), "type": "message", "status": status,
            "role": "assistant", "content": content})
    }

    /// The same answer as events.
    pub(super) fn events(&self, answer: &Answer) -> Vec<Event> {
        let mut events = Numbered::default();
        for kind in ["response.created", "response.in_progress"] {
            events.add(
                kind,
                json!({"response": self.shell(answer, "in_progress")}),
                Event::part,
            );
        }
        for (index, item) in self.items(answer).into_iter().enumerate() {
            pieces(index, &item, &mut events);
        }
        let response = self.response(answer);
        let kind = format!(
            "response.{}",
            response["status"].as_str().unwrap_or("completed")
        );
        events.add(&kind, json!({"response": response}), Event::done);
        events.list
    }
}

/// What Azure's filters found of the question and of the answer: nothing.
fn filters() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    let found = |source: &str| {
        json!({"blocked": false, "source_type": source, "content_filter_raw": [],
            "content_filter_results": {"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe},
            "content_filter_offsets": {"start_offset": 0, "end_offset": 0, "check_offset": 0}})
    };
    json!([found("prompt"), found("completion")])
}

/// What a searched answer rests on: its first word.
fn citations(answer: &Answer) -> Value {
    if !answer.used.contains(&"web-search") || answer.text.is_empty() {
        return json!([]);
    }
    let end = answer
        .text
        .split(' ')
        .next()
        .map_or(0, |word| word.chars().count());
    json!([{"type": "url_citation", "start_index": 0, "end_index": end, "url": PAGE.0, "title": PAGE.1}])
}

/// Events in the order of their numbers.
#[derive(Default)]
struct Numbered {
    list: Vec<Event>,
}

impl Numbered {
    fn add(&mut self, kind: &str, mut event: Value, make: impl Fn(String) -> Event) {
        event["type"] = json!(kind);
        event["sequence_number"] = json!(self.list.len());
        self.list
            .push(make(format!("event: {kind}\ndata: {event}\n\n")));
    }

    fn part(&mut self, kind: &str, event: Value) {
        self.add(kind, event, Event::part);
    }
}

/// The events of one item: it is added without what its pieces then say, and told whole in the end.
fn pieces(index: usize, item: &Value, events: &mut Numbered) {
    let id = item["id"].clone();
    let mut added = item.clone();
    added["status"] = json!("in_progress");
    for (name, empty) in [
        ("content", json!([])),
        ("summary", json!([])),
        ("arguments", json!("")),
        ("result", Value::Null),
    ] {
        if added.get(name).is_some() {
            added[name] = empty;
        }
    }
    events.part(
        "response.output_item.added",
        json!({"output_index": index, "item": added}),
    );
    let place = json!({"item_id": id, "output_index": index});
    let at = |more: Value| {
        let mut event = place.clone();
        if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
            event.extend(more.clone());
        }
        event
    };
    match item["type"].as_str().unwrap_or_default() {
        "message" => {
            for (number, part) in item["content"].as_array().into_iter().flatten().enumerate() {
                let number = json!(number);
                events.part(
                    "response.content_part.added",
                    at(json!({"content_index": number, "part": {"type": part["type"]}})),
                );
                let (kind, text) = match part["refusal"].as_str() {
                    Some(text) => ("response.refusal", text),
                    None => (
                        "response.output_text",
                        part["text"].as_str().unwrap_or_default(),
                    ),
                };
                for piece in token::pieces(text) {
                    events.part(
                        &format!("{kind}.delta"),
                        at(json!({"content_index": number, "delta": piece})),
                    );
                }
                for (place, annotation) in part["annotations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .enumerate()
                {
                    events.part(
                        "response.output_text.annotation.added",
                        at(json!({"content_index": number,
                        "annotation_index": place, "annotation": annotation})),
                    );
                }
                events.part(
                    &format!("{kind}.done"),
                    at(json!({"content_index": number, "text": text})),
                );
                events.part(
                    "response.content_part.done",
                    at(json!({"content_index": number, "part": part})),
                );
            }
        }
        "reasoning" => {
            for (number, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
                let text = part["text"].as_str().unwrap_or_default();
                events.part(
                    "response.reasoning_summary_part.added",
                    at(json!({"summary_index": number})),
                );
                for piece in token::pieces(text) {
                    events.part(
                        "response.reasoning_summary_text.delta",
                        at(json!({"summary_index": number, "delta": piece})),
                    );
                }
                events.part(
                    "response.reasoning_summary_text.done",
                    at(json!({"summary_index": number, "text": text})),
                );
            }
        }
        "function_call" => {
            let text = item["arguments"].as_str().unwrap_or_default();
            for piece in token::slices(text, 6) {
                events.part(
                    "response.function_call_arguments.delta",
                    at(json!({"delta": piece})),
                );
            }
            events.part(
                "response.function_call_arguments.done",
                at(json!({"arguments": text})),
            );
        }
        _ => {}
    }
    events.part(
        "response.output_item.done",
        json!({"output_index": index, "item": item}),
    );
}
