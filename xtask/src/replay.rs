//! `cargo xtask replay DIR`: drives the built binary against recorded exchanges.
//!
//! Every recording is served by a loopback server under a path of its own; a
//! generated configuration sends `multillm query --json` there; what it reports
//! is compared with what the recording says a correct adapter reports. No
//! recording knows where the network cut the body, so each is served in several
//! [`cuts`]: whole, byte by byte, and cut at random (the seed is printed).
//!
//! Recordings are of chats (also by the Responses API), of vectors and of counts of tokens; each is asked for
//! by the command that is for it.
//!
//! [`case`] is the format of a recording, [`server`] serves, [`drive`] runs the
//! binary, [`compare`] judges, what an answer holds beside text by way of [`beside`].
//! Nothing here knows a vendor's wire.

mod beside;
mod case;
mod compare;
mod counted;
mod cuts;
mod drive;
mod gateway;
mod report;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::plugins;
use crate::process;
use crate::workspace::{Workspace, entries};

use case::Case;
use cuts::Chunking;
use drive::Driver;
use report::Verdict;
use server::{Exchange, Server};

/// Drive the built binary against recorded exchanges and compare.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of the recordings, which may lie in one folder per vendor.
    dir: PathBuf,
    /// Only this vendor.
    #[arg(long)]
    vendor: Option<String>,
    /// Only recordings whose file name contains this.
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// How the bodies are cut.
    #[arg(long, value_enum, default_value = "all")]
    chunking: Choice,
    /// How many run at a time [default: the number of cores].
    #[arg(long, short)]
    jobs: Option<usize>,
    /// The binary to drive [default: the newer of the debug and the release build].
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// A folder of components to ask through instead of those that are built; recordings of vendors
    /// that it has none for are left out.
    #[arg(long, value_name = "DIR")]
    components: Option<PathBuf>,
    /// The seed of the random cuts.
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Send what was recorded through `multillm serve`, and compare the bytes on both sides.
    #[arg(long)]
    gateway: bool,
    /// Print the differences of optional recordings too; they never count.
    #[arg(long)]
    show_optional: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Choice {
    Whole,
    Bytes,
    Random,
    All,
}

/// Runs all recordings in all demanded cuts.
///
/// # Errors
///
/// There is no recording, no binary, or a recording that counts fails.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut cases = load(args)?;
    let chunkings = match args.chunking {
        Choice::Whole => vec![Chunking::Whole],
        Choice::Bytes => vec![Chunking::Bytes],
        Choice::Random => vec![Chunking::Random],
        Choice::All => Chunking::ALL.to_vec(),
    };
    let binary = match &args.binary {
        Some(binary) => fs::canonicalize(binary)
            .with_context(|| format!("there is no binary {}", binary.display()))?,
        None => newest_binary(workspace)?,
    };
    let components = match &args.components {
        Some(folder) => {
            let folder = fs::canonicalize(folder)
                .with_context(|| format!("there is no folder {}", folder.display()))?;
            leave_out(&mut cases, &folder)?;
            folder
        }
        None => {
            ensure_plugins(workspace, &cases)?;
            workspace.plugin_dir()
        }
    };
    if args.gateway {
        let run = gateway::Run {
            binary: &binary,
            components: &components,
            target: &workspace.target,
            seed: args.seed,
        };
        return run.exec(&cases, args.jobs);
    }
    println!(
        "{} recordings, {}, components of {} (random cuts from seed {})",
        cases.len(),
        workspace.shown(&binary),
        workspace.shown(&components),
        args.seed,
    );

    let runs: Vec<(&Case, Chunking)> = cases
        .iter()
        .flat_map(|case| chunkings.iter().map(move |chunking| (case, *chunking)))
        .collect();
    let exchanges = runs
        .iter()
        .map(|(case, chunking)| Exchange::new(case, *chunking, args.seed))
        .collect();
    let server = Server::start(exchanges)?;
    let driver = Driver::new(&binary, &components, &workspace.target)?;

    let judged = runs.par_iter().with_max_len(1).enumerate();
    let judged = judged.map(|(number, &(case, chunking))| {
        let differences = match driver.run(case, number, &server.base_url(number)) {
            Ok(outcome) => compare::differences(case, &outcome, server.requests(number)),
            Err(error) => vec![format!("{error:#}")],
        };
        Verdict {
            case,
            chunking,
            differences,
            request: server.first_request(number),
        }
    });
    let verdicts: Vec<Verdict<'_>> = process::pool(args.jobs)?.install(|| judged.collect());
    report::print(&verdicts, &chunkings, args.show_optional)
}

