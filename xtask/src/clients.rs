//! `cargo xtask clients`: real clients ask the gateway, which asks the simulator.
//!
//! The clients are installed from their registries into the target directory (`tests/clients` names them with their
//! versions). Then everything runs in a network namespace that has loopback alone, so that no client reaches anybody else
//! and none says anything about itself to its vendor: this program starts itself again in there. What cannot be installed or
//! kept in is skipped, and that is said.
#![allow(
    clippy::indexing_slicing,
    reason = "a member that a JSON object lacks is null"
)]

mod agents;
mod install;
mod scripts;
mod stage;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::plugins;
use crate::process;
use crate::workspace::Workspace;
use install::Installed;
use stage::Stage;

/// Ask the gateway with real clients.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only clients whose names contain one of these
    only: Vec<String>,
    /// Where the clients are installed [default: clients in the target directory]
    #[arg(long, value_name = "FOLDER")]
    installed: Option<PathBuf>,
    /// Read recorded answers (a folder of cases) with the official SDKs, through the faces that are not their vendors'
    #[arg(long, value_name = "FOLDER")]
    recorded: Option<PathBuf>,
    /// We are within the namespace
    #[arg(long, hide = true)]
    within: bool,
}

/// What came of a client's check.
#[derive(Debug, Clone, serde::Deserialize)]
struct Line {
    client: String,
    version: String,
    check: String,
    model: Option<String>,
    ok: bool,
    why: Option<String>,
}

/// Builds, installs, asks.
///
/// # Errors
///
/// Something does not build, or a client did not get what it needs.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let folder = match &args.installed {
        Some(folder) => folder.clone(),
        None => workspace.target.join("clients"),
    };
    if args.within {
        return within(workspace, args, &folder);
    }
    if !workspace.plugin_dir().is_dir() {
        plugins::build(workspace, &[])?;
    }
    build(workspace)?;
    install::install(workspace, &folder)?;
    let this = env::current_exe()?;
    let mut command = match is_kept_in() {
        true => {
            let mut command = Command::new("unshare");
            let script = "ip link set lo up && exec \"$0\" \"$@\"";
            command.args(["-rn", "sh", "-c", script]).arg(this);
            command
        }
        false => {
            println!(
                "no namespace of one's own can be had here: Claude Code and Codex are skipped"
            );
            let mut command = Command::new(this);
            command.env(OPEN, "1");
            command
        }
    };
    command
        .args(["clients", "--within", "--installed"])
        .arg(&folder);
    if let Some(recorded) = &args.recorded {
        command.arg("--recorded").arg(recorded);
    }
    process::run(command.args(&args.only).current_dir(&workspace.root))
}

/// Set where clients could reach others.
const OPEN: &str = "MULTILLM_CLIENTS_OPEN";

fn build(workspace: &Workspace) -> Result<()> {
    // With the others, so that features are the same and nothing is built twice.
    let words = ["build", "--workspace", "--exclude", "xtask"];
    let programs = ["multillm", "multillm-simulator", "multillm-recorded"];
    let mut command = workspace.cargo();
    command.args(words);
    for program in programs {
        command.args(["--bin", program]);
    }
    process::run(&mut command)
}

/// Whether there are namespaces with nothing but loopback.
fn is_kept_in() -> bool {
    let tried = Command::new("unshare")
        .args(["-rn", "ip", "link", "set", "lo", "up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// Everything, where nothing but loopback is.
fn within(workspace: &Workspace, args: &Args, folder: &Path) -> Result<()> {
    let installed = Installed::at(folder);
    let wanted = |name: &str| {
        let name = name.to_ascii_lowercase();
        args.only.is_empty()
            || args
                .only
                .iter()
                .any(|only| name.contains(&only.to_ascii_lowercase()))
    };
    if let Some(cases) = &args.recorded {
        return scripts::recorded(workspace, &installed, cases);
    }
    let stage = Stage::start(workspace)?;
    let mut lines = scripts::run(workspace, &installed, &stage, &wanted)?;
    if env::var_os(OPEN).is_none() {
        lines.extend(agents::run(&installed, &stage, &wanted)?);
    }
    if lines.is_empty() {
        bail!("no client was asked");
    }
    told(&lines)
}

/// A row for each client, and what failed.
fn told(lines: &[Line]) -> Result<()> {
    let mut clients: Vec<(&str, &str)> = vec![];
    for line in lines {
        let client = (line.client.as_str(), line.version.as_str());
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    println!("\n| client | version | checks | |\n|---|---|---|---:|");
    for (client, version) in clients {
        let own: Vec<&Line> = lines.iter().filter(|line| line.client == client).collect();
        let mut checks: Vec<&str> = vec![];
        for line in &own {
            if !checks.contains(&line.check.as_str()) {
                checks.push(&line.check);
            }
        }
        let passed = own.iter().filter(|line| line.ok).count();
        println!(
            "| {client} | {version} | {} | {passed} of {} |",
            checks.join(", "),
            own.len()
        );
    }
    let failed: Vec<&Line> = lines.iter().filter(|line| !line.ok).collect();
    for line in &failed {
        let model = line.model.as_deref().unwrap_or("-");
        let why = line.why.as_deref().unwrap_or_default();
        println!("{} · {} · {model}: {why}", line.client, line.check);
    }
    match failed.len() {
        0 => Ok(()),
        count => bail!("{count} checks failed"),
    }
}

/// The version in an installed package's own description.
fn version_in(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("no {}", file.display()))?;
    let package: serde_json::Value = serde_json::from_str(&text)?;
    Ok(package["version"].as_str().unwrap_or("unknown").to_owned())
}
