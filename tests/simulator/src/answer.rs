//! What is answered: a pure function from a question (and the faults that change content) to an answer,
//! the same for every vendor, streamed or not. How it looks on the wire is not known here.

mod usage;

use crate::fault::Faults;
use crate::question::{Choice, Format, Question, Speaker, Tool};
use crate::schema;
use crate::seal;
use crate::text::{self, Triggers};
use crate::token;

pub(crate) use usage::Usage;

/// What every vendor says when it is asked to refuse, in the form of its wire.
pub(crate) const REFUSAL: &str = "I'm sorry, but I can't help with that.";

/// A complete answer, already cut by limits and stop sequences.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The same for a streamed and an unstreamed request: what ids are made of.
    pub(crate) seed: u64,
    pub(crate) reasoning: Option<String>,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    /// Why tools are called, for wires that say it beside the calls.
    pub(crate) plan: Option<String>,
    pub(crate) finish: Finish,
    pub(crate) usage: Usage,
    /// Tools of the vendor's that were used, by their unified names.
    pub(crate) used: Vec<&'static str>,
    /// What the question told the tool.
    pub(crate) asked: String,
    /// A picture comes with it.
    pub(crate) draws: bool,
}

/// The page that every search finds.
pub(crate) const PAGE: (&str, &str) = ("https://search.example/first", "The first result");
/// The only program that is ever run, and what it prints.
pub(crate) const PROGRAM: (&str, &str) = ("print(6 * 7)", "42\n");
/// A picture of one pixel, in base64.
pub(crate) const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// JSON text; cut off in the middle if `complete` is false.
    pub(crate) arguments: String,
    pub(crate) complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    /// The stop sequence that was met.
    StopSequence(String),
    Length,
    ToolCalls,
    /// The model declines; the text says so.
    Refusal,
    /// A filter took the output away.
    Filtered,
}

/// Answers a question.
pub(crate) fn answer(question: &Question, faults: &Faults) -> Answer {
    let asked = text::without_reminders(&faults.strip(question.last_user_text()));
    let triggers = Triggers::read(&asked);
    let seed = seal::digest(&["question", &format!("{question:?}")]);
    let draft = Draft::of(question, &triggers, &asked, faults);
    let reasoning = question
        .reasoning
        .then(|| format!("Let me think about this: {}", token::cut(&asked, 8)));
    let reasoning_tokens = match &reasoning {
        Some(text) => triggers
            .count("reasoning")
            .unwrap_or_else(|| token::count(text)),
        None => 0,
    };
    let mut answer = Answer {
        seed,
        reasoning,
        text: draft.text,
        calls: draft.calls,
        plan: draft.plan,
        finish: draft.finish,
        usage: Usage::of_prompt(question, &triggers),
        used: used(question, &triggers),
        draws: question.draws && triggers.draw,
        asked: asked.to_string(),
    };
    if !answer.calls.is_empty() || answer.finish != Finish::Stop {
        answer.used.clear();
        answer.draws = false;
    }
    answer.usage.reasoning = reasoning_tokens;
    answer.stop_at(&question.stop);
    answer.limit(question.max_tokens);
    answer.usage.completion = answer.usage.reasoning + answer.tokens();
    answer
}

impl Answer {
    fn tokens(&self) -> u64 {
        let calls: u64 = self.calls.iter().map(Call::tokens).sum();
        token::count(&self.text) + calls
    }

    fn stop_at(&mut self, sequences: &[String]) {
        let met = sequences.iter().filter(|sequence| !sequence.is_empty());
        let first = met
            .filter_map(|sequence| Some((self.text.find(sequence.as_str())?, sequence)))
            .min();
        if let (Some((at, sequence)), Finish::Stop) = (first, &self.finish) {
            self.finish = Finish::StopSequence(sequence.clone());
            self.text.truncate(at);
        }
    }

    /// Reasoning, text and calls share the limit, in this order.
    fn limit(&mut self, limit: Option<u64>) {
        let Some(limit) = limit else { return };
        if self.usage.reasoning + self.tokens() <= limit {
            return;
        }
        self.finish = Finish::Length;
        if self.usage.reasoning >= limit {
            self.usage.reasoning = limit;
            self.reasoning = self.reasoning.take().map(|text| token::cut(&text, limit));
            self.text.clear();
            self.calls.clear();
            return;
        }
        let mut left = limit - self.usage.reasoning;
        self.text = token::cut(&self.text, left);
        left -= token::count(&self.text);
        let mut kept = Vec::new();
        for mut call in self.calls.drain(..) {
            let cost = call.tokens();
            if cost <= left {
                left -= cost;
                kept.push(call);
                continue;
            }
            if left > 0 {
                let half: String = call
                    .arguments
                    .chars()
                    .take(call.arguments.chars().count() / 2)
                    .collect();
                call.arguments = half;
                call.complete = false;
                kept.push(call);
            }
            break;
        }
        self.calls = kept;
    }
}

impl Call {
    /// One for the name and one for each word of the arguments.
    fn tokens(&self) -> u64 {
        1 + token::count(&self.arguments)
    }

