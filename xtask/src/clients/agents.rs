//! Claude Code and Codex: programs that ask by themselves. They run without a person, and only where nothing but loopback
//! can be reached.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::install::Installed;
use super::stage::Stage;
use super::{Line, version_in};
use crate::process::{self, Finished};

/// For one question.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs both with a model of their own wire and one of another.
pub(super) fn run(
    installed: &Installed,
    stage: &Stage,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Line>> {
    let Some(node) = &installed.node else {
        return Ok(vec![]);
    };
    let modules = node.join("node_modules");
    let mut lines = vec![];
    if wanted("claude code") {
        let version = version_in(&modules.join("@anthropic-ai/claude-code/package.json"))?;
        let claude = Claude {
            program: modules.join(".bin/claude"),
            stage,
        };
        for model in ["claude-sonnet-4-5", "gpt-4o-mini"] {
            lines.extend(judged(
                "Claude Code",
                &version,
                model,
                &claude.checks(model)?,
            ));
        }
    }
    if wanted("codex") {
        let version = version_in(&modules.join("@openai/codex/package.json"))?;
        let codex = Codex {
            program: modules.join(".bin/codex"),
            stage,
        };
        for model in ["o4-mini", "claude-sonnet-4-5"] {
            lines.extend(judged("Codex", &version, model, &codex.checks(model)?));
        }
    }
    Ok(lines)
}

type Checks = Vec<(&'static str, Result<()>)>;

fn judged(client: &str, version: &str, model: &str, checks: &Checks) -> Vec<Line> {
    let lines = checks.iter().map(|(check, came)| {
        let verdict = if came.is_ok() { "ok" } else { "FAILED" };
        println!("{verdict:>6} {client} · {check} · {model}");
        Line {
            client: client.to_owned(),
            version: version.to_owned(),
            check: (*check).to_owned(),
            model: Some(model.to_owned()),
            ok: came.is_ok(),
            why: came.as_ref().err().map(|error| format!("{error:#}")),
        }
    });
    lines.collect()
}

fn shown(done: &Finished) -> String {
    let start = |text: &str| text.chars().take(1500).collect::<String>();
    format!(
        "{}; {}; {}",
        done.status,
        start(&done.stdout),
        start(&done.stderr)
    )
}

struct Claude<'s> {
    program: std::path::PathBuf,
    stage: &'s Stage,
}

impl Claude<'_> {
    fn checks(&self, model: &str) -> Result<Checks> {
        let before = self.stage.asked_since(0)?.len();
        let question = self.ask(model, &["Say hi"]).and_then(|done| {
            ensure!(
                done.status.success() && done.stdout.contains("Say hi"),
                shown(&done)
            );
            let asked = self.stage.asked_since(before)?;
            ensure!(
                asked.iter().any(|line| line["session"].is_string()),
                "no session in the log: {asked:?}"
            );
            Ok(())
        });
        let tool = self
            .ask(
                model,
                &[
                    "--allowedTools",
                    "Bash",
                    "--",
                    "Please use Bash command=pwd description=where",
                ],
            )
            .and_then(|done| {
                let here = self.work()?.display().to_string();
                ensure!(
                    done.status.success() && done.stdout.contains(&here),
                    shown(&done)
                );
                Ok(())
            });
        let streamed = [
            "--output-format",
            "stream-json",
            "--include-partial-messages",
            "--verbose",
            "--",
            "write 12 words",
        ];
        let stream = self.ask(model, &streamed).and_then(|done| {
            let events = done.stdout.lines().map(serde_json::from_str::<Value>);
            let events: Vec<Value> = events.collect::<Result<_, _>>()?;
            let pieces = events
                .iter()
                .filter(|event| event["event"]["type"] == "content_block_delta");
            let end = events
                .last()
                .is_some_and(|last| last["subtype"] == "success");
            ensure!(
                done.status.success() && pieces.count() > 1 && end,
                shown(&done)
            );
            Ok(())
        });
        let error = self
            .ask("nobody-knows-this-model", &["Say hi"])
            .and_then(|done| {
                ensure!(
                    !done.status.success() && done.stdout.contains("nobody-knows-this-model"),
                    shown(&done)
                );
                Ok(())
            });
        Ok(vec![
            ("question", question),
            ("tool", tool),
            ("stream", stream),
            ("error", error),
        ])
    }

    fn work(&self) -> Result<std::path::PathBuf> {
        let folder = self.stage.folder.join("claude");
        fs::create_dir_all(&folder)?;
        Ok(folder.canonicalize()?)
    }

    fn ask(&self, model: &str, words: &[&str]) -> Result<Finished> {
        let mut command = process::in_clean_environment(&self.program);
        self.stage.tell(&mut command, model, model);
        command
            .current_dir(self.work()?)
            .env("ANTHROPIC_BASE_URL", &self.stage.url)
            .env("ANTHROPIC_API_KEY", &self.stage.key)
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_TELEMETRY", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .env("CLAUDE_CODE_MAX_RETRIES", "0")
            .env("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "16000")
            .args(["-p", "--model", model])
            .args(words);
        process::finish_within(&mut command, LIMIT)
    }
}

struct Codex<'s> {
    program: std::path::PathBuf,
    stage: &'s Stage,
}

