//! An answer in Ollama's form: one object, or a line for each delta.

use serde_json::{Value, json};

use crate::answer::{Answer, Finish};
use crate::question::Question;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::token;
use crate::wire::{Asked, Chat};

use super::JSON;

/// When every answer was made, with the nanoseconds that Go writes.
pub(super) const CREATED_AT: &str = "2026-09-21T14:13:20.123456789Z";
/// The beginning of the ids of calls.
pub(super) const ID: &str = "call_";
/// What an evaluated token takes, in nanoseconds.
const TOKEN_NANOS: u64 = 4_000_000;

/// A request that was found good.
pub(super) struct OllamaChat {
    pub(super) question: Question,
    pub(super) streamed: bool,
    /// Calls have no ids and come on the last line.
    pub(super) is_old: bool,
    /// One prompt was asked: what is said stands in `response`, and the last line has its context.
    pub(super) is_prompt: bool,
}

impl Chat for OllamaChat {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streamed)
    }

    fn unary(&self, answer: &Answer) -> Reply {
        let mut message = json!({"role": "assistant", "content": answer.text});
        if let Some(members) = message.as_object_mut() {
            if let Some(thinking) = &answer.reasoning {
                members.insert("thinking".to_owned(), json!(thinking));
            }
            if !answer.calls.is_empty() {
                members.insert("tool_calls".to_owned(), json!(self.calls(answer)));
            }
        }
        Reply::new(200, JSON, self.last(answer, message).to_string())
    }

    fn stream(&self, answer: &Answer) -> Reply {
        let mut lines: Vec<Value> = Vec::new();
        if let Some(thinking) = &answer.reasoning {
            let pieces = token::pieces(thinking).into_iter();
            lines.extend(
                pieces.map(|piece| json!({"role": "assistant", "content": "", "thinking": piece})),
            );
        }
        let pieces = token::pieces(&answer.text).into_iter();
        lines.extend(pieces.map(|piece| json!({"role": "assistant", "content": piece})));
        let calls = self.calls(answer);
        let mut last = json!({"role": "assistant", "content": ""});
        if self.is_old && !calls.is_empty() {
            if let Some(members) = last.as_object_mut() {
                members.insert("tool_calls".to_owned(), json!(calls));
            }
        } else {
            lines.extend(
                calls
                    .into_iter()
                    .map(|call| json!({"role": "assistant", "content": "", "tool_calls": [call]})),
            );
        }
        let line = |message: Value| format!("{}\n", self.line(message, false));
        let mut events: Vec<Event> = lines
            .into_iter()
            .map(|message| Event::part(line(message)))
            .collect();
        events.push(Event::finish(format!("{}\n", self.last(answer, last))));
        Reply::events("application/x-ndjson", events)
    }
}

impl OllamaChat {
    fn line(&self, message: Value, done: bool) -> Value {
        let mut line =
            json!({"model": self.question.model, "created_at": CREATED_AT, "done": done});
        if let Some(members) = line.as_object_mut() {
            if self.is_prompt {
                let said = |name: &str| message.get(name).cloned();
                members.insert("response".to_owned(), said("content").unwrap_or_default());
                let thinking = said("thinking");
                members.extend(thinking.map(|thinking| ("thinking".to_owned(), thinking)));
                if done {
                    members.insert("context".to_owned(), json!([1, 2, 3]));
                }
            } else {
                members.insert("message".to_owned(), message);
            }
        }
        line
    }

    /// The last line, which is also the whole of an unstreamed answer. Counts of zero are left out.
    fn last(&self, answer: &Answer, message: Value) -> Value {
        let mut line = self.line(message, true);
        let reason = if answer.finish == Finish::Length {
            "length"
        } else {
            "stop"
        };
        let (prompt, completion) = (answer.usage.prompt, answer.usage.completion);
        if let Some(members) = line.as_object_mut() {
            members.insert("done_reason".to_owned(), json!(reason));
            let total = (prompt + completion) * TOKEN_NANOS;
            for (name, count) in [
                ("total_duration", total + 90_000_000),
                ("load_duration", 90_000_000),
                ("prompt_eval_count", prompt),
                ("prompt_eval_duration", prompt * TOKEN_NANOS),
                ("eval_count", completion),
                ("eval_duration", completion * TOKEN_NANOS),
            ] {
                if count > 0 {
                    members.insert(name.to_owned(), json!(count));
                }
            }
        }
        line
    }

    fn calls(&self, answer: &Answer) -> Vec<Value> {
        let whole = answer.calls.iter().filter(|call| call.complete).enumerate();
        let call = |(index, call): (usize, &crate::answer::Call)| {
            let arguments = call.arguments_value();
            if self.is_old {
                return json!({"function": {"name": call.name, "arguments": arguments}});
            }
            let function = json!({"index": index, "name": call.name, "arguments": arguments});
            json!({"id": seal::id(ID, answer.seed, index), "function": function})
        };
        whole.map(call).collect()
    }
}
