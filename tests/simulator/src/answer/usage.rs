//! Token counts, in one definition for all vendors; each wire turns them into its own way of counting.

use crate::question::Question;
use crate::text::Triggers;
use crate::token;

/// What an image costs.
const IMAGE_TOKENS: u64 = 85;
/// What the declaration of a tool costs.
const TOOL_TOKENS: u64 = 20;

/// Counts of one answer. Unknown does not occur: the simulator always knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Words of every text sent, 85 for each image, 20 for each tool; on top the cached ones and those
    /// written to the cache.
    pub(crate) prompt: u64,
    /// Part of `prompt`, by `cached=N`.
    pub(crate) cached: u64,
    /// Part of `prompt`, by `cache_write=N`.
    pub(crate) cache_write: u64,
    /// Words of the answer, of arguments, and the reasoning ones.
    pub(crate) completion: u64,
    /// Part of `completion`; the words of the reasoning, or `reasoning=N`.
    pub(crate) reasoning: u64,
}

impl Usage {
    pub(crate) fn of_prompt(question: &Question, triggers: &Triggers) -> Self {
        let words: u64 = question.texts().map(token::count).sum();
        let images = question.image_count() as u64 * IMAGE_TOKENS;
        let tools = question.tools.len() as u64 * TOOL_TOKENS;
        let cached = triggers.count("cached").unwrap_or(0);
        let cache_write = triggers.count("cache_write").unwrap_or(0);
        let prompt = words + images + tools + cached + cache_write;
        Self {
            prompt,
            cached,
            cache_write,
            completion: 0,
            reasoning: 0,
        }
    }

    /// Prompt and completion.
    pub(crate) fn total(&self) -> u64 {
        self.prompt + self.completion
    }

    /// The prompt without what was read from or written to a cache.
    pub(crate) fn fresh_prompt(&self) -> u64 {
        self.prompt - self.cached - self.cache_write
    }

    /// The completion without reasoning.
    pub(crate) fn visible_completion(&self) -> u64 {
        self.completion - self.reasoning
    }
}
