//! Answers that were kept, and questions that do not pass: calls for which nothing is sent.
//!
//! A key is made of what passed the filters, and what is kept is what the vendor said: those whose questions become the
//! same on the way share an answer, and each hears it through their own filters.

use std::sync::Arc;

use super::{Call, Opened, Progress};
use crate::chat::{ChatResponse, Usage};
use crate::config::Model;
use crate::error::{Error, Result};
use crate::service::asked::{Sending, Through};
use crate::service::cache;
use crate::service::exchange::Peer;
use crate::service::recording::Recording;
use crate::service::relay::Relayed;
use crate::service::stream::ChatStream;
use crate::stats::Record;

impl Call {
    /// The kept answer to this request, or the turn to make one; nothing without a cache.
    pub(super) async fn look_up(
        &self,
        whose: (&Arc<Model>, &Peer),
        sending: &Sending<'_>,
    ) -> Result<Option<Result<Arc<cache::Kept>, cache::Miss>>> {
        let (_, peer) = whose;
        // What one account was answered is not shown to another.
        let cache = self.state.cache();
        let Some(cache) = cache.filter(|_| !self.probe && !peer.is_callers()) else {
            return Ok(None);
        };
        let key = {
            // No instance waits with this call for an answer that somebody else asked for.
            let through = sending.through(peer).await;
            let through = through.map_err(|error| self.stopped(whose, error))?;
            through.sending.key(&peer.identity())
        };
        let Some(key) = key else {
            return Ok(None);
        };
        Ok(Some(cache.look_up(key, peer.patience()).await))
    }

    pub(super) async fn answer_from_cache(
        &self,
        whose: (&Arc<Model>, &Peer),
        sending: &Sending<'_>,
        progress: &Progress,
        kept: &cache::Kept,
    ) -> Result<Opened> {
        let (model, peer) = whose;
        let through = sending.through(peer).await;
        let Through { sending, screen } = through.map_err(|error| self.stopped(whose, error))?;
        let mut recording = Recording::begin(
            self.rows.clone(),
            Record {
                cached: true,
                ..self.record(model, peer, 0, Some(&sending))
            },
        );
        let answer = ChatResponse {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            vendor_model: kept.vendor_model.clone(),
            id: kept.id.clone(),
            parts: kept.parts.clone(),
            finish_reason: kept.finish,
            raw_finish_reason: kept.raw_finish.clone(),
            usage: Usage::NOTHING,
            cost: Some(rust_decimal::Decimal::ZERO),
            billing: kept.billing(),
            latency: self.begun.elapsed().saturating_sub(progress.loading),
            time_to_first_token: None,
            streaming_time: None,
            attempts: progress.attempts,
            cached: true,
            extra: kept.extra.clone(),
            warnings: kept.warnings.clone(),
            failed_before: progress.failed.clone(),
        };
        recording.succeeded(&answer, self.state.config.history.content);
        if let Some(text) = &kept.verbatim {
            return Ok(Opened::Relayed(Box::new(Relayed::whole(
                text.into(),
                answer,
            ))));
        }
        let answer = match screen {
            None => answer,
            Some(screen) => match screen.whole(answer, self.asked.first_call()).await {
                Ok(answer) => answer,
                Err(error) => {
                    let error = error.of(&model.provider.name, &model.name);
                    recording.failed(&error);
                    return Err(error);
                }
            },
        };
        Ok(match self.stream {
            true => Opened::Stream(ChatStream::of_whole(answer)),
            false => Opened::Whole(Box::new(answer)),
        })
    }

    /// A question that did not pass: a row says so, without the question.
    pub(super) fn stopped(&self, (model, peer): (&Arc<Model>, &Peer), error: Error) -> Error {
        let error = error.of(&model.provider.name, &model.name);
        let record = self.record(model, peer, 0, None);
        Recording::begin(self.rows.clone(), record).failed(&error);
        error
    }
}
