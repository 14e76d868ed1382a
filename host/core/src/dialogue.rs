//! A conversation that goes on: question after question, with any model.
//!
//! ```no_run
//! use multillm::{ChatMessage, Dialogue, MultiLlmService};
//!
//! # async fn example(service: &MultiLlmService) -> multillm::Result<()> {
//! let mut dialogue = Dialogue::new("gpt-4");
//! dialogue.ask(ChatMessage::user("Hello!"));
//! let answer = service.chat(dialogue.request(), &dialogue.model).await?;
//! dialogue.answered(&answer);
//! dialogue.model = "claude-3-haiku".to_owned(); // another vendor goes on with it
//! # Ok(())
//! # }
//! ```
//!
//! A turn is a question and what came of it. A turn without an answer leaves no trace, so that the
//! messages are at any time a conversation that every vendor accepts. Answers carry their origin:
//! what only their vendor understands is sent to no other.

#[cfg(feature = "history")]
mod kept;
mod store;

use rust_decimal::Decimal;

use crate::chat::{ChatMessage, ChatRequest, ChatResponse, Part, Role};

/// Longest title of a conversation, in characters.
const TITLE: usize = 60;

/// A conversation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Dialogue {
    /// The model or route to ask next.
    pub model: String,
    /// Instructions for the model.
    pub system: Option<String>,
    /// How to ask: everything besides the messages.
    pub manner: ChatRequest,
    /// What was used since the dialogue was made or loaded.
    pub spent: Spent,
    id: String,
    #[cfg_attr(
        not(feature = "history"),
        expect(dead_code, reason = "for the history")
    )]
    created_ms: i64,
    /// Whole turns.
    messages: Vec<ChatMessage>,
    /// Asked last, without an answer yet.
    question: Option<ChatMessage>,
}

/// What answers used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Answers.
    pub answers: u64,
    /// Input tokens, as far as they were counted.
    pub prompt_tokens: u64,
    /// Output tokens, likewise.
    pub completion_tokens: u64,
    /// US dollars, as far as they are known.
    pub cost: Decimal,
    /// Answers whose cost is known.
    pub priced: u64,
}

impl Spent {
    fn add(&mut self, answer: &ChatResponse) {
        self.answers += 1;
        self.prompt_tokens += answer.usage.prompt_tokens.unwrap_or(0);
        self.completion_tokens += answer.usage.completion_tokens.unwrap_or(0);
        if let Some(cost) = answer.cost {
            self.cost = self.cost.saturating_add(cost);
            self.priced += 1;
        }
    }
}

impl Dialogue {
    /// A new conversation.
    pub fn new(model: impl Into<String>) -> Self {
        Dialogue {
            model: model.into(),
            system: None,
            manner: ChatRequest::default(),
            spent: Spent::default(),
            id: uuid::Uuid::now_v7().to_string(),
            created_ms: now_ms(),
            messages: vec![],
            question: None,
        }
    }

    /// Its id in the history.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The messages so far, instructions first. A question without an answer is not among them.
    #[must_use]
    pub fn messages(&self) -> Vec<ChatMessage> {
        let system = self.system.iter().map(ChatMessage::system);
        system.chain(self.messages.iter().cloned()).collect()
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How many questions were answered.
    #[must_use]
    pub fn turns(&self) -> usize {
        let asked = |message: &&ChatMessage| message.role == Role::User;
        self.messages.iter().filter(asked).count()
    }

    /// Asks this next. A question before it that has no answer is dropped.
    pub fn ask(&mut self, question: ChatMessage) {
        self.question = Some(question);
    }

    /// Takes over a conversation that somebody else wrote, in a new one: its last message is asked next. Instructions
    /// among the messages stay in their places.
    pub fn take_over(&mut self, mut messages: Vec<ChatMessage>) {
        self.clear();
        self.system = None;
        self.question = messages.pop();
        self.messages = messages;
    }

    /// What to send: everything so far and the question.
    #[must_use]
    pub fn request(&self) -> ChatRequest {
        let mut messages = self.messages();
        messages.extend(self.question.clone());
        ChatRequest {
            messages,
            conversation_id: Some(self.id.clone()),
            ..self.manner.clone()
        }
    }

    /// Takes the answer to the question. False if there is nothing in it to go on with: the turn
    /// is dropped then, and can be tried again.
    pub fn answered(&mut self, answer: &ChatResponse) -> bool {
        self.spent.add(answer);
        let said = answer.parts.iter().any(|part| match part {
            Part::Text(text) => !text.text.trim().is_empty(),
            Part::ToolCall(_) | Part::Media(_) => true,
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => true,
            Part::Opaque(block) => !block.media().is_empty(),
            _ => false,
        });
        if said {
            self.messages.extend(self.question.take());
            self.messages.push(answer.message());
        }
        said
    }

    /// The answer was stopped after this text, which stays as the answer. Without a text the turn
    /// is dropped, and can be tried again.
    pub fn stopped(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.messages.extend(self.question.take());
            self.messages.push(ChatMessage::assistant(text));
        }
    }

    /// Takes the last turn back, and gives its question.
    pub fn undo(&mut self) -> Option<ChatMessage> {
        if let Some(question) = self.question.take() {
            return Some(question);
        }
        let at = self
            .messages
            .iter()
            .rposition(|message| message.role == Role::User)?;
        let question = self.messages.get(at).cloned();
        self.messages.truncate(at);
        question
    }

    /// Takes the last turn back and asks its question again. False if there was none.
    pub fn retry(&mut self) -> bool {
        self.question = self.undo();
        self.question.is_some()
    }

    /// Begins a new conversation with the same model, instructions and manner.
    pub fn clear(&mut self) {
        let fresh = Dialogue::new(std::mem::take(&mut self.model));
        let old = std::mem::replace(self, fresh);
        self.system = old.system;
        self.manner = old.manner;
        self.spent = old.spent;
    }

    /// The beginning of the first question.
    #[must_use]
    pub fn title(&self) -> String {
        let first = self
            .messages
            .iter()
            .find(|message| message.role == Role::User);
        let text = first.map(ChatMessage::text).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(TITLE) {
            Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
            None => line,
        }
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests;
