//! Where a key comes from, and fetching it from there.
//!
//! A key is fetched when it is needed and kept nowhere but, briefly, for programs that print one.
//! No message holds any part of one.

mod command;

pub use command::SecretCommand;
pub use command::end_key_programs;

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::env::{Env, FoundKey};
use super::keys::KeyStoreError;
use super::vendors;

/// A key's file is read up to here; no vendor's key is longer.
const LONGEST: u64 = 64 * 1024;

/// Where a secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The variables that customarily hold it, as the plugin names them.
    Customary,
    /// There is none, and requests go without it.
    None,
    /// An environment variable.
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
    /// A program that prints it.
    Command(Arc<SecretCommand>),
}

/// Why a secret could not be had. Reads like
/// `model "gpt-4" needs OPENAI_API_KEY: set it or put it in .env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    /// Who needs it, such as `model "gpt-4"`.
    pub who: String,
    /// What is the matter.
    pub cause: SecretCause,
}

/// What is the matter with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretCause {
    /// None of these variables is set; empty when nobody knows which it would be.
    Missing {
        /// Any one of them would do, the first is the best.
        variables: Vec<String>,
        /// The user's own keys were looked at too, where it could be kept.
        keys: bool,
    },
    /// The user's own keys cannot be read.
    Keys(KeyStoreError),
    /// The file cannot be read, or holds nothing.
    File {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The program failed, or printed nothing.
    Command {
        /// The program.
        program: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The plugin is none of the program's own, and nobody said that it may have a key.
    Stranger {
        /// The plugin.
        plugin: String,
        /// The configuration says where requests go.
        has_address: bool,
    },
    /// There is one, and it cannot be sent.
    Unusable {
        /// Where it comes from.
        origin: String,
        /// Why, and what to do.
        reason: String,
    },
}

impl std::error::Error for SecretError {}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = &self.who;
        match &self.cause {
            SecretCause::Missing { variables, keys } => {
                let Some((first, others)) = variables.split_first() else {
                    return write!(f, "{who} needs a key: name its variable with api_key_env");
                };
                write!(f, "{who} needs {first}")?;
                if !others.is_empty() {
                    write!(f, " (or {})", others.join(", "))?;
                }
                match keys {
                    true => {
                        let name = vendors::of_key(first).map_or(&**first, |vendor| vendor.name);
                        write!(
                            f,
                            ": keep it with \"multillm keys set {name}\", or set it or put it in .env"
                        )
                    }
                    false => f.write_str(": set it or put it in .env"),
                }
            }
            SecretCause::Keys(error) => write!(f, "{who}: {error}"),
            SecretCause::File { path, reason } => {
                write!(f, "{who}: the key file {} {reason}", path.display())
            }
            SecretCause::Command { program, reason } => {
                write!(f, "{who}: the key program {program} {reason}")
            }
            SecretCause::Stranger {
                plugin,
                has_address: true,
            } => write!(
                f,
                "{who} needs a key: name its variable with api_key_env, or allow the plugin what \
                 it asks for with \"multillm plugin trust {plugin}\""
            ),
            SecretCause::Stranger {
                plugin,
                has_address: false,
            } => write!(
                f,
                "{who}: the plugin {plugin:?} is none of the program's own, and gets no key for an \
                 address that it names itself: write base_url and api_key_env, or allow it with \
                 \"multillm plugin trust {plugin}\""
            ),
            SecretCause::Unusable { origin, reason } => write!(f, "{who}: {origin} {reason}"),
        }
    }
}

impl SecretSource {
    /// Fetches the secret. `customary` are the variables to look in when the configuration names
    /// no source; nothing found there is `None`, as is a source that says there is none.
    ///
    /// May read a file or run a program, and so may block for as long as that takes.
    ///
    /// # Errors
    ///
    /// A source that the configuration names and that gives nothing usable.
    pub fn resolve(
        &self,
        env: &Env,
        customary: &[String],
    ) -> Result<Option<SecretString>, SecretCause> {
        match self {
            Self::None => Ok(None),
            Self::Customary => of_variable(env, customary, false),
            Self::Env(name) => {
                let variables = vec![name.clone()];
                match of_variable(env, &variables, true)? {
                    Some(secret) => Ok(Some(secret)),
                    None => Err(SecretCause::missing(env, variables)),
                }
            }
            Self::File(path) => {
                let origin = format!("the key file {}", path.display());
                usable(&origin, &read(path)?).map(Some)
            }
            Self::Command(command) => command.run(usable).map(Some),
        }
    }

