//! What a server says beyond the unified form: of the answer, of its first choice, and other choices whole.

use super::super::wire::{Member, beside, index, object, one_or_many, owned};
use crate::json::Json;

/// Members of a chunk that are told otherwise, or are mere padding.
const CHUNKS: [&str; 7] = [
    "choices",
    "error",
    "id",
    "model",
    "object",
    "obfuscation",
    "usage",
];
/// The same of a choice,
const CHOICES: [&str; 7] = [
    "delta",
    "error",
    "finish_reason",
    "index",
    "message",
    "text",
    "usage",
];
/// of its message,
const MESSAGES: [&str; 14] = [
    "annotations",
    "audio",
    "content",
    "extra_content",
    "function_call",
    "images",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "reasoning_text",
    "refusal",
    "role",
    "tool_calls",
    "obfuscation",
];
/// and of its usage.
const COUNTS: [&str; 11] = [
    "completion_tokens",
    "completion_tokens_details",
    "cost",
    "input_tokens",
    "input_tokens_details",
    "output_tokens",
    "output_tokens_details",
    "prompt_tokens",
    "prompt_tokens_details",
    "reasoning_tokens",
    "total_tokens",
];

/// What is not yet told. By rule it is small, and stays as it is from chunk to chunk.
#[derive(Default)]
pub(super) struct Beyond {
    answer: Vec<Member<'static>>,
    usage: Vec<Member<'static>>,
    choice: Vec<Member<'static>>,
    message: Vec<Member<'static>>,
    others: Vec<(u32, Json<'static>)>,
}

impl Beyond {
    /// A chunk came.
    pub(super) fn chunk(&mut self, chunk: &Json<'_>) {
        keep(&mut self.answer, chunk, &CHUNKS);
        if let Some(usage) = chunk.get("usage") {
            keep(&mut self.usage, usage, &COUNTS);
        }
    }

    /// The first choice came, or more of it.
    pub(super) fn choice(&mut self, choice: &Json<'_>) {
        keep(&mut self.choice, choice, &CHOICES);
        let messages = [choice.get("delta"), choice.get("message")];
        for message in messages.into_iter().flatten() {
            keep(&mut self.message, message, &MESSAGES);
        }
    }

    /// Another choice came, or more of it. Those of a stream are put together as a whole answer has them.
    pub(super) fn other(&mut self, choice: &Json<'_>) {
        let number = index(choice).unwrap_or_default();
        let known = self.others.iter().position(|(known, _)| *known == number);
        let at = known.unwrap_or_else(|| {
            self.others.push((number, Json::Object(Vec::new())));
            self.others.len() - 1
        });
        let Some((_, all)) = self.others.get_mut(at) else {
            return;
        };
        let Json::Object(members) = choice else {
            return;
        };
        for (name, value) in members.iter().filter(|(_, value)| *value != Json::Null) {
            let name = match &**name {
                "delta" => "message",
                name => name,
            };
            grow(all, name, value);
        }
    }

    /// All of it, as a JSON object; nothing if there is none. It is told once.
    pub(super) fn told(&mut self) -> Option<String> {
        let mut all = std::mem::take(&mut self.answer);
        let usage = std::mem::take(&mut self.usage);
        if !usage.is_empty() {
            all.push(("usage".into(), Json::Object(usage)));
        }
        let mut choice = std::mem::take(&mut self.choice);
        let message = std::mem::take(&mut self.message);
        if !message.is_empty() {
            choice.push(("message".into(), Json::Object(message)));
        }
        let mut choices = Vec::new();
        if !choice.is_empty() {
            choice.insert(0, ("index".into(), Json::Unsigned(0)));
            choices.push(Json::Object(choice));
        }
        self.others.sort_by_key(|(number, _)| *number);
        choices.extend(self.others.drain(..).map(|(_, choice)| choice));
        if !choices.is_empty() {
            all.push(("choices".into(), Json::List(choices)));
        }
        object(all)
    }
}

/// Takes over what is said beside these members: lists go on, objects are merged, anything else replaces.
fn keep(all: &mut Vec<Member<'static>>, said: &Json<'_>, known: &[&str]) {
    let Json::Object(members) = said else {
        return;
    };
    for (name, value) in members {
        if known.contains(&&**name) || *value == Json::Null {
            continue;
        }
        let found = all.iter().position(|(known, _)| known == name);
        let same = |at| all.get(at).is_some_and(|(_, old)| old == value);
        if found.is_some_and(same) {
            continue;
        }
        match found.and_then(|at| all.get_mut(at)) {
            Some((_, old)) => go_on(old, value),
            None => all.push((name.clone().into_owned().into(), owned(value))),
        }
    }
}

/// A later value over an earlier one.
fn go_on(old: &mut Json<'static>, value: &Json<'_>) {
    match (old, value) {
        (Json::List(old), Json::List(more)) => old.extend(more.iter().map(owned)),
        (Json::Object(old), Json::Object(_)) => {
            for (name, value) in beside(value, &[]) {
                match old.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, old)) => go_on(old, &value),
                    None => old.push((name, value)),
                }
            }
        }
        (old, value) => *old = owned(value),
    }
}

/// More of another choice: texts grow, calls are those of their number, anything else as above.
fn grow(all: &mut Json<'static>, name: &str, value: &Json<'_>) {
    const GROWING: [&str; 6] = [
        "arguments",
        "content",
        "input",
        "reasoning",
        "reasoning_content",
        "refusal",
    ];
    let Json::Object(members) = all else {
        return;
    };
    let found = members.iter().position(|(known, _)| known == name);
    let Some((_, old)) = found.and_then(|at| members.get_mut(at)) else {
        members.push((name.to_owned().into(), owned(value)));
        return;
    };
    match (old, value) {
        (Json::Text(old), Json::Text(more)) if GROWING.contains(&name) => {
            old.to_mut().push_str(more);
        }
        (old @ Json::Object(_), Json::Object(more)) => {
            let more = more.iter().filter(|(_, value)| *value != Json::Null);
            more.for_each(|(name, value)| grow(old, name, value));
        }
        (Json::List(old), calls) if name == "tool_calls" => {
            for call in one_or_many(Some(calls)) {
                let same =
                    |known: &&mut Json<'_>| index(known) == index(call) && index(call).is_some();
                match (old.iter_mut().find(same), call) {
                    (Some(known), Json::Object(members)) => {
                        let members = members.iter().filter(|(_, value)| *value != Json::Null);
                        members.for_each(|(name, value)| grow(known, name, value));
                    }
                    _ => old.push(owned(call)),
                }
            }
        }
        (old, value) => go_on(old, value),
    }
}
