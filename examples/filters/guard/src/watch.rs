//! Watching an answer while it comes: nothing is shown that may be the beginning of what is forbidden.
#![allow(
    clippy::indexing_slicing,
    reason = "places were found in the same text just before"
)]

use multillm_plugin_sdk::ChatEvent;
use multillm_plugin_sdk::filter::pieces::{Change, Pieces, Stream};
use multillm_plugin_sdk::filter::{Answer, refused};

use super::{Rule, folded};

/// Reads an answer.
pub struct Watched {
    pieces: Pieces,
    words: Words,
    over: bool,
}

struct Words {
    /// Folded, with the rule and the reason.
    forbidden: Vec<(String, String, String)>,
    /// Characters that the longest has at most.
    longest: usize,
    /// The rule that was broken, and the reason.
    broken: Option<(String, String)>,
}

impl Watched {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let of_rule = |rule: &Rule| {
            let (name, reason) = (rule.name.clone(), rule.reason());
            let words = rule.contains.iter().map(|text| folded(text));
            words
                .map(|word| (word, name.clone(), reason.clone()))
                .collect::<Vec<_>>()
        };
        let forbidden: Vec<_> = rules.iter().flat_map(of_rule).collect();
        let lengths = forbidden.iter().map(|(word, ..)| word.chars().count());
        Watched {
            pieces: Pieces::default(),
            over: false,
            words: Words {
                longest: lengths.max().unwrap_or(0),
                forbidden,
                broken: None,
            },
        }
    }
}

impl Words {
    /// Where the first forbidden text begins, in bytes, and what it breaks.
    fn first_in(&self, text: &str) -> Option<(usize, &str, &str)> {
        if text.is_ascii() {
            return self.first(&folded(text), Some);
        }
        // A folded text can have other lengths: each of its bytes knows the character it comes from.
        let (mut all, mut origins) = (String::new(), vec![]);
        for (at, character) in text.char_indices() {
            all.extend(character.to_lowercase());
            origins.resize(all.len(), at);
        }
        self.first(&all, |at| origins.get(at).copied())
    }

    /// The same in a folded text, of which `origin` knows where each byte comes from.
    fn first(
        &self,
        folded: &str,
        origin: impl Fn(usize) -> Option<usize>,
    ) -> Option<(usize, &str, &str)> {
        let found = self.forbidden.iter().filter_map(|(word, rule, reason)| {
            let at = folded.find(word)?;
            Some((origin(at)?, rule.as_str(), reason.as_str()))
        });
        found.min_by_key(|(at, ..)| *at)
    }
}

impl Change for Words {
    fn ready(&self, text: &str) -> usize {
        if self.first_in(text).is_some() {
            return text.len();
        }
        // As many characters as may be the beginning of something stay.
        let kept = text
            .char_indices()
            .rev()
            .take(self.longest.saturating_sub(1));
        kept.last().map_or(text.len(), |(at, _)| at)
    }

    fn change(&mut self, _: Stream, text: &str) -> String {
        if self.broken.is_some() {
            return String::new();
        }
        let found = self.first_in(text);
        let found = found.map(|(at, rule, reason)| (at, rule.to_owned(), reason.to_owned()));
        match found {
            None => text.to_owned(),
            Some((at, rule, reason)) => {
                self.broken = Some((rule, reason));
                text[..at].to_owned()
            }
        }
    }
}

impl Answer for Watched {
    fn event(&mut self, event: ChatEvent, said: &mut Vec<ChatEvent>) {
        if self.over {
            return;
        }
        let begun = said.len();
        self.pieces.event(event, &mut self.words, said);
        let Some((rule, reason)) = self.words.broken.take() else {
            return;
        };
        // What stands behind the place is not said.
        self.over = true;
        let texts = said.iter().skip(begun).take_while(|event| {
            matches!(
                event,
                ChatEvent::Text(_) | ChatEvent::Reasoning(_) | ChatEvent::ToolCallDelta(_)
            )
        });
        let length = begun + texts.count();
        said.truncate(length);
        said.push(refused(rule, reason));
    }
}
