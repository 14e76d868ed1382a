//! The conversation as every vendor takes it: what was interrupted in it is completed.
//!
//! Vendors refuse a conversation in which a call of a tool has no result, a result has no call, or
//! two calls have one id, and they refuse it again with every question that follows. So what goes to
//! a plugin is put in order first. The caller's messages stay as they are; the same messages
//! always give the same conversation, and more questions behind them change nothing before. What a
//! single vendor minds beyond that is its plugin's business. A policy without I/O.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::chat::{ChatMessage, Part, ResultPart, Role, ToolCall, ToolResult};

/// What a model reads in place of a result that nobody gave.
const NOT_RUN: &str = "The tool was not run: the conversation went on without its result.";

/// The messages in an order that every vendor takes:
///
/// - Behind a message with calls come their results, one each, in the calls' order, wherever they
///   stood. A call without one gets an error as its result, which says that the tool was not run.
/// - A call that was cut off (its arguments are no JSON) and was not answered is left out, and so
///   is one without a name. A message of which nothing but thoughts remains goes with it.
/// - A result that answers no call is said in words.
/// - No two calls have one id; the id of a result follows its call's.
///
/// Without calls and results the messages are as they were.
pub(super) fn sendable(messages: &[ChatMessage]) -> Cow<'_, [ChatMessage]> {
    let concerns = |part: &Part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_));
    let any = messages
        .iter()
        .any(|message| message.content.iter().any(concerns));
    match any {
        true => Cow::Owned(Order::of(messages).arranged(messages)),
        false => Cow::Borrowed(messages),
    }
}

/// Where a part stands: its message and its place there.
type At = (usize, usize);

/// Which result belongs to which call, and what each call is called.
#[derive(Default)]
struct Order {
    /// The results of calls, by the place of the call.
    answers: HashMap<At, At>,
    /// Results that answer a call.
    taken: HashSet<At>,
    /// Results that say again what was said.
    repeated: HashSet<At>,
    /// New ids, by the place of the call.
    renamed: HashMap<At, String>,
    /// Calls that are left out.
    dropped: HashSet<At>,
}

impl Order {
    fn of(messages: &[ChatMessage]) -> Self {
        let mut order = Order::default();
        order.pair(messages);
        order.name(messages);
        order
    }

