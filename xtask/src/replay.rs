//! `cargo xtask replay DIR`: drives the built binary against recorded exchanges.
//!
//! Every recording is served by a loopback server under a path of its own; a
//! generated configuration sends `multillm query --json` there; what it reports
//! is compared with what the recording says a correct adapter reports. No
//! recording knows where the network cut the body, so each is served in several
//! [`cuts`]: whole, byte by byte, and cut at random (the seed is printed).
//!
//! [`case`] is the format of a recording, [`server`] serves, [`drive`] runs the
//! binary, [`compare`] judges. Nothing here knows a vendor's wire.

mod case;
mod compare;
mod cuts;
mod drive;
mod report;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::process;
use crate::workspace::Workspace;

use case::Case;
use cuts::Chunking;
use drive::Driver;
use report::Verdict;
use server::{Exchange, Server};

/// Drive the built binary against recorded exchanges and compare.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of the recordings, with one folder per vendor.
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
    /// The seed of the random cuts.
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
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
    let cases = load(args)?;
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
    ensure_plugins(workspace, &cases)?;
    println!(
        "{} recordings, {} (random cuts from seed {})",
        cases.len(),
        workspace.shown(&binary),
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
    let driver = Driver::new(&binary, &workspace.plugin_dir(), &workspace.target)?;

    let verdicts = in_parallel(&runs, jobs(args), |number, (case, chunking)| {
        let differences = match driver.run(case, number, &server.base_url(number)) {
            Ok(outcome) => compare::differences(case, &outcome, server.requests(number)),
            Err(error) => vec![format!("{error:#}")],
        };
        Verdict {
            case,
            chunking: *chunking,
            differences,
            request: server.first_request(number),
        }
    });
    report::print(&verdicts, &chunkings, args.show_optional)
}

fn load(args: &Args) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for folder in sorted(&args.dir)? {
        if !folder.is_dir() {
            continue;
        }
        for file in sorted(&folder)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let wanted = args.case.as_ref().is_none_or(|part| name.contains(part));
            if wanted && file.extension().is_some_and(|kind| kind == "json") {
                cases.push(Case::load(&file)?);
            }
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

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
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
    process::run(workspace.cargo().args(["build", "--package", "multillm"]))?;
    Ok(workspace.program("debug", "multillm"))
}

fn ensure_plugins(workspace: &Workspace, cases: &[Case]) -> Result<()> {
    let file = |case: &Case| {
        workspace
            .plugin_dir()
            .join(format!("{}.wasm", case.plugin()))
    };
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

fn jobs(args: &Args) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    args.jobs.unwrap_or(cores).max(1)
}

/// Maps all items with so many threads; the results stand in the order of the items.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else {
                return;
            };
            let result = work(number, item);
            if let Ok(mut done) = done.lock() {
                done.push((number, result));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        let doubled = in_parallel(&items, 4, |number, item| {
            assert_eq!(number, *item);
            item * 2
        });
        assert_eq!(doubled, (0..100).map(|item| item * 2).collect::<Vec<_>>());
    }
}
