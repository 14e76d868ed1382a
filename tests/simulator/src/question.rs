//! A chat request as the answering side sees it: no vendor's names, only what matters for an answer.

use serde_json::Value;

use crate::wire::{items_of, text_of};

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// The model as the answer names it.
    pub(crate) model: String,
    /// System texts in order.
    pub(crate) system: Vec<String>,
    /// The conversation without system texts.
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// Whether several calls in one answer are allowed.
    pub(crate) parallel: bool,
    pub(crate) format: Format,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stop: Vec<String>,
    /// Whether the model reasons before it answers.
    pub(crate) reasoning: bool,
    /// Tools that the vendor runs, by their unified names.
    pub(crate) servers: Vec<&'static str>,
    /// Documents that the answer cites: their titles.
    pub(crate) documents: Vec<String>,
    /// Whether the answer may hold a picture.
    pub(crate) draws: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Speaker {
    #[default]
    User,
    Model,
    Tool,
}

/// One turn. Which of the fields are filled depends on the speaker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    pub(crate) speaker: Speaker,
    pub(crate) text: String,
    /// Descriptions, e.g. `image/png 1x1`.
    pub(crate) images: Vec<String>,
    pub(crate) calls: Vec<PastCall>,
    pub(crate) results: Vec<PastResult>,
}

/// A call the model made earlier, as the client sent it back.
#[derive(Debug, Clone, Default)]
pub(crate) struct PastCall {
    /// Empty where the vendor gives none.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PastResult {
    pub(crate) name: String,
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// JSON Schema of the arguments; `null` if none was given.
    pub(crate) parameters: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Auto,
    None,
    Required,
    /// One of these must be called.
    Named(Vec<String>),
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Schema(Value),
}

impl PastCall {
    /// The calls of a message of the assistant, in the same form.
    pub(crate) fn all_in(message: &Value) -> Vec<Self> {
        items_of(message, "tool_calls")
            .iter()
            .map(Self::of_function)
            .collect()
    }

    /// A call as OpenAI writes it, and those who followed: `{id, function: {name, arguments}}`.
    fn of_function(value: &Value) -> Self {
        let function = value
            .get("function")
            .or_else(|| value.get("custom"))
            .unwrap_or(&Value::Null);
        Self {
            id: text_of(value, "id").to_owned(),
            name: text_of(function, "name").to_owned(),
            arguments: text_of(function, "arguments").to_owned(),
        }
    }
}

impl Tool {
    /// A declared function whose schema stands under that key.
    pub(crate) fn of_function(function: &Value, schema: &str) -> Self {
        let parameters = function.get(schema).cloned().unwrap_or(Value::Null);
        Self {
            name: text_of(function, "name").to_owned(),
            parameters,
        }
    }
}

impl Turn {
    /// Makes this turn's text the result of the open call of that id; none if no such call is open.
    pub(crate) fn answers(&mut self, open: &mut Vec<PastCall>, id: &str) -> Option<()> {
        self.speaker = Speaker::Tool;
        let at = open.iter().position(|call| call.id == id)?;
        let asked = open.remove(at);
        self.results.push(PastResult {
            name: asked.name,
            text: std::mem::take(&mut self.text),
        });
        Some(())
    }
}

impl Question {
    /// The text of the last turn of the user, where triggers and faults stand.
    pub(crate) fn last_user_text(&self) -> &str {
        let last = self
            .turns
            .iter()
            .rev()
            .find(|turn| turn.speaker == Speaker::User && !turn.text.is_empty());
        last.map_or("", |turn| turn.text.as_str())
    }

    /// The results at the end of the conversation, if it ends with results.
    pub(crate) fn fresh_results(&self) -> Vec<&PastResult> {
        let ending = self
            .turns
            .iter()
            .rev()
            .take_while(|turn| !turn.results.is_empty());
        let mut turns: Vec<&Turn> = ending.collect();
        turns.reverse();
        turns.iter().flat_map(|turn| &turn.results).collect()
    }

    /// Every text of the conversation, for counting.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let system = self.system.iter().map(String::as_str);
        let turns = self.turns.iter().flat_map(|turn| {
            let calls = turn.calls.iter().map(|call| call.arguments.as_str());
            let results = turn.results.iter().map(|result| result.text.as_str());
            std::iter::once(turn.text.as_str())
                .chain(calls)
                .chain(results)
        });
        system.chain(turns)
    }

    /// How many images the conversation holds.
    pub(crate) fn image_count(&self) -> usize {
        self.turns.iter().map(|turn| turn.images.len()).sum()
    }
}
