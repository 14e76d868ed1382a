//! The filters between a caller and a model: what is asked passes them in order before it is encoded, what is
//! answered passes them the other way round before the caller hears it.
//!
//! Each attempt has fresh instances, as it has of the plugin; the same question passes alike each time, for filters
//! are pure. Places for instances are taken all at once, after every place that an exchange may have to wait for
//! elsewhere, and whoever holds one waits for nothing but the vendor.

use crate::chat::{Accumulator, ChatMessage, ChatRequest, ChatResponse, Delta, Part};
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Answering, Filter, PluginEngine, Verdict, wire};

use super::exchange::{Peer, deltas_of};
use super::request;
use super::state::State;

/// Characters of a filter's reason that are kept.
const REASON: usize = 500;

/// The filters of a model, in order.
#[derive(Default)]
pub(super) struct Chain {
    links: Vec<Link>,
    engine: Option<PluginEngine>,
}

struct Link {
    filter: Filter,
    settings: String,
}

/// What passed the filters.
#[derive(Default)]
pub(super) struct Passed {
    /// What is asked; absent: what it was before.
    pub(super) request: Option<Box<ChatRequest>>,
    /// Through which the answer comes; absent: as it is.
    pub(super) screen: Option<Screen>,
}

/// The filters that read an answer, the last one first.
pub(super) struct Screen {
    readers: Vec<Answering>,
}

/// An answer as the caller hears it, beside what the vendor said.
pub(super) struct Shown {
    screen: Screen,
    pub(super) answer: Accumulator,
}

impl Chain {
    /// The filters of a model, loaded.
    pub(super) async fn of(state: &State, model: &Model) -> Result<Self> {
        let mut chain = Chain::default();
        for used in &model.filters {
            let filter = state.filter(&used.plugin).await?;
            let settings = filter.info().settings.iter();
            let known: Vec<&str> = settings.map(|known| known.name.as_str()).collect();
            for name in used.settings.keys() {
                if !known.contains(&name) {
                    let advice = crate::config::advice(name, known.iter().copied(), "");
                    return Err(Error::configuration(format!(
                        "model {:?}: the filter {:?} knows no setting {name:?}: {advice}",
                        model.name,
                        filter.name()
                    )));
                }
            }
            chain.engine = Some(filter.engine().clone());
            chain.links.push(Link {
                filter,
                settings: used.settings.to_string(),
            });
        }
        Ok(chain)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Asks all filters in order, on the way to a model whose plugin and wire are these.
    async fn pass(&self, request: &ChatRequest, way: (&str, &str)) -> Result<Passed> {
        let Some(engine) = &self.engine else {
            return Ok(Passed::default());
        };
        let mut places = engine
            .places(self.links.iter().map(|link| &link.filter))
            .await?;
        let mut passed: Option<Box<ChatRequest>> = None;
        let mut readers = vec![];
        for link in &self.links {
            let asked = passed.as_deref().unwrap_or(request);
            let inquiry = link.filter.begin(&mut places).await?;
            let name = link.filter.name();
            match inquiry.prepare(&link.settings, asked, way).await? {
                Verdict::Passes { request, answering } => {
                    passed = request.or(passed);
                    readers.extend(answering);
                }
                Verdict::Refused { rule, reason } => {
                    return Err(refused(name, "what is asked", rule, &reason));
                }
                Verdict::Misconfigured(what) => {
                    let what = plain(&what);
                    return Err(Error::configuration(format!(
                        "the filter {name:?} cannot be used: {what}"
                    )));
                }
            }
        }
        readers.reverse();
        Ok(Passed {
            request: passed,
            screen: (!readers.is_empty()).then_some(Screen { readers }),
        })
    }
}

impl Peer {
    /// What of a request goes on to the vendor, and what its answer comes through.
    pub(super) async fn filter(&self, request: &ChatRequest) -> Result<Passed> {
        let way = (self.plugin.name(), self.target.wire.as_str());
        let passed = self.filters.pass(request, way).await?;
        if let Some(changed) = &passed.request {
            request::check(changed, self.limit())?;
        }
        Ok(passed)
    }

    /// The same for texts that are no conversation: each passes as if somebody had said it.
    pub(super) async fn filter_texts(&self, texts: &[String]) -> Result<Option<Vec<String>>> {
        if self.filters.is_empty() {
            return Ok(None);
        }
        let said: Vec<ChatMessage> = texts.iter().map(ChatMessage::user).collect();
        let passed = self.filter(&ChatRequest::new(said)).await?;
        let Some(request) = passed.request else {
            return Ok(None);
        };
        let text_of = |message: &ChatMessage| match message.content.as_slice() {
            [Part::Text(text)] => Some(text.text.clone()),
            _ => None,
        };
        let passed: Option<Vec<String>> = request.messages.iter().map(text_of).collect();
        match passed {
            Some(passed) if passed.len() == texts.len() => Ok(Some(passed)),
            _ => Err(Error::configuration(
                "its filters make of texts to embed what is no text: ask a model without them",
            )),
        }
    }
}

impl Screen {
    /// What the caller hears in the place of these, and of the answer's end if this is it.
    pub(super) async fn push(
        &mut self,
        deltas: Vec<Delta>,
        end: Option<&wire::End>,
    ) -> Result<Vec<Delta>> {
        // Who answers and what it takes is not for a filter to say.
        let (mut heard, mut current): (Vec<_>, Vec<_>) = deltas.into_iter().partition(is_beside);
        for reader in &mut self.readers {
            if current.is_empty() && end.is_none() {
                break;
            }
            let said = reader.push(&current, end).await?;
            current = take(said, reader.name(), end)?;
        }
        heard.extend(current);
        Ok(heard)
    }

