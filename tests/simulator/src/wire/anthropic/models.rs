//! Anthropic's models and their listing in pages.
//! <https://docs.anthropic.com/en/docs/about-claude/models>

use serde_json::{Value, json};

use crate::server::http1::Request;
use crate::wire::page;

use super::Trouble;

/// However many a client asks for, a page has no more.
const PAGE: usize = 5;

/// A model and what it takes.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// The name in the answer.
    pub(super) answers_as: String,
    /// Major and minor, by which rules are made.
    pub(super) version: (u32, u32),
    pub(super) max_output: u64,
}

impl Model {
    pub(super) fn thinks(&self) -> bool {
        self.version >= (3, 7)
    }

    /// Values of `output_config.effort`.
    pub(super) fn efforts(&self) -> &'static [&'static str] {
        match self.version {
            (4, 5) => &["low", "medium", "high"],
            (4, 6) => &["low", "medium", "high", "max"],
            version if version > (4, 6) => &["low", "medium", "high", "xhigh", "max"],
            _ => &[],
        }
    }
}

/// Full name, alias, version, most output tokens.
const MODELS: [(&str, &str, (u32, u32), u64); 21] = [
    ("claude-haiku-5-5", "", (5, 5), 64_000),
    ("claude-opus-5-5", "", (5, 5), 128_000),
    ("claude-sonnet-5-5", "", (5, 5), 128_000),
    ("claude-fable-5", "", (5, 0), 128_000),
    ("claude-opus-4-8", "", (4, 8), 128_000),
    ("claude-opus-4-7", "", (4, 7), 128_000),
    ("claude-opus-4-6", "", (4, 6), 128_000),
    ("claude-sonnet-4-6", "", (4, 6), 64_000),
    (
        "claude-opus-4-5-20251101",
        "claude-opus-4-5",
        (4, 5),
        64_000,
    ),
    (
        "claude-haiku-4-5-20251001",
        "claude-haiku-4-5",
        (4, 5),
        64_000,
    ),
    (
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5",
        (4, 5),
        64_000,
    ),
    (
        "claude-opus-4-1-20250805",
        "claude-opus-4-1",
        (4, 1),
        32_000,
    ),
    ("claude-opus-4-20250514", "claude-opus-4-0", (4, 0), 32_000),
    (
        "claude-sonnet-4-20250514",
        "claude-sonnet-4-0",
        (4, 0),
        64_000,
    ),
    (
        "claude-3-7-sonnet-20250219",
        "claude-3-7-sonnet-latest",
        (3, 7),
        64_000,
    ),
    (
        "claude-3-5-haiku-20241022",
        "claude-3-5-haiku-latest",
        (3, 5),
        8_192,
    ),
    (
        "claude-3-5-sonnet-20241022",
        "claude-3-5-sonnet-latest",
        (3, 5),
        8_192,
    ),
    ("claude-3-5-sonnet-20240620", "", (3, 5), 8_192),
    (
        "claude-3-opus-20240229",
        "claude-3-opus-latest",
        (3, 0),
        4_096,
    ),
    ("claude-3-sonnet-20240229", "", (3, 0), 4_096),
    ("claude-3-haiku-20240307", "", (3, 0), 4_096),
];

/// Finds a model by full name or alias.
pub(super) fn find(name: &str, added: &[String]) -> Result<Model, Trouble> {
    let known = MODELS
        .iter()
        .find(|(full, alias, ..)| name == *full || (!alias.is_empty() && name == *alias));
    match known {
        Some((full, _, version, max_output)) => Ok(Model {
            answers_as: (*full).to_owned(),
            version: *version,
            max_output: *max_output,
        }),
        None if added.iter().any(|model| model == name) => Ok(Model {
            answers_as: name.to_owned(),
            version: (4, 5),
            max_output: 64_000,
        }),
        None => Err(Trouble::new(
            404,
            "not_found_error",
            format!("model: {name}"),
        )),
    }
}

fn names(added: &[String]) -> Vec<String> {
    MODELS
        .iter()
        .map(|(full, ..)| (*full).to_owned())
        .chain(added.iter().cloned())
        .collect()
}

fn entry(name: &str) -> Value {
    json!({"type": "model", "id": name, "display_name": name.replace('-', " "), "created_at": "2025-02-19T00:00:00Z"})
}

/// One model of the listing.
pub(super) fn entry_of(name: &str, added: &[String]) -> Result<Value, Trouble> {
    find(name, added).map(|model| entry(&model.answers_as))
}

/// A page of the listing, after `after_id`.
pub(super) fn listing(request: &Request, added: &[String]) -> Result<Value, Trouble> {
    let limit = match request.param("limit").map(|limit| limit.parse::<usize>()) {
        None => 20,
        Some(Ok(limit)) if (1..=1000).contains(&limit) => limit,
        Some(_) => {
            return Err(Trouble::invalid(
                "limit: Input should be between 1 and 1000",
            ));
        }
    };
    let names = names(added);
    let start = match request.param("after_id") {
        None => 0,
        Some(after) => match names.iter().position(|name| *name == after) {
            Some(at) => at + 1,
            None => return Err(Trouble::invalid(format!("after_id: unknown model {after}"))),
        },
    };
    let (shown, has_more) = page(&names, start, limit.min(PAGE));
    let data: Vec<Value> = shown.iter().map(|name| entry(name)).collect();
    Ok(
        json!({"data": data, "has_more": has_more, "first_id": shown.first(), "last_id": shown.last()}),
    )
}
