//! The model that the user chose once and for all: one line in a file of their own, beside their
//! configuration.

use std::io;
use std::path::PathBuf;

use super::env::Env;
use super::names::is_model_name;
use crate::bounded;
use crate::files::{self, Existing, Readers};

/// The file's name in the user's configuration directory.
const FILE: &str = "model";
/// No model has a longer name.
const LONGEST: u64 = 4096;

/// Where the chosen model is kept; nothing where the user has no configuration directory.
#[must_use]
pub fn chosen_model_file(env: &Env) -> Option<PathBuf> {
    env.config_dir().map(|dir| dir.join(FILE))
}

/// The model that was chosen, if one was.
///
/// # Errors
///
/// The file is there and cannot be read, or holds no name.
pub fn chosen_model(env: &Env) -> io::Result<Option<String>> {
    let Some(path) = chosen_model_file(env) else {
        return Ok(None);
    };
    match bounded::text(&path, LONGEST) {
        Ok(text) if is_model_name(text.trim()) => Ok(Some(text.trim().to_owned())),
        Ok(_) => Err(io::Error::other("it holds no name of a model")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Chooses a model, or none any more.
///
/// # Errors
///
/// The file cannot be written or removed, or the name is none.
pub fn choose_model(env: &Env, model: Option<&str>) -> io::Result<()> {
    let nowhere = || io::Error::other("this user has no configuration directory (HOME is not set)");
    let path = chosen_model_file(env).ok_or_else(nowhere)?;
    let Some(model) = model else {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    if !is_model_name(model) {
        return Err(io::Error::other("that is no name of a model"));
    }
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let line = format!("{model}\n");
    files::write(&path, line.as_bytes(), Existing::Replace, Readers::Usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_kept_until_it_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("home/.config/multillm");
        let env = Env::fixed(dir.path(), [("A", "")]).with_dirs(None, Some(own.clone()));
        assert_eq!(chosen_model(&env).unwrap(), None);
        choose_model(&env, None).unwrap();
        choose_model(&env, Some("openai/gpt-5-mini")).unwrap();
        assert_eq!(
            chosen_model(&env).unwrap().as_deref(),
            Some("openai/gpt-5-mini")
        );
        assert!(choose_model(&env, Some(" x")).is_err());
        std::fs::write(own.join("model"), "\n").unwrap();
        assert!(chosen_model(&env).is_err());
        choose_model(&env, None).unwrap();
        assert_eq!(chosen_model(&env).unwrap(), None);
        let nobody = Env::fixed("", [("A", "")]);
        assert_eq!(chosen_model(&nobody).unwrap(), None);
        assert!(choose_model(&nobody, Some("a")).is_err());
    }
}
