//! Which generation a model is of, and how that generation's thinking is controlled.
//!
//! Levels and budgets: <https://ai.google.dev/gemini-api/docs/thinking>.

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{ChatRequest, Effort, Error};

use crate::settings::{Settings, ThinkingControl};
use crate::wire::object;

/// What the adapter must know of a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Generation {
    /// Gemini 1 and 2.0, Gemma up to 3: no thinking controls.
    Legacy,
    /// Gemini 2.5: a budget in tokens.
    Budget,
    /// Gemini 3 and later: levels, signed function calls, pictures in function responses.
    Level,
    /// Not to be told from the name, such as a tuned model's.
    Unknown,
}

/// A model's name without its collection, in lower case.
fn short_name(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.to_ascii_lowercase()
}

/// The first segment of the name that is a version, as `(major, minor)`.
fn version(name: &str) -> Option<(u32, u32)> {
    name.split('-').find_map(|segment| {
        let (major, minor) = segment.split_once('.').unwrap_or((segment, "0"));
        let major = major.parse().ok()?;
        Some((major, minor.parse().unwrap_or(0)))
    })
}

/// The generation of a model, by its name.
pub(crate) fn generation(model: &str) -> Generation {
    let name = short_name(model);
    if let Some(rest) = name.strip_prefix("gemma") {
        return match version(rest.trim_start_matches('-')) {
            Some((4.., _)) => Generation::Level,
            _ => Generation::Legacy,
        };
    }
    let Some(rest) = name.strip_prefix("gemini-") else {
        return match name.starts_with("learnlm") {
            true => Generation::Legacy,
            false => Generation::Unknown,
        };
    };
    match version(rest) {
        _ if rest.starts_with("robotics-er-1") => Generation::Budget,
        // served by a 2.5 model since the experiment ended
        _ if rest.starts_with("2.0-flash-thinking") => Generation::Budget,
        Some((2, 5..)) => Generation::Budget,
        // `gemini-exp-1206` names a day
        Some((3..100, _)) => Generation::Level,
        Some(_) => Generation::Legacy,
        None if rest.ends_with("latest") => Generation::Level,
        None if ["pro", "pro-vision", "ultra"].contains(&rest) => Generation::Legacy,
        None => Generation::Unknown,
    }
}

/// Whether the model refuses a system instruction, so that it goes before the first user text.
pub(crate) fn refuses_system(model: &str) -> bool {
    let name = short_name(model);
    name.starts_with("gemma") && generation(model) == Generation::Legacy
}

/// `generationConfig.thinkingConfig`: what is asked for by the request or else by the
/// settings; nothing if by neither.
pub(crate) fn config(
    model: &str,
    request: &ChatRequest,
    settings: &Settings<'_>,
) -> Result<Option<Json<'static>>, Error> {
    let (mut budget, mut level) = (None, None);
    let mut include_thoughts = settings.include_thoughts;
    if let Some(effort) = request.effort() {
        let control = settings.thinking.unwrap_or(match generation(model) {
            Generation::Legacy => ThinkingControl::None,
            Generation::Budget => ThinkingControl::Budget,
            Generation::Level | Generation::Unknown => ThinkingControl::Level,
        });
        match control {
            ThinkingControl::None if effort == Effort::None => {}
            ThinkingControl::None => {
                return Err(Error::unsupported(format!(
                    "{model} does not think: leave out reasoning effort, or ask Gemini 2.5 or later"
                )));
            }
            ThinkingControl::Budget => budget = Some(budget_of(model, effort)?),
            ThinkingControl::Level => level = Some(level_of(model, effort).into_owned()),
        }
        if effort != Effort::None {
            include_thoughts = include_thoughts.or(Some(true));
        }
    } else if let Some(word) = &settings.thinking_level {
        level = Some(word.to_ascii_uppercase());
    } else {
        budget = settings.thinking_budget;
    }
    let config = object(vec![
        ("thinkingBudget", budget.map(Json::from)),
        ("thinkingLevel", level.map(Json::from)),
        ("includeThoughts", include_thoughts.map(Json::from)),
    ]);
    Ok(Some(config).filter(|config| *config != Json::Object(vec![])))
}

/// Tokens, as the vendor's own OpenAI-compatible endpoint translates efforts;
/// the most is the documented limit of the model.
fn budget_of(model: &str, effort: Effort<'_>) -> Result<i64, Error> {
    Ok(match effort {
        Effort::None => 0,
        Effort::Minimal => 512,
        Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24576,
        Effort::Max if short_name(model).contains("-pro") => 32768,
        Effort::Max => 24576,
        Effort::Other(word) => {
            return Err(Error::unsupported(format!(
                "gemini has no words for the thinking of {model}, so that reasoning effort {word:?} means nothing to it: say none, minimal, low, medium, high or max"
            )));
        }
    })
}

