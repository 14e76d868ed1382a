//! What is wrong with a configuration: one [`Problem`] for each fault, with its place and its fix.
//!
//! Knows how problems read, not how they are found.

use std::fmt;
use std::path::PathBuf;

use super::provenance::Untrusted;

/// One fault of a configuration, or one warning about it.
///
/// Reads like `configs/x.json:12:17: models.gpt-4.provider: no provider "opnai": did you mean "openai"?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the caller named it; absent for a configuration that came from a program.
    pub file: Option<String>,
    /// Where in that file or text; absent where no one place is at fault.
    pub position: Option<Position>,
    /// The JSON path, such as `models.gpt-4.provider`; empty for the document as a whole.
    pub path: String,
    /// What is wrong and how to put it right.
    pub message: String,
}

/// A place in a text, as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(Position { line, column }) = self.position {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No file was named and none stands where one is looked for.
    #[error("{}", not_found(looked))]
    NotFound {
        /// Where it was looked for, in order.
        looked: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What stood in the way, and what to do.
        reason: String,
    },
    /// A file of variables was named and cannot be read.
    #[error("cannot read the variables in {}: {reason}", path.display())]
    EnvFile {
        /// The file.
        path: PathBuf,
        /// What stood in the way, and what to do.
        reason: String,
    },
    /// The file was found, and asks for what the user has not allowed.
    #[error("{}", .0.text())]
    Untrusted(Untrusted),
    /// The file was read and is wrong: every fault of it, in the order of the file.
    #[error("{}", lines(problems))]
    Invalid {
        /// At least one.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// The faults of the file; empty when there was no file to find faults with.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid { problems } => problems,
            _ => &[],
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    // Names and values of the file are in them: a problem stays on one line, whatever they hold.
    let line = |problem: &Problem| problem.to_string().replace(['\n', '\r'], " ");
    let lines: Vec<String> = problems.iter().map(line).collect();
    lines.join("\n")
}

fn not_found(looked: &[PathBuf]) -> String {
    let mut text = String::from("no configuration found: looked for");
    for path in looked {
        text.push_str("\n  ");
        text.push_str(&path.display().to_string());
    }
    text.push_str(
        "\nwrite one with \"multillm config init\", or name one with --config or MULTILLM_CONFIG",
    );
    text
}

/// The candidate that was most likely meant, if any is near enough.
///
/// Case, `-`, `_` and spaces do not count, so that `apiKeyEnv` finds `api_key_env`; one in three
/// characters may be wrong; the beginning of a longer name finds it too.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word);
    if word.is_empty() {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = folded(candidate);
            let distance = strsim::osa_distance(&word, &other);
            let begins = word.chars().count() >= 3 && other.starts_with(&word);
            (distance <= allowed || begins).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A name without what people write differently: case, `-`, `_` and spaces.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `did you mean "x"?`, or else `otherwise`, or else, where that is empty, the candidates.
pub fn advice<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> String {
    match nearest(word, candidates.clone()) {
        Some(candidate) => format!("did you mean {}?", quoted(candidate)),
        None if otherwise.is_empty() => format!("it can be {}", listed(candidates)),
        None => otherwise.to_owned(),
    }
}

/// Names in quotes, separated by commas.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    names.join(", ")
}

/// A name in double quotes, escaped as JSON does and cut where it would flood the message.
pub(super) fn quoted(name: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = name.chars().take(SHOWN).collect();
    if name.chars().count() > SHOWN {
        shown.push('…');
    }
    serde_json::Value::String(shown).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_file_place_and_fix() {
        let problem = Problem {
            file: Some("configs/x.json".to_owned()),
            position: Some(Position {
                line: 12,
                column: 17,
            }),
            path: "models.gpt-4.provider".to_owned(),
            message: "no provider \"opnai\": did you mean \"openai\"?".to_owned(),
        };
        assert_eq!(
            problem.to_string(),
            "configs/x.json:12:17: models.gpt-4.provider: no provider \"opnai\": did you mean \"openai\"?"
        );
        let bare = Problem {
            file: None,
            position: None,
            path: String::new(),
            ..problem
        };
        assert_eq!(
            bare.to_string(),
            "no provider \"opnai\": did you mean \"openai\"?"
        );
    }

    #[test]
    fn the_nearest_name_is_found() {
        let keys = [
            "api_key_env",
            "base_url",
            "model_name",
            "temperature",
            "top_p",
        ];
        assert_eq!(nearest("apiKeyEnv", keys), Some("api_key_env"));
        assert_eq!(nearest("temprature", keys), Some("temperature"));
        assert_eq!(nearest("model", keys), Some("model_name"));
        assert_eq!(nearest("topp", keys), Some("top_p"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(quoted(&"x".repeat(500)).chars().count(), 63);
        assert_eq!(quoted("a\n"), "\"a\\n\"");
    }
}