    /// Finds the call of each result: the first that is open with this id in the last message that
    /// has such a call.
    fn pair(&mut self, messages: &[ChatMessage]) {
        // By id, the open calls of each message, in order; the last message is the last element.
        let mut open: HashMap<&str, Vec<VecDeque<At>>> = HashMap::new();
        let mut answered: HashMap<&str, At> = HashMap::new();
        for (place, message) in messages.iter().enumerate() {
            let mut begun: HashSet<&str> = HashSet::new();
            for (at, part) in (0..).map(|part| (place, part)).zip(&message.content) {
                match part {
                    Part::ToolCall(call) if message.role == Role::Assistant && is_named(call) => {
                        let calls = open.entry(&call.id).or_default();
                        if begun.insert(&call.id) {
                            calls.push(VecDeque::new());
                        }
                        if let Some(calls) = calls.last_mut() {
                            calls.push_back(at);
                        }
                    }
                    Part::ToolResult(result) => {
                        let calls = open.get_mut(result.call_id.as_str());
                        match calls.and_then(take_last) {
                            Some(call) => {
                                self.answers.insert(call, at);
                                self.taken.insert(at);
                                answered.insert(&result.call_id, at);
                            }
                            None => {
                                let before = answered.get(result.call_id.as_str());
                                if before.and_then(|at| result_at(messages, *at)) == Some(result) {
                                    self.repeated.insert(at);
                                }
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Gives every call that stays an id of its own. Those before decide, never those behind.
    fn name(&mut self, messages: &[ChatMessage]) {
        let mut used: HashSet<Cow<'_, str>> = HashSet::new();
        // From which number on a repeated id may be free.
        let mut next: HashMap<&str, usize> = HashMap::new();
        let calls = messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.role == Role::Assistant);
        for (place, message) in calls {
            for (at, part) in (0..).map(|part| (place, part)).zip(&message.content) {
                let Part::ToolCall(call) = part else { continue };
                if !is_named(call) || (!self.answers.contains_key(&at) && is_cut_off(call)) {
                    self.dropped.insert(at);
                    continue;
                }
                if !call.id.is_empty() && used.insert(Cow::Borrowed(&call.id)) {
                    continue;
                }
                let stem = match call.id.as_str() {
                    "" => "call",
                    id => id,
                };
                let number = next.entry(stem).or_insert(2);
                let id = loop {
                    let id = format!("{stem}_{number}");
                    *number += 1;
                    if used.insert(Cow::Owned(id.clone())) {
                        break id;
                    }
                };
                self.renamed.insert(at, id);
            }
        }
    }

    fn arranged(&self, messages: &[ChatMessage]) -> Vec<ChatMessage> {
        let mut made = Vec::with_capacity(messages.len() + 2);
        for (place, message) in messages.iter().enumerate() {
            match message.role {
                Role::Assistant => self.answer(messages, place, message, &mut made),
                _ => self.said(place, message, &mut made),
            }
        }
        made
    }

    /// A message of the model, and the results of its calls.
    fn answer(
        &self,
        messages: &[ChatMessage],
        place: usize,
        message: &ChatMessage,
        made: &mut Vec<ChatMessage>,
    ) {
        let mut content = Vec::with_capacity(message.content.len());
        let mut results = vec![];
        let mut lacks = false;
        for (at, part) in (0..).map(|part| (place, part)).zip(&message.content) {
            match part {
                Part::ToolCall(_) if self.dropped.contains(&at) => lacks = true,
                Part::ToolCall(call) => {
                    let mut call = call.clone();
                    if let Some(id) = self.renamed.get(&at) {
                        call.id.clone_from(id);
                        call.local = true;
                    }
                    let answer = self.answers.get(&at);
                    results.push(Part::ToolResult(match answer {
                        Some(at) => result_of(&call, result_at(messages, *at)),
                        None => not_run(&call),
                    }));
                    content.push(Part::ToolCall(call));
                }
                Part::ToolResult(_) if self.taken.contains(&at) => lacks = true,
                other => content.push(other.clone()),
            }
        }
        if lacks {
            // Thoughts lead to what follows; where nothing does, vendors refuse them.
            while matches!(content.last(), Some(Part::Reasoning(_))) {
                content.pop();
            }
        }
        if !content.is_empty() || !lacks {
            made.push(with(message, content));
        }
        if !results.is_empty() {
            made.push(ChatMessage::new(Role::Tool, results));
        }
    }

    /// Any other message, without the results that stand behind their calls now.
    fn said(&self, place: usize, message: &ChatMessage, made: &mut Vec<ChatMessage>) {
        let mut content = Vec::with_capacity(message.content.len());
        let (mut lacks, mut words) = (false, vec![]);
        for (at, part) in (0..).map(|part| (place, part)).zip(&message.content) {
            match part {
                Part::ToolResult(result) => {
                    lacks = true;
                    if !self.taken.contains(&at) && !self.repeated.contains(&at) {
                        words.extend(in_words(result));
                    }
                }
                other => content.push(other.clone()),
            }
        }
        match (message.role, words.is_empty()) {
            (Role::Tool, false) => made.push(ChatMessage::new(Role::User, words)),
            (_, false) => content.splice(..0, words).for_each(drop),
            (_, true) => {}
        }
        if !content.is_empty() || !lacks {
            made.push(with(message, content));
        }
    }
}

/// The first of the last message's calls; messages without any more are forgotten.
fn take_last(calls: &mut Vec<VecDeque<At>>) -> Option<At> {
    while let Some(last) = calls.last_mut() {
        let first = last.pop_front();
        if last.is_empty() {
            calls.pop();
        }
        if first.is_some() {
            return first;
        }
    }
    None
}

fn result_at(messages: &[ChatMessage], (place, part): At) -> Option<&ToolResult> {
    match messages.get(place)?.content.get(part)? {
        Part::ToolResult(result) => Some(result),
        _ => None,
    }
}

fn with(message: &ChatMessage, content: Vec<Part>) -> ChatMessage {
    ChatMessage {
        role: message.role,
        content,
        origin: message.origin.clone(),
        extra: message.extra.clone(),
    }
}

/// Whether there is anything to call.
fn is_named(call: &ToolCall) -> bool {
    !call.name.trim().is_empty()
}

/// Whether the answer ended within the call. A call with a signature may bear other arguments than
/// JSON, and is never taken for one.
fn is_cut_off(call: &ToolCall) -> bool {
    let arguments = call.arguments.trim();
    call.signature.is_none()
        && !arguments.is_empty()
        && serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_err()
}

fn result_of(call: &ToolCall, result: Option<&ToolResult>) -> ToolResult {
    let Some(result) = result else {
        return not_run(call);
    };
    ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        local: call.local,
        ..result.clone()
    }
}

fn not_run(call: &ToolCall) -> ToolResult {
    ToolResult {
        is_error: true,
        ..ToolResult::new(call, NOT_RUN)
    }
}

/// A result as something that the user says.
fn in_words(result: &ToolResult) -> Vec<Part> {
    let failed = if result.is_error { " (it failed)" } else { "" };
    let mut text = match result.name.as_str() {
        "" => format!("Result of a tool{failed}:"),
        name => format!("Result of the tool {name}{failed}:"),
    };
    let mut pictures = vec![];
    for part in &result.content {
        match part {
            ResultPart::Text { text: more } => {
                text.push('\n');
                text.push_str(more);
            }
            ResultPart::Media(media) => pictures.push(Part::Media(media.clone())),
            // What only the vendor understands cannot be said in words.
            ResultPart::Opaque(_) => {}
        }
    }
    std::iter::once(Part::text(text)).chain(pictures).collect()
}

#[cfg(test)]
mod tests;
