//! What the demo runs with: the committed configuration for the simulator, set
//! to the port that the simulator has, and the files that the steps need.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::simulator::Simulator;
use crate::workspace::Workspace;

/// The configuration for a simulator that is started by hand.
pub(super) const COMMITTED: &str = "configs/simulator.json";
/// The port in it.
pub(super) const PORT: u16 = 18_080;
/// Where an Ollama of this machine listens by default.
pub(super) const OLLAMA: &str = "127.0.0.1:11434";

/// A red picture, three pixels wide and two high.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR42mO4Y2MDQQxwFgBThAf5YjHXBwAAAABJRU5ErkJggg==";

/// A vendor that is shown: its plugin, and its model in the configuration.
pub(super) const VENDORS: [(&str, &str); 7] = [
    ("openai", "gpt-4o-mini"),
    ("azure", "azure-gpt-4o"),
    ("huggingface", "llama-3.3-70b"),
    ("gemini", "gemini-2.5-flash"),
    ("claude", "claude-sonnet-4-5"),
    ("cohere", "command-a"),
    ("ollama", "llama3.2"),
];

/// The files of the demo.
pub(super) struct Setup {
    pub(super) config: PathBuf,
    pub(super) picture: PathBuf,
    pub(super) tools: PathBuf,
    plugin_dir: PathBuf,
}

impl Setup {
    /// Writes them to the demo's folder.
    ///
    /// # Errors
    ///
    /// The committed configuration cannot be read, or the folder not written.
    pub(super) fn write(
        workspace: &Workspace,
        simulator: &Simulator,
        folder: &Path,
    ) -> Result<Self> {
        let committed = workspace.root.join(COMMITTED);
        let text = fs::read_to_string(&committed)
            .with_context(|| format!("cannot read {}", committed.display()))?;
        let setup = Setup {
            config: folder.join("config.json"),
            picture: folder.join("picture.png"),
            tools: folder.join("tools.json"),
            plugin_dir: workspace.plugin_dir(),
        };
        fs::write(
            &setup.config,
            moved(&text, simulator.address(), &setup.plugin_dir),
        )?;
        fs::write(&setup.picture, STANDARD.decode(PICTURE)?)?;
        let tools = json!([{
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": { "city": { "type": "string" } },
                "required": ["city"],
            },
        }]);
        fs::write(&setup.tools, tools.to_string())?;
        Ok(setup)
    }

    /// A configuration for the Ollama of this machine.
    pub(super) fn for_ollama(&self, model: &str) -> Value {
        json!({
            "default_model": "local",
            "plugin_dir": self.plugin_dir,
            "providers": { "ollama": { "base_url": format!("http://{OLLAMA}") } },
            "models": { "local": { "provider": "ollama", "model_name": model } },
            "retry": { "max_attempts": 1 },
            "history": { "enabled": false },
        })
    }
}

/// The committed configuration for another address and from another folder.
fn moved(text: &str, address: &str, plugin_dir: &Path) -> String {
    let plugin_dir = json!(plugin_dir.to_string_lossy()).to_string();
    text.replace(&format!("127.0.0.1:{PORT}"), address)
        .replace("\"plugins\"", &plugin_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_the_same_plugins_and_another_port() {
        let text = r#"{"plugin_dir": "plugins", "a": "http://127.0.0.1:18080/x"}"#;
        let copy = moved(text, "127.0.0.1:1", Path::new("/c/plugins"));
        assert_eq!(
            copy,
            r#"{"plugin_dir": "/c/plugins", "a": "http://127.0.0.1:1/x"}"#
        );
    }

    #[test]
    fn the_picture_is_a_png() {
        let bytes = STANDARD.decode(PICTURE).expect("base64");
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    }
}
