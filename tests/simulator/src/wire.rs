//! The vendors' wires: which vendor answers a path, and the order in which every chat request is handled.
//! Each vendor's own file reads and checks requests and writes answers; none of them knows another, except
//! that Azure and Hugging Face build on OpenAI's.

mod anthropic;
mod azure;
mod cohere;
mod gemini;
mod huggingface;
mod ollama;
mod openai;

use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::fault::{self, Faults, Forms};
use crate::hub::Hub;
use crate::question::Question;
use crate::reply::Reply;
use crate::server::http1::Request;
use crate::vendor::Vendor;

/// When every answer was made, in Unix seconds: a constant, so that answers are the same in every run.
pub(crate) const CREATED: u64 = 1_790_000_000;

/// The beginning of page tokens; the number of items before the page follows.
const PAGE_TOKEN: &str = "page-";

/// Answers a request at a vendor's path, or at none.
pub(crate) fn answer(request: &Request, vendor: Option<Vendor>, hub: &Hub) -> Reply {
    match vendor {
        Some(Vendor::OpenAi) => openai::answer(request, hub),
        Some(Vendor::Azure) => azure::answer(request, hub),
        Some(Vendor::HuggingFace) => huggingface::answer(request, hub),
        Some(Vendor::Anthropic) => anthropic::answer(request, hub),
        Some(Vendor::Gemini) => gemini::answer(request, hub),
        Some(Vendor::Cohere) => cohere::answer(request, hub),
        Some(Vendor::Ollama) => ollama::answer(request, hub),
        None if request.path.starts_with("/redirect-target") => {
            Reply::json(200, &json!({ "redirected": true }))
        }
        None => {
            let bases: Vec<&str> = Vendor::ALL
                .iter()
                .map(|vendor| vendor.base_path())
                .collect();
            Reply::json(
                404,
                &json!({ "error": "simulator: no vendor at this path", "base_paths": bases }),
            )
        }
    }
}

/// What the order of handling needs to know of a request.
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a Question,
    pub(crate) streamed: bool,
}

impl<'a> Asked<'a> {
    pub(crate) const fn new(question: &'a Question, streamed: bool) -> Self {
        Self { question, streamed }
    }
}

/// A chat request that was read and found good, able to write its answer.
pub(crate) trait Chat {
    fn asked(&self) -> Asked<'_>;
    /// The answer in one body.
    fn unary(&self, answer: &Answer) -> Reply;
    /// The same answer as events.
    fn stream(&self, answer: &Answer) -> Reply;
    /// Where the vendor reports this answer by an error status: that error.
    fn instead(&self, _answer: &Answer) -> Option<Reply> {
        None
    }
}

/// Answers a good chat request, with whatever faults it meets.
pub(crate) fn converse(forms: &dyn Forms, chat: &dyn Chat, request: &Request, hub: &Hub) -> Reply {
    let Asked { question, streamed } = chat.asked();
    let faults = hub.faults(forms.vendor(), request, question.last_user_text(), streamed);
    with_faults(forms, request, &faults, || {
        let answer = answer::answer(question, &faults);
        match chat.instead(&answer) {
            Some(reply) => reply,
            None if streamed => chat.stream(&answer),
            None => chat.unary(&answer),
        }
    })
}

/// Answers any other good request (a listing, an embedding); it too may meet queued faults.
pub(crate) fn serve(forms: &dyn Forms, request: &Request, hub: &Hub, reply: Reply) -> Reply {
    let faults = hub.faults(forms.vendor(), request, "", false);
    with_faults(forms, request, &faults, || reply)
}

fn with_faults(
    forms: &dyn Forms,
    request: &Request,
    faults: &Faults,
    make: impl FnOnce() -> Reply,
) -> Reply {
    let reply = match faults.failure() {
        None => make(),
        Some((fault, failure)) => match forms.failure(&failure, request) {
            Some(reply) => reply,
            None => {
                let vendor = forms.vendor().name();
                return Reply::simulator_error(&format!(
                    "unknown fault {:?} for {vendor}",
                    fault.name
                ));
            }
        },
    };
    fault::apply(faults, reply, forms, request)
        .unwrap_or_else(|message| Reply::simulator_error(&message))
}

/// A page of a listing: items after the one named by `after`, at most `limit`, and whether more follow.
pub(crate) fn page<T>(items: &[T], start: usize, limit: usize) -> (&[T], bool) {
    let rest = items.get(start..).unwrap_or_default();
    let page = rest.get(..limit.min(rest.len())).unwrap_or_default();
    (page, rest.len() > page.len())
}

/// Where a page starts, by a token in this parameter; none for a token that was never given.
pub(crate) fn page_start(request: &Request, name: &str) -> Option<usize> {
    match request.param(name).filter(|token| !token.is_empty()) {
        None => Some(0),
        Some(token) => token.strip_prefix(PAGE_TOKEN)?.parse().ok(),
    }
}

/// The token of the page that starts there.
pub(crate) fn page_token(start: usize) -> String {
    format!("{PAGE_TOKEN}{start}")
}

/// A vector for a text: the same text gives the same one, of unit length per component at most.
pub(crate) fn embedding(text: &str, dimensions: usize) -> Vec<f32> {
    let component = |index: usize| {
        let hash = crate::seal::digest(&["embedding", text, &index.to_string()]);
        (hash % 2001) as f32 / 1000.0 - 1.0
    };
    (0..dimensions).map(component).collect()
}

/// A string member, or the empty text.
pub(crate) fn text_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of an array member, or none.
pub(crate) fn items_of<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A string member that is a list of strings, or one string.
pub(crate) fn strings_of(value: &Value, key: &str) -> Vec<String> {
    match value.get(key) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// A header pair.
pub(crate) fn header(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}
