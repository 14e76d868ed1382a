//! Finding the configuration file and reading its bytes.

use std::path::{Path, PathBuf};

use super::diagnose::ConfigError;
use super::env::Env;

/// The variable that names the file.
pub(super) const VARIABLE: &str = "MULTILLM_CONFIG";

/// Beyond this it is no configuration.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The file to read: the one that is named, by the caller or by `MULTILLM_CONFIG`, or else the
/// first that is there of `configs/multi_llm_config.json`, `multi_llm_config.json` and
/// `config.json` in the user's configuration directory.
///
/// # Errors
///
/// None is named and none is there; the message lists where it was looked for.
pub(super) fn find(named: Option<&Path>, env: &Env) -> Result<PathBuf, ConfigError> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    if let Some(path) = env.var(VARIABLE) {
        return Ok(env.path(Path::new(""), path.trim()));
    }
    let here = env.working_dir();
    let mut looked = vec![
        here.join("configs/multi_llm_config.json"),
        here.join("multi_llm_config.json"),
    ];
    looked.extend(env.config_dir().map(|dir| dir.join("config.json")));
    match looked.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(ConfigError::NotFound { looked }),
    }
}

/// The text of a file.
///
/// # Errors
///
/// It is not there, no file, too large, or not UTF-8.
pub(super) fn read(path: &Path, env: &Env) -> Result<String, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let file = env.working_dir().join(path);
    let metadata = std::fs::metadata(&file).map_err(|error| {
        unreadable(match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("no such file: correct the path given with --config or {VARIABLE}")
            }
            _ => error.to_string(),
        })
    })?;
    if metadata.is_dir() {
        return Err(unreadable("it is a directory: name a file".to_owned()));
    }
    if metadata.len() > LARGEST {
        return Err(unreadable("it is far too large to be one".to_owned()));
    }
    let bytes = std::fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return unreadable("it is UTF-16: save it as UTF-8".to_owned());
        }
        let good = error.utf8_error().valid_up_to();
        let line = bytes.iter().take(good).filter(|b| **b == b'\n').count() + 1;
        unreadable(format!("line {line} is not UTF-8: save it as UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(dir: &Path, variables: &[(&str, &str)]) -> Env {
        Env::fixed(dir, variables.iter().copied())
            .with_dirs(None, Some(dir.join("home/.config/multillm")))
    }

    #[test]
    fn the_first_that_is_there_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let error = find(None, &env(root, &[])).unwrap_err().to_string();
        let root_text = root.display().to_string();
        assert_eq!(
            error.replace(&root_text, "."),
            "no configuration found: looked for\n  ./configs/multi_llm_config.json\n  \
             ./multi_llm_config.json\n  ./home/.config/multillm/config.json\n\
             write one there, or name one with --config or MULTILLM_CONFIG"
        );
        let found = |path: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "{}").unwrap();
            assert_eq!(find(None, &env(root, &[])).unwrap(), path);
        };
        found("home/.config/multillm/config.json");
        found("multi_llm_config.json");
        found("configs/multi_llm_config.json");
        let named = env(root, &[("MULTILLM_CONFIG", "other.json")]);
        assert_eq!(find(None, &named).unwrap(), Path::new("other.json"));
        assert_eq!(
            find(Some(Path::new("given.json")), &named).unwrap(),
            Path::new("given.json")
        );
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let env = env(dir.path(), &[]);
        let reason = |name: &str, bytes: &[u8]| {
            if !bytes.is_empty() {
                std::fs::write(dir.path().join(name), bytes).unwrap();
            }
            read(Path::new(name), &env).unwrap_err().to_string()
        };
        assert_eq!(
            reason("absent.json", b""),
            "cannot read the configuration absent.json: no such file: correct the path given \
             with --config or MULTILLM_CONFIG"
        );
        assert!(reason("", b"").ends_with("it is a directory: name a file"));
        assert!(reason("a.json", b"\xff\xfe{\0").ends_with("it is UTF-16: save it as UTF-8"));
        assert!(reason("b.json", b"{\n\xe4}").ends_with("line 2 is not UTF-8: save it as UTF-8"));
    }
}
