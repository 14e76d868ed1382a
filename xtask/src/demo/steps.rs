//! The steps of the demo, and the stage on which they are shown.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::config::{OLLAMA, Setup, VENDORS};
use super::look;
use crate::process::{self, Finished};
use crate::simulator::{Exchange, Simulator};
use crate::workspace::Workspace;

/// No step takes longer.
const LIMIT: Duration = Duration::from_secs(120);
/// So many lines of an output are shown.
const SHOWN_LINES: usize = 12;
/// So many characters of a line are shown.
const SHOWN_CHARS: usize = 160;

/// Runs the program step by step and keeps the verdicts.
pub(super) struct Stage {
    root: PathBuf,
    program: PathBuf,
    config: PathBuf,
    titles: Vec<String>,
    failed: Vec<String>,
}

impl Stage {
    pub(super) fn new(workspace: &Workspace, profile: &str, setup: &Setup) -> Self {
        Stage {
            root: workspace.root.clone(),
            program: workspace.program(profile, "multillm"),
            config: setup.config.clone(),
            titles: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// How many steps were shown.
    pub(super) fn count(&self) -> usize {
        self.titles.len()
    }

    /// The titles of those that failed.
    pub(super) fn failed(&self) -> &[String] {
        &self.failed
    }

    /// Shows the program with these arguments.
    fn show(&mut self, title: &str, args: &[&str], look: impl Fn(&Finished) -> Result<String>) {
        let config = self.config.clone();
        self.show_with(&config, title, args, look);
    }

    fn show_with(
        &mut self,
        config: &Path,
        title: &str,
        args: &[&str],
        look: impl Fn(&Finished) -> Result<String>,
    ) {
        let mut command = process::in_clean_environment(&self.program);
        command
            .current_dir(&self.root)
            .arg("--config")
            .arg(config)
            .args(args);
        self.judge(title, |stage| {
            println!("   $ {}", stage.shown(&command));
            let finished = process::finish_within(&mut command, LIMIT)?;
            print_some(&finished.stdout);
            print_some(&finished.stderr);
            let verdict = look(&finished)?;
            Ok(format!("{verdict} ({} ms)", finished.took.as_millis()))
        });
    }

    /// Prints a title, does something, prints and keeps the verdict.
    fn judge(&mut self, title: &str, act: impl FnOnce(&Self) -> Result<String>) {
        self.titles.push(title.to_owned());
        println!("\n{}. {title}", self.count());
        match act(self) {
            Ok(verdict) => println!("   ok: {verdict}"),
            Err(error) => {
                println!("   FAILED: {error:#}");
                self.failed.push(title.to_owned());
            }
        }
    }

    /// The command, with paths below the root made short.
    fn shown(&self, command: &Command) -> String {
        let root = format!("{}{}", self.root.display(), std::path::MAIN_SEPARATOR);
        process::shown(command).replace(&root, "")
    }
}

/// Every kind of question, with the OpenAI plugin.
pub(super) fn openai(stage: &mut Stage, setup: &Setup) {
    let names = VENDORS.map(|(_, model)| model);
    stage.show("The models of the configuration", &["list"], |done| {
        look::lists(done, &names)
    });
    let question = "What is the capital of France?";
    stage.show("A plain answer", &["query", question], |done| {
        look::says(done, question)
    });
    let count = "write 12 words";
    stage.show(
        "A streamed answer",
        &["query", "--stream", "--json", count],
        |done| look::streams(done, ""),
    );
    let picture = setup.picture.to_string_lossy();
    stage.show(
        "A question about a picture, which the program reads and sends itself",
        &["query", "What is on it?", "--image", &picture],
        |done| look::says(done, "image/png 3x2"),
    );
    let tools = setup.tools.to_string_lossy();
    stage.show(
        "A tool that the model wants called",
        &[
            "query",
            "--json",
            "--tools",
            &tools,
            "Use get_weather for city=Paris",
        ],
        |done| look::calls(done, "get_weather", ("city", "Paris")),
    );
    stage.show(
        "A key that the vendor refuses",
        &["query", "--json", "--model", "wrong-key", "Hello!"],
        |done| look::refuses_key(done, "sk-sim-of-somebody-else"),
    );
}

/// A plain and a streamed answer of every other vendor.
pub(super) fn other_vendors(stage: &mut Stage) {
    for (plugin, model) in VENDORS.iter().filter(|(plugin, _)| *plugin != "openai") {
        let question = "Who are you?";
        let plain = ["query", "--model", model, question];
        stage.show(&format!("{plugin}: a plain answer"), &plain, |done| {
            look::says(done, question)
        });
        let streamed = ["query", "--model", model, "--stream", "--json", question];
        let title = format!("{plugin}: a streamed answer");
        stage.show(&title, &streamed, |done| look::streams(done, question));
    }
}

/// What the simulator saw: the key, in its header and nowhere else.
pub(super) fn key_on_the_wire(stage: &mut Stage, simulator: &Simulator) {
    stage.judge("The simulator's log: where the key arrived", |_| {
        let exchanges = simulator.exchanges()?;
        let key = "sk-sim-openai";
        let answered = |exchange: &&Exchange| {
            exchange.vendor.as_deref() == Some("openai") && exchange.status == Some(200)
        };
        let of_openai: Vec<&Exchange> = exchanges.iter().filter(answered).collect();
        ensure!(!of_openai.is_empty(), "no exchange with OpenAI was answered");
        for exchange in &of_openai {
            let header = |(name, value): &(String, String)| name == "authorization" && *value == format!("Bearer {key}");
            ensure!(exchange.headers.iter().any(header), "{} came without the key", exchange.path);
            ensure!(!exchange.body.contains(key), "the key stands in a body");
        }
        Ok(format!(
            "{} exchanges over HTTP; the {} with OpenAI that were answered carry the key in `authorization` and nowhere else",
            exchanges.len(),
            of_openai.len()
        ))
    });
}

/// A real model, where one runs on this machine: the first that the program lists and that can chat.
///
/// # Errors
///
/// The configuration for it cannot be written, or the program cannot be run.
pub(super) fn real_ollama(stage: &mut Stage, setup: &Setup) -> Result<()> {
    let config = setup.config.with_file_name("ollama.json");
    let write = |model: &str| {
        fs::write(&config, setup.for_ollama(model).to_string())
            .with_context(|| format!("cannot write {}", config.display()))
    };
    write("any")?;
    let mut list = process::in_clean_environment(&stage.program);
    list.arg("--config").arg(&config);
    let listed = list.args(["list", "--provider", "ollama", "--json"]);
    let listed = process::finish_within(listed, LIMIT)?.stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap_or_default();
    let models = listed.as_array().into_iter().flatten();
    let mut names = models.filter_map(|model| model.get("id")?.as_str());
    let Some(model) = names.find(|name| !name.contains("embed")) else {
        println!("\n   (no Ollama answers on {OLLAMA}: its step is left out)");
        return Ok(());
    };
    write(model)?;
    let question = "Answer with one word: what is the capital of France?";
    let title = format!("A real model on this machine: {model}");
    stage.show_with(&config, &title, &["query", question], |done| {
        look::says(done, "")
    });
    Ok(())
}

fn print_some(text: &str) {
    for line in text.lines().take(SHOWN_LINES) {
        let start: String = line.chars().take(SHOWN_CHARS).collect();
        let dots = if start.len() < line.len() { "…" } else { "" };
        println!("   | {start}{dots}");
    }
    let more = text.lines().count().saturating_sub(SHOWN_LINES);
    if more > 0 {
        println!("   | ({more} more lines)");
    }
}
