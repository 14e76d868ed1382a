//! What budgets and the history want to know of a body that is passed on: how long an answer may be, how many are
//! wanted, and what was asked last. Nothing else of it is read, and no text is taken apart that is not shown.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The most bytes of a question that the history keeps of a body that is passed on.
const LONGEST: usize = 256 << 10;

/// What is known of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The most tokens of an answer.
    pub(crate) max_tokens: Option<u64>,
    /// How many answers.
    pub(crate) choices: u64,
    /// What the user said last.
    pub(crate) question: Option<String>,
}

impl Summary {
    /// Of a body in any wire; of what is none, nothing. `asked`: the question is wanted.
    pub(crate) fn of(body: &[u8], asked: bool) -> Self {
        let Ok(text) = std::str::from_utf8(body) else {
            return Summary::default();
        };
        let members =
            |asked| serde_json::Deserializer::from_str(text).deserialize_map(Outermost { asked });
        // A question that cannot be read, for half a character in it, takes nothing else with it.
        let Ok(members) = members(asked).or_else(|_| members(false)) else {
            return Summary::default();
        };
        Summary {
            max_tokens: members.max_tokens,
            choices: members.choices.unwrap_or(1),
            question: members.turns.and_then(Turns::last_question),
        }
    }
}

#[derive(Default)]
struct Members<'b> {
    max_tokens: Option<u64>,
    choices: Option<u64>,
    turns: Option<Turns<'b>>,
}

struct Outermost {
    asked: bool,
}

/// What was said, in one text or by turns.
enum Turns<'b> {
    Text(Cow<'b, str>),
    Each(Vec<&'b RawValue>),
    /// Neither.
    Other,
}

impl<'de> Deserialize<'de> for Turns<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TurnsVisitor)
    }
}

struct TurnsVisitor;

impl<'de> Visitor<'de> for TurnsVisitor {
    type Value = Turns<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of turns")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Turns<'de>, E> {
        Ok(Turns::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Turns<'de>, E> {
        Ok(Turns::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Turns<'de>, A::Error> {
        let mut turns = vec![];
        while let Some(turn) = list.next_element()? {
            turns.push(turn);
        }
        Ok(Turns::Each(turns))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Turns<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Turns::Other)
    }

    fn visit_unit<E>(self) -> Result<Turns<'de>, E> {
        Ok(Turns::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Turns<'de>, E> {
        Ok(Turns::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Turns<'de>, E> {
        Ok(Turns::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Turns<'de>, E> {
        Ok(Turns::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Turns<'de>, E> {
        Ok(Turns::Other)
    }
}

#[derive(Deserialize)]
struct Key<'b>(#[serde(borrow)] Cow<'b, str>);

impl<'de> Visitor<'de> for Outermost {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        let count = |value: &RawValue| value.get().parse::<u64>().ok();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "max_tokens" | "max_completion_tokens" | "max_output_tokens" => {
                    let value = count(map.next_value()?);
                    members.max_tokens = members.max_tokens.max(value);
                }
                "n" => members.choices = count(map.next_value()?),
                "messages" | "input" | "contents" | "prompt" if self.asked => {
                    members.turns = Some(map.next_value()?)
                }
                "generationConfig" | "options" => {
                    let within: Within = serde_json::from_str(map.next_value::<&RawValue>()?.get())
                        .unwrap_or_default();
                    let most = within.max_output_tokens.or(within.num_predict);
                    members.max_tokens = members
                        .max_tokens
                        .max(most.and_then(|most| u64::try_from(most).ok()));
                    members.choices = members.choices.max(within.candidate_count);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

/// Limits that stand deeper.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Within {
    #[serde(rename = "maxOutputTokens")]
    max_output_tokens: Option<i64>,
    #[serde(rename = "candidateCount")]
    candidate_count: Option<u64>,
    num_predict: Option<i64>,
}

impl Turns<'_> {
    /// What the user said last, in whatever wire.
    fn last_question(self) -> Option<String> {
        let turns = match self {
            Turns::Text(text) => {
                return Some(text.into_owned()).filter(|text| text.len() <= LONGEST);
            }
            Turns::Each(turns) => turns,
            Turns::Other => return None,
        };
        turns.into_iter().rev().find_map(|turn| {
            let turn: Turn<'_> = serde_json::from_str(turn.get()).ok()?;
            let is_users = turn.role.is_none_or(|role| role == "user");
            let content = turn.content.or(turn.parts).filter(|_| is_users)?;
            words(content.get()).filter(|text| !text.is_empty() && text.len() <= LONGEST)
        })
    }
}

#[derive(Deserialize)]
struct Turn<'b> {
    #[serde(borrow)]
    role: Option<Cow<'b, str>>,
    #[serde(borrow)]
    content: Option<&'b RawValue>,
    #[serde(borrow)]
    parts: Option<&'b RawValue>,
}

/// The text of a content: one text, or those of its parts.
fn words(content: &str) -> Option<String> {
    if let Ok(text) = serde_json::from_str(content) {
        return Some(text);
    }
    #[derive(Deserialize)]
    struct Part<'b> {
        #[serde(borrow)]
        text: Option<Cow<'b, str>>,
    }
    let parts: Vec<&RawValue> = serde_json::from_str(content).ok()?;
    let texts = parts.into_iter().filter_map(|part| {
        let part: Part<'_> = serde_json::from_str(part.get()).ok()?;
        part.text.map(Cow::into_owned)
    });
    Some(texts.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Option<u64>, u64, Option<String>) {
        let Summary {
            max_tokens,
            choices,
            question,
        } = Summary::of(body.as_bytes(), true);
        (max_tokens, choices, question)
    }

    #[test]
    fn every_wire_says_what_was_asked_and_how_long_an_answer_may_be() {
        let said = |text: &str| Some(text.to_owned());
        for (body, expected) in [
            (
                r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url"},{"type":"text","text":"d"}]},{"role":"tool","content":"e"}],"max_tokens":9,"n":2}"#,
                (Some(9), 2, said("c\nd")),
            ),
            (
                r#"{"input":"hi \u00e9","max_output_tokens":7}"#,
                (Some(7), 1, said("hi é")),
            ),
            (
                r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},{"type":"function_call_output","output":"y"}]}"#,
                (None, 1, said("x")),
            ),
            (
                r#"{"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"maxOutputTokens":5,"candidateCount":3}}"#,
                (Some(5), 3, said("q")),
            ),
            (
                r#"{"prompt":"p","options":{"num_predict":-1}}"#,
                (None, 1, said("p")),
            ),
            (r#"{"messages":3}"#, (None, 1, None)),
            (
                r#"{"input":"\ud800","max_output_tokens":7}"#,
                (Some(7), 1, None),
            ),
        ] {
            assert_eq!(of(body), expected, "{body}");
        }
        assert_eq!(Summary::of(b"nonsense", true), Summary::default());
        assert_eq!(Summary::of(br#"{"prompt":"p"}"#, false).question, None);
    }
}
