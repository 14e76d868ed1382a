//! Asking through the library as a caller does, whole or streamed, and what the history says of it
//! afterwards.

use futures_util::StreamExt as _;
use multillm::error::Result;
use multillm::stats::{Entry, Filter, History};
use multillm::{ChatEvent, ChatMessage, ChatResponse, Error, MultiLlmService};
use serde_json::{Value, json};

use crate::leaks;
use crate::stage::Stage;

/// What a caller got.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) result: Result<ChatResponse>,
    /// The text that it was shown before the end.
    pub(crate) shown: String,
}

impl Asked {
    pub(crate) fn answer(self) -> ChatResponse {
        self.result
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    pub(crate) fn error(self) -> Error {
        match self.result {
            Err(error) => error,
            Ok(answer) => panic!("no error: {answer:?}"),
        }
    }
}

/// Asks a model or route.
pub(crate) async fn ask(
    service: &MultiLlmService,
    model: &str,
    question: &str,
    streamed: bool,
) -> Asked {
    let messages = [ChatMessage::user(question)];
    let mut shown = String::new();
    let result = match streamed {
        false => service.chat_completion(&messages, model).await,
        true => match service.stream_completion(&messages, model).await {
            Err(error) => Err(error),
            Ok(mut events) => loop {
                match events.next().await.expect("a stream ends with its end") {
                    Ok(ChatEvent::Text { text }) => shown.push_str(&text),
                    Ok(ChatEvent::Done(answer)) => break Ok(*answer),
                    Ok(_) => {}
                    Err(error) => break Err(error),
                }
            },
        },
    };
    leaks::none_in(&(&result, &shown));
    Asked { result, shown }
}

/// Asks for a whole answer.
pub(crate) async fn chat(service: &MultiLlmService, model: &str, question: &str) -> Asked {
    ask(service, model, question, false).await
}

impl Stage {
    /// Everything in the history, oldest first, once the service has written it.
    pub(crate) async fn rows(&self, service: &MultiLlmService) -> Vec<Entry> {
        service.close().await;
        let path = service.history_path().unwrap();
        let mut history = History::open(path).await.unwrap();
        let mut rows = history.list(&Filter::default()).await.unwrap();
        history.close().await;
        rows.sort_by_key(|row| row.id);
        leaks::none_in(&rows);
        rows
    }

    /// Writes something over a part of the configuration, such as `retry.base_ms`.
    pub(crate) fn set(&mut self, key: &str, value: Value) -> &mut Self {
        let mut place = &mut self.config;
        for name in key.split('.') {
            place = &mut place[name];
        }
        *place = value;
        self
    }

    /// Never tries again.
    pub(crate) fn once(&mut self) -> &mut Self {
        self.set("retry", json!({ "max_attempts": 1 }))
    }
}
