//! What is asked: a request in the unified form, or a body that the caller wrote. What is the same of both, for
//! limits, budgets, kept answers and the history, stands here.

use std::borrow::Cow;

use super::cache::{self, Identity};
use super::conversation;
use super::exchange::Peer;
use super::filtering::Screen;
use super::relay::Weighed;
use super::request::{self, Most};
use crate::chat::ChatRequest;
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};

/// What is asked.
pub(super) enum Asked {
    Chat(Box<ChatRequest>),
    Body(Box<Weighed>),
}

/// The same, as it is sent to one model.
#[allow(
    clippy::large_enum_variant,
    reason = "one a call, on its stack: a box would be made for each exchange"
)]
pub(super) enum Sending<'a> {
    Chat(Cow<'a, ChatRequest>),
    Body(&'a Weighed),
}

/// What passed a model's filters.
pub(super) struct Through<'a> {
    pub(super) sending: Sending<'a>,
    /// Through which the answer comes.
    pub(super) screen: Option<Screen>,
}

impl Asked {
    /// What goes to a model: a request with what is configured for it and its conversation in order, a body as it is.
    pub(super) fn to_model<'a>(&'a self, model: &Model, probe: bool) -> Sending<'a> {
        let request = match self {
            Asked::Chat(request) => request,
            Asked::Body(body) => return Sending::Body(body),
        };
        let mut request = request::with_defaults(request, model);
        if let Cow::Owned(messages) = conversation::sendable(&request.messages) {
            request.to_mut().messages = messages;
        }
        if probe && request.reasoning_effort.is_some() {
            // Few tokens leave no room for thoughts.
            request.to_mut().reasoning_effort = None;
        }
        Sending::Chat(request)
    }

    pub(super) fn conversation_id(&self) -> Option<String> {
        match self {
            Asked::Chat(request) => request.conversation_id.clone(),
            Asked::Body(_) => None,
        }
    }

    /// From which number on ids of calls are free that are made here.
    pub(super) fn first_call(&self) -> usize {
        match self {
            Asked::Chat(request) => request::next_call(&request.messages),
            Asked::Body(_) => 0,
        }
    }

    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> u64 {
        match self {
            Asked::Chat(request) => request::estimate(request),
            Asked::Body(body) => body.tokens(),
        }
    }
}

impl Sending<'_> {
    /// Whether it may go to a model as it is: filters read the unified request, and a body is none.
    pub(super) fn fits(&self, peer: &Peer, model: &Model) -> Result<()> {
        match self {
            Sending::Body(_) if !peer.filters.is_empty() => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "model {:?} has filters, which a body that is passed on would pass by: ask it with a request",
                    model.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What of it passes the filters of a model.
    pub(super) async fn through<'b>(&'b self, peer: &Peer) -> Result<Through<'b>> {
        let request = match self {
            Sending::Chat(request) => request,
            Sending::Body(body) => {
                return Ok(Through {
                    sending: Sending::Body(body),
                    screen: None,
                });
            }
        };
        let passed = peer.filter(request).await?;
        let request: Cow<'b, ChatRequest> = match passed.request {
            Some(changed) => Cow::Owned(*changed),
            None => Cow::Borrowed(request),
        };
        Ok(Through {
            sending: Sending::Chat(request),
            screen: passed.screen,
        })
    }

    /// The most tokens that it is expected to take.
    pub(super) fn most(&self) -> Most {
        match self {
            Sending::Chat(request) => request::most(request),
            Sending::Body(body) => body.most(),
        }
    }

    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> u64 {
        match self {
            Sending::Chat(request) => request::estimate(request),
            Sending::Body(body) => body.tokens(),
        }
    }

    /// What was asked last, for the history.
    pub(super) fn question(&self) -> Option<String> {
        match self {
            Sending::Chat(request) => Some(request::last_question(&request.messages)),
            Sending::Body(body) => body.request.question.clone(),
        }
    }

    /// What tells it from others; nothing if it cannot be written down.
    pub(super) fn key(&self, identity: &Identity<'_>) -> Option<String> {
        match self {
            Sending::Chat(request) => cache::key(identity, request),
            Sending::Body(body) => Some(cache::key_of_body(identity, &body.request)),
        }
    }
}
