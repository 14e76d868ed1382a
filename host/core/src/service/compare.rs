//! One question to several models at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde::{Serialize, Serializer};

use super::MultiLlmService;
use crate::chat::{ChatEvent, ChatRequest, ChatResponse};
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};

/// What one of the models made of the question.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// The model or route that was asked.
    pub model: String,
    /// The answer, or why there is none.
    pub outcome: Result<ChatResponse>,
    /// Until the outcome was there, once all plugins were ready.
    pub elapsed: Duration,
}

/// How far a model is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CompareProgress {
    /// The first piece of the answer came.
    Begun,
    /// So many characters have come, thoughts included.
    Received(usize),
    /// The answer is complete.
    Answered,
    /// There will be none.
    Failed(ErrorKind),
}

#[derive(Serialize)]
struct Failed<'a> {
    model: &'a str,
    error: &'a crate::error::ErrorDetail,
}

#[derive(Serialize)]
struct Answered<'a> {
    #[serde(flatten)]
    answer: &'a ChatResponse,
    tokens_per_second: Option<f64>,
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.outcome {
            Ok(answer) => Answered {
                answer,
                tokens_per_second: answer.tokens_per_second(),
            }
            .serialize(serializer),
            Err(error) => Failed {
                model: &self.model,
                error,
            }
            .serialize(serializer),
        }
    }
}

impl MultiLlmService {
    /// Asks several models the same, all at once. The outcomes stand in the order of `models`;
    /// the failure of one does not touch the others.
    ///
    /// # Errors
    ///
    /// `configuration`, before anything is asked: there is no such model, or it is switched off.
    pub async fn compare(
        &self,
        request: &ChatRequest,
        models: &[String],
    ) -> Result<Vec<Comparison>> {
        self.compare_with(request, models, |_, _| {}).await
    }

    /// As [`MultiLlmService::compare`]. `progress` hears how far each is, by its place in `models`.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::compare`].
    pub async fn compare_with(
        &self,
        request: &ChatRequest,
        models: &[String],
        progress: impl Fn(usize, CompareProgress) + Sync,
    ) -> Result<Vec<Comparison>> {
        for model in models {
            self.knows(model)?;
        }
        self.make_ready(&self.behind(models)).await;
        let progress = &progress;
        let asked = models.iter().enumerate().map(|(place, model)| async move {
            let begun = Instant::now();
            let outcome = self
                .follow(request.clone(), model, |news| progress(place, news))
                .await;
            progress(
                place,
                match &outcome {
                    Ok(_) => CompareProgress::Answered,
                    Err(error) => CompareProgress::Failed(error.kind),
                },
            );
            Comparison {
                model: model.clone(),
                outcome,
                elapsed: begun.elapsed(),
            }
        });
        Ok(join_all(asked).await)
    }

    /// The models that names stand for, those of routes among them.
    fn behind(&self, names: &[String]) -> Vec<Arc<Model>> {
        let config = self.config();
        let of = |name: &String| {
            let name = config.unaliased(name);
            match (config.model(name), config.routes.get(name)) {
                (Some(model), _) => vec![model],
                (None, Some(route)) => route.models.iter().map(|it| it.model.clone()).collect(),
                (None, None) => vec![],
            }
        };
        names.iter().flat_map(of).collect()
    }

    /// The answer of a model, by a stream where it streams.
    async fn follow(
        &self,
        request: ChatRequest,
        model: &str,
        progress: impl Fn(CompareProgress),
    ) -> Result<ChatResponse> {
        if !self.streams(model) {
            return self.chat(request, model).await;
        }
        let mut events = self.stream(request, model).await?;
        progress(CompareProgress::Begun);
        let mut received = 0;
        while let Some(event) = events.next().await {
            match event? {
                ChatEvent::Done(answer) => return Ok(*answer),
                ChatEvent::Text { text } | ChatEvent::Reasoning { text } => {
                    received += text.chars().count();
                    progress(CompareProgress::Received(received));
                }
                _ => {}
            }
        }
        Err(Error::new(
            ErrorKind::Truncated,
            "the stream ended without an answer",
        ))
    }
}
