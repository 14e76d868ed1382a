//! The environment as the configuration sees it: variables, `.env`, and the usual directories.
//!
//! Nothing here changes the process environment, and nothing else in the configuration reads it,
//! so that a test can put any environment in its place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::diagnose::{Position, Problem};

/// Where variables and directories come from.
#[derive(Clone, Default)]
pub struct Env {
    process: bool,
    variables: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
    working_dir: PathBuf,
    home: Option<PathBuf>,
    config_dir: Option<PathBuf>,
    warnings: Vec<Problem>,
}

impl Env {
    /// The environment of this process, and the `.env` file of its working directory.
    ///
    /// Variables of the process are read when they are asked for; `.env` is read now, and stands
    /// behind them. Lines of it that cannot be read are kept as [`Env::warnings`].
    #[must_use]
    pub fn process() -> Self {
        let env = Self {
            process: true,
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            config_dir: directories::ProjectDirs::from("", "", "multillm")
                .map(|dirs| dirs.config_dir().to_owned()),
            ..Self::default()
        };
        match std::fs::read_to_string(".env") {
            Ok(text) => env.with_dotenv(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => env,
            Err(error) => env.warn(None, format!("cannot be read: {error}")),
        }
    }

    /// An environment of exactly these variables, seen from `working_dir`.
    pub fn fixed<K: Into<String>, V: Into<String>>(
        working_dir: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            working_dir: working_dir.into(),
            ..Self::default()
        }
    }

    /// The same with the text of a `.env` file behind its variables. The first of two lines for
    /// one variable counts.
    #[must_use]
    pub fn with_dotenv(mut self, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            match item {
                Ok((name, value)) => {
                    self.dotenv.entry(name).or_insert(value);
                }
                // The line itself may hold a key and is not repeated.
                Err(dotenvy::Error::LineParse(line, _)) => {
                    let start = line.lines().next().unwrap_or("").trim_end();
                    let line = text.lines().position(|other| other.trim_end() == start);
                    let message =
                        "not of the form NAME=value: put quotes around a value with spaces";
                    self = self.warn(line, message.to_owned());
                }
                Err(error) => {
                    self = self.warn(None, format!("cannot be read: {error}"));
                    break;
                }
            }
        }
        self
    }

    /// The same with these directories in place of the user's own.
    #[must_use]
    pub fn with_dirs(mut self, home: Option<PathBuf>, config_dir: Option<PathBuf>) -> Self {
        self.home = home;
        self.config_dir = config_dir;
        self
    }

    /// The value of a variable: the environment's, or else that of `.env`. Empty is absent, and a
    /// variable that is set to nothing is not looked up in `.env`.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<String> {
        let value = match self.variables.get(name) {
            Some(value) => Some(value.clone()),
            None if self.process && is_variable_name(name) => {
                std::env::var_os(name).map(|value| value.into_string().unwrap_or_default())
            }
            None => None,
        };
        value
            .or_else(|| self.dotenv.get(name).cloned())
            .filter(|value| !value.trim().is_empty())
    }

    /// The directory that relative paths of the command line are relative to; empty for the
    /// process's own.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Where the user's own configuration stands, such as `~/.config/multillm`.
    #[must_use]
    pub fn config_dir(&self) -> Option<&Path> {
        self.config_dir.as_deref()
    }

    /// What is wrong with `.env`.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// A path of the configuration: `~/` is the home directory, anything relative is relative to `base`.
    pub(super) fn path(&self, base: &Path, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(path),
        }
    }

    fn warn(mut self, line: Option<usize>, message: String) -> Self {
        self.warnings.push(Problem {
            file: Some(".env".to_owned()),
            position: line.map(|line| Position {
                line: line + 1,
                column: 1,
            }),
            path: String::new(),
            message,
        });
        self
    }
}

/// Names only: the values may be keys.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("process", &self.process)
            .field("variables", &self.variables.keys())
            .field("dotenv", &self.dotenv.keys())
            .field("working_dir", &self.working_dir)
            .finish_non_exhaustive()
    }
}

/// Letters, digits and `_`, no digit first: what every shell can set.
pub(super) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_dotenv_even_when_empty() {
        let env = Env::fixed("", [("A", "real"), ("EMPTY", "")])
            .with_dotenv("A=file\nB=\"two words\"\r\nexport C=3\nEMPTY=file\nB=again\n# note\n");
        assert_eq!(env.var("A").as_deref(), Some("real"));
        assert_eq!(env.var("B").as_deref(), Some("two words"));
        assert_eq!(env.var("C").as_deref(), Some("3"));
        assert_eq!(env.var("EMPTY"), None);
        assert_eq!(env.var("D"), None);
        assert!(env.warnings().is_empty());
    }

    #[test]
    fn a_bad_line_is_named_without_its_text() {
        let env = Env::fixed("", [("A", "1")]).with_dotenv("B=2\nsk-secret here\nC=3\n");
        let warnings: Vec<String> = env.warnings().iter().map(Problem::to_string).collect();
        assert_eq!(
            warnings,
            [".env:2:1: not of the form NAME=value: put quotes around a value with spaces"]
        );
        assert_eq!(env.var("C").as_deref(), Some("3"));
    }

    #[test]
    fn debug_shows_no_value() {
        let env = Env::fixed("", [("KEY", "sk-1")]).with_dotenv("OTHER=sk-2");
        let shown = format!("{env:?}");
        assert!(shown.contains("KEY") && shown.contains("OTHER"));
        assert!(!shown.contains("sk-"), "{shown}");
    }

    #[test]
    fn the_process_is_read_when_asked() {
        let env = Env::process();
        assert_eq!(env.var("PATH"), std::env::var("PATH").ok());
        assert_eq!(env.var("no such=name"), None);
    }

    #[test]
    fn paths_know_home_and_base() {
        let env = Env::fixed("", [("A", "1")]).with_dirs(Some("/home/u".into()), None);
        let base = Path::new("/etc/m");
        assert_eq!(env.path(base, "~/k"), Path::new("/home/u/k"));
        assert_eq!(env.path(base, "k"), Path::new("/etc/m/k"));
        assert_eq!(env.path(base, "/k"), Path::new("/k"));
    }
}
