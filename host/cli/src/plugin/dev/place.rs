//! Where a project's component is put, and the configuration that leads there.

use std::io;
use std::path::{Path, PathBuf};

use multillm::files;
use multillm_kit::Project;
use serde_json::json;

use crate::Failure;

/// What stands in the place of a key while recordings answer.
const NO_KEY: &str = "no-key-is-needed-for-recorded-answers";

/// `.multillm` in a project's folder.
pub(super) struct Place {
    folder: PathBuf,
    name: String,
}

impl Place {
    pub(super) fn make(project: &Path, name: &str) -> Result<Self, Failure> {
        let folder = project.join(".multillm");
        // The next one stands in a folder of its own: the name of the file is the plugin's.
        std::fs::create_dir_all(folder.join("next")).map_err(|error| {
            Failure::Usage(format!("cannot make {}: {error}", folder.display()))
        })?;
        Ok(Place {
            folder,
            name: name.to_owned(),
        })
    }

    /// The configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("dev.json")
    }

    fn file(&self) -> String {
        format!("{}.wasm", self.name)
    }

    /// Writes a component that is yet to be looked at.
    pub(super) fn next(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.join("next").join(self.file());
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Puts it where it is used, in one step. One that is the same stays, so that nobody loads it anew.
    pub(super) fn put(&self) -> io::Result<()> {
        let next = self.folder.join("next").join(self.file());
        let used = self.folder.join(self.file());
        match std::fs::read(&used) {
            Ok(bytes) if bytes == std::fs::read(&next)? => Ok(()),
            _ => std::fs::rename(next, used),
        }
    }

    /// Writes a configuration that leads to it, for this server.
    pub(super) fn configure(
        &self,
        project: &Project,
        base_url: &str,
        key_env: Option<&str>,
    ) -> Result<(), Failure> {
        let unwritable = |error: io::Error| {
            Failure::Usage(format!(
                "cannot write to {}: {error}",
                self.folder.display()
            ))
        };
        let key = self.folder.join("no-key");
        files::write_private(&key, NO_KEY.as_bytes()).map_err(unwritable)?;
        let (kept, place) = match key_env {
            Some(variable) => ("api_key_env", variable.to_owned()),
            None => ("api_key_file", key.display().to_string()),
        };
        let provider = json!({ "plugin": self.name, "base_url": base_url, kept: place });
        let path = self.folder.join(self.file()).display().to_string();
        let plugin = match project.wasi_deny_all {
            true => json!({ "path": path, "wasi": "deny-all" }),
            false => json!({ "path": path }),
        };
        let model = &project.model;
        let config = json!({
            "default_model": model,
            "plugins": { &self.name: plugin },
            "providers": { &self.name: provider },
            "models": { model: { "provider": self.name, "settings": project.settings } },
            "history": { "path": self.folder.join("history.db").display().to_string() },
        });
        let text = serde_json::to_string_pretty(&config).unwrap_or_default();
        files::write_private(&self.config(), text.as_bytes()).map_err(unwritable)
    }
}
