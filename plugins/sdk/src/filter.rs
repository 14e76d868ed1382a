//! Filters: components that stand between a caller and a model.
//!
//! A filter sees what is asked before it is encoded for a vendor, and may change or refuse it; and it sees what is
//! answered before the caller hears it. It is a pure function of both, like a provider, and an instance lives for one
//! exchange: what it took out of a question it can put back into the answer.
//!
//! - [`Filter`], [`Answer`] and [`export_filter!`](crate::export_filter): what a filter implements.
//! - [`texts`]: every text of a request that a person or a tool wrote.
//! - [`pieces`]: changing text that comes in pieces.
//!
//! ```
//! use multillm_plugin_sdk::filter::{Info, Filter, Prepared, Stop, Unread, export_filter, texts};
//! use multillm_plugin_sdk::ChatRequest;
//!
//! struct Shout;
//!
//! impl Filter for Shout {
//!     type Answer = Unread;
//!
//!     fn describe() -> Info {
//!         Info::new("shout", "Says it loud", "1.0.0", "https://example.org/shout")
//!     }
//!
//!     fn prepare(_: &str, mut request: ChatRequest) -> Result<Prepared<Unread>, Stop> {
//!         texts::each(&mut request, |text| *text = text.to_uppercase());
//!         Ok(Prepared::changed(request))
//!     }
//! }
//!
//! export_filter!(Shout);
//! ```

#[doc(hidden)]
pub mod bindings;
pub mod pieces;
pub mod texts;

use std::cell::RefCell;

use bindings::exports::multillm::filter::exchange as wit;
use bindings::exports::multillm::filter::metadata;

use crate::{ChatEvent, ChatRequest, Error, ErrorKind};

pub use crate::export_filter;
pub use bindings::exports::multillm::filter::metadata::{Info, Setting};

/// A filter. Every function is pure: its result depends on its arguments alone.
pub trait Filter: 'static {
    /// Reads answers; [`Unread`] for a filter that does not.
    type Answer: Answer;

    /// What the filter says of itself. Always the same.
    fn describe() -> Info;

    /// Whether and how a request goes on. `settings` is a JSON object.
    ///
    /// # Errors
    ///
    /// [`Stop::refused`] for what may not be asked, [`Stop::misconfigured`] for settings that cannot be used.
    fn prepare(settings: &str, request: ChatRequest) -> Result<Prepared<Self::Answer>, Stop>;
}

/// Reads one answer.
pub trait Answer: 'static {
    /// Reads an event and says what the caller hears in its place. The last one is [`ChatEvent::Done`] or
    /// [`ChatEvent::Failed`]: what is held back is said before it, and it is said itself. [`refused`] in the place of
    /// `Done`, or of any other, ends the answer.
    ///
    /// What is said may not depend on how the events come together in batches.
    fn event(&mut self, event: ChatEvent, said: &mut Vec<ChatEvent>);
}

/// For filters that read no answer.
#[derive(Debug, Clone, Copy)]
pub enum Unread {}

impl Answer for Unread {
    fn event(&mut self, _: ChatEvent, _: &mut Vec<ChatEvent>) {
        match *self {}
    }
}

/// How a request goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared<A> {
    /// What is asked instead; nothing: the same, which costs nothing.
    pub request: Option<ChatRequest>,
    /// Reads the answer; nothing: the answer passes unread.
    pub answer: Option<A>,
}

impl<A> Prepared<A> {
    /// The request goes on as it came, and the answer comes back so.
    #[must_use]
    pub fn unchanged() -> Self {
        Prepared {
            request: None,
            answer: None,
        }
    }

    /// Another request goes on.
    #[must_use]
    pub fn changed(request: ChatRequest) -> Self {
        Prepared {
            request: Some(request),
            answer: None,
        }
    }

    /// The same, and the answer is read.
    #[must_use]
    pub fn reading(self, answer: A) -> Self {
        Prepared {
            answer: Some(answer),
            ..self
        }
    }
}

/// Why nothing is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A rule forbids it.
    Refused {
        /// Which rule, in a word that programs may rely on.
        rule: Option<String>,
        /// For a person.
        reason: String,
    },
    /// The settings cannot be used: what is wrong with them.
    Misconfigured(String),
}

impl Stop {
    /// A rule forbids it. The reason never repeats what must not be shown.
    pub fn refused(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Stop::Refused {
            rule: Some(rule.into()),
            reason: reason.into(),
        }
    }

    /// The settings cannot be used.
    pub fn misconfigured(what: impl Into<String>) -> Self {
        Stop::Misconfigured(what.into())
    }
}

/// The event by which a filter refuses an answer.
pub fn refused(rule: impl Into<String>, reason: impl Into<String>) -> ChatEvent {
    ChatEvent::Failed(Error {
        kind: ErrorKind::ContentFiltered,
        message: reason.into(),
        status: None,
        vendor_code: Some(rule.into()),
        retry_after_ms: None,
        retryable: false,
    })
}

impl Info {
    /// A filter without settings.
    pub fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        version: impl Into<String>,
        documentation: impl Into<String>,
    ) -> Self {
        Info {
            name: name.into(),
            title: title.into(),
            version: version.into(),
            documentation: documentation.into(),
            settings: Vec::new(),
        }
    }

    /// The same with a setting; `schema` is JSON Schema.
    #[must_use]
    pub fn setting(
        mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        schema: impl Into<String>,
    ) -> Self {
        self.settings.push(Setting {
            name: name.into(),
            description: description.into(),
            schema: schema.into(),
        });
        self
    }
}

/// Reads a batch with an answer's reader. After the end nothing is said any more.
pub fn read<A: Answer>(answer: &mut A, events: Vec<ChatEvent>) -> Vec<ChatEvent> {
    let mut said = Vec::with_capacity(events.len());
    for event in events {
        answer.event(event, &mut said);
        let ended = |event: &ChatEvent| matches!(event, ChatEvent::Done | ChatEvent::Failed(_));
        if said.last().is_some_and(ended) {
            break;
        }
    }
    said
}

impl<F: Filter> metadata::Guest for F {
    fn describe() -> Info {
        F::describe()
    }
}

/// A reader as the host holds it.
#[doc(hidden)]
pub struct Held<A>(RefCell<A>);

impl<A: Answer> wit::GuestAnswer for Held<A> {
    fn push(&self, events: Vec<ChatEvent>) -> Vec<ChatEvent> {
        read(&mut *self.0.borrow_mut(), events)
    }
}

impl<F: Filter> wit::Guest for F {
    type Answer = Held<F::Answer>;

    fn prepare(settings: String, request: ChatRequest) -> Result<wit::Prepared, wit::Stop> {
        match F::prepare(&settings, request) {
            Ok(prepared) => Ok(wit::Prepared {
                request: prepared.request,
                answer: prepared
                    .answer
                    .map(|answer| wit::Answer::new(Held(RefCell::new(answer)))),
            }),
            Err(Stop::Refused { rule, reason }) => {
                Err(wit::Stop::Refused(wit::Refusal { rule, reason }))
            }
            Err(Stop::Misconfigured(what)) => Err(wit::Stop::Misconfigured(what)),
        }
    }
}

/// Exports a [`Filter`] as the component's filter. Outside WebAssembly it does nothing, so that filters are tested
/// natively.
#[macro_export]
macro_rules! export_filter {
    ($filter:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::filter::bindings::export_world_filter!(
                $filter with_types_in $crate::filter::bindings
            );
        };
    };
}
