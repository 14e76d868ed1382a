//! An instance of a filter, from its start to the end of the answer.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::ResourceAny;

use super::{Filter, Inner, Stop};
use crate::chat::{ChatRequest, Delta};
use crate::plugin::calls::Running;
use crate::plugin::convert::v0_2_0::{self as convert, Blobs};
use crate::plugin::limits::Used;
use crate::plugin::{PluginEngine, PluginError, session, wire};

/// The most events that one batch may mean.
const MAX_EVENTS: usize = 100_000;

impl PluginEngine {
    /// Room for an instance of each of these filters, all at once: who had some of them and waited for the others could
    /// wait for ever.
    ///
    /// # Errors
    ///
    /// [`PluginError::Engine`]: all of them together need more room than there is, or the engine was shut down.
    pub async fn places(
        &self,
        filters: impl IntoIterator<Item = &Filter>,
    ) -> Result<Places, PluginError> {
        let needed = filters.into_iter().map(|filter| filter.inner.permits).sum();
        self.room(needed).await
    }

    /// So many permits.
    pub(super) async fn room(&self, needed: u32) -> Result<Places, PluginError> {
        let there = self.inner.permits;
        if needed as usize > there {
            return Err(PluginError::Engine(format!(
                "the filters of this model have {needed} parts, and there is room for {there}: raise limits.max_concurrency"
            )));
        }
        let slots = self.inner.slots.clone();
        let permit = slots.acquire_many_owned(needed).await;
        let permit = permit.map_err(|_| PluginError::Engine("it was shut down".to_owned()))?;
        Ok(Places(permit))
    }
}

impl Filter {
    /// A fresh instance, in one of the places.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] if it fails while it starts.
    pub async fn begin(&self, places: &mut Places) -> Result<Inquiry, PluginError> {
        let inner = self.inner.clone();
        let permits = inner.permits as usize;
        let running = session::begin(&inner.engine, &inner.pre, &inner.name).await?;
        Ok(Inquiry {
            instance: Instance {
                running,
                filter: inner,
                used: Used::default(),
                _place: places.0.split(permits),
            },
        })
    }
}

/// Room for instances of filters.
#[derive(Debug)]
pub struct Places(OwnedSemaphorePermit);

struct Instance {
    running: Running,
    filter: Arc<Inner>,
    used: Used,
    _place: Option<OwnedSemaphorePermit>,
}

impl Instance {
    fn malformed(&self, call: &'static str, reason: String) -> PluginError {
        PluginError::Malformed {
            plugin: self.filter.name.clone(),
            call,
            reason,
        }
    }
}

/// An instance of a filter that is to be asked.
pub struct Inquiry {
    instance: Instance,
}

/// What a filter says of a request.
pub enum Verdict {
    /// It may be asked.
    Passes {
        /// What is asked in its place; absent: the same.
        request: Option<Box<ChatRequest>>,
        /// Who reads the answer; absent: nobody.
        answering: Option<Answering>,
    },
    /// It may not.
    Refused {
        /// The rule.
        rule: Option<String>,
        /// For a person.
        reason: String,
    },
    /// The filter cannot be used with these settings.
    Misconfigured(String),
}

impl Inquiry {
    /// Asks whether and how a request goes on to a model whose plugin is of this name and speaks this wire.
    ///
    /// # Errors
    ///
    /// The filter failed.
    pub async fn prepare(
        mut self,
        settings: &str,
        request: &ChatRequest,
        (plugin, wire): (&str, &str),
    ) -> Result<Verdict, PluginError> {
        const CALL: &str = "prepare";
        let instance = &mut self.instance;
        instance.running.store.data_mut().meter.begin_call();
        let (asked, blobs) = convert::chat_request(request, plugin, wire);
        let exports = &instance.filter.exports;
        let running = &mut instance.running;
        let called = instance.used.computing(async {
            let call = exports.prepare.on(running)?;
            call.call_async(&mut running.store, (settings, asked)).await
        });
        let called = called.await;
        let (said,) = called.map_err(|error| {
            let name = &self.instance.filter.name;
            session::failure(name, &mut self.instance.running.store, CALL, &error)
        })?;
        let prepared = match said {
            Ok(prepared) => prepared,
            Err(Stop::Refused(refusal)) => {
                return Ok(Verdict::Refused {
                    rule: refusal.rule,
                    reason: refusal.reason,
                });
            }
            Err(Stop::Misconfigured(what)) => return Ok(Verdict::Misconfigured(what)),
        };
        let blobs = Blobs(blobs);
        let changed = prepared.request.map(|changed| {
            convert::request_of(changed, request, (plugin, wire), &blobs)
                .map(Box::new)
                .map_err(|reason| self.instance.malformed(CALL, reason))
        });
        let request = changed.transpose()?;
        let answering = match prepared.answer {
            None => None,
            Some(resource) => Some(Answering {
                resource,
                wire: wire.to_owned(),
                blobs: Blobs::default(),
                instance: self.instance,
            }),
        };
        Ok(Verdict::Passes { request, answering })
    }
}

/// An instance of a filter that reads an answer.
pub struct Answering {
    instance: Instance,
    resource: ResourceAny,
    wire: String,
    blobs: Blobs,
}

impl Answering {
    /// The filter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.instance.filter.name
    }

    /// What is said in the place of these, and of the answer's end if this is it.
    ///
    /// # Errors
    ///
    /// The filter failed.
    pub async fn push(
        &mut self,
        deltas: &[Delta],
        end: Option<&wire::End>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        const CALL: &str = "answer.push";
        let instance = &mut self.instance;
        instance.running.store.data_mut().meter.begin_call();
        let events = convert::said(deltas, end, &self.wire, &mut self.blobs);
        let exports = &instance.filter.exports;
        let (running, resource) = (&mut instance.running, self.resource);
        let called = instance.used.computing(async {
            let call = exports.push.on(running)?;
            call.call_async(&mut running.store, (resource, events))
                .await
        });
        let called = called.await;
        let name = &instance.filter.name;
        let (said,) = called
            .map_err(|error| session::failure(name, &mut instance.running.store, CALL, &error))?;
        if said.len() > MAX_EVENTS {
            return Err(PluginError::Output {
                plugin: name.clone(),
                call: CALL,
                reason: format!("{} events, at most {MAX_EVENTS} are read", said.len()),
            });
        }
        let said = convert::deltas(said, &self.wire, &self.blobs)
            .map_err(|reason| instance.malformed(CALL, reason))?;
        let limits = &instance.filter.engine.inner.limits.exchange;
        match instance.used.gave(&said, limits) {
            None => Ok(said),
            Some(what) => Err(PluginError::Exchange {
                plugin: instance.filter.name.clone(),
                what,
            }),
        }
    }
}
