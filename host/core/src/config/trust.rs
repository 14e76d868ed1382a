//! What the user has allowed: files by place and content, plugins by content.
//!
//! Kept in one private file of the user's. What is not plainly the user's own work is not believed:
//! a file of another owner, one that others may write, a link. Nothing here decides what needs
//! consent.

mod file;
mod publisher;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::provenance::shown;
use super::vendors;
use file::{Content, File};
pub use publisher::Publisher;

/// What a plugin was shown to ask for when the user allowed it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginGrant {
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// The name it had.
    pub name: String,
    /// Its own address, if it names one.
    pub base_url: Option<String>,
    /// Variables that may say another address.
    #[serde(default)]
    pub base_url_env: Vec<String>,
    /// Variables that may hold its secrets, by its names for them.
    #[serde(default)]
    pub secrets: BTreeMap<String, Vec<String>>,
}

impl PluginGrant {
    /// What it asks for, a line each, with what it does not get all the same: what belongs to one of
    /// the program's vendors.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let names = |names: &[String]| {
            let names: Vec<String> = names
                .iter()
                .map(|name| match vendors::is_vendors(name) {
                    true => format!("{} (a vendor's, which it does not get)", shown(name)),
                    false => shown(name),
                })
                .collect();
            names.join(" or ")
        };
        let address = match &self.base_url {
            Some(url) => format!("send requests and their key to {}", shown(url)),
            None => "send requests where the configuration says".to_owned(),
        };
        let mut lines = vec![address];
        if !self.base_url_env.is_empty() {
            let variables = names(&self.base_url_env);
            lines.push(format!(
                "send them elsewhere if a variable says so: {variables}"
            ));
        }
        for (secret, variables) in &self.secrets {
            let (secret, variables) = (shown(secret), names(variables));
            lines.push(format!("have its {secret} from the variable {variables}"));
        }
        lines
    }
}

/// A file that was allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileGrant {
    /// Where it stands.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Why consent cannot be read or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TrustError {
    /// The file that holds it.
    pub path: PathBuf,
    /// What stood in the way, and what to do.
    pub reason: String,
}

/// Where consent is kept. Without a place nothing is allowed.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    file: Option<File>,
}

impl TrustStore {
    /// Consent is kept in this directory, such as `~/.local/share/multillm`.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        TrustStore {
            file: Some(File::in_dir(dir)),
        }
    }

    /// Has the user allowed a file with this content at this place.
    ///
    /// What cannot be read allows nothing, and is warned of.
    #[must_use]
    pub fn allows(&self, path: &Path, sha256: &str) -> bool {
        let Some(place) = place(path) else {
            return false;
        };
        let files = self.read().files;
        files
            .iter()
            .any(|grant| grant.path == place && grant.sha256 == sha256)
    }

    /// What the user has allowed a plugin of this content.
    #[must_use]
    pub fn plugin(&self, sha256: &str) -> Option<PluginGrant> {
        let mut plugins = self.read().plugins.into_iter();
        plugins.find(|grant| grant.sha256 == sha256)
    }

    /// Everything that is allowed.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn list(&self) -> Result<(Vec<FileGrant>, Vec<PluginGrant>), TrustError> {
        let content = match &self.file {
            Some(file) => file.read()?,
            None => Content::default(),
        };
        Ok((content.files, content.plugins))
    }

    /// Allows a file with exactly this content at this place, and no longer any other there.
    ///
    /// # Errors
    ///
    /// It cannot be kept.
    pub fn allow(&self, path: &Path, sha256: &str) -> Result<(), TrustError> {
        let file = self.file()?;
        let place = place(path).ok_or_else(|| TrustError {
            path: path.to_owned(),
            reason: "its place cannot be written down: use --config or --env-file".to_owned(),
        })?;
        file.change(|content| {
            content.files.retain(|grant| grant.path != place);
            content.files.push(FileGrant {
                path: place,
                sha256: sha256.to_owned(),
            });
            true
        })
        .map(drop)
    }

    /// Allows a plugin what it was shown to ask for.
    ///
    /// # Errors
    ///
    /// It cannot be kept.
    pub fn allow_plugin(&self, grant: PluginGrant) -> Result<(), TrustError> {
        self.file()?
            .change(|content| {
                content.plugins.retain(|old| old.sha256 != grant.sha256);
                content.plugins.push(grant);
                true
            })
            .map(drop)
    }

    /// Takes back what was allowed: a file by its place, a plugin by its name, either by the digest; a publisher by the
    /// key. Says whether there was anything.
    ///
    /// # Errors
    ///
    /// It cannot be kept.
    pub fn remove(&self, what: &str) -> Result<bool, TrustError> {
        let place = place(Path::new(what));
        self.file()?.change(|content| {
            let count = |content: &Content| {
                content.files.len() + content.plugins.len() + content.publishers.len()
            };
            let before = count(content);
            content.files.retain(|grant| {
                grant.sha256 != what && grant.path != what && Some(&grant.path) != place.as_ref()
            });
            content
                .plugins
                .retain(|grant| grant.sha256 != what && grant.name != what);
            content.publishers.retain(|publisher| publisher.key != what);
            before != count(content)
        })
    }

    fn file(&self) -> Result<&File, TrustError> {
        self.file.as_ref().ok_or_else(|| TrustError {
            path: PathBuf::from("consent"),
            reason: "cannot be kept: there is no home directory".to_owned(),
        })
    }

    fn read(&self) -> Content {
        let Some(file) = &self.file else {
            return Content::default();
        };
        file.read().unwrap_or_else(|error| {
            tracing::warn!("what you allowed is not believed: {error}");
            Content::default()
        })
    }
}

/// A file's place as it is written down: its directory without links, and its own name, so that
/// what is allowed here is not allowed where a link puts other files around it.
fn place(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let dir = std::fs::canonicalize(path.parent()?).ok()?;
    Some(dir.join(path.file_name()?).to_str()?.to_owned())
}

#[cfg(test)]
mod tests;
