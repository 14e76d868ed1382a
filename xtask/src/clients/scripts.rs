//! Clients that are libraries, by their scripts in `tests/clients`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::Line;
use super::install::Installed;
use super::stage::Stage;
use crate::process;
use crate::workspace::Workspace;

/// For all checks of one client.
const LIMIT: Duration = Duration::from_secs(180);

struct Script {
    file: &'static str,
    argument: Option<&'static str>,
    /// A model of the client's own wire, and one of another.
    models: (&'static str, &'static str),
}

const OPENAI: (&str, &str) = ("gpt-4o-mini", "claude-sonnet-4-5");
const ANTHROPIC: (&str, &str) = ("claude-sonnet-4-5", "gpt-4o-mini");
const GEMINI: (&str, &str) = ("gemini-2.5-flash", "gpt-4o-mini");
const COHERE: (&str, &str) = ("command-a", "gpt-4o-mini");
const OLLAMA: (&str, &str) = ("llama3.2", "gpt-4o-mini");

const fn script(file: &'static str, models: (&'static str, &'static str)) -> Script {
    Script {
        file,
        argument: None,
        models,
    }
}

const fn of(
    file: &'static str,
    argument: &'static str,
    models: (&'static str, &'static str),
) -> Script {
    Script {
        file,
        argument: Some(argument),
        models,
    }
}

const PYTHON: [Script; 10] = [
    script("openai_chat", OPENAI),
    script("openai_responses", OPENAI),
    script("openai_embeddings", OPENAI),
    script("anthropic_messages", ANTHROPIC),
    script("langchain_openai_chat", OPENAI),
    script("langchain_anthropic_chat", ANTHROPIC),
    script("pydantic_ai_agent", OPENAI),
    script("llm_program", OPENAI),
    script("google_genai_sdk", GEMINI),
    script("cohere_sdk", COHERE),
];
const PYTHON_OLLAMA: Script = script("ollama_client", OLLAMA);
const NODE: [Script; 10] = [
    script("openai_chat", OPENAI),
    script("anthropic_messages", ANTHROPIC),
    of("langchain", "openai", OPENAI),
    of("langchain", "anthropic", ANTHROPIC),
    of("ai_sdk", "openai", OPENAI),
    of("ai_sdk", "anthropic", ANTHROPIC),
    of("ai_sdk", "openai-compatible", OPENAI),
    script("google_genai", GEMINI),
    script("cohere", COHERE),
    script("ollama", OLLAMA),
];

/// Runs all that are wanted.
pub(super) fn run(
    workspace: &Workspace,
    installed: &Installed,
    stage: &Stage,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Line>> {
    let scripts = workspace.root.join("tests").join("clients");
    let mut lines = vec![];
    let name = |script: &Script| [script.file, script.argument.unwrap_or_default()].join(" ");
    if let Some(python) = &installed.python {
        for script in PYTHON.iter().chain([&PYTHON_OLLAMA]) {
            if wanted(&format!("python {}", name(script))) {
                let mut command = process::in_clean_environment(python);
                command.arg(scripts.join(format!("python/{}.py", script.file)));
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                lines.extend(asked(stage, script, &mut command)?);
            }
        }
    }
    if let Some(node) = &installed.node {
        // Packages are looked for beside whoever asks for them.
        for entry in fs::read_dir(scripts.join("node"))? {
            let entry = entry?;
            fs::copy(entry.path(), node.join(entry.file_name()))?;
        }
        for script in &NODE {
            if wanted(&format!("node {}", name(script))) {
                let mut command = process::in_clean_environment(Path::new("node"));
                command
                    .arg(node.join(format!("{}.mjs", script.file)))
                    .args(script.argument);
                lines.extend(asked(stage, script, &mut command)?);
            }
        }
    }
    Ok(lines)
}

/// What a script says of its checks.
fn asked(stage: &Stage, script: &Script, command: &mut Command) -> Result<Vec<Line>> {
    let (own, other) = script.models;
    stage.tell(command, own, other);
    let finished = process::finish_within(command, LIMIT)
        .with_context(|| format!("the script {}", script.file))?;
    let lines: Vec<Line> = finished
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    if lines.is_empty() {
        bail!(
            "the script {} said nothing: {}",
            script.file,
            finished.stderr
        );
    }
    for line in &lines {
        let verdict = if line.ok { "ok" } else { "FAILED" };
        let model = line.model.as_deref().unwrap_or("-");
        println!("{verdict:>6} {} · {} · {model}", line.client, line.check);
    }
    Ok(lines)
}

/// Recorded answers through other faces, read by the official SDKs.
pub(super) fn recorded(workspace: &Workspace, installed: &Installed, cases: &Path) -> Result<()> {
    let Some(python) = &installed.python else {
        println!("skipped: the Python SDKs are not installed");
        return Ok(());
    };
    let folder = workspace.target.join("clients").join("recorded");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut program = Command::new(workspace.program("debug", "multillm-recorded"));
    program
        .args(["faces"])
        .arg(cases)
        .arg("--write")
        .arg(&folder);
    process::run(&mut program)?;
    let mut judge = process::in_clean_environment(python);
    judge
        .arg(workspace.root.join("tests/clients/python/recorded.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(judge.arg(&folder))
}
