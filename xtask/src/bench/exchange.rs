//! The exchange that is measured as a whole process: one short question to the
//! simulator, asked by the program and by curl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;

/// Holds the key that the simulator takes.
const KEY_VARIABLE: &str = "OPENAI_API_KEY";
const KEY: &str = "sk-sim-openai";
const LIMIT: Duration = Duration::from_secs(60);
const MODEL: &str = "gpt-4o-mini";
const QUESTION: &str = "What is the capital of France?";
/// The simulator holds its answer back, so that memory can be looked at meanwhile.
const SLOW_QUESTION: &str = "What is the capital of France? [[fault:slow-start ms=300]]";

/// Everything that is needed to ask.
pub(super) struct Exchange {
    program: PathBuf,
    /// With a history, as it is by default.
    config: PathBuf,
    /// Without one.
    forgetful: PathBuf,
    url: String,
    /// A copy of the program, with nothing beside it.
    alone: PathBuf,
    base_url: String,
}

impl Exchange {
    /// Writes the configuration.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub(super) fn prepare(
        workspace: &Workspace,
        simulator: &Simulator,
        folder: &Path,
    ) -> Result<Self> {
        let base_url = simulator.base_url("openai")?;
        let config = folder.join("config.json");
        let forgetful = folder.join("forgetful.json");
        let content = |history| {
            let content = json!({
                "default_model": MODEL,
                "plugin_dir": workspace.plugin_dir(),
                "providers": { "openai": { "base_url": base_url, "api_key_env": KEY_VARIABLE } },
                "models": { MODEL: { "provider": "openai", "model_name": MODEL } },
                "history": history,
            });
            content.to_string()
        };
        let history = json!({ "path": folder.join("history.db") });
        fs::write(&config, content(history))?;
        fs::write(&forgetful, content(json!({ "enabled": false })))?;
        let program = workspace.program("release", "multillm");
        let alone = folder.join("alone").join("multillm");
        fs::create_dir_all(folder.join("alone"))?;
        fs::copy(&program, &alone)?;
        Ok(Exchange {
            program,
            config,
            forgetful,
            url: format!("{base_url}/chat/completions"),
            alone,
            base_url: base_url.to_owned(),
        })
    }

    /// The program alone, asking for the first time: nothing is in its home, and no configuration
    /// anywhere. `home` is emptied.
    ///
    /// # Errors
    ///
    /// The folder cannot be emptied.
    pub(super) fn first_query(&self, home: &Path) -> Result<Command> {
        self.first(home, QUESTION)
    }

    /// The same, and the answer takes a while.
    ///
    /// # Errors
    ///
    /// As [`Exchange::first_query`].
    pub(super) fn slow_first_query(&self, home: &Path) -> Result<Command> {
        self.first(home, SLOW_QUESTION)
    }

    fn first(&self, home: &Path, question: &str) -> Result<Command> {
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        fs::create_dir_all(home)?;
        let mut command = process::in_clean_environment(&self.alone);
        command
            .current_dir(home)
            .env("HOME", home)
            .env(KEY_VARIABLE, KEY)
            .env("OPENAI_BASE_URL", &self.base_url)
            .args(["query", question, "--model"])
            .arg(format!("openai/{MODEL}"));
        Ok(command)
    }

    /// The program, asking; compiled code is kept in `cache`.
    pub(super) fn query(&self, cache: &Path) -> Command {
        self.asking(&self.config, cache, QUESTION)
    }

    /// The same, and nothing is recorded.
    pub(super) fn forgetful_query(&self, cache: &Path) -> Command {
        self.asking(&self.forgetful, cache, QUESTION)
    }

    /// The same, and the answer takes a while.
    pub(super) fn slow_query(&self, cache: &Path) -> Command {
        self.asking(&self.config, cache, SLOW_QUESTION)
    }

    fn asking(&self, config: &Path, cache: &Path, question: &str) -> Command {
        let mut command = process::in_clean_environment(&self.program);
        command
            .env("XDG_CACHE_HOME", cache)
            .env(KEY_VARIABLE, KEY)
            .arg("--config")
            .arg(config);
        command.args(["query", question]);
        command
    }

    /// The program, doing nothing.
    pub(super) fn version(&self) -> Command {
        let mut command = process::in_clean_environment(&self.program);
        command.arg("--version");
        command
    }

    /// curl, asking the same.
    ///
    /// # Errors
    ///
    /// None in practice: the body is built from constants.
    pub(super) fn curl(&self) -> Result<Command> {
        let messages = json!([{ "role": "user", "content": QUESTION }]);
        let body = serde_json::to_string(&json!({ "model": MODEL, "messages": messages }))?;
        let mut command = process::in_clean_environment(Path::new("curl"));
        command
            .args([
                "--silent",
                "--fail",
                "--header",
                "content-type: application/json",
            ])
            .args(["--header", &format!("authorization: Bearer {KEY}")])
            .args(["--data", &body, &self.url]);
        Ok(command)
    }

    /// Runs a command that must succeed, and says how long it took.
    ///
    /// # Errors
    ///
    /// It failed.
    pub(super) fn time(&self, command: &mut Command) -> Result<Duration> {
        let finished = process::finish_within(command, LIMIT)?;
        let stderr = finished.stderr.trim_end();
        ensure!(
            finished.status.success(),
            "`{}` failed: {stderr}",
            process::shown(command)
        );
        Ok(finished.took)
    }
}

/// Whether there is a curl to compare with.
pub(super) fn has_curl() -> bool {
    let quiet = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}
