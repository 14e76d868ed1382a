//! A streamed answer, as the caller sees it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use super::exchange::Streaming;
use super::filtering::{Screen, Shown};
use super::recording::Recording;
use super::ticket::Ticket;
use crate::chat::{Accumulator, ChatEvent, ChatResponse, Delta, FinishReason};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire::End;

/// Events of an answer, ending with [`ChatEvent::Done`] or with an error.
///
/// Dropping it closes the connection to the vendor at once and records the exchange as cancelled.
pub struct ChatStream {
    model: String,
    plugin: String,
    warnings: Vec<String>,
    events: Pin<Box<dyn Stream<Item = Result<ChatEvent>> + Send>>,
}

impl ChatStream {
    pub(super) fn new(reader: Reader, recording: Recording) -> Self {
        reader.attended(false);
        let (model, plugin) = (
            reader.ticket.model.name.clone(),
            reader.ticket.plugin.clone(),
        );
        let warnings = reader.ticket.warnings.clone();
        let live = Live {
            reader,
            recording,
            failed: None,
        };
        ChatStream {
            model,
            plugin,
            warnings,
            events: Box::pin(stream::unfold(Some(Box::new(live)), Live::next)),
        }
    }

    /// The events of an answer that came whole.
    pub(super) fn of_whole(answer: ChatResponse) -> Self {
        let (model, plugin) = (answer.model.clone(), answer.plugin.clone());
        let warnings = answer.warnings.clone();
        let events: Vec<Result<ChatEvent>> = answer.into_events().into_iter().map(Ok).collect();
        ChatStream {
            model,
            plugin,
            warnings,
            events: Box::pin(stream::iter(events)),
        }
    }

    /// The configured model that answers.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The plugin through which it is asked.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// What was left out of the request, before anything of the answer is known; the answer has it too, as
    /// [`ChatResponse::warnings`].
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    ///
    /// The stream's error.
    pub async fn collect(mut self) -> Result<ChatResponse> {
        while let Some(event) = self.next().await {
            if let ChatEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(Error::new(
            ErrorKind::Truncated,
            "the stream ended without an answer",
        ))
    }
}

/// Whether a person who waits has something to see.
fn is_content(event: &ChatEvent) -> bool {
    !matches!(event, ChatEvent::PartEnd { .. })
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(cx)
    }
}

/// Reads a stream and keeps what it has read.
pub(super) struct Reader {
    /// Absent once the answer is complete.
    streaming: Option<Streaming>,
    /// As the vendor says it.
    answer: Accumulator,
    /// As the caller hears it, where filters stand between.
    shown: Option<Shown>,
    ticket: Ticket,
    queue: VecDeque<ChatEvent>,
    first: Option<Duration>,
    last: Option<Duration>,
}

impl Reader {
    pub(super) fn new(streaming: Streaming, ticket: Ticket) -> Self {
        Reader {
            streaming: Some(streaming),
            answer: Accumulator::default(),
            shown: None,
            ticket,
            queue: VecDeque::new(),
            first: None,
            last: None,
        }
    }

    /// The same for an answer that comes through filters.
    pub(super) fn through(self, screen: Option<Screen>) -> Self {
        Reader {
            shown: screen.map(Screen::shown),
            ..self
        }
    }

    /// For an answer whose bytes are handed on as they come, the first after this time.
    pub(super) fn of_relay(streaming: Streaming, ticket: Ticket, first: Option<Duration>) -> Self {
        Reader {
            first,
            ..Reader::new(streaming, ticket)
        }
    }

    /// Reads until the caller has something to hear: until then, a failure may be repaired unseen.
    pub(super) async fn until_first_event(&mut self, recording: &mut Recording) -> Result<()> {
        while !self.queue.iter().any(is_content) {
            self.read(recording).await?;
        }
        Ok(())
    }

    /// Reads to the end, for a caller who did not ask for a stream.
    pub(super) async fn into_whole(mut self, recording: &mut Recording) -> Result<ChatResponse> {
        loop {
            while let Some(event) = self.queue.pop_front() {
                if let ChatEvent::Done(mut answer) = event {
                    answer.time_to_first_token = None;
                    return Ok(*answer);
                }
            }
            self.read(recording).await?;
        }
    }

