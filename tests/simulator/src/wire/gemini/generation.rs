//! An answer as a GenerateContentResponse, whole and as events: CRLF, no marker at the end, usage on every
//! event.

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Call, Finish};
use crate::question::Question;
use crate::reply::{Event, EventKind, Reply};
use crate::seal;
use crate::token;
use crate::wire::{Asked, Chat};

use super::contents::{CALL, ID, TEXT, signed_text};
use super::{Streaming, good, headers, servers};

/// A request that was found good.
pub(super) struct Generation {
    pub(super) question: Question,
    /// Of the third generation: calls have ids, text is signed.
    pub(super) is_third: bool,
    /// What the vendor's tools did is told beside calls of functions.
    pub(super) shows_servers: bool,
    /// Thoughts are told, not only counted.
    pub(super) shows_thoughts: bool,
    pub(super) streaming: Option<Streaming>,
}

impl Chat for Generation {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streaming.is_some())
    }

    fn unary(&self, answer: &Answer) -> Reply {
        if answer.finish == Finish::Refusal {
            return good(&blocked(Some((self, answer))));
        }
        good(&self.response(answer, self.parts(answer), Some(reason(answer)), true))
    }

    fn stream(&self, answer: &Answer) -> Reply {
        let responses = self.responses(answer);
        let last = responses.len().saturating_sub(1);
        let kind = |index: usize| {
            if index == last {
                EventKind::Finish
            } else {
                EventKind::Part
            }
        };
        let is_array = self.streaming == Some(Streaming::Array);
        let framed = |(index, response): (usize, Value)| {
            let json = response.to_string();
            let text = match (is_array, index) {
                (false, _) => frame(&json),
                (true, 0) => format!("[{json}"),
                (true, _) => format!(",\r\n{json}"),
            };
            Event {
                bytes: text.into(),
                kind: kind(index),
            }
        };
        let mut events: Vec<Event> = responses.into_iter().enumerate().map(framed).collect();
        if is_array {
            events.push(Event::finish("]"));
            return Reply::events("application/json; charset=UTF-8", events)
                .with_headers(headers());
        }
        Reply::events("text/event-stream", events).with_headers(headers())
    }
}

/// One event.
pub(super) fn frame(json: &str) -> String {
    format!("data: {json}\r\n\r\n")
}

/// The answer to a prompt that is not let through.
pub(super) fn blocked(of: Option<(&Generation, &Answer)>) -> Value {
    let mut body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}});
    if let (Some((generation, answer)), Some(members)) = (of, body.as_object_mut()) {
        let prompt = answer.usage.prompt;
        members.insert(
            "usageMetadata".to_owned(),
            json!({"promptTokenCount": prompt, "totalTokenCount": prompt}),
        );
        members.insert("modelVersion".to_owned(), json!(generation.question.model));
        members.insert(
            "responseId".to_owned(),
            json!(seal::id("r", answer.seed, 0)),
        );
    }
    body
}

impl Generation {
    /// One response around some parts. `complete`: with all counts, not only those of the prompt.
    fn response(
        &self,
        answer: &Answer,
        parts: Vec<Value>,
        reason: Option<&str>,
        complete: bool,
    ) -> Value {
        let mut candidate = Map::new();
        if answer.finish != Finish::Filtered {
            let mut content = json!({"role": "model"});
            if let (false, Some(members)) = (parts.is_empty(), content.as_object_mut()) {
                members.insert("parts".to_owned(), json!(parts));
            }
            candidate.insert("content".to_owned(), content);
        }
        if let (true, Some(grounding)) = (complete, servers::grounding(answer)) {
            candidate.insert("groundingMetadata".to_owned(), grounding);
        }
        if let Some(reason) = reason {
            candidate.insert("finishReason".to_owned(), json!(reason));
        }
        candidate.insert("index".to_owned(), json!(0));
        json!({
            "candidates": [candidate],
            "usageMetadata": usage(answer, complete),
            "modelVersion": self.question.model,
            "responseId": seal::id("r", answer.seed, 0),
        })
    }

    fn parts(&self, answer: &Answer) -> Vec<Value> {
        let mut parts: Vec<Value> = self
            .thoughts(answer)
            .map(|text| json!({"text": text, "thought": true}))
            .into_iter()
            .collect();
        parts.extend(self.uses(answer));
        if !answer.text.is_empty() {
            let mut part = json!({"text": answer.text});
            if self.signs_text(answer) {
                self.sign_text(answer, &mut part);
            }
            parts.push(part);
        }
        parts.extend(servers::picture(answer));
        parts.extend(self.calls(answer));
        parts
    }