    /// Forgets what a program printed, after a vendor refused it.
    pub fn forget(&self) {
        if let Self::Command(command) = self {
            command.forget();
        }
    }

    /// Whether fetching this secret again would give the same, as far as can be told without waiting. Variables stay what
    /// they are for as long as a configuration does; a file has to be read to know.
    #[must_use]
    pub fn still_gives(&self, secret: &SecretString) -> bool {
        match self {
            Self::None | Self::Customary | Self::Env(_) => true,
            Self::File(_) => false,
            Self::Command(command) => command.still_prints(secret),
        }
    }

    /// Can fetching it block: a program, or a file on some distant disk.
    #[must_use]
    pub fn blocks(&self) -> bool {
        matches!(self, Self::File(_) | Self::Command(_))
    }
}

impl SecretCause {
    /// None of these variables is set anywhere.
    pub(super) fn missing(env: &Env, variables: Vec<String>) -> Self {
        SecretCause::Missing {
            variables,
            keys: env.keys().is_some(),
        }
    }
}

/// The value of the first of these variables, wherever it stands.
fn of_variable(
    env: &Env,
    names: &[String],
    configured: bool,
) -> Result<Option<SecretString>, SecretCause> {
    let found = env.key(names, configured).map_err(SecretCause::Keys)?;
    let usable = |found: FoundKey| usable(&found.name, found.value.expose_secret());
    found.map(usable).transpose()
}

fn read(path: &Path) -> Result<String, SecretCause> {
    let failed = |reason: String| SecretCause::File {
        path: path.to_owned(),
        reason,
    };
    let file = std::fs::File::open(path).map_err(|error| {
        failed(match error.kind() {
            std::io::ErrorKind::NotFound => {
                "does not exist: create it or correct api_key_file".to_owned()
            }
            _ => format!("cannot be opened: {error}"),
        })
    })?;
    let mut bytes = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            Err(failed("is empty: put the key into it".to_owned()))
        }
        Ok(text) => Ok(text),
        Err(_) => Err(failed("is no text: put only the key into it".to_owned())),
    }
}

/// A value without the white space around it, if a header can carry it.
fn usable(origin: &str, value: &str) -> Result<SecretString, SecretCause> {
    let value = bare(value);
    match fault(value) {
        None => Ok(SecretString::from(value)),
        Some(reason) => Err(SecretCause::Unusable {
            origin: origin.to_owned(),
            reason: reason.to_owned(),
        }),
    }
}

/// A value without what stands around it by accident.
pub(super) fn bare(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Why a bare value cannot be sent. It is not repeated.
pub(super) fn fault(value: &str) -> Option<&'static str> {
    let quote = |c: char| matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
    if value.starts_with(quote) || value.ends_with(quote) {
        return Some("has quotes around it: take them off, they are not part of the key");
    }
    if value.contains(char::is_control) {
        return Some("holds more than one line: put only the key into it");
    }
    if !value.is_ascii() {
        return Some("holds characters that no header can carry: copy the key again");
    }
    let begin = value.get(..7);
    if begin.is_some_and(|begin| begin.eq_ignore_ascii_case("bearer ")) {
        return Some("begins with \"Bearer\": put only the key into it");
    }
    None
}

/// Why a key's file should be closed to others, if it is open to them.
#[cfg(unix)]
pub(super) fn exposure(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        format!(
            "others may read {} (mode {mode:o}): run chmod 600 on it",
            path.display()
        )
    })
}

