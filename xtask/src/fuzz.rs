//! `cargo xtask fuzz`: runs the fuzz targets for as long as one likes.
//!
//! The targets stand in `fuzz/`, what they check in `tests/fuzzing`, whose tests are the bounded
//! run that needs none of this. Here a nightly compiler and cargo-fuzz are needed, and no
//! sanitizer: the project forbids unsafe code but for one module, which no target reaches with
//! foreign bytes, and a WebAssembly compiler under AddressSanitizer takes too long to build.
//! Debug assertions and overflow checks are on.
//!
//! [`tools`] finds the compiler and builds, [`run`] runs one target and reads what it says.

mod run;
mod tools;

use std::fs;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::workspace::Workspace;

use run::Outcome;

/// Run the fuzz targets; needs a nightly compiler and cargo-fuzz.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these targets.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// How many run at a time.
    #[arg(long, short, default_value_t = 1)]
    jobs: usize,
}

/// Builds everything, runs the targets and prints what came of it.
///
/// # Errors
///
/// A tool is missing, something does not build, or a target has found something.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let targets = wanted(known(workspace)?, &args.targets)?;
    let tools = tools::find()?;
    plugins::build(workspace, &[])?;
    let programs = tools.build(workspace)?;
    let outcomes = in_turn(&targets, args.jobs.max(1), |target| {
        let target = run::Target::new(workspace, &programs, target);
        println!(
            "fuzzing {} for {} s, log: {}",
            target.name,
            args.seconds,
            workspace.shown(&target.log)
        );
        target.run(args.seconds)
    });
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_>>()?;
    print_table(&outcomes);
    let findings: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.finding.is_some())
        .collect();
    for outcome in &findings {
        println!("\n{}", outcome.how_to_reproduce(workspace));
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("a target has found something"),
        count => bail!("{count} targets have found something"),
    }
}

/// The targets that there are: every file of `fuzz/targets`.
fn known(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root.join("fuzz").join("targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let (Some(name), Some("rs")) = (
            path.file_stem().and_then(|name| name.to_str()),
            path.extension().and_then(|kind| kind.to_str()),
        ) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn wanted(known: Vec<String>, named: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        bail!(
            "there is no target {unknown:?}: it can be {}",
            known.join(", ")
        );
    }
    if named.is_empty() {
        return Ok(known);
    }
    Ok(named.to_vec())
}

/// Does the work for all items, so many at a time; the results stand in the order of the items.
fn in_turn<R: Send>(items: &[String], jobs: usize, work: impl Fn(&str) -> R + Sync) -> Vec<R> {
    let queue = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let next = || queue.lock().ok()?.next();
    let worker = || {
        while let Some((number, item)) = next() {
            let result = work(item);
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

fn print_table(outcomes: &[Outcome]) {
    println!("\n| target | runs | seconds | result |\n|---|---:|---:|---|");
    for outcome in outcomes {
        let runs = outcome
            .runs
            .map_or("unknown".to_owned(), |runs| runs.to_string());
        println!(
            "| {} | {runs} | {} | {} |",
            outcome.name,
            outcome.took.as_secs(),
            outcome.finding.as_ref().map_or("ok", |_| "FINDING"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_known_or_refused_with_those_that_are() {
        let known = || vec!["config".to_owned(), "url".to_owned()];
        assert_eq!(wanted(known(), &[]).unwrap(), known());
        assert_eq!(wanted(known(), &["url".to_owned()]).unwrap(), ["url"]);
        let error = wanted(known(), &["ulr".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no target \"ulr\": it can be config, url"
        );
    }

    #[test]
    fn everything_is_done_once_and_in_order() {
        let items: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        assert_eq!(in_turn(&items, 3, str::to_owned), items);
    }
}
