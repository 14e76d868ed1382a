//! A stream that is handed on as it comes, and what is read from a copy of it on the side.
//!
//! Not a byte waits for a plugin. The copy is kept as it is until there is [`LATE`] of it: most streams end before
//! that, and are read at their end in one batch by an instance that lives for microseconds; a stream that is open
//! holds no instance and no place among them. Longer ones get an instance of their own, which is handed
//! batches of [`BATCH`] and works beside the stream. If it falls [`BEHIND`], reading is given up and the
//! usage unknown. Only the end of the body waits until all is read: an answer without the vendor's end marker is
//! then ended as what it is, a cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::chat::ChatResponse;
use crate::error::{Error, ErrorKind, Result};
use crate::service::cache::{Cache, Miss};
use crate::service::exchange::{Fed, Passed, PassedBody, Passing, Peer};
use crate::service::recording::Recording;
use crate::service::relay::{Relayed, RelayedBody, Verbatim};
use crate::service::stream::Reader;
use crate::service::ticket::Ticket;
use crate::transport::{BodyStream, ByteScreen};

/// A whole answer up to this size is read before it is handed on, in one call of a fresh instance, so that its cost can
/// stand in the head. A larger one is read beside.
const AT_ONCE: usize = 64 << 10;
/// Bytes of a stream that are kept before an instance reads them.
const LATE: usize = 32 << 10;
/// Bytes of a batch after that.
const BATCH: usize = 16 << 10;
/// Bytes that may wait to be read.
const BEHIND: usize = 16 << 20;
/// The largest answer that is kept for identical requests.
const KEPT: usize = 4 << 20;

/// What is owed for an answer that is handed on.
pub(in crate::service) struct Owed {
    pub(in crate::service) peer: Arc<Peer>,
    pub(in crate::service) ticket: Ticket,
    pub(in crate::service) recording: Recording,
    pub(in crate::service) tasks: TaskTracker,
}

impl Owed {
    /// The answer for the caller, with whatever reads it on the side.
    pub(in crate::service) async fn hand_on(self, passed: Passed) -> Relayed {
        let Passed {
            answer,
            body,
            passing,
        } = passed;
        let tasks = self.tasks;
        let mut ticket = self.ticket;
        let place = ticket.cache.take();
        let model = ticket.model.clone();
        let attempts = ticket.attempts;
        let following = Following {
            peer: self.peer,
            passing,
            ticket,
            recording: self.recording,
            first: None,
        };
        let keep = place.map(|place| Keep {
            place,
            answer: Verbatim {
                body: Bytes::new(),
                ..answer.clone()
            },
            copy: vec![],
        });
        let (body, read) = match body {
            PassedBody::Stream(open) => {
                let (body, screen) = *open;
                let stream = RelayStream::new(body, screen, following, tasks, keep);
                (RelayedBody::Stream(Box::new(stream)), None)
            }
            PassedBody::Whole => {
                let bytes = answer.body.clone();
                let read = settled(following, bytes.clone(), keep);
                let read = match bytes.len() <= AT_ONCE {
                    true => read.await,
                    false => {
                        tasks.spawn(read);
                        None
                    }
                };
                (RelayedBody::Whole(bytes), read)
            }
        };
        Relayed {
            status: answer.status,
            headers: answer.headers,
            body,
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            attempts,
            cached: false,
            answer: read.map(Box::new),
            error: None,
        }
    }
}

/// A whole answer, read and kept.
async fn settled(following: Following, bytes: Bytes, keep: Option<Keep>) -> Option<ChatResponse> {
    let answer = following.read(Fed::done(bytes.clone(), None)).await.ok()?;
    if let Some(mut keep) = keep {
        keep.copy = bytes.into();
        keep.keep(&answer).await;
    }
    Some(answer)
}

/// What reads an answer on the side.
struct Following {
    peer: Arc<Peer>,
    passing: Passing,
    ticket: Ticket,
    recording: Recording,
    first: Option<Duration>,
}

impl Following {
    /// Reads to the end, settles and records.
    async fn read(self, fed: Fed) -> Result<ChatResponse> {
        let Following {
            peer,
            passing,
            ticket,
            mut recording,
            first,
        } = self;
        let model = ticket.model.clone();
        let read = match peer.follow(passing, fed).await {
            Ok(streaming) => {
                let reader = Reader::of_relay(streaming, ticket, first);
                reader.into_whole(&mut recording).await
            }
            Err(error) => Err(error),
        };
        let read = read.map_err(|error| error.of(&model.provider.name, &model.name));
        if let Err(error) = &read {
            recording.failed(error);
        }
        read
    }
}

/// The vendor's bytes of a stream. Dropping it closes the connection to the vendor at once, and what came until then is
/// read and recorded.
pub struct RelayStream {
    body: BodyStream,
    screen: ByteScreen,
    side: Side,
    tasks: TaskTracker,
    keep: Option<Keep>,
    ended: bool,
}

/// The copy.
enum Side {
    /// Nothing has been read.
    Late {
        following: Box<Following>,
        copy: Vec<u8>,
    },
    /// An instance reads.
    Reading {
        feed: mpsc::UnboundedSender<Result<Bytes>>,
        behind: Arc<AtomicUsize>,
        copy: Vec<u8>,
        read: JoinHandle<Result<ChatResponse>>,
    },
    /// There is nothing more to be read, or it was given up.
    Over,
}

