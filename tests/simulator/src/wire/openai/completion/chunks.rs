//! The streamed form: chunks, the usage chunk and the marker at the end.

use serde_json::{Value, json};

use crate::answer::{Answer, Finish, REFUSAL};
use crate::reply::Event;
use crate::token;

use super::{Completion, Engine, output_filter, prompt_filter, usage};

/// Bytes of arguments in one delta.
const ARGUMENT_SLICE: usize = 6;
/// Most characters of padding.
const PADDING: u64 = 16;

impl Completion {
    pub(super) fn chunks(&self, answer: &Answer) -> Vec<Event> {
        let mut events = Vec::new();
        if self.style.engine == Engine::Azure {
            let blank = json!({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": prompt_filter()});
            events.push(Event::part(self.frame(&blank)));
        }
        let mut deltas = self.deltas(answer);
        let merged = if self.style.engine == Engine::Together {
            deltas.pop()
        } else {
            None
        };
        for delta in deltas {
            events.push(Event::part(self.frame(&self.chunk(
                answer,
                delta,
                Value::Null,
            ))));
        }
        if self.style.engine == Engine::Azure {
            // The asynchronous filter speaks in between, without a delta.
            let note = json!({"index": 0, "finish_reason": null, "content_filter_results": output_filter(false),
                "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": answer.text.len()}});
            let mut chunk = self.chunk(answer, json!({}), Value::Null);
            set(&mut chunk, "choices", json!([note]));
            events.push(Event::part(self.frame(&chunk)));
        }
        let last = self.chunk(
            answer,
            merged.unwrap_or_else(|| json!({})),
            json!(self.reason(answer)),
        );
        events.push(Event::finish(self.frame(&last)));
        if self.has_usage_chunk() {
            let mut chunk = self.chunk(answer, json!({}), Value::Null);
            set(&mut chunk, "choices", json!([]));
            set(&mut chunk, "usage", usage(answer));
            events.push(Event::finish(self.frame(&chunk)));
        }
        if self.style.engine != Engine::Cerebras {
            events.push(Event::done("data: [DONE]\n\n"));
        }
        events
    }

    /// Usage in a chunk of its own, without choices.
    fn has_usage_chunk(&self) -> bool {
        self.include_usage
            && !matches!(
                self.style.engine,
                Engine::Tgi | Engine::Cerebras | Engine::Novita
            )
    }

    /// Every delta before the last, empty one.
    fn deltas(&self, answer: &Answer) -> Vec<Value> {
        let mut first = json!({"role": "assistant", "content": ""});
        if !answer.calls.is_empty() {
            set(&mut first, "content", Value::Null);
        }
        if self.is_first_party() {
            set(&mut first, "refusal", Value::Null);
        }
        let mut deltas = vec![first];
        if self.refuses(answer) {
            deltas.extend(
                token::pieces(REFUSAL)
                    .into_iter()
                    .map(|piece| json!({"refusal": piece})),
            );
            return deltas;
        }
        if let (Some(name), Some(reasoning)) = (self.reasoning_name(), &answer.reasoning) {
            deltas.extend(
                token::pieces(reasoning)
                    .into_iter()
                    .map(|piece| json!({name: piece})),
            );
        }
        if answer.finish != Finish::Filtered {
            let text = self.content(answer).unwrap_or_default();
            deltas.extend(
                token::pieces(&text)
                    .into_iter()
                    .map(|piece| json!({"content": piece})),
            );
        }
        for index in 0..answer.calls.len() {
            deltas.extend(self.call_deltas(answer, index));
        }
        deltas
    }

    fn call_deltas(&self, answer: &Answer, index: usize) -> Vec<Value> {
        let (Some(mut call), Some(source)) = (self.call(answer, index), answer.calls.get(index))
        else {
            return Vec::new();
        };
        set(&mut call, "index", json!(index));
        if self.style.engine == Engine::Groq {
            return vec![json!({"tool_calls": [call]})];
        }
        if let Some(function) = call.get_mut("function") {
            set(function, "arguments", json!(""));
        }
        let slices = token::slices(&source.arguments, ARGUMENT_SLICE);
        let rest = slices.into_iter().map(
            |slice| json!({"tool_calls": [{"index": index, "function": {"arguments": slice}}]}),
        );
        std::iter::once(json!({"tool_calls": [call]}))
            .chain(rest)
            .collect()
    }

    fn chunk(&self, answer: &Answer, delta: Value, reason: Value) -> Value {
        let is_last = !reason.is_null();
        let mut choice =
            json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason});
        if self.style.engine == Engine::Azure {
            set(
                &mut choice,
                "content_filter_results",
                if is_last {
                    output_filter(answer.finish == Finish::Filtered)
                } else {
                    json!({})
                },
            );
        }
        let mut chunk = Value::Object(self.envelope(answer, "chat.completion.chunk"));
        set(&mut chunk, "choices", json!([choice]));
        match self.style.engine {
            Engine::Novita => set(&mut chunk, "usage", usage(answer)),
            Engine::Cerebras if is_last => set(&mut chunk, "usage", usage(answer)),
            Engine::Tgi if is_last && self.include_usage => set(&mut chunk, "usage", usage(answer)),
            _ if self.include_usage => set(&mut chunk, "usage", Value::Null),
            _ => {}
        }
        if self.style.engine == Engine::OpenAi && self.obfuscation {
            let length = crate::seal::digest(&["obfuscation", &chunk.to_string()]) % PADDING;
            set(
                &mut chunk,
                "obfuscation",
                json!(
                    "aQ3xT9bL0zKd7RmW"
                        .chars()
                        .take(usize::try_from(length).unwrap_or(0))
                        .collect::<String>()
                ),
            );
        }
        chunk
    }

    fn frame(&self, chunk: &Value) -> String {
        frame(self.style.engine, &chunk.to_string())
    }
}

/// One event; text generation inference leaves out the space.
pub(crate) fn frame(engine: Engine, json: &str) -> String {
    let space = if engine == Engine::Tgi { "" } else { " " };
    format!("data:{space}{json}\n\n")
}

fn set(value: &mut Value, key: &str, member: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), member);
    }
}
