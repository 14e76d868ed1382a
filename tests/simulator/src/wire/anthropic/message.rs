//! An answer as a message, whole and as events.
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde_json::{Value, json};

use crate::answer::{Answer, Finish, REFUSAL};
use crate::question::Question;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::token;
use crate::wire::{Asked, Chat, items_of};

use super::blocks::{REDACTED, THINKING};
use super::{frame, servers};

/// Bytes of arguments in one delta.
const ARGUMENT_SLICE: usize = 7;

/// A request that was found good.
pub(super) struct Message {
    pub(super) question: Question,
    pub(super) streamed: bool,
    /// Thinking comes as a signature without its text.
    pub(super) omits_thinking: bool,
    /// Thinking comes encrypted.
    pub(super) redacts_thinking: bool,
    /// `message_delta` tells the input side again; old models do not.
    pub(super) repeats_input_usage: bool,
    /// Usage tells thinking tokens apart.
    pub(super) counts_thinking: bool,
    /// Where programs are to go on.
    pub(super) container: Option<String>,
    /// Those of every good answer.
    pub(super) headers: Vec<(String, String)>,
}

impl Chat for Message {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streamed)
    }

    fn unary(&self, answer: &Answer) -> Reply {
        let mut body = json!({
            "id": self.id(answer),
            "type": "message",
            "role": "assistant",
            "model": self.question.model,
            "content": self.blocks(answer),
            "stop_reason": reason(answer),
            "stop_sequence": stop_sequence(answer),
            "stop_details": stop_details(answer),
            "usage": self.usage(answer),
        });
        if let (Some(container), Some(members)) =
            (self.used_container(answer), body.as_object_mut())
        {
            members.insert("container".to_owned(), container);
        }
        self.dress(Reply::json(200, &body))
    }

    fn stream(&self, answer: &Answer) -> Reply {
        self.dress(Reply::events(
            "text/event-stream; charset=utf-8",
            self.events(answer),
        ))
    }
}

impl Message {
    fn dress(&self, mut reply: Reply) -> Reply {
        let own = self
            .headers
            .iter()
            .filter(|(name, _)| name != "content-type");
        reply.headers.extend(own.cloned());
        reply
    }

    fn id(&self, answer: &Answer) -> String {
        seal::id("msg_", answer.seed, 0)
    }

