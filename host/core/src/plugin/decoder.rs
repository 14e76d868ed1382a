//! Reading a stream inside an instance, within the bounds of one exchange.

use super::calls::Reader;
use super::limits::Used;
use super::session::Session;
use super::{PluginError, wire};

/// The most events that one batch of frames may mean, for each frame and for a batch.
const MAX_EVENTS: usize = 100_000;

/// A stream decoder inside a session.
pub struct Decoder {
    session: Session,
    reader: Reader,
    used: Used,
}

impl Decoder {
    pub(super) fn new(session: Session, reader: Reader) -> Self {
        Decoder {
            session,
            reader,
            used: Used::default(),
        }
    }

    /// What a batch of frames means.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn push(
        &mut self,
        frames: Vec<wire::Frame>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        self.session.running.store.data_mut().meter.begin_call();
        let call = self.reader.push(&mut self.session.running, frames);
        let events = self
            .used
            .computing(call)
            .await
            .map_err(|error| self.session.failed("decoder.push", &error))?;
        self.checked("decoder.push", events)
    }

    /// The body has ended.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn finish(&mut self) -> Result<Vec<wire::Event>, PluginError> {
        self.session.running.store.data_mut().meter.begin_call();
        let call = self.reader.finish(&mut self.session.running);
        let events = self
            .used
            .computing(call)
            .await
            .map_err(|error| self.session.failed("decoder.finish", &error))?;
        self.checked("decoder.finish", events)
    }

    /// Gives the session back, to read a body that turned out to be no stream.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }

    fn checked(
        &mut self,
        call: &'static str,
        events: Vec<wire::Event>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        if events.len() > MAX_EVENTS {
            return Err(PluginError::Output {
                plugin: self.session.plugin.name().to_owned(),
                call,
                reason: format!("{} events, at most {MAX_EVENTS} are read", events.len()),
            });
        }
        let limits = &self.session.plugin.engine.inner.limits.exchange;
        match self.used.gave(&events, limits) {
            None => Ok(events),
            Some(what) => Err(PluginError::Exchange {
                plugin: self.session.plugin.name().to_owned(),
                what,
            }),
        }
    }
}