impl Codex<'_> {
    fn checks(&self, model: &str) -> Result<Checks> {
        let question = self.ask(model, "Say hi").and_then(|done| {
            ensure!(
                done.status.success() && done.stdout.contains("Say hi"),
                shown(&done)
            );
            Ok(())
        });
        let tool = self
            .ask(model, "Please use exec_command cmd=pwd")
            .and_then(|done| {
                let here = self
                    .stage
                    .folder
                    .join("codex-work")
                    .canonicalize()?
                    .display()
                    .to_string();
                ensure!(
                    done.status.success() && done.stdout.contains(&here),
                    shown(&done)
                );
                Ok(())
            });
        let stream = self.ask(model, "Please write 12 words").and_then(|done| {
            let words = done.stdout.split_whitespace().count();
            ensure!(done.status.success() && words == 12, shown(&done));
            Ok(())
        });
        let error = self
            .ask("nobody-knows-this-model", "Say hi")
            .and_then(|done| {
                let said = done.stdout.clone() + &done.stderr;
                ensure!(
                    !done.status.success() && said.contains("nobody-knows-this-model"),
                    shown(&done)
                );
                Ok(())
            });
        Ok(vec![
            ("question", question),
            ("tool", tool),
            ("stream", stream),
            ("error", error),
        ])
    }

    fn ask(&self, model: &str, prompt: &str) -> Result<Finished> {
        let home = self.stage.folder.join("codex");
        let work = self.stage.folder.join("codex-work");
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&work)?;
        write_config(&home, &self.stage.url, model)?;
        let mut command: Command = process::in_clean_environment(&self.program);
        self.stage.tell(&mut command, model, model);
        command
            .current_dir(&work)
            .env("CODEX_HOME", &home)
            .env("MULTILLM_KEY", &self.stage.key)
            .args([
                "exec",
                "--skip-git-repo-check",
                "--dangerously-bypass-approvals-and-sandbox",
            ])
            .arg(prompt);
        process::finish_within(&mut command, LIMIT)
    }
}

/// As docs/clients.md says.
fn write_config(home: &Path, url: &str, model: &str) -> Result<()> {
    let config = format!(
        "model = {model:?}\nmodel_provider = \"multillm\"\n\n[model_providers.multillm]\nname = \"multillm\"\n\
         base_url = \"{url}/v1\"\nenv_key = \"MULTILLM_KEY\"\nwire_api = \"responses\"\nrequest_max_retries = 0\nstream_max_retries = 0\n"
    );
    Ok(fs::write(home.join("config.toml"), config)?)
}
