//! Where what was read comes from: nothing may be in an answer that the vendor did not say.

use serde_json::Value;

use super::{Read, Recording};
use crate::check::report::Report;

pub(super) fn check(recording: &Recording, read: &Read, report: &mut Report) {
    const CODE: &str = "recorded-provenance";
    let name = &recording.name;
    let said = Said::of(&recording.body);
    for (what, text) in [("content", &read.content), ("reasoning", &read.reasoning)] {
        report.judge(CODE, said.holds_pieces(text), || {
            format!("{name}: {what} holds what the recording does not: {text:?}")
        });
    }
    for (id, tool, arguments) in &read.calls {
        // The host numbers calls that have no id; a plugin gives none.
        let known = id.is_empty() || id.starts_with("call_") || said.holds(id);
        report.judge(CODE, known, || format!("{name}: the id {id:?} is invented"));
        report.judge(CODE, said.holds(tool), || {
            format!("{name}: the tool {tool:?} is invented")
        });
        let json = serde_json::from_str::<Value>(arguments).is_ok();
        report.judge(CODE, json || said.holds_pieces(arguments), || {
            format!("{name}: the arguments {arguments:?} are neither JSON nor the vendor's")
        });
    }
    for (what, text) in [("id", &read.id), ("model", &read.model)] {
        if let Some(text) = text {
            report.judge(CODE, said.holds(text), || {
                format!("{name}: the {what} {text:?} is invented")
            });
        }
    }
    for (what, count) in [("prompt", read.prompt), ("completion", read.completion)] {
        if let Some(count) = count {
            report.judge(CODE, said.counts(count), || {
                format!("{name}: {count} {what} tokens are neither said nor a sum")
            });
        }
    }
}

/// All texts and whole numbers of a recording, whichever way it is framed.
struct Said {
    texts: Vec<String>,
    /// All texts one after the other: what came in pieces stands there in order.
    joined: String,
    numbers: Vec<u64>,
}

impl Said {
    fn of(body: &str) -> Self {
        let mut said = Said {
            texts: vec![],
            joined: String::new(),
            numbers: vec![],
        };
        match serde_json::from_str::<Value>(body) {
            Ok(value) => said.gather(&value),
            Err(_) => {
                for line in body.lines() {
                    let line = line.strip_prefix("data:").unwrap_or(line).trim();
                    if let Ok(value) = serde_json::from_str::<Value>(line) {
                        said.gather(&value);
                    }
                }
            }
        }
        said
    }

    fn gather(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.joined.push_str(text);
                self.texts.push(text.clone());
            }
            Value::Number(number) => self.numbers.extend(number.as_u64()),
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(members) => members.values().for_each(|member| self.gather(member)),
            _ => {}
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.texts.iter().any(|known| known.contains(text))
    }

    /// Whether a text is made of texts of the recording, in their order.
    fn holds_pieces(&self, text: &str) -> bool {
        if text.is_empty() || self.holds(text) || self.joined.contains(text) {
            return true;
        }
        let mut rest = text;
        for piece in self.texts.iter().filter(|piece| !piece.is_empty()) {
            rest = rest.strip_prefix(piece.as_str()).unwrap_or(rest);
        }
        rest.trim().is_empty()
    }

    /// Whether a count was said, or is the sum of up to three that were, each as often as it was.
    fn counts(&self, count: u64) -> bool {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        // Thoughts may be counted within the output, and told apart by subtracting.
        sum_of(&numbers, count, 3)
            || numbers.iter().any(|one| {
                count
                    .checked_add(*one)
                    .is_some_and(|whole| numbers.binary_search(&whole).is_ok())
            })
    }
}

/// Whether a count is the sum of one to `terms` of the numbers, which are sorted.
fn sum_of(numbers: &[u64], count: u64, terms: usize) -> bool {
    if numbers.binary_search(&count).is_ok() {
        return true;
    }
    let mut last = None;
    let mut rest = numbers;
    while terms > 1
        && let Some((one, behind)) = rest.split_first()
    {
        rest = behind;
        // A number that stands there more than once is tried once, with the others behind it.
        if last.replace(*one) == Some(*one) {
            continue;
        }
        if let Some(left) = count.checked_sub(*one)
            && sum_of(behind, left, terms - 1)
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_sums_are_the_vendors_and_other_things_are_not() {
        let stream = "data: {\"t\":\"Good \",\"n\":3}\n\ndata: {\"x\":\"id-1\",\"t\":\"evening\",\"m\":4}\n\n";
        let said = Said::of(stream);
        assert!(said.holds("id-1") && said.holds_pieces("Good evening"));
        assert!(!said.holds_pieces("Good morning"));
        assert!(said.counts(7) && said.counts(3) && !said.counts(9));
        assert!(
            said.counts(1),
            "what is left of one when the other is taken out"
        );
        let twice = Said::of("[3, 4, 3]");
        assert!(twice.counts(6) && twice.counts(10) && !twice.counts(9));
    }
}
