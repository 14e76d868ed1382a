//! Finding the configuration file and reading its bytes.

use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::diagnose::ConfigError;
use super::env::Env;
use super::provenance::{ConfigFile, Provenance};

/// The variable that names the file.
pub(super) const VARIABLE: &str = "MULTILLM_CONFIG";

/// Beyond this it is no configuration.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The file to read: the one that is named, by the caller or by `MULTILLM_CONFIG`, or else the
/// first that is there of `configs/multi_llm_config.json`, `multi_llm_config.json` and
/// `config.json` in the user's configuration directory. No `.env` can name it.
///
/// # Errors
///
/// None is named and none is there; the message lists where it was looked for.
pub(super) fn find(named: Option<&Path>, env: &Env) -> Result<ConfigFile, ConfigError> {
    let named_by_variable = || {
        let path = env.own_var(VARIABLE)?;
        Some(env.path(Path::new(""), path.trim()))
    };
    if let Some(path) = named.map(Path::to_owned).or_else(named_by_variable) {
        return Ok(ConfigFile {
            path,
            provenance: Provenance::Named,
        });
    }
    let here = env.working_dir();
    let mut looked = vec![
        (
            here.join("configs/multi_llm_config.json"),
            Provenance::Found,
        ),
        (here.join("multi_llm_config.json"), Provenance::Found),
    ];
    let own = env.config_dir().map(|dir| dir.join("config.json"));
    looked.extend(own.map(|path| (path, Provenance::Own)));
    match looked.iter().find(|(path, _)| path.is_file()) {
        Some((path, provenance)) => Ok(ConfigFile {
            path: path.clone(),
            provenance: *provenance,
        }),
        None => Err(ConfigError::NotFound {
            looked: looked.into_iter().map(|(path, _)| path).collect(),
        }),
    }
}

/// What stands in a file.
pub(super) struct Content {
    pub(super) text: String,
    /// SHA-256 of the bytes, in hexadecimal.
    pub(super) sha256: String,
}

/// Reads a file, once: what is allowed is what is used.
///
/// # Errors
///
/// It is not there, no file, too large, or not UTF-8.
pub(super) fn read(file: &ConfigFile, env: &Env) -> Result<Content, ConfigError> {
    let path = &file.path;
    let unreadable = |reason: String| ConfigError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let place = env.working_dir().join(path);
    let failed = |error: std::io::Error| {
        unreadable(match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("no such file: correct the path given with --config or {VARIABLE}")
            }
            _ => error.to_string(),
        })
    };
    let about = std::fs::metadata(&place).map_err(failed)?;
    if about.is_dir() {
        return Err(unreadable("it is a directory: name a file".to_owned()));
    }
    // A pipe that nobody writes to would hold the program for ever. Who names one means it.
    if !about.is_file() && file.provenance != Provenance::Named {
        return Err(unreadable("it is no file".to_owned()));
    }
    let mut bytes = vec![];
    std::fs::File::open(&place)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable("it is far too large to be one".to_owned()));
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return unreadable("it is UTF-16: save it as UTF-8".to_owned());
        }
        let good = error.utf8_error().valid_up_to();
        let line = bytes.iter().take(good).filter(|b| **b == b'\n').count() + 1;
        unreadable(format!("line {line} is not UTF-8: save it as UTF-8"))
    })?;
    Ok(Content { text, sha256 })
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
             write one with \"multillm config init\", or name one with --config or MULTILLM_CONFIG"
        );
        let file = |path: &Path, provenance| ConfigFile {
            path: path.to_owned(),
            provenance,
        };
        let found = |path: &str, provenance| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "{}").unwrap();
            let empty = env(root, &[("MULTILLM_CONFIG", "")]);
            assert_eq!(find(None, &empty).unwrap(), file(&path, provenance));
        };
        found("home/.config/multillm/config.json", Provenance::Own);
        found("multi_llm_config.json", Provenance::Found);
        found("configs/multi_llm_config.json", Provenance::Found);
        let named = env(root, &[("MULTILLM_CONFIG", "other.json")]);
        let by_name = |name: &str| file(Path::new(name), Provenance::Named);
        assert_eq!(find(None, &named).unwrap(), by_name("other.json"));
        assert_eq!(
            find(Some(Path::new("given.json")), &named).unwrap(),
            by_name("given.json")
        );
        let dotenv = env(root, &[]).with_dotenv("MULTILLM_CONFIG=evil.json");
        assert_ne!(find(None, &dotenv).unwrap(), by_name("evil.json"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let env = env(dir.path(), &[]);
        let reason = |name: &str, bytes: &[u8]| {
            if !bytes.is_empty() {
                std::fs::write(dir.path().join(name), bytes).unwrap();
            }
            let file = ConfigFile {
                path: name.into(),
                provenance: Provenance::Named,
            };
            match read(&file, &env) {
                Ok(content) => content.text,
                Err(error) => error.to_string(),
            }
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
