//! One `.env` file: what it says, and what of it counts.
//!
//! One that was named, or that stands beside the user's own configuration, counts as a whole. One
//! that was merely found in the working directory gives keys: the variables that customarily hold
//! them, and those that the configuration names. An address in it would say where keys go, and
//! counts with consent only; what leads this program itself never comes from there.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::config::diagnose::{Position, Problem};
use crate::config::provenance::{Provenance, shown};
use crate::config::{dotenv, vendors};

/// Beyond this it holds something else than variables.
const LARGEST: u64 = 1024 * 1024;

/// A `.env` file that was read. See [`Env::files`](super::Env::files).
pub struct EnvFile {
    name: PathBuf,
    path: PathBuf,
    provenance: Provenance,
    sha256: String,
    faults: Vec<(Option<usize>, String)>,
    pub(super) values: BTreeMap<String, String>,
    /// The user has allowed exactly this content.
    pub(super) allowed: bool,
}

impl EnvFile {
    /// Reads a file that people call `name`. `None`: it is not there. An error says why it cannot be read.
    pub(super) fn read(
        name: &Path,
        path: &Path,
        provenance: Provenance,
    ) -> Result<Option<Self>, String> {
        let cannot = |error: std::io::Error| format!("cannot be read: {error}");
        let about = match std::fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot(error)),
        };
        if about.is_dir() {
            return Err("cannot be read: it is a directory".to_owned());
        }
        // A pipe that nobody writes to would hold the program for ever. Who names one means it.
        if !about.is_file() && provenance != Provenance::Named {
            return Err("cannot be read: it is no file".to_owned());
        }
        let mut bytes = vec![];
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(cannot)?;
        if bytes.len() as u64 > LARGEST {
            return Err("cannot be read: it is far too large for variables".to_owned());
        }
        let parsed = dotenv::parse(&bytes);
        Ok(Some(EnvFile {
            name: name.to_owned(),
            path: path.to_owned(),
            provenance,
            sha256: hex::encode(Sha256::digest(&bytes)),
            faults: parsed.faults,
            values: parsed.values,
            allowed: false,
        }))
    }

    /// What a program gives in place of a file.
    pub(super) fn of_text(text: &str) -> Self {
        let parsed = dotenv::parse(text.as_bytes());
        EnvFile {
            name: ".env".into(),
            path: ".env".into(),
            provenance: Provenance::Named,
            sha256: String::new(),
            faults: parsed.faults,
            values: parsed.values,
            allowed: false,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it was come by.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// SHA-256 of the bytes that were read, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The variables that it gives to whoever asks for them by custom, by name.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        let names = self.values.keys().map(String::as_str);
        names.filter(|name| self.may_give(name))
    }

    /// Does it count for this variable where no configuration names it.
    pub(super) fn may_give(&self, name: &str) -> bool {
        self.provenance != Provenance::Found
            || vendors::is_key(name)
            || (self.allowed && vendors::is_address(name))
    }

    /// Has it something that does not count without consent.
    pub(super) fn asks(&self) -> bool {
        self.provenance == Provenance::Found && !self.allowed && !self.requests().is_empty()
    }

    /// What needs consent if it was found: the addresses that it sets.
    pub(super) fn requests(&self) -> Vec<Problem> {
        self.values
            .iter()
            .filter(|(name, value)| vendors::is_address(name) && !value.trim().is_empty())
            .map(|(name, value)| Problem {
                file: Some(self.name.display().to_string()),
                position: None,
                path: name.clone(),
                message: format!("send requests and their key to {}", shown(value)),
            })
            .collect()
    }

    /// Variables that lead this program and are not taken from here even with consent.
    #[must_use]
    pub fn ignored(&self) -> Vec<&str> {
        let names = self.values.keys().map(String::as_str);
        names.filter(|name| leads_the_program(name)).collect()
    }

    /// What cannot be read of it.
    pub(super) fn faults(&self) -> impl Iterator<Item = Problem> {
        let name = self.name.display().to_string();
        self.faults.iter().map(move |(line, message)| Problem {
            file: Some(name.clone()),
            position: line.map(|line| Position { line, column: 1 }),
            path: String::new(),
            message: message.clone(),
        })
    }
}

/// Which configuration is read, by which proxy and with which certificates.
pub(in crate::config) fn leads_the_program(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    upper.starts_with("MULTILLM_") || upper.starts_with("SSL_CERT_") || upper.ends_with("_PROXY")
}

/// Names only: the values may be keys.
impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile")
            .field("path", &self.path)
            .field("provenance", &self.provenance)
            .field("variables", &self.values.keys())
            .finish_non_exhaustive()
    }
}