fn load(args: &Args) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut files = Vec::new();
    for entry in entries(&args.dir)? {
        match entry.is_dir() {
            true => files.extend(entries(&entry)?),
            false => files.push(entry),
        }
    }
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let wanted = args.case.as_ref().is_none_or(|part| name.contains(part));
        if wanted && file.extension().is_some_and(|kind| kind == "json") {
            cases.push(Case::load(&file)?);
        }
    }
    cases.retain(|case| {
        args.vendor
            .as_ref()
            .is_none_or(|vendor| case.vendor == *vendor)
    });
    if cases.is_empty() {
        bail!("no recording fits in {}", args.dir.display());
    }
    Ok(cases)
}

/// The newer of the debug and the release build; builds the former where there is none.
fn newest_binary(workspace: &Workspace) -> Result<PathBuf> {
    let built = |profile: &str| {
        let path = workspace.program(profile, "multillm");
        let modified = fs::metadata(&path)
            .and_then(|found| found.modified())
            .ok()?;
        Some((modified, path))
    };
    if let Some((_, path)) = [built("debug"), built("release")]
        .into_iter()
        .flatten()
        .max()
    {
        return Ok(path);
    }
    process::run(
        workspace
            .cargo()
            .args(["build", "--package", "multillm-cli"]),
    )?;
    Ok(workspace.program("debug", "multillm"))
}

/// Keeps the cases that the folder has a component for, and says how many others there were.
fn leave_out(cases: &mut Vec<Case>, folder: &Path) -> Result<()> {
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    cases.retain(|case| {
        let there = component(folder, case).is_file();
        if !there {
            *missing.entry(case.plugin().to_owned()).or_default() += 1;
        }
        there
    });
    if cases.is_empty() {
        bail!("no component in {} fits a recording", folder.display());
    }
    for (plugin, count) in missing {
        println!("left out: {count} recordings, as there is no {plugin}.wasm");
    }
    Ok(())
}

fn component(folder: &Path, case: &Case) -> PathBuf {
    folder.join(format!("{}.wasm", case.plugin()))
}

fn ensure_plugins(workspace: &Workspace, cases: &[Case]) -> Result<()> {
    let file = |case: &Case| component(&workspace.plugin_dir(), case);
    if cases.iter().all(|case| file(case).is_file()) {
        return Ok(());
    }
    plugins::build(workspace, &[])?;
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases.iter().filter(|case| !file(case).is_file()) {
        *missing.entry(case.plugin()).or_default() += 1;
    }
    for (plugin, count) in missing {
        eprintln!("warning: there is no plugin {plugin}: {count} recordings will fail");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_without_a_component_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = |vendor: &str| {
            let text = serde_json::json!({
                "vendor": vendor, "url": "u", "status": 200, "response_body": "", "stream": false,
                "framing": "json", "expect": {},
            });
            Case::parse(vendor, &text.to_string()).expect("a case")
        };
        let all = || vec![case("anthropic"), case("openai"), case("anthropic")];
        let nothing = leave_out(&mut all(), folder.path()).expect_err("no component");
        assert!(nothing.to_string().contains("no component"), "{nothing}");
        fs::write(folder.path().join("claude.wasm"), b"").expect("written");
        let mut cases = all();
        leave_out(&mut cases, folder.path()).expect("two fit");
        assert_eq!(cases.len(), 2);
        assert!(cases.iter().all(|case| case.plugin() == "claude"));
    }
}
