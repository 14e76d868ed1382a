//! Parley's JSON, in both directions.
//!
//! In answers everything is optional, whatever the vendor's documentation promises: a field
//! that is missing one day must not lose the answer. Fields that are not named here are ignored.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Open;
use multillm_plugin_sdk::outcome::lenient_count;
use multillm_plugin_sdk::{FinishReason, Usage};
use serde::{Deserialize, Serialize};

/// A question: `POST /v1/talk`.
#[derive(Serialize)]
pub(crate) struct Talk<'a> {
    pub model: &'a str,
    pub turns: Vec<Open<'a, Turn>>,
    /// Answer line by line.
    pub live: bool,
    // What the caller did not ask for is left out, so that the vendor's default counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// The most tokens to answer with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmth: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breadth: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub until: &'a [String],
}

/// What somebody said.
#[derive(Serialize)]
pub(crate) struct Turn {
    pub by: &'static str,
    pub say: String,
}

/// A whole answer, or a line of one: a line has some of the fields, the last one `ended`.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    pub id: Option<String>,
    pub model: Option<String>,
    // `borrow` spares a copy where the text has nothing escaped in it.
    #[serde(borrow)]
    pub say: Option<Cow<'a, str>>,
    pub ended: Option<String>,
    pub tokens: Option<Tokens>,
    pub problem: Option<Problem>,
}

/// What it cost.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    #[serde(default, deserialize_with = "lenient_count")]
    heard: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    said: Option<u64>,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Usage {
            prompt_tokens: tokens.heard,
            completion_tokens: tokens.said,
            // What the vendor does not say stays unknown. It is not zero.
            ..Usage::UNKNOWN
        }
    }
}

/// What went wrong: the body of a failure, or the last line of a stream that broke off.
#[derive(Deserialize)]
pub(crate) struct Problem {
    pub code: Option<String>,
    pub text: Option<String>,
    pub wait_seconds: Option<f64>,
}

/// Parley's word for why it stopped. A new word is `Other`, never an error.
pub(crate) fn finish_reason(ended: &str) -> FinishReason {
    match ended.to_ascii_lowercase().as_str() {
        "done" | "until" => FinishReason::Stop,
        "limit" => FinishReason::Length,
        "withheld" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}