    /// A whole answer, as the caller hears it.
    pub(super) async fn whole(
        mut self,
        mut answer: ChatResponse,
        first_call: usize,
    ) -> Result<ChatResponse> {
        let mut deltas = deltas_of(std::mem::take(&mut answer.parts));
        deltas.push(Delta::Finished {
            reason: answer.finish_reason,
            raw: answer.raw_finish_reason.clone(),
        });
        let mut heard = Accumulator::default();
        for delta in self.push(deltas, Some(&wire::End::Done)).await? {
            heard.push(delta);
        }
        Ok(put_in(heard, answer, first_call))
    }

    /// An answer that comes in pieces.
    pub(super) fn shown(self) -> Shown {
        Shown {
            screen: self,
            answer: Accumulator::default(),
        }
    }
}

impl Shown {
    /// As [`Screen::push`].
    pub(super) async fn push(
        &mut self,
        deltas: Vec<Delta>,
        end: Option<&wire::End>,
    ) -> Result<Vec<Delta>> {
        self.screen.push(deltas, end).await
    }

    /// What the caller heard in the place of what the vendor said.
    pub(super) fn put_in(self, answer: ChatResponse, first_call: usize) -> ChatResponse {
        put_in(self.answer, answer, first_call)
    }
}

fn put_in(heard: Accumulator, answer: ChatResponse, first_call: usize) -> ChatResponse {
    let said = (answer.finish_reason, answer.raw_finish_reason.clone());
    let (finish_reason, raw_finish_reason) = heard.finish.clone().unwrap_or(said);
    ChatResponse {
        parts: heard.into_parts(first_call),
        finish_reason,
        raw_finish_reason,
        ..answer
    }
}

fn is_beside(delta: &Delta) -> bool {
    matches!(
        delta,
        Delta::Started { .. } | Delta::Usage(_) | Delta::Billing(_) | Delta::Extra(_)
    )
}

/// What a filter said, if it may say it at this place.
fn take(said: Vec<wire::Event>, name: &str, end: Option<&wire::End>) -> Result<Vec<Delta>> {
    let mut deltas = Vec::with_capacity(said.len());
    let mut ended = false;
    for event in said {
        match event {
            _ if ended => {}
            wire::Event::Delta(delta) => deltas.push(delta),
            wire::Event::Done if end == Some(&wire::End::Done) => ended = true,
            wire::Event::Done => return Err(broken(name, "ended an answer that had not ended")),
            wire::Event::Failed(_) if matches!(end, Some(wire::End::Failed(_))) => ended = true,
            wire::Event::Failed(error) => {
                let rule = error.vendor_code.clone();
                return Err(refused(name, "the answer", rule, &error.message));
            }
        }
    }
    match end {
        Some(wire::End::Done) if !ended => {
            Err(broken(name, "did not end an answer that had ended"))
        }
        _ => Ok(deltas),
    }
}

fn broken(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("the filter {name:?} {what}"))
}

/// A rule of a filter's forbids it.
fn refused(name: &str, what: &str, rule: Option<String>, reason: &str) -> Error {
    let message = format!("the filter {name:?} refuses {what}: {}", plain(reason));
    let mut error = Error::new(ErrorKind::ContentFiltered, message);
    error.vendor_code = rule.map(|rule| plain(&rule));
    error
}

/// A filter's words in one line.
fn plain(text: &str) -> String {
    let text = text.trim().chars().take(REASON);
    let text = text.map(|c| if c.is_control() { ' ' } else { c });
    match text.collect::<String>() {
        text if text.is_empty() => "it gives no reason".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> wire::Event {
        wire::Event::Delta(Delta::Text(text.to_owned()))
    }

    #[test]
    fn only_the_answers_own_end_ends_it() {
        let done = Some(&wire::End::Done);
        let taken = take(vec![said("a"), wire::Event::Done, said("b")], "f", done);
        assert_eq!(taken.unwrap(), [Delta::Text("a".to_owned())]);
        let early = take(vec![wire::Event::Done], "f", None).unwrap_err();
        assert_eq!(early.kind, ErrorKind::Plugin);
        let late = take(vec![said("a")], "f", done).unwrap_err();
        assert_eq!(late.kind, ErrorKind::Plugin);
        assert!(late.message.contains("\"f\""), "{late}");
    }

    #[test]
    fn a_refusal_names_the_filter_its_rule_and_its_reason() {
        let mut no = Error::new(ErrorKind::ContentFiltered, "no\nprices");
        no.vendor_code = Some("prices".to_owned());
        let error = take(vec![wire::Event::Failed(no)], "guard", None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::ContentFiltered);
        assert_eq!(error.vendor_code.as_deref(), Some("prices"));
        assert_eq!(
            error.message,
            "the filter \"guard\" refuses the answer: no prices"
        );
        let long = refused("f", "what is asked", None, &"x".repeat(10_000));
        assert!(long.message.len() < REASON + 60, "{}", long.message.len());
    }

    #[test]
    fn a_failure_that_a_filter_was_told_of_is_no_refusal() {
        let cut = wire::End::Failed(Error::new(ErrorKind::Truncated, "cut"));
        let told = Error::new(ErrorKind::Truncated, "cut");
        let taken = take(vec![said("a"), wire::Event::Failed(told)], "f", Some(&cut));
        assert_eq!(taken.unwrap(), [Delta::Text("a".to_owned())]);
    }
}