/// The nearest level that the model has. Thinking cannot be switched off, and
/// `MINIMAL` exists only on the Flash models before 3.7 and on Flash-Lite.
fn level_of<'a>(model: &str, effort: Effort<'a>) -> Cow<'a, str> {
    let name = short_name(model);
    let rest = name.strip_prefix("gemini-").unwrap_or(&name);
    let minimal = name.contains("flash")
        && (name.contains("lite") || version(rest).is_some_and(|version| version < (3, 7)));
    Cow::Borrowed(match effort {
        Effort::None | Effort::Minimal if minimal => "MINIMAL",
        Effort::None | Effort::Minimal | Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High | Effort::Max => "HIGH",
        Effort::Other(word) => return Cow::Owned(word.to_ascii_uppercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{request, target};
    use serde_json::{Value, json};

    fn thinking(model: &str, effort: Option<&str>, settings: &str) -> Value {
        let mut request = request(vec![]);
        request.reasoning_effort = effort.map(str::to_owned);
        let target = target(model, settings);
        let settings = Settings::of(&target).unwrap();
        serde_json::to_value(config(model, &request, &settings).unwrap()).unwrap()
    }

    #[test]
    fn generations_are_told_by_name() {
        for (model, expected) in [
            ("gemini-pro", Generation::Legacy),
            ("gemini-1.5-flash-002", Generation::Legacy),
            ("gemini-2.0-flash-lite-001", Generation::Legacy),
            ("gemini-exp-1206", Generation::Legacy),
            ("gemma-3-27b-it", Generation::Legacy),
            ("gemini-2.5-flash", Generation::Budget),
            ("models/gemini-2.5-pro-preview-05-06", Generation::Budget),
            ("gemini-2.0-flash-thinking-exp-01-21", Generation::Budget),
            ("gemini-robotics-er-1.5-preview", Generation::Budget),
            ("gemini-3-pro-preview", Generation::Level),
            ("publishers/google/models/gemini-3.1-pro", Generation::Level),
            ("gemini-flash-latest", Generation::Level),
            ("tunedModels/mine", Generation::Unknown),
        ] {
            assert_eq!(generation(model), expected, "{model}");
        }
        assert!(refuses_system("gemma-3-27b-it"));
        assert!(!refuses_system("gemini-2.0-flash"));
    }

    #[test]
    fn efforts_become_budgets_or_levels() {
        assert_eq!(
            thinking("gemini-2.5-flash", Some("high"), "{}"),
            json!({"thinkingBudget": 24576, "includeThoughts": true})
        );
        assert_eq!(
            thinking(
                "gemini-2.5-pro",
                Some("max"),
                r#"{"include_thoughts":false}"#
            ),
            json!({"thinkingBudget": 32768, "includeThoughts": false})
        );
        assert_eq!(
            thinking("gemini-2.5-flash", Some("none"), "{}"),
            json!({"thinkingBudget": 0})
        );
        assert_eq!(
            thinking("gemini-3-flash-preview", Some("none"), "{}"),
            json!({"thinkingLevel": "MINIMAL"})
        );
        for model in ["gemini-3.1-pro-preview", "gemini-3.8-flash"] {
            assert_eq!(
                thinking(model, Some("minimal"), "{}"),
                json!({"thinkingLevel": "LOW", "includeThoughts": true})
            );
        }
        assert_eq!(
            thinking("gemini-2.0-flash", Some("none"), "{}"),
            Value::Null
        );
    }

    #[test]
    fn a_model_that_cannot_think_refuses_an_effort() {
        let mut request = request(vec![]);
        request.reasoning_effort = Some("low".to_owned());
        let error = config("gemini-2.0-flash", &request, &Settings::default()).unwrap_err();
        assert!(error.message.contains("does not think"), "{error:?}");
    }

    #[test]
    fn settings_hold_where_the_request_says_nothing() {
        assert_eq!(
            thinking("gemini-2.5-flash", None, r#"{"thinking_budget":-1}"#),
            json!({"thinkingBudget": -1})
        );
        assert_eq!(
            thinking(
                "gemini-3.1-pro",
                None,
                r#"{"thinking_level":"xhigh","thinking_budget":5}"#
            ),
            json!({"thinkingLevel": "XHIGH"})
        );
        assert_eq!(
            thinking(
                "tunedModels/a",
                Some("low"),
                r#"{"thinking":"budget","thinking_budget":5}"#
            ),
            json!({"thinkingBudget": 1024, "includeThoughts": true})
        );
        assert_eq!(thinking("gemini-2.5-flash", None, "{}"), Value::Null);
    }
}