#[cfg(not(unix))]
pub(super) fn exposure(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &SecretSource, env: &Env, customary: &[&str]) -> String {
        let customary: Vec<String> = customary.iter().map(ToString::to_string).collect();
        match source.resolve(env, &customary) {
            Ok(Some(secret)) => secret.expose_secret().to_owned(),
            Ok(None) => "none".to_owned(),
            Err(cause) => SecretError {
                who: "model \"m\"".to_owned(),
                cause,
            }
            .to_string(),
        }
    }

    #[test]
    fn variables_are_trimmed_and_the_first_customary_one_counts() {
        let env = Env::fixed("", [("A", ""), ("B", " sk-b\n"), ("C", "sk-c")]);
        let customary = SecretSource::Customary;
        assert_eq!(shown(&customary, &env, &["A", "B", "C"]), "sk-b");
        assert_eq!(shown(&customary, &env, &["A"]), "none");
        assert_eq!(shown(&SecretSource::None, &env, &["B"]), "none");
        assert_eq!(
            shown(&SecretSource::Env("C".to_owned()), &env, &["B"]),
            "sk-c"
        );
        assert_eq!(
            shown(&SecretSource::Env("A".to_owned()), &env, &["B"]),
            "model \"m\" needs A: set it or put it in .env"
        );
        let dir = tempfile::tempdir().unwrap();
        let keys = super::super::keys::KeyStore::in_dir(dir.path());
        let env = env.with_keys(keys);
        for (name, told) in [
            (
                "A",
                "needs A: keep it with \"multillm keys set A\", or set it or put it in .env",
            ),
            (
                "GOOGLE_API_KEY",
                "needs GOOGLE_API_KEY: keep it with \"multillm keys set gemini\", or set it or put it in .env",
            ),
        ] {
            let text = shown(&SecretSource::Env(name.to_owned()), &env, &[]);
            assert_eq!(text, format!("model \"m\" {told}"));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_being_shown() {
        let env = Env::fixed(
            "",
            [
                ("LINES", "sk-1\nsk-2"),
                ("UMLAUT", "sk-ü"),
                ("BEARER", "Bearer sk-3"),
                ("DOUBLE", " \"sk-4\"\n"),
                ("SINGLE", "'sk-5'"),
                ("HALF", "sk-6”"),
            ],
        );
        for (name, expected) in [
            (
                "LINES",
                "model \"m\": LINES holds more than one line: put only the key into it",
            ),
            (
                "UMLAUT",
                "model \"m\": UMLAUT holds characters that no header can carry: copy the key again",
            ),
            (
                "DOUBLE",
                "model \"m\": DOUBLE has quotes around it: take them off, they are not part of the key",
            ),
            (
                "SINGLE",
                "model \"m\": SINGLE has quotes around it: take them off, they are not part of the key",
            ),
            (
                "HALF",
                "model \"m\": HALF has quotes around it: take them off, they are not part of the key",
            ),
            (
                "BEARER",
                "model \"m\": BEARER begins with \"Bearer\": put only the key into it",
            ),
        ] {
            let source = SecretSource::Env(name.to_owned());
            assert_eq!(shown(&source, &env, &[]), expected);
        }
    }

    #[test]
    fn files_are_read_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let source = SecretSource::File(path.clone());
        let env = Env::default();
        let missing = shown(&source, &env, &[]);
        assert!(
            missing.ends_with("key does not exist: create it or correct api_key_file"),
            "{missing}"
        );
        std::fs::write(&path, "sk-1\n").unwrap();
        assert_eq!(shown(&source, &env, &[]), "sk-1");
        std::fs::write(&path, "sk-2\r\n").unwrap();
        assert_eq!(shown(&source, &env, &[]), "sk-2");
        std::fs::write(&path, " \n").unwrap();
        assert!(shown(&source, &env, &[]).ends_with("is empty: put the key into it"));
        assert!(shown(&SecretSource::File(dir.path().into()), &env, &[]).contains("cannot be"));
    }

    #[cfg(unix)]
    #[test]
    fn open_files_are_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "sk-1").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        mode(0o640).unwrap();
        assert!(
            exposure(&path)
                .unwrap()
                .ends_with("(mode 640): run chmod 600 on it")
        );
        mode(0o600).unwrap();
        assert_eq!(exposure(&path), None);
    }
}
