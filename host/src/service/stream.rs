//! A streamed answer, as the caller sees it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use super::exchange::Streaming;
use super::recording::Recording;
use super::ticket::Ticket;
use crate::chat::{Accumulator, ChatEvent, ChatResponse, Delta, FinishReason, Part};
use crate::error::{Error, ErrorKind, Result};

/// Events of an answer, ending with [`ChatEvent::Done`] or with an error.
///
/// Dropping it closes the connection to the vendor at once and records the exchange as cancelled.
pub struct ChatStream {
    events: Pin<Box<dyn Stream<Item = Result<ChatEvent>> + Send>>,
}

impl ChatStream {
    pub(super) fn new(reader: Reader, recording: Recording) -> Self {
        reader.attended(false);
        let live = Live {
            reader,
            recording,
            failed: None,
        };
        ChatStream {
            events: Box::pin(stream::unfold(Some(live), Live::next)),
        }
    }

    /// The events of an answer that came whole.
    pub(super) fn of_whole(answer: ChatResponse) -> Self {
        let mut events: Vec<Result<ChatEvent>> = answer
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) if !text.text.is_empty() => Some(ChatEvent::Text {
                    text: text.text.clone(),
                }),
                Part::Reasoning(thought) if !thought.text.is_empty() => {
                    Some(ChatEvent::Reasoning {
                        text: thought.text.clone(),
                    })
                }
                Part::ToolCall(call) => Some(ChatEvent::ToolCall(call.clone())),
                _ => None,
            })
            .map(Ok)
            .collect();
        events.push(Ok(ChatEvent::Done(Box::new(answer))));
        ChatStream {
            events: Box::pin(stream::iter(events)),
        }
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
    answer: Accumulator,
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
            ticket,
            queue: VecDeque::new(),
            first: None,
            last: None,
        }
    }

    /// Reads until the caller has something to hear: until then, a failure may be repaired unseen.
    pub(super) async fn until_first_event(&mut self, recording: &mut Recording) -> Result<()> {
        while self.queue.is_empty() {
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
        let now = self.ticket.begun.elapsed();
        for delta in deltas {
            if let Delta::Text(text) = &delta {
                recording.said(text);
            }
            if let Some(event) = self.answer.push(delta) {
                if self.first.is_none() {
                    self.first = Some(now);
                    recording.first_token();
                }
                self.last = Some(now);
                self.queue.push_back(event);
            }
        }
        recording.named(self.answer.id.as_ref(), self.answer.model.as_ref());
        recording.usage(self.answer.usage_if_cut());
        match outcome {
            Ok(false) => Ok(()),
            Ok(true) => {
                self.complete(recording).await;
                Ok(())
            }
            Err(mut error) => {
                let partial = self.answer.text();
                error.partial = (!partial.is_empty()).then_some(partial);
                Err(error)
            }
        }
    }

    /// Tells those who wait for the same answer whether it is being read.
    fn attended(&self, is_read: bool) {
        if let Some((miss, _)) = &self.ticket.cache {
            miss.attended(is_read);
        }
    }

    async fn complete(&mut self, recording: &mut Recording) {
        // Closes the connection if the vendor has not.
        self.streaming = None;
        let answer = std::mem::take(&mut self.answer);
        let (id, model) = (answer.id.clone(), answer.model.clone());
        let price = (answer.usage, answer.billing.clone());
        let finish = answer.finish.clone().unwrap_or((FinishReason::Other, None));
        let parts = answer.into_parts(self.ticket.first_call);
        let mut response = self.ticket.response(id, model, parts, finish, price);
        response.time_to_first_token = self.first;
        response.streaming_time = self.first.zip(self.last).map(|(first, last)| last - first);
        self.ticket.settle(&response, self.first).await;
        recording.succeeded(&response, self.ticket.keep_content);
        let calls = response.tool_calls().cloned().map(ChatEvent::ToolCall);
        self.queue.extend(calls.collect::<Vec<_>>());
        self.queue.push_back(ChatEvent::Done(Box::new(response)));
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
    async fn next(live: Option<Self>) -> Option<(Result<ChatEvent>, Option<Self>)> {
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
