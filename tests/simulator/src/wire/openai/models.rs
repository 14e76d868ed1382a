//! OpenAI's models, as far as requests are judged by them.
//! <https://platform.openai.com/docs/models>

use serde_json::{Value, json};

use crate::wire::CREATED;

/// What a model takes. Also used for models of other vendors of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Reasons before it answers, and refuses what such models refuse.
    pub(crate) reasoning: bool,
    pub(crate) vision: bool,
    /// `response_format` with a schema.
    pub(crate) schemas: bool,
    /// Most tokens of one answer.
    pub(crate) max_output: u64,
    /// Most tokens of prompt and answer.
    pub(crate) context: u64,
    /// Values of `reasoning_effort`.
    pub(crate) efforts: &'static [&'static str],
}

/// A model as one request names it.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// The name in the answer.
    pub(crate) answers_as: String,
    pub(crate) traits: Traits,
}

const CHAT: Traits = Traits {
    reasoning: false,
    vision: true,
    schemas: true,
    max_output: 32_768,
    context: 1_000_000,
    efforts: &[],
};
const OMNI: Traits = Traits {
    max_output: 16_384,
    context: 128_000,
    ..CHAT
};
const OLD: Traits = Traits {
    vision: false,
    schemas: false,
    max_output: 8_192,
    context: 8_192,
    ..CHAT
};
const REASONS: Traits = Traits {
    reasoning: true,
    vision: true,
    schemas: true,
    max_output: 128_000,
    context: 400_000,
    efforts: &["low", "medium", "high"],
};
const GPT_5: Traits = Traits {
    efforts: &["minimal", "low", "medium", "high"],
    ..REASONS
};
const GPT_5_1: Traits = Traits {
    efforts: &["none", "low", "medium", "high"],
    ..REASONS
};
const GPT_5_2: Traits = Traits {
    efforts: &["none", "low", "medium", "high", "xhigh"],
    ..REASONS
};

const GPT_6: Traits = Traits {
    efforts: &["none", "low", "medium", "high", "xhigh", "max"],
    ..REASONS
};

/// For models that a test added.
pub(crate) const ANY: Traits = OMNI;

/// Name, the suffix that its answers add, and what it takes.
const MODELS: [(&str, &str, Traits); 29] = [
    (
        "gpt-3.5-turbo",
        "-0125",
        Traits {
            max_output: 4_096,
            context: 16_385,
            ..OLD
        },
    ),
    ("gpt-4", "-0613", OLD),
    (
        "gpt-4-turbo",
        "-2024-04-09",
        Traits {
            vision: true,
            max_output: 4_096,
            context: 128_000,
            ..OLD
        },
    ),
    ("gpt-4.1", "-2025-04-14", CHAT),
    ("gpt-4.1-mini", "-2025-04-14", CHAT),
    ("gpt-4.1-nano", "-2025-04-14", CHAT),
    ("gpt-4o", "-2024-08-06", OMNI),
    ("gpt-4o-mini", "-2024-07-18", OMNI),
    ("gpt-5", "-2025-08-07", GPT_5),
    ("gpt-5-chat-latest", "", OMNI),
    ("gpt-5-mini", "-2025-08-07", GPT_5),
    ("gpt-5-nano", "-2025-08-07", GPT_5),
    ("gpt-5.1", "-2025-11-13", GPT_5_1),
    ("gpt-5.1-chat-latest", "", OMNI),
    ("gpt-5.2", "-2025-12-11", GPT_5_2),
    ("gpt-5.4", "", GPT_5_2),
    ("gpt-5.4-mini", "", GPT_5_2),
    ("gpt-5.5", "", GPT_5_2),
    ("gpt-6-luna", "", GPT_6),
    ("gpt-6.1-sol", "", GPT_6),
    ("gpt-6.1-terra", "", GPT_6),
    ("o1", "-2024-12-17", REASONS),
    ("o3", "-2025-04-16", REASONS),
    (
        "o3-mini",
        "-2025-01-31",
        Traits {
            vision: false,
            ..REASONS
        },
    ),
    ("o3-pro", "-2025-06-10", REASONS),
    ("o4-mini", "-2025-04-16", REASONS),
    ("text-embedding-3-large", "", OLD),
    ("text-embedding-3-small", "", OLD),
    ("text-embedding-ada-002", "", OLD),
];

/// Finds a model by its name, with or without a date or snapshot behind it.
pub(crate) fn find(name: &str, added: &[String]) -> Option<Model> {
    if added.iter().any(|model| model == name) {
        return Some(Model {
            answers_as: name.to_owned(),
            traits: ANY,
        });
    }
    MODELS
        .iter()
        .filter(|(base, ..)| !base.starts_with("text-"))
        .find_map(|(base, suffix, traits)| {
            let rest = name.strip_prefix(base)?;
            let answers_as = if rest.is_empty() {
                format!("{base}{suffix}")
            } else {
                name.to_owned()
            };
            is_snapshot(rest).then_some(Model {
                answers_as,
                traits: *traits,
            })
        })
}

/// Whether this is an embedding model.
pub(crate) fn embeds(name: &str) -> bool {
    name.starts_with("text-embedding-") && MODELS.iter().any(|(base, ..)| *base == name)
}

/// Empty, `-2025-04-14` or `-0613`.
fn is_snapshot(rest: &str) -> bool {
    rest.is_empty()
        || rest.strip_prefix('-').is_some_and(|date| {
            [4, 10].contains(&date.len())
                && date
                    .chars()
                    .all(|char| char.is_ascii_digit() || char == '-')
        })
}

/// The listing, without paging.
pub(crate) fn listing(added: &[String]) -> Value {
    let names = MODELS
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .chain(added.iter().cloned());
    let data: Vec<Value> = names.map(|name| entry(&name)).collect();
    json!({"object": "list", "data": data})
}

/// One model of the listing.
pub(crate) fn entry(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": "openai"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_dates_are_found() {
        assert_eq!(find("gpt-4", &[]).unwrap().answers_as, "gpt-4-0613");
        assert_eq!(
            find("gpt-4o-2024-11-20", &[]).unwrap().answers_as,
            "gpt-4o-2024-11-20"
        );
        assert!(find("o4-mini", &[]).unwrap().traits.reasoning);
        assert!(!find("gpt-5-chat-latest", &[]).unwrap().traits.reasoning);
        assert!(find("gpt-4-typo", &[]).is_none() && find("text-embedding-3-small", &[]).is_none());
        assert!(find("mine", &["mine".to_owned()]).is_some());
    }
}
