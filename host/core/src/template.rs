//! Prompts kept in files, with `{{variables}}`.
//!
//! ```
//! use multillm::template::Template;
//!
//! # fn main() -> Result<(), multillm::template::TemplateError> {
//! let template = Template::parse(
//!     "translation",
//!     r#"{ "prompt": "Translate into {{language}}:\n\n{{input}}", "defaults": { "language": "English" } }"#,
//! )?;
//! let values = [("input".to_owned(), "Guten Tag".to_owned())].into();
//! assert_eq!(template.render(&values)?.prompt, "Translate into English:\n\nGuten Tag");
//! # Ok(())
//! # }
//! ```
//!
//! A value is put in as it is: `{{…}}` in a value means nothing. `{{input}}` is by custom what the
//! user brings: the prompt of the command line and standard input. A template's own `{{name}}` that
//! is no variable is written `{{{{name}}}}`, or with a backslash before it. Files may have comments.

mod built_in;
mod comments;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::chat::{ChatMessage, ChatRequest, JsonObject, ReasoningEffort, Sampling};
use crate::config::advice;

/// Beyond this it is no prompt that anybody wrote.
const LARGEST: u64 = 16 << 20;

/// What the user brings, by custom.
pub const INPUT: &str = "input";

/// A prompt with variables, and how it is best asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Template {
    /// The file's name without `.json`.
    #[serde(skip_deserializing, default)]
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Instructions for the model. In a file, a text or a list of its lines.
    #[serde(default, deserialize_with = "optional_lines")]
    pub system: Option<String>,
    /// The question; likewise.
    #[serde(deserialize_with = "lines")]
    pub prompt: String,
    /// Values of variables that need not be given.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// The model or route to ask unless another is named.
    #[serde(default)]
    pub model: Option<String>,
    /// How to ask unless the caller says otherwise.
    #[serde(default)]
    pub parameters: Parameters,
}

/// How a template is best asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "as in the configuration's models and in Sampling"
)]
pub struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Merged into the vendor's body last.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    pub extra: JsonObject,
}

/// Why a template cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is none of this name.
    #[error("no template {name:?} in {}: {advice}", directory.display())]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
        /// What to do.
        advice: String,
    },
    /// The file cannot be read.
    #[error("template {name:?}: {}: {reason}", path.display())]
    Unreadable {
        /// The template.
        name: String,
        /// Its file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not as it should be.
    #[error("template {name:?}: {reason}")]
    Invalid {
        /// The template.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Variables have no value.
    #[error(
        "template {template:?} needs {}: give each with -p NAME=VALUE",
        list(variables)
    )]
    Missing {
        /// The template.
        template: String,
        /// The variables, in the order in which they appear.
        variables: Vec<String>,
    },
    /// Values were given for what is no variable.
    #[error(
        "template {template:?} has no variable {}: it has {}",
        list(variables),
        known(has)
    )]
    Unused {
        /// The template.
        template: String,
        /// The names.
        variables: Vec<String>,
        /// The variables that there are.
        has: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

fn known(names: &[String]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => list(names),
    }
}

impl From<TemplateError> for crate::error::Error {
    fn from(error: TemplateError) -> Self {
        crate::error::Error::configuration(error.to_string())
    }
}

/// A template with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Instructions for the model.
    pub system: Option<String>,
    /// The question.
    pub prompt: String,
}

impl Rendered {
    /// As the messages of a new conversation.
    #[must_use]
    pub fn messages(&self) -> Vec<ChatMessage> {
        let system = self.system.iter().map(ChatMessage::system);
        system.chain([ChatMessage::user(&self.prompt)]).collect()
    }
}

