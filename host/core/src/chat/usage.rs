//! Tokens as a vendor counted them, and what is made of counts that contradict each other.
//!
//! A count that cannot be true is unknown, or the larger of those that can be; never the smaller.
//! Adapters say what the vendor's fields mean; what holds for the counts of all vendors is here.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::Part;

/// More tokens than any exchange has: a hundred times the largest context window that a vendor
/// offers (ten million). A count beyond it is a mistake of whoever counted.
pub const IMPLAUSIBLE: u64 = 1_000_000_000;

/// Tokens, as the vendor counted them. Absent: it did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// All input: fresh, read from a cache and written to a cache.
    pub prompt_tokens: Option<u64>,
    /// All output: the answer and the thoughts.
    pub completion_tokens: Option<u64>,
    /// As the vendor gave it, else prompt and completion where both are known.
    pub total_tokens: Option<u64>,
    /// Part of the prompt that was read from the vendor's cache.
    pub cached_tokens: Option<u64>,
    /// Part of the prompt that was written to the vendor's cache.
    pub cache_write_tokens: Option<u64>,
    /// Part of the completion that was thought.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Known to be nothing at all: an answer that no vendor was asked for.
    pub const NOTHING: Usage = Usage {
        prompt_tokens: Some(0),
        completion_tokens: Some(0),
        total_tokens: Some(0),
        cached_tokens: Some(0),
        cache_write_tokens: Some(0),
        reasoning_tokens: Some(0),
    };

    /// Both together; a count that is unknown of one of them is unknown.
    #[must_use]
    pub fn and(&self, other: &Usage) -> Usage {
        let sum = |of: fn(&Usage) -> Option<u64>| of(self)?.checked_add(of(other)?);
        Usage {
            prompt_tokens: sum(|usage| usage.prompt_tokens),
            completion_tokens: sum(|usage| usage.completion_tokens),
            total_tokens: sum(Usage::total),
            cached_tokens: sum(|usage| usage.cached_tokens),
            cache_write_tokens: sum(|usage| usage.cache_write_tokens),
            reasoning_tokens: sum(|usage| usage.reasoning_tokens),
        }
    }

    /// The total: as given, else the sum where both sides are known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total_tokens
            .or_else(|| self.prompt_tokens?.checked_add(self.completion_tokens?))
    }

    /// Takes over each field that `newer` has. A zero takes nothing back: some servers send all
    /// counts with every event, and zero where they have nothing to say.
    pub fn update(&mut self, newer: &Usage) {
        let take = |old: &mut Option<u64>, new: Option<u64>| {
            *old = new.filter(|new| *new > 0).or(*old).or(new);
        };
        take(&mut self.prompt_tokens, newer.prompt_tokens);
        take(&mut self.completion_tokens, newer.completion_tokens);
        take(&mut self.total_tokens, newer.total_tokens);
        take(&mut self.cached_tokens, newer.cached_tokens);
        take(&mut self.cache_write_tokens, newer.cache_write_tokens);
        take(&mut self.reasoning_tokens, newer.reasoning_tokens);
    }

    /// Whether this says that nothing was produced where nothing is: then it is believed.
    pub(super) fn counts_nothing_for(&self, parts: &[Part]) -> bool {
        self.completion_tokens == Some(0)
            && self.prompt_tokens.is_some_and(|prompt| prompt > 0)
            && !parts.iter().any(holds_something)
    }

    /// The counts of an answer with these parts, as far as they can be true together.
    ///
    /// - A count above [`IMPLAUSIBLE`] is unknown.
    /// - Nothing but zeros beside content that came says nothing.
    /// - More cached or written input than input: the vendor counts it beside the input, and the
    ///   sum is the input.
    /// - More thoughts than output: the vendor counts them beside the output, likewise.
    /// - A total above input and output: the difference is output, unless it is just the cached
    ///   and written input. A total below them is their sum.
    #[must_use]
    pub fn settled(self, parts: &[Part]) -> Usage {
        let mut usage = self.plausible();
        if parts.iter().any(holds_something) {
            usage.forget_if_nothing();
        }
        let gathered = usage.gather_input();
        usage.gather_output();
        usage.gather_total(gathered);
        usage
    }

    fn plausible(self) -> Usage {
        let keep = |count: Option<u64>| count.filter(|count| *count <= IMPLAUSIBLE);
        Usage {
            prompt_tokens: keep(self.prompt_tokens),
            completion_tokens: keep(self.completion_tokens),
            total_tokens: keep(self.total_tokens),
            cached_tokens: keep(self.cached_tokens),
            cache_write_tokens: keep(self.cache_write_tokens),
            reasoning_tokens: keep(self.reasoning_tokens),
        }
    }

    /// Something was asked and answered: that took tokens, whoever did not count them.
    fn forget_if_nothing(&mut self) {
        let counts = [
            self.prompt_tokens,
            self.completion_tokens,
            self.total_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        ];
        if counts.into_iter().flatten().all(|count| count == 0) {
            *self = Usage::default();
        }
    }

    /// Input from and to the cache is a part of the input; says whether it was not.
    fn gather_input(&mut self) -> bool {
        let kept = self.kept();
        match self.prompt_tokens {
            Some(prompt) if kept > prompt => {
                self.prompt_tokens = Some(prompt.saturating_add(kept));
                true
            }
            _ => false,
        }
    }

    /// Thoughts are a part of the output.
    fn gather_output(&mut self) {
        if let (Some(completion), Some(thought)) = (self.completion_tokens, self.reasoning_tokens)
            && thought > completion
        {
            self.completion_tokens = Some(completion.saturating_add(thought));
        }
    }

    /// Input and output are the total. `gathered`: cached and written input were added already.
    fn gather_total(&mut self, gathered: bool) {
        let Some(total) = self.total_tokens else {
            return;
        };
        match (self.prompt_tokens, self.completion_tokens) {
            (Some(prompt), Some(completion)) => {
                let kept = self.kept();
                match total.checked_sub(prompt.saturating_add(completion)) {
                    None | Some(0) => {}
                    Some(rest)
                        if rest == kept && !gathered && self.reasoning_tokens != Some(rest) =>
                    {
                        self.prompt_tokens = Some(prompt.saturating_add(rest));
                    }
                    Some(rest) => self.completion_tokens = Some(completion.saturating_add(rest)),
                }
            }
            (Some(prompt), None) if total > prompt => {
                self.completion_tokens = Some(total - prompt);
                self.gather_output();
            }
            (None, Some(completion)) if total > completion => {
                self.prompt_tokens = Some(total - completion);
            }
            _ => {}
        }
        if let (Some(prompt), Some(completion)) = (self.prompt_tokens, self.completion_tokens) {
            self.total_tokens = Some(total.max(prompt.saturating_add(completion)));
        }
    }

    /// Input from and to the cache.
    fn kept(&self) -> u64 {
        let count = |count: Option<u64>| count.unwrap_or(0);
        count(self.cached_tokens).saturating_add(count(self.cache_write_tokens))
    }
}

/// Whether a model must have produced tokens for this.
fn holds_something(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.is_empty(),
        Part::Reasoning(thought) => !thought.text.is_empty() || thought.redacted.is_some(),
        Part::ToolCall(_)
        | Part::Media(_)
        | Part::Opaque(_)
        | Part::ServerToolCall(_)
        | Part::ServerToolResult(_) => true,
        Part::ToolResult(_) => false,
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Usage", 6)?;
        fields.serialize_field("prompt_tokens", &self.prompt_tokens)?;
        fields.serialize_field("completion_tokens", &self.completion_tokens)?;
        fields.serialize_field("total_tokens", &self.total())?;
        fields.serialize_field("cached_tokens", &self.cached_tokens)?;
        fields.serialize_field("cache_write_tokens", &self.cache_write_tokens)?;
        fields.serialize_field("reasoning_tokens", &self.reasoning_tokens)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests;