    fn blocks(&self, answer: &Answer) -> Vec<Value> {
        let mut blocks: Vec<Value> = self.thinking(answer).into_iter().collect();
        blocks.extend(servers::blocks(answer));
        blocks.extend(
            text(answer)
                .into_iter()
                .flat_map(|text| self.said(answer, &text)),
        );
        for (index, call) in answer.calls.iter().enumerate() {
            let id = seal::id("toolu_", answer.seed, index);
            blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments_value()}));
        }
        blocks
    }

    fn used_container(&self, answer: &Answer) -> Option<Value> {
        servers::container(answer, self.container.as_deref())
    }

    /// The text; where it rests on something, a block before that does not and one that does.
    fn said(&self, answer: &Answer, text: &str) -> Vec<Value> {
        let mut citations = Vec::new();
        if answer.used.contains(&"web-search") {
            citations.push(servers::citation());
        }
        if let Some(title) = self.question.documents.first() {
            citations.push(json!({"type": "page_location", "cited_text": "as it is written", "document_index": 0,
                "document_title": title, "start_page_number": 1, "end_page_number": 2}));
        }
        let plain = |text: &str| json!({"type": "text", "text": text});
        match text.split_once(' ').filter(|_| !citations.is_empty()) {
            Some((first, rest)) => vec![
                plain(&format!("{first} ")),
                json!({"type": "text", "text": rest, "citations": citations}),
            ],
            None => vec![plain(text)],
        }
    }

    fn thinking(&self, answer: &Answer) -> Option<Value> {
        let reasoning = answer.reasoning.as_deref()?;
        if self.redacts_thinking {
            return Some(
                json!({"type": "redacted_thinking", "data": seal::id(REDACTED, answer.seed, 8)}),
            );
        }
        let shown = if self.omits_thinking { "" } else { reasoning };
        Some(
            json!({"type": "thinking", "thinking": shown, "signature": seal::sign(THINKING, shown)}),
        )
    }

    /// Counts in Anthropic's way: what was cached stands beside the input, not in it.
    fn usage(&self, answer: &Answer) -> Value {
        let usage = &answer.usage;
        let mut counts = json!({
            "input_tokens": usage.fresh_prompt(),
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cached,
            "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
            "output_tokens": usage.completion,
            "service_tier": "standard",
        });
        let searches = answer.used.iter().filter(|name| **name == "web-search");
        if let (false, Some(members)) = (self.question.servers.is_empty(), counts.as_object_mut()) {
            members.insert(
                "server_tool_use".to_owned(),
                json!({"web_search_requests": searches.count(), "web_fetch_requests": 0}),
            );
        }
        if let (true, Some(counts)) = (
            self.counts_thinking && answer.reasoning.is_some(),
            counts.as_object_mut(),
        ) {
            counts.insert(
                "output_tokens_details".to_owned(),
                json!({"thinking_tokens": usage.reasoning}),
            );
        }
        counts
    }

    fn events(&self, answer: &Answer) -> Vec<Event> {
        let mut first_usage = self.usage(answer);
        if let Some(counts) = first_usage.as_object_mut() {
            counts.insert("output_tokens".to_owned(), json!(1));
        }
        let message = json!({"id": self.id(answer), "type": "message", "role": "assistant", "model": self.question.model,
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": first_usage});
        let mut events = vec![part("message_start", json!({"message": message}))];
        for (index, block) in self.blocks(answer).into_iter().enumerate() {
            let deltas = deltas(&block, answer);
            events.push(part(
                "content_block_start",
                json!({"index": index, "content_block": opened(&block)}),
            ));
            if index == 0 {
                events.push(part("ping", json!({})));
            }
            for delta in deltas {
                events.push(part(
                    "content_block_delta",
                    json!({"index": index, "delta": delta}),
                ));
            }
            events.push(part("content_block_stop", json!({"index": index})));
        }
        let usage = if self.repeats_input_usage {
            self.usage(answer)
        } else {
            json!({"output_tokens": answer.usage.completion})
        };
        let mut delta =
            json!({"stop_reason": reason(answer), "stop_sequence": stop_sequence(answer)});
        if let (Some(details), Some(members)) = (stop_details(answer), delta.as_object_mut()) {
            members.insert("stop_details".to_owned(), details);
        }
        if let (Some(container), Some(members)) =
            (self.used_container(answer), delta.as_object_mut())
        {
            members.insert("container".to_owned(), container);
        }
        let ending = typed("message_delta", json!({"delta": delta, "usage": usage}));
        events.push(Event::finish(frame("message_delta", &ending)));
        events.push(Event::done(frame(
            "message_stop",
            &typed("message_stop", json!({})),
        )));
        events
    }
}

/// A block as it stands when it is opened.
fn opened(block: &Value) -> Value {
    let mut opened = block.clone();
    if let Some(members) = opened.as_object_mut() {
        for (name, empty) in [
            ("text", json!("")),
            ("thinking", json!("")),
            ("signature", json!("")),
            ("input", json!({})),
            ("citations", json!([])),
        ] {
            if members.contains_key(name) {
                members.insert(name.to_owned(), empty);
            }
        }
    }
    opened
}

fn deltas(block: &Value, answer: &Answer) -> Vec<Value> {
    let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "text" => {
            let pieces = token::pieces(text("text")).into_iter();
            let mut deltas: Vec<Value> = pieces
                .map(|piece| json!({"type": "text_delta", "text": piece}))
                .collect();
            // Citations come before the last words, and the first of them before all others.
            for (index, citation) in items_of(block, "citations").iter().enumerate() {
                let at = if index == 0 { 0 } else { deltas.len() - 1 };
                let delta = json!({"type": "citations_delta", "citation": citation});
                deltas.insert(at, delta);
            }
            deltas
        }
        "server_tool_use" => {
            let input = block.get("input").map(Value::to_string).unwrap_or_default();
            let slices = std::iter::once("").chain(token::slices(&input, ARGUMENT_SLICE));
            slices
                .map(|slice| json!({"type": "input_json_delta", "partial_json": slice}))
                .collect()
        }
        "thinking" => {
            let thoughts = token::pieces(text("thinking")).into_iter();
            let mut deltas: Vec<Value> = thoughts
                .map(|piece| json!({"type": "thinking_delta", "thinking": piece}))
                .collect();
            deltas.push(json!({"type": "signature_delta", "signature": text("signature")}));
            deltas
        }
        "tool_use" => {
            let ids = (0..answer.calls.len()).map(|index| seal::id("toolu_", answer.seed, index));
            let call = ids
                .zip(&answer.calls)
                .find(|(id, _)| id == text("id"))
                .map(|(_, call)| call);
            // A call without arguments has only the first, empty delta.
            let arguments = call
                .map(|call| call.arguments.as_str())
                .filter(|arguments| *arguments != "{}")
                .unwrap_or_default();
            let slices = std::iter::once("").chain(token::slices(arguments, ARGUMENT_SLICE));
            slices
                .map(|slice| json!({"type": "input_json_delta", "partial_json": slice}))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The text block, if there is one. Calls come with a word before them.
fn text(answer: &Answer) -> Option<String> {
    match answer.finish {
        Finish::Refusal | Finish::Filtered => None,
        _ if !answer.text.is_empty() => Some(answer.text.clone()),
        Finish::ToolCalls => answer.plan.clone(),
        _ => None,
    }
}

fn reason(answer: &Answer) -> &'static str {
    match &answer.finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::Filtered => "refusal",
    }
}

fn stop_sequence(answer: &Answer) -> Option<&str> {
    match &answer.finish {
        Finish::StopSequence(sequence) => Some(sequence),
        _ => None,
    }
}

fn stop_details(answer: &Answer) -> Option<Value> {
    let refused = matches!(answer.finish, Finish::Refusal | Finish::Filtered);
    refused.then(|| json!({"type": "refusal", "category": "cyber", "explanation": REFUSAL}))
}

fn typed(name: &str, mut event: Value) -> Value {
    if let Some(members) = event.as_object_mut() {
        members.insert("type".to_owned(), json!(name));
    }
    event
}

fn part(name: &str, event: Value) -> Event {
    Event::part(frame(name, &typed(name, event)))
}
