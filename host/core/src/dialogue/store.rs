//! Conversations as documents.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Dialogue;
use crate::chat::{ChatMessage, Role, transcript};
use crate::error::{Error, Result};

/// A conversation as it stands in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    model: Option<String>,
    messages: Vec<ChatMessage>,
}

impl Dialogue {
    /// The conversation as a JSON document.
    #[must_use]
    pub fn to_json(&self) -> String {
        let saved = Saved {
            model: Some(self.model.clone()),
            messages: self.messages(),
        };
        serde_json::to_string_pretty(&saved).unwrap_or_default() + "\n"
    }

    /// The conversation as a Markdown document, for people.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n", self.title());
        for message in self.messages() {
            let who = match message.role {
                Role::System => "System",
                Role::User => "You",
                Role::Assistant => "Answer",
                Role::Tool => "Tool",
            };
            text += &format!(
                "\n## {who}\n\n{}\n",
                transcript(&message.content).trim_end()
            );
        }
        text
    }

    /// Takes over the messages of a JSON document, in a new conversation: one of
    /// [`Dialogue::to_json`], or a list of messages whose `content` may be a plain text. The model
    /// stays; gives the one that the document names.
    ///
    /// # Errors
    ///
    /// `configuration`: it is no conversation.
    pub fn load_json(&mut self, text: &str) -> Result<Option<String>> {
        let wrong = |error: serde_json::Error| {
            Error::configuration(format!("it is no saved conversation: {error}"))
        };
        let mut document: Value = serde_json::from_str(text).map_err(wrong)?;
        if document.is_array() {
            document = json!({ "messages": document });
        }
        let messages = document.get_mut("messages").and_then(Value::as_array_mut);
        for content in messages
            .into_iter()
            .flatten()
            .filter_map(|one| one.get_mut("content"))
        {
            if let Value::String(text) = content {
                *content = json!([{ "type": "text", "text": std::mem::take(text) }]);
            }
        }
        let saved: Saved = serde_json::from_value(document).map_err(wrong)?;
        self.clear();
        self.system = None;
        self.take(saved.messages);
        Ok(saved.model)
    }

    pub(super) fn take(&mut self, messages: Vec<ChatMessage>) {
        let (system, rest): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .partition(|message| message.role == Role::System);
        let system: Vec<_> = system.iter().map(ChatMessage::text).collect();
        self.system = (!system.is_empty()).then(|| system.join("\n\n"));
        self.messages = rest;
    }
}
