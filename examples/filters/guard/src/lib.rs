//! Refuses what rules forbid: a question that holds certain words or is too long is not sent, an answer that holds
//! certain words ends before they are shown.

mod watch;

use multillm_plugin_sdk::ChatRequest;
use multillm_plugin_sdk::filter::{Filter, Info, Prepared, Stop, export_filter, texts};
use serde::Deserialize;

use watch::Watched;

/// The filter.
pub struct Guard;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    rules: Vec<Rule>,
    max_characters: Option<usize>,
}

/// What is forbidden.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// What a caller is told.
    name: String,
    /// Texts of which none may stand there, in small or capital letters.
    contains: Vec<String>,
    /// For a person.
    reason: Option<String>,
    /// Where it holds.
    #[serde(default)]
    applies_to: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Question,
    Answer,
}

impl Rule {
    fn holds_for(&self, place: Place) -> bool {
        match self.applies_to.as_slice() {
            [] => place == Place::Question,
            places => places.contains(&place),
        }
    }

    /// Never with the words themselves: a question may be shown to others than who wrote the rule.
    fn reason(&self) -> String {
        let reason = self.reason.clone();
        reason.unwrap_or_else(|| format!("the rule {:?} forbids it", self.name))
    }

    fn check(&self) -> Result<(), Stop> {
        let wrong = |what: &str| Err(Stop::misconfigured(format!("rule {:?}: {what}", self.name)));
        if self.name.is_empty() {
            return wrong("it has no name");
        }
        if self.contains.is_empty() || self.contains.iter().any(|text| text.trim().is_empty()) {
            return wrong("it forbids nothing, or a text that is empty");
        }
        Ok(())
    }
}

/// As texts are compared: letters of either case are one.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_lowercase).collect()
}

impl Filter for Guard {
    type Answer = Watched;

    fn describe() -> Info {
        Info::new("guard", "Rules", env!("CARGO_PKG_VERSION"), "docs/filters.md")
            .setting(
                "rules",
                "what is forbidden: name, texts that may not be contained, a reason for people, and whether it applies \
                 to the question (the default), the answer or both",
                r#"{"type":"array","items":{"type":"object","required":["name","contains"],"properties":{"name":{"type":"string"},"contains":{"type":"array","items":{"type":"string"}},"reason":{"type":"string"},"applies_to":{"type":"array","items":{"enum":["question","answer"]}}}}}"#,
            )
            .setting(
                "max_characters",
                "the most characters that a question may have, all messages together; default: no limit",
                r#"{"type":"integer","minimum":1}"#,
            )
    }

    fn prepare(settings: &str, mut request: ChatRequest) -> Result<Prepared<Watched>, Stop> {
        let settings: Settings = serde_json::from_str(settings)
            .map_err(|error| Stop::misconfigured(format!("settings: {error}")))?;
        settings.rules.iter().try_for_each(Rule::check)?;
        let mut asked = vec![];
        texts::each(&mut request, |text| asked.push(std::mem::take(text)));
        if let Some(most) = settings.max_characters {
            let characters: usize = asked.iter().map(|text| text.chars().count()).sum();
            if characters > most {
                let reason = format!("it has {characters} characters, at most {most} are allowed");
                return Err(Stop::refused("max_characters", reason));
            }
        }
        let asked: Vec<String> = asked.iter().map(|text| folded(text)).collect();
        let of_questions = settings.rules.iter();
        for rule in of_questions.filter(|rule| rule.holds_for(Place::Question)) {
            let forbidden: Vec<String> = rule.contains.iter().map(|text| folded(text)).collect();
            let holds = |text: &String| forbidden.iter().any(|word| text.contains(word));
            if asked.iter().any(holds) {
                return Err(Stop::refused(&rule.name, rule.reason()));
            }
        }
        let of_answers = settings.rules.into_iter();
        let of_answers: Vec<Rule> = of_answers
            .filter(|rule| rule.holds_for(Place::Answer))
            .collect();
        Ok(match of_answers.is_empty() {
            true => Prepared::unchanged(),
            false => Prepared::unchanged().reading(Watched::new(&of_answers)),
        })
    }
}

export_filter!(Guard);

#[cfg(test)]
mod tests;
