//! A chat completion's answer, whole and as chunks, in the styles of the family's members.

mod chunks;

pub(crate) use chunks::frame;

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Finish, REFUSAL};
use crate::question::{Choice, Question};
use crate::reply::Reply;
use crate::seal;
use crate::wire::{Asked, CREATED, Chat};

/// A request that was found good.
pub(crate) struct Completion {
    pub(crate) question: Question,
    pub(crate) streamed: bool,
    pub(crate) include_usage: bool,
    pub(crate) obfuscation: bool,
    pub(crate) style: Style,
}

/// Who answers. The engines are those behind the Hugging Face router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    OpenAi,
    Azure,
    /// A well-behaved engine.
    Plain,
    /// `data:` without a space, empty ids, usage with the last delta, `eos_token`, `<think>` in the text.
    Tgi,
    /// No `[DONE]`; usage with the last delta.
    Cerebras,
    /// Calls whole in one delta, `x_groq`.
    Groq,
    /// Usage in every chunk, asked for or not; empty ids.
    Novita,
    /// The reason comes with the last text.
    Together,
}

/// How an answer is written.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    pub(crate) engine: Engine,
    /// Added to the answer: rate limits and ids.
    pub(crate) headers: Vec<(String, String)>,
}

impl Chat for Completion {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streamed)
    }

    fn unary(&self, answer: &Answer) -> Reply {
        let mut body = self.envelope(answer, "chat.completion");
        body.insert("choices".to_owned(), json!([self.choice(answer)]));
        body.insert("usage".to_owned(), usage(answer));
        if self.style.engine == Engine::Azure {
            body.insert("prompt_filter_results".to_owned(), prompt_filter());
        }
        self.dress(Reply::json(200, &Value::Object(body)))
    }

    fn stream(&self, answer: &Answer) -> Reply {
        self.dress(Reply::events(
            "text/event-stream; charset=utf-8",
            self.chunks(answer),
        ))
    }

    fn instead(&self, answer: &Answer) -> Option<Reply> {
        let is_blocked = self.style.engine == Engine::Azure && answer.finish == Finish::Refusal;
        is_blocked.then(crate::wire::azure::prompt_filtered)
    }
}

impl Completion {
    fn dress(&self, reply: Reply) -> Reply {
        reply.with_headers(self.style.headers.clone())
    }

    /// The members that a body and every chunk share.
    fn envelope(&self, answer: &Answer, object: &str) -> Map<String, Value> {
        let id = match self.style.engine {
            Engine::Tgi | Engine::Novita => String::new(),
            _ => seal::id("chatcmpl-", answer.seed, 0),
        };
        let fingerprint = if self.style.engine == Engine::Tgi {
            "3.3.4-sha-sim"
        } else {
            "fp_51a7"
        };
        let fixed = json!({
            "id": id,
            "object": object,
            "created": CREATED,
            "model": self.question.model,
            "system_fingerprint": fingerprint,
        });
        let Value::Object(mut members) = fixed else {
            return Map::new();
        };
        match self.style.engine {
            Engine::OpenAi => {
                members.insert("service_tier".to_owned(), json!("default"));
            }
            Engine::Groq => {
                members.insert(
                    "x_groq".to_owned(),
                    json!({"id": seal::id("req_", answer.seed, 1)}),
                );
            }
            Engine::Cerebras => {
                members.insert(
                    "time_info".to_owned(),
                    json!({"queue_time": 0.001, "completion_time": 0.02}),
                );
            }
            _ => {}
        }
        members
    }

    fn choice(&self, answer: &Answer) -> Value {
        let mut choice =
            json!({"index": 0, "logprobs": null, "finish_reason": self.reason(answer)});
        if let Some(choice) = choice.as_object_mut() {
            if self.style.engine == Engine::Azure {
                choice.insert(
                    "content_filter_results".to_owned(),
                    output_filter(answer.finish == Finish::Filtered),
                );
            }
            // Azure leaves the message out when its filter took the output away.
            if self.style.engine != Engine::Azure || answer.finish != Finish::Filtered {
                choice.insert("message".to_owned(), self.message(answer));
            }
        }
        choice
    }

