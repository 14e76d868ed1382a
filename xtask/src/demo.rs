//! `cargo xtask demo`: shows the product at work, for real: the built program,
//! the built components, HTTP to the vendor simulator on the loopback interface.
//! No key and no network is needed.
//!
//! Every step shows the command, what it printed, and a verdict that was
//! checked; one that did not do what it says makes the demo fail. What it ran
//! with stays in `demo` below cargo's target folder.

mod config;
mod look;
mod steps;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::bundle;
use crate::plugins;
use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;

use config::Setup;
use steps::Stage;

/// Show the product at work against the simulator; needs no key and no network.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Use the release build: as fast as what is released, and not shared with the tests
    #[arg(long)]
    release: bool,
}

/// Builds everything and runs all steps.
///
/// # Errors
///
/// Something does not build or start, or a step did not do what it says.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let profile = if args.release { "release" } else { "debug" };
    timed("1 of 3: building the vendors' components", || {
        plugins::build_first_party(workspace)
    })?;
    timed("2 of 3: building the program and the simulator", || {
        build_programs(workspace, profile)
    })?;
    println!("3 of 3: asking all seven vendors' simulators");

    let folder = workspace.target.join("demo");
    let simulator = Simulator::start(workspace, profile, &folder.join("exchanges.jsonl"))?;
    println!("The vendor simulator listens on {}.", simulator.address());
    let setup = Setup::write(workspace, &simulator, &folder)?;
    let mut stage = Stage::new(workspace, profile, &setup);
    steps::openai(&mut stage, &setup);
    steps::other_vendors(&mut stage);
    steps::key_on_the_wire(&mut stage, &simulator);
    steps::real_ollama(&mut stage, &setup)?;
    drop(simulator);

    let failed = stage.failed();
    if !failed.is_empty() {
        bail!(
            "these steps did not do what they say: {}",
            failed.join("; ")
        );
    }
    println!("\nAll {} steps did what they say.", stage.count());
    farewell(workspace, profile);
    Ok(())
}

/// Says what is done, does it, and says how long it took. Cargo shows its own progress in between.
fn timed<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("{what}");
    let started = Instant::now();
    let made = work()?;
    println!("   done in {} s", started.elapsed().as_secs());
    Ok(made)
}

/// Builds the program and the simulator in the given profile folder. A release has the machine code of
/// the components in it.
///
/// # Errors
///
/// Something does not build.
pub(crate) fn build_programs(workspace: &Workspace, profile: &str) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["build", "--bin", "multillm", "--bin", "multillm-simulator"]);
    for package in bundle::PACKAGES {
        command.args(["--package", package]);
    }
    if profile == "release" {
        bundle::prepare(workspace, "release", None)?;
        command.arg("--release");
    }
    process::run(&mut command)
}

fn farewell(workspace: &Workspace, profile: &str) {
    let shown = |path: PathBuf| workspace.shown(&path).to_string();
    let simulator = shown(workspace.program(profile, "multillm-simulator"));
    let program = shown(workspace.program(profile, "multillm"));
    println!(
        "\nTo go on by hand, from {}:\n  {simulator} --port {} &\n  {program} --config {} query 'Hello!' --stream",
        workspace.root.display(),
        config::PORT,
        config::COMMITTED,
    );
}

/// The first line of a text, for a verdict.
fn first_line(text: &str) -> Result<&str> {
    text.lines().next().context("nothing was printed")
}
