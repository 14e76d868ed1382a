//! How much a model is to think: the words that all vendors share, and those of one.

use crate::ChatRequest;

/// A request's reasoning effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort<'a> {
    /// `none`: not at all.
    None,
    /// `minimal`.
    Minimal,
    /// `low`.
    Low,
    /// `medium`.
    Medium,
    /// `high`.
    High,
    /// `max`: as much as the model can.
    Max,
    /// A word of the vendor's own, to be passed on where its wire takes a word.
    Other(&'a str),
}

impl<'a> Effort<'a> {
    /// What a word means.
    #[must_use]
    pub fn of(word: &'a str) -> Self {
        match word {
            "none" => Effort::None,
            "minimal" => Effort::Minimal,
            "low" => Effort::Low,
            "medium" => Effort::Medium,
            "high" => Effort::High,
            "max" => Effort::Max,
            other => Effort::Other(other),
        }
    }
}

impl ChatRequest {
    /// The reasoning effort that is asked for; nothing if none is.
    #[must_use]
    pub fn effort(&self) -> Option<Effort<'_>> {
        self.reasoning_effort.as_deref().map(Effort::of)
    }
}
