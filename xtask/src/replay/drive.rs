//! Runs the built binary against one exchange and reads what it printed. The
//! process sees a configuration made for it, a dummy key, and nothing else of
//! the caller's environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::case::{Case, Kind};
use crate::process::{self, Finished};

/// A case that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(30);
/// Holds the dummy key.
const KEY_VARIABLE: &str = "MULTILLM_REPLAY_KEY";
/// Asked in every case; the reply is recorded and does not depend on it.
const PROMPT: &str = "Please answer as recorded.";
/// What the binary reported.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The answer's object, and the stream events before it.
    Answer { object: Value, events: Vec<Value> },
    /// The object below `error`, and the stream events before it.
    Failure(Value),
}

/// Runs the binary.
pub(super) struct Driver {
    binary: PathBuf,
    plugin_dir: PathBuf,
    /// Holds the generated configurations; removed at the end.
    scratch: TempDir,
    /// Compiled plugins are kept here from run to run.
    cache: PathBuf,
}

impl Driver {
    /// Prepares a scratch folder below the target folder.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub(super) fn new(binary: &Path, plugin_dir: &Path, target: &Path) -> Result<Self> {
        let home = target.join("replay");
        let cache = home.join("cache");
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        Ok(Driver {
            binary: binary.to_owned(),
            plugin_dir: plugin_dir.to_owned(),
            scratch: TempDir::new_in(&home)?,
            cache,
        })
    }

    /// Asks for a case at a base URL.
    ///
    /// # Errors
    ///
    /// The process did not end in time, panicked, was ended by a signal, exited
    /// with a code that does not fit, or printed something else than the format.
    pub(super) fn run(&self, case: &Case, number: usize, base_url: &str) -> Result<Outcome> {
        let config = self.scratch.path().join(format!("{number}.json"));
        fs::write(&config, self.config(case, base_url).to_string())?;
        let mut command = process::in_clean_environment(&self.binary);
        command
            .current_dir(self.scratch.path())
            .env("HOME", self.scratch.path())
            .env("XDG_CACHE_HOME", &self.cache)
            .env(KEY_VARIABLE, "no-secret-at-all")
            .arg("--config")
            .arg(&config);
        let streams = case.stream && matches!(case.kind, Kind::Chat | Kind::Responses);
        match case.kind {
            Kind::Chat | Kind::Responses => {
                command.args(["query", "--json", "--model", "case"]);
                command.args(streams.then_some("--stream")).arg(PROMPT);
            }
            Kind::Embeddings => {
                // As many texts as vectors came; a failure came of any.
                let texts = (1..=case.expect.vectors.max(1)).map(|text| format!("text {text}"));
                command.args(["embed", "--json", "--model", "case"]);
                command.args(texts);
            }
            Kind::Tokens => {
                command.args(["tokens", "--json", "--no-stdin", "--model", "case"]);
                command.arg(PROMPT);
            }
        }
        outcome(&process::finish_within(&mut command, LIMIT)?, streams)
    }

    fn config(&self, case: &Case, base_url: &str) -> Value {
        let plugin = case.plugin();
        json!({
            "default_model": "case",
            "plugin_dir": self.plugin_dir,
            "providers": { plugin: {
                "plugin": plugin,
                "base_url": base_url,
                "api_key_env": KEY_VARIABLE,
                "settings": case.settings(),
            }},
            "models": { "case": { "provider": plugin, "model_name": case.model_name() } },
            "retry": { "max_attempts": 1 },
            "cache": { "enabled": false },
            "history": { "enabled": false },
        })
    }
}

/// Reads what the process left behind.
fn outcome(finished: &Finished, stream: bool) -> Result<Outcome> {
    let stderr = finished.stderr.trim_end();
    if finished.status.code() == Some(101) || stderr.contains("panicked at") {
        bail!("panicked: {stderr}");
    }
    match finished.status.code() {
        Some(0) => answer(&finished.stdout, stream),
        Some(1) => failure(stderr).map(Outcome::Failure),
        Some(code) => bail!("exit code {code}: {stderr}"),
        None => bail!("ended by a signal ({}): {stderr}", finished.status),
    }
}