    fn uses(&self, answer: &Answer) -> Vec<Value> {
        servers::parts(answer, self.is_third, self.shows_servers)
    }

    fn thoughts<'a>(&self, answer: &'a Answer) -> Option<&'a str> {
        answer.reasoning.as_deref().filter(|_| self.shows_thoughts)
    }

    fn signs_text(&self, answer: &Answer) -> bool {
        self.is_third && answer.calls.is_empty()
    }

    fn sign_text(&self, answer: &Answer, part: &mut Value) {
        if let Some(members) = part.as_object_mut() {
            members.insert(
                "thoughtSignature".to_owned(),
                json!(seal::id(TEXT, answer.seed, 7)),
            );
        }
    }

    /// The calls; only the first of several is signed, and only by models that think.
    fn calls(&self, answer: &Answer) -> Vec<Value> {
        let whole = answer.calls.iter().filter(|call| call.complete).enumerate();
        whole
            .map(|(index, call)| self.call(answer, index, call))
            .collect()
    }

    fn call(&self, answer: &Answer, index: usize, call: &Call) -> Value {
        let arguments = call.arguments_value();
        let mut function = json!({"name": call.name});
        if let Some(members) = function.as_object_mut() {
            if self.is_third {
                members.insert("id".to_owned(), json!(seal::id(ID, answer.seed, index)));
            }
            // A call without arguments has no such member at all.
            if arguments
                .as_object()
                .is_some_and(|arguments| !arguments.is_empty())
            {
                members.insert("args".to_owned(), arguments.clone());
            }
        }
        let mut part = json!({ "functionCall": function });
        if let (true, 0, Some(members)) = (self.question.reasoning, index, part.as_object_mut()) {
            let signature = seal::sign(CALL, &signed_text(&call.name, &arguments));
            members.insert("thoughtSignature".to_owned(), json!(signature));
        }
        part
    }

    fn responses(&self, answer: &Answer) -> Vec<Value> {
        if answer.finish == Finish::Refusal {
            return vec![blocked(Some((self, answer)))];
        }
        let mut batches: Vec<Vec<Value>> = Vec::new();
        if let Some(thoughts) = self.thoughts(answer) {
            batches.extend(
                token::pieces(thoughts)
                    .into_iter()
                    .map(|piece| vec![json!({"text": piece, "thought": true})]),
            );
        }
        batches.extend(self.uses(answer).into_iter().map(|part| vec![part]));
        batches.extend(
            token::pieces(&answer.text)
                .into_iter()
                .map(|piece| vec![json!({"text": piece})]),
        );
        batches.extend(servers::picture(answer).map(|part| vec![part]));
        let calls = self.calls(answer);
        if self.is_third {
            batches.extend(calls.into_iter().map(|call| vec![call]));
            // The reason comes on an empty text, which carries the signature of a text answer.
            let mut last = json!({"text": ""});
            if self.signs_text(answer) && !answer.text.is_empty() {
                self.sign_text(answer, &mut last);
            }
            if !batches.is_empty() {
                batches.push(vec![last]);
            }
        } else if !calls.is_empty() {
            batches.push(calls);
        }
        let last = batches.pop().unwrap_or_default();
        let mut responses: Vec<Value> = batches
            .into_iter()
            .map(|parts| self.response(answer, parts, None, false))
            .collect();
        responses.push(self.response(answer, last, Some(reason(answer)), true));
        responses
    }
}

/// Counts in Google's way: thoughts stand beside the candidates, and what is zero is left out.
fn usage(answer: &Answer, complete: bool) -> Value {
    let usage = &answer.usage;
    let mut counts = json!({"promptTokenCount": usage.prompt,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt}]});
    let Some(members) = counts.as_object_mut() else {
        return counts;
    };
    let total = if complete {
        usage.total()
    } else {
        usage.prompt
    };
    members.insert("totalTokenCount".to_owned(), json!(total));
    let visible = if complete {
        usage.visible_completion()
    } else {
        0
    };
    let thoughts = if complete { usage.reasoning } else { 0 };
    for (name, count) in [
        ("cachedContentTokenCount", usage.cached),
        ("candidatesTokenCount", visible),
        ("thoughtsTokenCount", thoughts),
    ] {
        if count > 0 {
            members.insert(name.to_owned(), json!(count));
        }
    }
    counts
}

fn reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
        _ => "STOP",
    }
}
