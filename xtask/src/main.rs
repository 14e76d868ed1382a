//! The project's own commands, run as `cargo xtask <command>`.
//!
//! - [`plugins`] builds the components that the host loads,
//! - [`check`] is `cargo xtask test`: every check of the project, one after the other,
//! - [`demo`] shows the product against the simulator,
//! - [`replay`] drives the built binary against recorded exchanges,
//! - [`fuzz`] runs the fuzz targets,
//! - [`mod@bench`] measures.
//!
//! Nothing of the product depends on this crate, and nothing is published from it.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the commands of this crate talk to the person at the terminal, and nobody parses what they say"
)]

mod bench;
mod check;
mod demo;
mod fuzz;
mod plugins;
mod process;
mod replay;
mod simulator;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The commands of the multillm workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the plugins and the guests of the tests as components.
    Plugins(plugins::Args),
    /// Run every check there is; what CI runs.
    Test(check::Args),
    /// Show the product at work against the simulator; needs no key and no network.
    Demo(demo::Args),
    /// Measure the sandbox, the process and the components.
    Bench(bench::Args),
    /// Drive the built binary against recorded exchanges and compare.
    Replay(replay::Args),
    /// Run the fuzz targets; needs a nightly compiler and cargo-fuzz.
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    let workspace = Workspace::load()?;
    match command {
        Command::Plugins(args) => plugins::exec(&workspace, &args),
        Command::Test(args) => check::exec(&workspace, &args),
        Command::Demo(args) => demo::exec(&workspace, &args),
        Command::Bench(args) => bench::exec(&workspace, &args),
        Command::Replay(args) => replay::exec(&workspace, &args),
        Command::Fuzz(args) => fuzz::exec(&workspace, &args),
    }
}
