//! `cargo xtask fuzz`: runs the fuzz targets for as long as one likes.
//!
//! The targets stand in `fuzz/`, what they check in `tests/fuzzing`, whose tests are the bounded
//! run that needs none of this. Here a nightly compiler and cargo-fuzz are needed, and no
//! sanitizer: the project forbids unsafe code but for two modules, which no target reaches with
//! foreign bytes, and a WebAssembly compiler under AddressSanitizer takes too long to build.
//! Debug assertions and overflow checks are on.
//!
//! [`run`] runs one target and reads what it says. What is missing, rustup and cargo name themselves.

mod run;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::plugins;
use crate::process;
use crate::workspace::{Workspace, entries};

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
    plugins::build(workspace, &[])?;
    let programs = build(workspace)?;
    let fuzz = |target: &String| {
        let target = run::Target::new(workspace, &programs, target);
        println!(
            "fuzzing {} for {} s, log: {}",
            target.name,
            args.seconds,
            workspace.shown(&target.log)
        );
        target.run(args.seconds)
    };
    let outcomes: Vec<Outcome> = process::pool(Some(args.jobs))?.install(|| {
        targets
            .par_iter()
            .with_max_len(1)
            .map(fuzz)
            .collect::<Result<_>>()
    })?;
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

/// Builds all targets with the nightly compiler, whichever runs this, and returns the folder of their
/// programs.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let nightly = |program: &str| {
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", program]);
        process::as_by_hand(&mut command);
        command
    };
    let compiler = process::capture(nightly("rustc").arg("-vV"))?;
    let mut lines = compiler.lines();
    let host = lines
        .find_map(|line| line.strip_prefix("host: "))
        .context("the compiler does not say what it compiles for")?;
    let folder = workspace.target.join("fuzz");
    let mut command = nightly("cargo");
    command
        .current_dir(&workspace.root)
        .args(["fuzz", "build", "--sanitizer", "none"])
        // The code that is shipped, not what a dependency makes of itself for fuzzing.
        .arg("--no-cfg-fuzzing")
        .args(["--target", host, "--target-dir"])
        .arg(&folder);
    process::run(&mut command).context("is it there? `cargo install cargo-fuzz --locked`")?;
    Ok(folder.join(host).join("release"))
}

/// The targets that there are: every file of `fuzz/targets`.
fn known(workspace: &Workspace) -> Result<Vec<String>> {
    let files = entries(&workspace.root.join("fuzz").join("targets"))?;
    let rust = files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let names = rust.filter_map(|path| path.file_stem()?.to_str());
    Ok(names.map(str::to_owned).collect())
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
}
