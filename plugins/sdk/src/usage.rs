//! What an answer took: counts and what else its price depends on, piece by piece.

use crate::{Count, Usage};

impl Usage {
    /// Nothing known.
    pub const UNKNOWN: Usage = Usage {
        prompt_tokens: None,
        completion_tokens: None,
        total_tokens: None,
        cached_tokens: None,
        cache_write_tokens: None,
        reasoning_tokens: None,
        details: Vec::new(),
        cost: None,
        tier: None,
        unpriced: Vec::new(),
    };

    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }

    /// Whether the six counts are all that there is to pay.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.details.is_empty()
            && self.cost.is_none()
            && self.tier.is_none()
            && self.unpriced.is_empty()
    }

    /// Something that is paid otherwise than by the six counts; a count of the same name is
    /// replaced. None of it is nothing to say.
    pub fn count(&mut self, name: &str, value: u64) {
        if value == 0 {
            return;
        }
        match self.details.iter_mut().find(|count| count.name == name) {
            Some(count) => count.value = value,
            None => self.details.push(Count {
                name: name.to_owned(),
                value,
            }),
        }
    }

    /// How much of it there was, by its name; nothing where nobody counted.
    #[must_use]
    pub fn counted(&self, name: &str) -> Option<u64> {
        let count = self.details.iter().find(|count| count.name == name);
        count.map(|count| count.value)
    }

    /// Something that the price of a token does not cover and nobody counts, for a person.
    pub fn unpriced(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.unpriced.contains(&what) {
            self.unpriced.push(what);
        }
    }

    /// The six counts alone.
    #[must_use]
    pub fn counts(&self) -> [Option<u64>; 6] {
        [
            self.prompt_tokens,
            self.completion_tokens,
            self.total_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        ]
    }

    /// A later report over an earlier one, as the host takes it: what is present replaces, of
    /// details each that of its name.
    #[must_use]
    pub fn over(self, earlier: Usage) -> Usage {
        let mut usage = Usage {
            prompt_tokens: self.prompt_tokens.or(earlier.prompt_tokens),
            completion_tokens: self.completion_tokens.or(earlier.completion_tokens),
            total_tokens: self.total_tokens.or(earlier.total_tokens),
            cached_tokens: self.cached_tokens.or(earlier.cached_tokens),
            cache_write_tokens: self.cache_write_tokens.or(earlier.cache_write_tokens),
            reasoning_tokens: self.reasoning_tokens.or(earlier.reasoning_tokens),
            details: earlier.details,
            cost: self.cost.or(earlier.cost),
            tier: self.tier.or(earlier.tier),
            unpriced: match self.unpriced.is_empty() {
                true => earlier.unpriced,
                false => self.unpriced,
            },
        };
        for later in self.details {
            let known = usage.details.iter_mut();
            match known.into_iter().find(|known| known.name == later.name) {
                Some(known) => *known = later,
                None => usage.details.push(later),
            }
        }
        usage
    }
}

/// The name of a count after a vendor's own word, such as `web-search-requests` after
/// `web_search_requests`.
#[must_use]
pub fn count_name(word: &str) -> String {
    word.to_ascii_lowercase().replace(['_', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_present_replaces_and_the_rest_stays() {
        let mut earlier = Usage {
            prompt_tokens: Some(3),
            completion_tokens: Some(1),
            tier: Some("flex".to_owned()),
            ..Usage::UNKNOWN
        };
        earlier.count("web-searches", 1);
        earlier.count("web-fetches", 4);
        earlier.unpriced("a");
        let mut later = Usage {
            completion_tokens: Some(2),
            cost: Some("0.5".to_owned()),
            ..Usage::UNKNOWN
        };
        later.count("web-searches", 2);
        let both = later.over(earlier);
        assert_eq!(
            (both.prompt_tokens, both.completion_tokens),
            (Some(3), Some(2))
        );
        assert_eq!(both.counted("web-searches"), Some(2));
        assert_eq!(both.counted("web-fetches"), Some(4));
        assert_eq!(both.tier.as_deref(), Some("flex"));
        assert_eq!(both.cost.as_deref(), Some("0.5"));
        assert_eq!(both.unpriced, ["a"]);
    }

    #[test]
    fn none_of_it_is_nothing_and_a_remark_stands_once() {
        let mut usage = Usage::UNKNOWN;
        usage.count("web-searches", 0);
        assert!(usage.is_unknown() && usage.is_plain());
        usage.unpriced("grounding");
        usage.unpriced("grounding");
        assert_eq!(usage.unpriced, ["grounding"]);
        assert!(!usage.is_plain());
        assert_eq!(count_name("web_search_calls"), "web-search-calls");
    }
}
