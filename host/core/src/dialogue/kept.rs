//! Conversations in the history.

use super::{Dialogue, now_ms};
use crate::error::{Error, Result};
use crate::service::MultiLlmService;
use crate::stats::{Conversation, History, StatsError};

fn failed(error: StatsError) -> Error {
    Error::configuration(error.to_string())
}

impl Dialogue {
    /// Whether conversations of this service are kept, so that they can go on later.
    #[must_use]
    pub fn is_kept_by(service: &MultiLlmService) -> bool {
        service.history_path().is_some() && service.config().history.content
    }

    /// Keeps the conversation in the service's history. Nothing happens where the configuration
    /// keeps no history or no content, or where nothing was said yet.
    ///
    /// # Errors
    ///
    /// `configuration`: the history cannot be written.
    pub async fn store(&self, service: &MultiLlmService) -> Result<()> {
        let policy = service.config();
        let Some(path) = service.history_path().filter(|_| policy.history.content) else {
            return Ok(());
        };
        if self.is_empty() {
            return Ok(());
        }
        let mut history = History::open(path).await.map_err(failed)?;
        let kept = history
            .save_conversation(&Conversation {
                id: self.id.clone(),
                title: self.title(),
                model: self.model.clone(),
                created_ms: self.created_ms,
                updated_ms: now_ms(),
                messages: self.messages(),
            })
            .await;
        history.close().await;
        kept.map_err(failed)
    }

    /// The conversation whose id begins so, or the last one.
    ///
    /// # Errors
    ///
    /// `configuration`: there is none, or no history.
    pub async fn resume(service: &MultiLlmService, id: Option<&str>) -> Result<Self> {
        let path = service.history_path().ok_or_else(|| {
            Error::configuration("no conversation is kept: set history.enabled to true")
        })?;
        let mut history = History::open(path).await.map_err(failed)?;
        let found = history.conversation(id).await;
        history.close().await;
        let kept = found.map_err(failed)?.ok_or_else(|| {
            Error::configuration(match id {
                Some(id) => format!("no conversation whose id begins with {id:?} is kept"),
                None => "no conversation is kept yet".to_owned(),
            })
        })?;
        let mut dialogue = Dialogue::new(kept.model);
        dialogue.id = kept.id;
        dialogue.created_ms = kept.created_ms;
        dialogue.take(kept.messages);
        Ok(dialogue)
    }
}