    /// The arguments as an object; empty where they were cut off.
    pub(crate) fn arguments_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.arguments).unwrap_or_else(|_| serde_json::json!({}))
    }
}

/// The answer before stop sequences and limits.
struct Draft {
    text: String,
    calls: Vec<Call>,
    plan: Option<String>,
    finish: Finish,
}

impl Draft {
    fn of(question: &Question, triggers: &Triggers, asked: &str, faults: &Faults) -> Self {
        if let Some(text) = faults.oversized_text() {
            return Self::said(text);
        }
        if triggers.empty {
            return Self::said(String::new());
        }
        if triggers.filter_output {
            return Self {
                finish: Finish::Filtered,
                ..Self::said(REFUSAL.to_owned())
            };
        }
        if triggers.refuse {
            return Self {
                finish: Finish::Refusal,
                ..Self::said(REFUSAL.to_owned())
            };
        }
        let calls = calls(question, triggers, asked);
        if let Some(first) = calls.first() {
            let plan = format!("I will call {}.", first.name);
            let text = if triggers.say_why {
                plan.clone()
            } else {
                String::new()
            };
            return Self {
                text,
                calls,
                plan: Some(plan),
                finish: Finish::ToolCalls,
            };
        }
        let plain = plain_text(question, triggers, asked);
        Self::said(match &question.format {
            Format::Text => plain,
            Format::Json => serde_json::json!({ "answer": plain }).to_string(),
            Format::Schema(schema) => schema::sample(schema, &triggers.pairs, 0).to_string(),
        })
    }

    fn said(text: String) -> Self {
        Self {
            text,
            calls: Vec::new(),
            plan: None,
            finish: Finish::Stop,
        }
    }
}

/// The vendor's tools that an answer uses: those that are offered and asked for in words.
fn used(question: &Question, triggers: &Triggers) -> Vec<&'static str> {
    let wanted = [
        ("web-search", triggers.search),
        ("code-execution", triggers.run),
    ];
    let used = wanted
        .into_iter()
        .filter(|(name, wanted)| *wanted && question.servers.contains(name));
    used.map(|(name, _)| name).collect()
}

fn plain_text(question: &Question, triggers: &Triggers, asked: &str) -> String {
    if let Some(count) = triggers.words {
        let words: Vec<String> = (1..=count).map(|number| format!("word{number}")).collect();
        return words.join(" ");
    }
    let mut text = format!("[{}] ", question.model);
    let results = question.fresh_results();
    if results.is_empty() {
        text.push_str(&format!("You said: {asked}"));
    } else {
        let quoted: Vec<String> = results
            .iter()
            .map(|result| format!("{} -> {}", result.name, result.text))
            .collect();
        text.push_str(&format!("Tool results: {}", quoted.join("; ")));
    }
    if !question.system.is_empty() {
        text.push_str(&format!(" (system: {})", question.system.join(" ")));
    }
    let images: Vec<&str> = question
        .turns
        .iter()
        .flat_map(|turn| &turn.images)
        .map(String::as_str)
        .collect();
    if !images.is_empty() {
        text.push_str(&format!(" (images: {})", images.join(", ")));
    }
    text.push_str(&format!(" (turns: {})", question.turns.len()));
    text
}

/// The calls an answer makes: the forced tool, or those the user's text names, in order of declaration.
fn calls(question: &Question, triggers: &Triggers, asked: &str) -> Vec<Call> {
    let ends_with_user = question
        .turns
        .last()
        .is_some_and(|turn| turn.speaker == Speaker::User && turn.results.is_empty());
    let mentioned = |tool: &&Tool| ends_with_user && asked.contains(tool.name.as_str());
    let mut chosen: Vec<&Tool> = match &question.choice {
        Choice::None => Vec::new(),
        Choice::Auto => question.tools.iter().filter(mentioned).collect(),
        Choice::Required => {
            let named: Vec<&Tool> = question.tools.iter().filter(mentioned).collect();
            if named.is_empty() {
                question.tools.iter().take(1).collect()
            } else {
                named
            }
        }
        Choice::Named(names) => {
            let allowed = question
                .tools
                .iter()
                .filter(|tool| names.contains(&tool.name));
            let wished: Vec<&Tool> = allowed.clone().filter(mentioned).collect();
            if wished.is_empty() {
                allowed.take(1).collect()
            } else {
                wished
            }
        }
    };
    let wanted = if triggers.two_calls && question.parallel {
        2
    } else {
        1
    };
    if let (Some(first), true) = (chosen.first().copied(), chosen.len() < wanted) {
        chosen.push(first);
    }
    chosen.truncate(wanted);
    let call = |(index, tool): (usize, &Tool)| Call {
        name: tool.name.clone(),
        arguments: arguments(tool, triggers, index),
        complete: true,
    };
    chosen.into_iter().enumerate().map(call).collect()
}

fn arguments(tool: &Tool, triggers: &Triggers, variant: usize) -> String {
    match schema::sample(&tool.parameters, &triggers.pairs, variant) {
        serde_json::Value::Object(object) => serde_json::Value::Object(object).to_string(),
        _ => "{}".to_owned(),
    }
}

#[cfg(test)]
mod tests;
