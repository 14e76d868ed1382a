//! What clients are asked against: the simulator, and the gateway with a key in front of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;

/// The models by their names at the gateway: provider, the simulator's vendor, the vendor's name.
const MODELS: [(&str, &str, &str); 7] = [
    ("o4-mini", "openai", "o4-mini"),
    ("gpt-4o-mini", "openai", "gpt-4o-mini"),
    ("claude-sonnet-4-5", "claude", "claude-sonnet-4-5"),
    ("gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
    ("command-a", "cohere", "command-a-03-2025"),
    ("llama3.2", "ollama", "llama3.2"),
    ("embeds", "openai", "text-embedding-3-small"),
];
/// Providers, their vendors at the simulator, and the variables of their keys.
const PROVIDERS: [(&str, &str, &str); 5] = [
    ("openai", "openai", "OPENAI_API_KEY"),
    ("claude", "anthropic", "ANTHROPIC_API_KEY"),
    ("gemini", "gemini", "GEMINI_API_KEY"),
    ("cohere", "cohere", "COHERE_API_KEY"),
    ("ollama", "ollama", ""),
];

/// A running gateway.
pub(super) struct Stage {
    gateway: Child,
    /// Where it is.
    pub(super) url: String,
    /// A key of it.
    pub(super) key: String,
    /// What clients may write to.
    pub(super) folder: PathBuf,
    _simulator: Simulator,
}

impl Stage {
    /// Starts both.
    pub(super) fn start(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("clients").join("run");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let log = folder.join("exchanges.jsonl");
        let simulator = Simulator::start(workspace, "debug", &log)?;
        let providers: serde_json::Map<String, Value> = PROVIDERS
            .iter()
            .map(|(provider, vendor, _)| {
                let base_url = simulator.base_url(vendor)?;
                Ok(((*provider).to_owned(), json!({ "base_url": base_url })))
            })
            .collect::<Result<_>>()?;
        let models: serde_json::Map<String, Value> = MODELS
            .iter()
            .map(|(name, provider, model)| {
                // As docs/clients.md says: it does not think, and agents ask everybody to.
                let thinks = *name != "gpt-4o-mini";
                let capabilities = json!({ "reasoning": thinks });
                let model = json!({ "provider": provider, "model_name": model, "capabilities": capabilities });
                ((*name).to_owned(), model)
            })
            .collect();
        let config = folder.join("config.json");
        let content = json!({
            "default_model": "gpt-4o-mini",
            "plugin_dir": workspace.plugin_dir(),
            "providers": providers,
            "models": models,
            // What fails is to fail at once.
            "retry": { "max_attempts": 1 },
            "breaker": { "enabled": false },
            "history": { "path": folder.join("history.db") },
            "gateway": {
                "listen": "127.0.0.1:0",
                "keys": folder.join("keys.json"),
                "access_log": folder.join("access.jsonl"),
                // Agents say much that is their vendor's own.
                "unsupported": "drop",
            },
        });
        fs::write(&config, content.to_string())?;
        let program = |words: &[&str]| {
            let mut command =
                process::in_clean_environment(&workspace.program("debug", "multillm"));
            command
                .env("HOME", &folder)
                .arg("--config")
                .arg(&config)
                .args(words);
            for (_, vendor, variable) in PROVIDERS.iter().filter(|(_, _, name)| !name.is_empty()) {
                command.env(variable, format!("sk-sim-{vendor}"));
            }
            command
        };
        let made = process::capture(&mut program(&["key", "create", "clients", "--json"]))?;
        let made: Value = serde_json::from_str(&made)?;
        let key = made["key"].as_str().context("no key was made")?.to_owned();
        let mut serve = program(&["serve", "--json"]);
        let mut gateway = serve.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let mut line = String::new();
        let out = gateway.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("the gateway did not start")?;
        let url = told["listening"].as_str().unwrap_or_default().to_owned();
        Ok(Stage {
            gateway,
            url,
            key,
            folder,
            _simulator: simulator,
        })
    }

    /// What a client is told by its environment, and nothing else but where programs are.
    pub(super) fn tell(&self, command: &mut Command, own: &str, other: &str) {
        command
            .env("HOME", &self.folder)
            .env("GATEWAY", &self.url)
            .env("GATEWAY_KEY", &self.key)
            .env("OWN", own)
            .env("OTHER", other);
    }

    /// What the gateway's log says of requests since the first so many.
    pub(super) fn asked_since(&self, count: usize) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.folder.join("access.jsonl")).unwrap_or_default();
        let lines = text.lines().skip(count);
        lines
            .map(|line| serde_json::from_str(line).context("a line of the access log"))
            .collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}