    fn message(&self, answer: &Answer) -> Value {
        let mut message = json!({"role": "assistant", "content": self.content(answer)});
        let Some(members) = message.as_object_mut() else {
            return message;
        };
        if self.is_first_party() {
            let refusal = self.refuses(answer).then_some(REFUSAL);
            members.insert("refusal".to_owned(), json!(refusal));
            members.insert("annotations".to_owned(), json!([]));
        }
        if let (Some(name), Some(reasoning)) = (self.reasoning_name(), &answer.reasoning) {
            members.insert(name.to_owned(), json!(reasoning));
        }
        if !answer.calls.is_empty() {
            let calls: Vec<Value> = (0..answer.calls.len())
                .filter_map(|index| self.call(answer, index))
                .collect();
            members.insert("tool_calls".to_owned(), json!(calls));
        }
        message
    }

    /// A tool call with all its arguments.
    fn call(&self, answer: &Answer, index: usize) -> Option<Value> {
        let call = answer.calls.get(index)?;
        let id = seal::id("call_", answer.seed, index);
        let function = json!({"name": call.name, "arguments": call.arguments});
        Some(json!({"id": id, "type": "function", "function": function}))
    }

    /// The text of the message: `null` beside calls and refusals.
    fn content(&self, answer: &Answer) -> Option<String> {
        let text = match (&answer.finish, &answer.reasoning) {
            (Finish::Filtered, _) => String::new(),
            (_, Some(reasoning)) if self.style.engine == Engine::Tgi => {
                format!("<think>\n{reasoning}\n</think>\n\n{}", answer.text)
            }
            _ => answer.text.clone(),
        };
        let is_null = self.refuses(answer) || (text.is_empty() && !answer.calls.is_empty());
        (!is_null).then_some(text)
    }

    /// Whether the refusal goes into its own member; other engines just say it.
    fn refuses(&self, answer: &Answer) -> bool {
        self.is_first_party() && answer.finish == Finish::Refusal
    }

    fn is_first_party(&self) -> bool {
        matches!(self.style.engine, Engine::OpenAi | Engine::Azure)
    }

    /// Where reasoning text goes; OpenAI and Azure keep it to themselves.
    fn reasoning_name(&self) -> Option<&'static str> {
        match self.style.engine {
            Engine::OpenAi | Engine::Azure | Engine::Tgi => None,
            Engine::Plain | Engine::Novita | Engine::Together => Some("reasoning_content"),
            Engine::Cerebras | Engine::Groq => Some("reasoning"),
        }
    }

    fn reason(&self, answer: &Answer) -> &'static str {
        let is_tgi = self.style.engine == Engine::Tgi;
        match &answer.finish {
            Finish::StopSequence(_) if is_tgi => "stop_sequence",
            Finish::Stop if is_tgi => "eos_token",
            Finish::Stop | Finish::StopSequence(_) | Finish::Refusal => "stop",
            Finish::Length => "length",
            Finish::Filtered => "content_filter",
            // A call forced by name ends with "stop" at OpenAI.
            Finish::ToolCalls
                if self.is_first_party() && matches!(self.question.choice, Choice::Named(_)) =>
            {
                "stop"
            }
            Finish::ToolCalls => "tool_calls",
        }
    }
}

/// Counts in the family's way: cached and reasoning ones are parts of the totals.
fn usage(answer: &Answer) -> Value {
    let usage = &answer.usage;
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

/// What Azure's filter says about the prompt.
fn prompt_filter() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": severities(false)}])
}

/// What Azure's filter says about the output.
fn output_filter(filtered: bool) -> Value {
    severities(filtered)
}

fn severities(filtered: bool) -> Value {
    let severity = if filtered { "high" } else { "safe" };
    json!({
        "hate": {"filtered": filtered, "severity": severity},
        "self_harm": {"filtered": false, "severity": "safe"},
        "sexual": {"filtered": false, "severity": "safe"},
        "violence": {"filtered": false, "severity": "safe"},
        "jailbreak": {"filtered": false, "detected": false},
    })
}