fn answer(stdout: &str, stream: bool) -> Result<Outcome> {
    let mut values = Vec::new();
    if stream {
        for line in stdout.lines() {
            let value: Value = serde_json::from_str(line)
                .with_context(|| format!("a line of the stream is no JSON: {line:?}"))?;
            values.push(value);
        }
    } else {
        let value = serde_json::from_str(stdout)
            .with_context(|| format!("the answer is no single JSON object: {stdout:?}"))?;
        values.push(value);
    }
    let Some(object) = values.pop().filter(Value::is_object) else {
        bail!("exit code 0 without an answer: {stdout:?}");
    };
    if stream && object.get("type") != Some(&json!("done")) {
        bail!("the last line of the stream is not of type \"done\": {object}");
    }
    Ok(Outcome::Answer {
        object,
        events: values,
    })
}

fn failure(stderr: &str) -> Result<Value> {
    let last = stderr.lines().last().unwrap_or_default();
    serde_json::from_str::<Value>(last)
        .ok()
        .and_then(|mut value| value.get_mut("error").map(Value::take))
        .filter(Value::is_object)
        .with_context(|| {
            format!("exit code 1, and standard error does not end with an error object: {stderr:?}")
        })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    /// `status` as of wait(2): an exit code in the high byte, or a signal in the low one.
    fn finished(status: i32, stdout: &str, stderr: &str) -> Finished {
        Finished {
            status: ExitStatus::from_raw(status),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            took: Duration::ZERO,
        }
    }

    fn refusal(finished: &Finished, stream: bool) -> String {
        outcome(finished, stream).expect_err("refused").to_string()
    }

    #[test]
    fn an_answer_is_one_object_that_may_be_pretty() {
        let got = outcome(
            &finished(0, "{\n \"content\": \"hi\"\n}\n", "warning: x"),
            false,
        )
        .expect("read");
        assert!(matches!(got, Outcome::Answer { object, events }
            if object == json!({"content": "hi"}) && events.is_empty()));
    }

    #[test]
    fn a_stream_ends_with_the_done_object() {
        let text = "{\"type\":\"text\",\"text\":\"a\"}\n{\"type\":\"done\",\"content\":\"a\"}\n";
        let got = outcome(&finished(0, text, ""), true).expect("read");
        assert!(matches!(got, Outcome::Answer { events, .. } if events.len() == 1));
        let cut = finished(0, "{\"type\":\"text\",\"text\":\"a\"}\n", "");
        assert!(refusal(&cut, true).contains("not of type \"done\""));
        assert!(refusal(&finished(0, "", ""), true).contains("without an answer"));
    }

    #[test]
    fn a_failure_is_the_last_line_of_standard_error() {
        let text = "warning: slow\n{\"error\":{\"kind\":\"server\"}}\n";
        let got = outcome(&finished(1 << 8, "", text), false).expect("read");
        assert!(matches!(got, Outcome::Failure(error) if error == json!({"kind": "server"})));
        assert!(
            refusal(&finished(1 << 8, "", "oh no"), false)
                .contains("does not end with an error object")
        );
    }

    #[test]
    fn panics_signals_and_other_codes_are_refused() {
        assert!(
            refusal(&finished(101 << 8, "", "thread 'main' panicked at"), false)
                .starts_with("panicked")
        );
        let hidden = finished(0, "{}", "thread 'x' panicked at y");
        assert!(refusal(&hidden, false).starts_with("panicked"));
        assert!(refusal(&finished(9, "", ""), false).starts_with("ended by a signal"));
        assert!(refusal(&finished(2 << 8, "", "bad config"), false).starts_with("exit code 2"));
    }

    #[test]
    fn a_binary_that_is_none_is_named() {
        let home = tempfile::tempdir().expect("a folder");
        let driver =
            Driver::new(Path::new("/nowhere/multillm"), home.path(), home.path()).expect("made");
        let text = json!({"vendor": "openai", "url": "u", "status": 200, "response_body": "", "stream": true,
                          "framing": "sse", "expect": {}});
        let case = Case::parse("one", &text.to_string()).expect("a case");
        let error = driver
            .run(&case, 0, "http://127.0.0.1:1")
            .expect_err("no such program");
        assert!(
            error
                .to_string()
                .starts_with("cannot start `/nowhere/multillm --config"),
            "{error}"
        );
    }
}