impl Template {
    /// Reads the text of a template file.
    ///
    /// # Errors
    ///
    /// It is no JSON object with a `prompt`, or has keys that mean nothing.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        let invalid = |reason: String| TemplateError::Invalid {
            name: name.to_owned(),
            reason,
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = comments::blanked(text);
        let reader = &mut serde_json::Deserializer::from_str(&text);
        let mut template: Template = serde_path_to_error::deserialize(&mut *reader)
            .map_err(|error| invalid(format!("{}: {}", error.path(), error.inner())))?;
        reader.end().map_err(|error| invalid(error.to_string()))?;
        template.name = name.to_owned();
        if template.prompt.trim().is_empty() {
            return Err(invalid("its prompt is empty".to_owned()));
        }
        let variables = template.variables();
        if let Some(stray) = template
            .defaults
            .keys()
            .find(|name| !variables.contains(*name))
        {
            return Err(invalid(format!(
                "defaults.{stray}: no such variable: it has {}",
                known(&variables)
            )));
        }
        Ok(template)
    }

    /// The template of this name in a directory, or else the one that comes with the program.
    ///
    /// # Errors
    ///
    /// There is none, or it is not as it should be.
    pub fn load(directory: &Path, name: &str) -> Result<Self, TemplateError> {
        let unknown = || {
            let names = Template::names(directory);
            let names = names.iter().map(String::as_str);
            TemplateError::Unknown {
                name: name.to_owned(),
                directory: directory.to_owned(),
                advice: advice(name, names, "see \"multillm template list\""),
            }
        };
        let Ok(path) = Self::path(directory, name) else {
            return Err(unknown());
        };
        match read(&path) {
            Ok(text) => Self::parse(name, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = built_in::text(name).ok_or_else(unknown)?;
                Self::parse(name, text)
            }
            Err(error) => Err(TemplateError::Unreadable {
                name: name.to_owned(),
                path,
                reason: error.to_string(),
            }),
        }
    }

    /// Where the template of this name stands, or would stand.
    ///
    /// # Errors
    ///
    /// It is no name for a template.
    pub fn path(directory: &Path, name: &str) -> Result<PathBuf, TemplateError> {
        let plain = !name.is_empty()
            && name.trim() == name
            && !name.contains(['/', '\\', ':'])
            && !name.contains(char::is_control)
            && !name.starts_with('.');
        match plain {
            true => Ok(directory.join(format!("{name}.json"))),
            false => Err(TemplateError::Invalid {
                name: name.to_owned(),
                reason:
                    "is no name for a template: write one without a slash, colon or leading dot"
                        .to_owned(),
            }),
        }
    }

    /// The names of the templates in a directory and of those that come with the program, sorted.
    #[must_use]
    pub fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let names: BTreeSet<String> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let name = name.strip_suffix(".json")?;
                (!name.is_empty() && !name.starts_with('.')).then(|| name.to_owned())
            })
            .collect();
        let built_in = built_in::names().map(str::to_owned);
        names
            .into_iter()
            .chain(built_in)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Whether the template of this name comes with the program, and no file of the directory goes
    /// before it.
    #[must_use]
    pub fn is_built_in(directory: &Path, name: &str) -> bool {
        built_in::text(name).is_some() && !directory.join(format!("{name}.json")).exists()
    }

    /// The variables, in the order in which they appear.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let texts = self.system.iter().chain([&self.prompt]);
        let mut names: Vec<String> = vec![];
        for name in texts.flat_map(|text| text::variables(text)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The variables that must be given.
    #[must_use]
    pub fn required(&self) -> Vec<String> {
        let mut names = self.variables();
        names.retain(|name| !self.defaults.contains_key(name));
        names
    }

    /// Fills in the variables.
    ///
    /// # Errors
    ///
    /// Variables without a value and without a default, all of them; values without a variable.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<Rendered, TemplateError> {
        let variables = self.variables();
        let unused: Vec<_> = values
            .keys()
            .filter(|name| !variables.contains(name))
            .cloned()
            .collect();
        if !unused.is_empty() {
            return Err(TemplateError::Unused {
                template: self.name.clone(),
                variables: unused,
                has: variables,
            });
        }
        let mut missing = self.required();
        missing.retain(|name| !values.contains_key(name));
        if !missing.is_empty() {
            return Err(TemplateError::Missing {
                template: self.name.clone(),
                variables: missing,
            });
        }
        let value = |name: &str| values.get(name).or_else(|| self.defaults.get(name));
        let fill = |text: &str| text::fill(text, |name| value(name).map(String::as_str));
        Ok(Rendered {
            system: self.system.as_deref().map(fill),
            prompt: fill(&self.prompt),
        })
    }

    /// Puts the template's parameters into a request where it has none of its own.
    pub fn complete(&self, request: &mut ChatRequest) {
        let own = &self.parameters;
        let defaults = Sampling {
            max_tokens: own.max_tokens,
            temperature: own.temperature,
            top_p: own.top_p,
            top_k: own.top_k,
            stop: own.stop.clone(),
            seed: own.seed,
            frequency_penalty: own.frequency_penalty,
            presence_penalty: own.presence_penalty,
        };
        request.sampling = request.sampling.or(&defaults);
        request.reasoning_effort = request.reasoning_effort.or(own.reasoning_effort);
        request.extra.complete(&own.extra);
    }
}

/// The text of a file, and of nothing that never ends.
fn read(path: &Path) -> std::io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("is no file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(LARGEST)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of lines")]
enum Lines {
    Text(String),
    List(Vec<String>),
}

impl From<Lines> for String {
    fn from(lines: Lines) -> Self {
        match lines {
            Lines::Text(text) => text,
            Lines::List(lines) => lines.join("\n"),
        }
    }
}

fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Lines::deserialize(deserializer).map(Into::into)
}

fn optional_lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Lines>::deserialize(deserializer)?.map(Into::into))
}

#[cfg(test)]
mod tests;