    /// Reads on, until there is something new or the answer is complete.
    async fn read(&mut self, recording: &mut Recording) -> Result<()> {
        let Some(streaming) = &mut self.streaming else {
            return Err(Error::new(ErrorKind::Truncated, "the stream has ended"));
        };
        let mut deltas = vec![];
        let outcome = streaming.advance(&mut deltas).await;
        let heard = self.take(deltas, &outcome, recording).await;
        recording.named(self.answer.id.as_ref(), self.answer.model.as_ref());
        recording.usage(self.answer.usage_if_cut());
        match outcome {
            Ok(false) => heard.map_err(|error| self.cut(error)),
            Ok(true) => {
                // The vendor is done and will be paid, whatever a filter says of its answer.
                let response = Box::pin(self.complete(recording)).await;
                heard.map_err(|error| self.cut(error))?;
                let response = match self.shown.take() {
                    Some(shown) => shown.put_in(response, self.ticket.first_call),
                    None => response,
                };
                let calls = response.tool_calls().cloned().map(ChatEvent::ToolCall);
                self.queue.extend(calls.collect::<Vec<_>>());
                self.queue.push_back(ChatEvent::Done(Box::new(response)));
                Ok(())
            }
            Err(error) => Err(self.cut(error)),
        }
    }

    /// Takes in what came, and lets the caller hear it.
    async fn take(
        &mut self,
        deltas: Vec<Delta>,
        outcome: &Result<bool>,
        recording: &mut Recording,
    ) -> Result<()> {
        let now = self.ticket.begun.elapsed();
        for delta in &deltas {
            if let Delta::Text(text) = delta {
                recording.said(text);
            }
        }
        let Some(shown) = &mut self.shown else {
            for delta in deltas {
                let event = self.answer.push(delta);
                self.hear(event, now, recording);
            }
            return Ok(());
        };
        for delta in &deltas {
            self.answer.push(delta.clone());
        }
        let end = match outcome {
            Ok(false) => None,
            Ok(true) => Some(End::Done),
            Err(error) => Some(End::Failed(error.clone())),
        };
        let heard = Box::pin(shown.push(deltas, end.as_ref())).await?;
        let events: Vec<_> = heard
            .into_iter()
            .map(|delta| shown.answer.push(delta))
            .collect();
        for event in events {
            self.hear(event, now, recording);
        }
        Ok(())
    }

    fn hear(&mut self, event: Option<ChatEvent>, now: Duration, recording: &mut Recording) {
        let Some(event) = event else { return };
        if is_content(&event) {
            if self.first.is_none() {
                self.first = Some(now);
                recording.first_token();
            }
            self.last = Some(now);
        }
        self.queue.push_back(event);
    }

    /// A failure, with what the caller heard until then.
    fn cut(&self, mut error: Error) -> Error {
        let heard = self
            .shown
            .as_ref()
            .map_or(&self.answer, |shown| &shown.answer);
        let partial = heard.text();
        error.partial = (!partial.is_empty()).then_some(partial);
        error
    }

    /// Tells those who wait for the same answer whether it is being read.
    fn attended(&self, is_read: bool) {
        if let Some((miss, _)) = &self.ticket.cache {
            miss.attended(is_read);
        }
    }

    /// The vendor's answer is complete: counted, kept and recorded as the vendor gave it.
    async fn complete(&mut self, recording: &mut Recording) -> ChatResponse {
        // Closes the connection if the vendor has not.
        self.streaming = None;
        let answer = std::mem::take(&mut self.answer);
        let (id, model) = (answer.id.clone(), answer.model.clone());
        let price = (answer.usage, answer.billing.clone());
        let finish = answer.finish.clone().unwrap_or((FinishReason::Other, None));
        let extra = answer.extra.clone();
        let parts = answer.into_parts(self.ticket.first_call);
        let mut response = self.ticket.response(id, model, parts, finish, price);
        response.extra = extra;
        response.time_to_first_token = self.first;
        response.streaming_time = self.first.zip(self.last).map(|(first, last)| last - first);
        self.ticket.settle(&response, self.first).await;
        recording.succeeded(&response, self.ticket.keep_content);
        response
    }
}

/// A reader whose caller is listening.
struct Live {
    reader: Reader,
    recording: Recording,
    /// To be told once everything that came before it was.
    failed: Option<Error>,
}

impl Live {
    /// The next event and the rest, if there is one.
    async fn next(live: Option<Box<Self>>) -> Option<(Result<ChatEvent>, Option<Box<Self>>)> {
        let mut live = live?;
        loop {
            if let Some(event) = live.reader.queue.pop_front() {
                let rest = match event {
                    ChatEvent::Done(_) => None,
                    _ => Some(live),
                };
                return Some((Ok(event), rest));
            }
            if let Some(error) = live.failed.take() {
                // What had come before was shown: the caller alone may decide to ask again.
                live.recording.failed(&error);
                return Some((Err(error), None));
            }
            live.reader.attended(true);
            let read = live.reader.read(&mut live.recording).await;
            live.reader.attended(false);
            if let Err(error) = read {
                let model = &live.reader.ticket.model;
                live.failed = Some(error.of(&model.provider.name, &model.name));
            }
        }
    }
}
