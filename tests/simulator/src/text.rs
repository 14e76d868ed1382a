//! Words in the last user message that steer the answer. The table of them stands in the crate's
//! documentation; this file only finds them.

use std::collections::BTreeMap;

/// What the last user message asks of the simulator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Triggers {
    /// `write N words`
    pub(crate) words: Option<u64>,
    /// `please refuse` or `I refuse`
    pub(crate) refuse: bool,
    /// `filter output`
    pub(crate) filter_output: bool,
    /// `empty reply`
    pub(crate) empty: bool,
    /// `two calls`
    pub(crate) two_calls: bool,
    /// `say why`
    pub(crate) say_why: bool,
    /// `search the web`
    pub(crate) search: bool,
    /// `run code`
    pub(crate) run: bool,
    /// `draw a picture`
    pub(crate) draw: bool,
    /// `name=value` words, for tool arguments and the counts below
    pub(crate) pairs: BTreeMap<String, String>,
}

impl Triggers {
    pub(crate) fn read(text: &str) -> Self {
        let lower = text.to_lowercase();
        Self {
            words: words_asked(&lower),
            refuse: lower.contains("please refuse") || lower.contains("i refuse"),
            filter_output: lower.contains("filter output"),
            empty: lower.contains("empty reply"),
            two_calls: lower.contains("two calls"),
            say_why: lower.contains("say why"),
            search: lower.contains("search the web"),
            run: lower.contains("run code"),
            draw: lower.contains("draw a picture"),
            pairs: pairs(text),
        }
    }

    /// `cached=N`, `cache_write=N` or `reasoning=N`.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.pairs.get(name)?.parse().ok()
    }
}

/// What the user said, without what a client's program says there about itself: Claude Code names all its tools so.
pub(crate) fn without_reminders(text: &str) -> String {
    const BEGIN: &str = "<system-reminder>";
    const END: &str = "</system-reminder>";
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let Some((_, behind)) = after.split_once(END) else {
            break;
        };
        left += before;
        rest = behind.trim_start();
    }
    left + rest
}

fn words_asked(lower: &str) -> Option<u64> {
    let words: Vec<&str> = lower.split_whitespace().collect();
    words.windows(3).find_map(|window| match window {
        ["write", count, noun] if noun.starts_with("word") => count.parse().ok(),
        _ => None,
    })
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |word: &str| {
        let word = word.trim_matches(|char: char| ",.;!?()\"'".contains(char));
        let (name, value) = word.split_once('=')?;
        let named = !name.is_empty()
            && name
                .chars()
                .all(|char| char.is_alphanumeric() || char == '_');
        (named && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    text.split_whitespace().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_are_not_the_users_words() {
        let text = "a <system-reminder>use Bash</system-reminder>\n\nb<system-reminder>c";
        assert_eq!(without_reminders(text), "a b<system-reminder>c");
        assert_eq!(without_reminders("plain"), "plain");
    }

    #[test]
    fn finds_every_trigger() {
        let found = Triggers::read("Write 12 words, two calls of look city=Paris, cached=40.");
        assert_eq!(found.words, Some(12));
        assert!(found.two_calls && !found.refuse && !found.empty);
        assert_eq!(found.pairs.get("city").unwrap(), "Paris");
        assert_eq!(found.count("cached"), Some(40));
        assert_eq!(found.count("city"), None);
    }
}
