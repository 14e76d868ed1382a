//! Faults on demand: how they are written (`[[fault:NAME arg=value]]`), found and told apart. What each
//! does to a reply stands in `fault/apply.rs`; which status faults there are, in `fault/failure.rs`.

mod apply;
mod failure;

pub(crate) use apply::{Forms, apply};
pub(crate) use failure::{Failure, bad_gateway, upstream_reset};

/// One fault with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) name: String,
    args: Vec<(String, String)>,
}

impl Fault {
    /// Reads `NAME arg=value …`; `NAME=value` gives the fault its chief argument.
    pub(crate) fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let (name, chief) = first.split_once('=').unwrap_or((first, ""));
        let pair = |word: &str| {
            let (name, value) = word.split_once('=').unwrap_or((word, "true"));
            (name.to_owned(), value.to_owned())
        };
        let mut args: Vec<(String, String)> = words.map(pair).collect();
        if !chief.is_empty() {
            args.push((String::new(), chief.to_owned()));
        }
        Self {
            name: name.to_owned(),
            args,
        }
    }

    /// An argument's text; the chief one answers to every name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let named = self.args.iter().find(|(key, _)| key == name);
        let found = named.or_else(|| self.args.iter().find(|(key, _)| key.is_empty()));
        found.map(|(_, value)| value.as_str())
    }

    /// An argument's number, only by its own name.
    pub(crate) fn exact_number(&self, name: &str) -> Option<u64> {
        self.args
            .iter()
            .find(|(key, _)| key == name)?
            .1
            .parse()
            .ok()
    }

    /// An argument as a number, or the default.
    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    /// The same, for sizes in memory.
    pub(crate) fn size(&self, name: &str, default: usize) -> usize {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }
}

/// The faults of one exchange, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

const OPEN: &str = "[[fault:";
const CLOSE: &str = "]]";

impl Faults {
    /// Those written in a text.
    pub(crate) fn in_text(text: &str) -> Self {
        let mut faults = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(OPEN) {
            let Some((inside, tail)) = after.split_once(CLOSE) else {
                break;
            };
            faults.push(Fault::parse(inside));
            rest = tail;
        }
        Self(faults)
    }

    /// A text without the faults written in it.
    pub(crate) fn strip(&self, text: &str) -> String {
        let mut kept = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let Some((_, tail)) = after.split_once(CLOSE) else {
                break;
            };
            kept.push_str(before);
            rest = tail;
        }
        kept.push_str(rest);
        kept.trim().to_owned()
    }

    /// The text that `huge-event` (one word) or `giant-body` (many) puts in place of the answer.
    pub(crate) fn oversized_text(&self) -> Option<String> {
        const MIB: usize = 1024 * 1024;
        self.0.iter().find_map(|fault| match fault.name.as_str() {
            "huge-event" => Some("x".repeat(fault.size("mib", 2) * MIB)),
            "giant-body" => {
                let word = format!("{} ", "x".repeat(MIB - 1));
                Some(word.repeat(fault.size("mib", 64)))
            }
            _ => None,
        })
    }

    /// The first fault that is a failure by status.
    pub(crate) fn failure(&self) -> Option<(&Fault, Failure)> {
        self.0
            .iter()
            .find_map(|fault| Some((fault, Failure::of(fault)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_in_a_text_and_stripped_from_it() {
        let text = "hi [[fault:cut k=3]] there [[fault:chunk=7]]";
        let faults = Faults::in_text(text);
        assert_eq!(faults.0.len(), 2);
        assert_eq!(faults.0[0].number("k", 0), 3);
        assert_eq!(faults.0[1].size("size", 0), 7);
        assert_eq!(faults.strip(text), "hi  there");
    }

    #[test]
    fn an_unclosed_fault_is_text() {
        assert_eq!(Faults::in_text("[[fault:cut"), Faults::default());
        assert_eq!(Faults::default().strip("[[fault:cut"), "[[fault:cut");
    }
}