/// What is kept for identical requests once it is complete.
struct Keep {
    place: (Arc<Miss>, Arc<Cache>),
    answer: Verbatim,
    copy: Vec<u8>,
}

impl Keep {
    async fn keep(self, answer: &ChatResponse) {
        let whole = Verbatim {
            body: self.copy.into(),
            ..self.answer
        };
        let (miss, cache) = self.place;
        cache.keep(&miss, answer, Some(whole)).await;
    }
}

impl RelayStream {
    fn new(
        body: BodyStream,
        screen: ByteScreen,
        following: Following,
        tasks: TaskTracker,
        keep: Option<Keep>,
    ) -> Self {
        RelayStream {
            body,
            screen,
            side: Side::Late {
                following: Box::new(following),
                copy: Vec::new(),
            },
            tasks,
            keep,
            ended: false,
        }
    }

    /// The next bytes, or nothing at the end. Cancel safe.
    ///
    /// # Errors
    ///
    /// The stream was cut: by the network, or by the vendor, who ended it without its own end marker.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        while !self.ended {
            match self.body.next_chunk().await {
                Ok(Some(chunk)) => {
                    self.copy(&chunk);
                    let chunk = self.screen.push(chunk);
                    if !chunk.is_empty() {
                        return Some(Ok(chunk));
                    }
                }
                Ok(None) => {
                    self.ended = true;
                    let held = self.screen.finish();
                    let read = Box::pin(self.finish(None)).await;
                    let cut = read
                        .err()
                        .filter(|error| error.kind == ErrorKind::Truncated);
                    return match cut {
                        Some(error) => Some(Err(error)),
                        None => Some(Ok(held))
                            .filter(|held| held.as_ref().is_ok_and(|held| !held.is_empty())),
                    };
                }
                Err(error) => {
                    self.ended = true;
                    let error = Error::from(error);
                    let _ = Box::pin(self.finish(Some(error.clone()))).await;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Takes a copy for the side.
    fn copy(&mut self, chunk: &[u8]) {
        if let Some(keep) = &mut self.keep {
            keep.copy.extend_from_slice(chunk);
            if keep.copy.len() > KEPT {
                self.keep = None;
            }
        }
        match &mut self.side {
            Side::Late { following, copy } => {
                if following.first.is_none() {
                    following.first = Some(following.ticket.begun.elapsed());
                    following.recording.first_token();
                }
                copy.extend_from_slice(chunk);
                if copy.len() >= LATE {
                    self.begin();
                }
            }
            Side::Reading {
                feed, behind, copy, ..
            } => {
                copy.extend_from_slice(chunk);
                if copy.len() < BATCH {
                    return;
                }
                let batch = std::mem::take(copy);
                if behind.fetch_add(batch.len(), Ordering::Relaxed) > BEHIND {
                    let _ = feed.send(Err(lost()));
                    self.side = Side::Over;
                    return;
                }
                let _ = feed.send(Ok(batch.into()));
            }
            Side::Over => {}
        }
    }

    /// Begins to read beside the stream.
    fn begin(&mut self) {
        let Side::Late { following, copy } = std::mem::replace(&mut self.side, Side::Over) else {
            return;
        };
        let (feed, fed) = mpsc::unbounded_channel();
        let behind = Arc::new(AtomicUsize::new(copy.len()));
        let _ = feed.send(Ok(copy.into()));
        let fed = Fed::Live {
            fed,
            behind: behind.clone(),
        };
        let read = self.tasks.spawn(following.read(fed));
        self.side = Side::Reading {
            feed,
            behind,
            copy: Vec::new(),
            read,
        };
    }

    /// The body has ended, well or not: reads what is left.
    async fn finish(&mut self, failed: Option<Error>) -> Result<()> {
        let keep = self.keep.take().filter(|_| failed.is_none());
        let read = match std::mem::replace(&mut self.side, Side::Over) {
            Side::Late { following, copy } => following.read(Fed::done(copy, failed)).await,
            Side::Reading {
                feed, copy, read, ..
            } => {
                end(&feed, copy, failed);
                drop(feed);
                read.await.unwrap_or_else(|_| Err(lost()))
            }
            Side::Over => return Ok(()),
        };
        let answer = read?;
        if let Some(keep) = keep {
            keep.keep(&answer).await;
        }
        Ok(())
    }
}

fn end(feed: &mpsc::UnboundedSender<Result<Bytes>>, copy: Vec<u8>, failed: Option<Error>) {
    if !copy.is_empty() {
        let _ = feed.send(Ok(copy.into()));
    }
    if let Some(error) = failed {
        let _ = feed.send(Err(error));
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Other,
        "the answer came faster than it could be read: what it took is not known",
    )
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        let gone = || Some(Error::new(ErrorKind::Cancelled, "the caller went away"));
        match std::mem::replace(&mut self.side, Side::Over) {
            Side::Late { following, copy } => {
                // Where nothing came there is nothing to read, and outside a runtime nobody to do it: the row says
                // that it was given up in either case.
                if !copy.is_empty() && tokio::runtime::Handle::try_current().is_ok() {
                    self.tasks.spawn(following.read(Fed::done(copy, gone())));
                }
            }
            Side::Reading { feed, copy, .. } => end(&feed, copy, gone()),
            Side::Over => {}
        }
    }
}

impl std::fmt::Debug for RelayStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayStream")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
