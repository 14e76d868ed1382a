//! The project's own commands, run as `cargo xtask <command>`.
//!
//! - [`plugins`] builds the components that the host loads,
//! - [`bundle`] makes what goes into the one file,
//! - [`check`] is `cargo xtask test`: every check of the project, one after the other,
//! - [`demo`] shows the product against the simulator,
//! - [`replay`] drives the built binary against recorded exchanges,
//! - [`recorded`] judges what the library makes of recorded requests,
//! - [`clients`] asks the gateway with real clients,
//! - [`fuzz`] runs the fuzz targets,
//! - [`mod@bench`] measures,
//! - [`wit`] writes what is made of the contract,
//! - [`dist`] makes the packages of a release.
//!
//! Nothing of the product depends on this crate, and nothing is published from it.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the commands of this crate talk to the person at the terminal, and nobody parses what they say"
)]

mod bench;
mod bundle;
mod check;
mod clients;
mod demo;
mod dist;
mod fuzz;
mod plugins;
mod process;
mod recorded;
mod replay;
mod simulator;
mod wit;
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
    /// Make the components and their machine code, for the next build of the program to take in.
    Bundle(bundle::Args),
    /// Run every check there is; what CI runs.
    Test(check::Args),
    /// Show the product at work against the simulator; needs no key and no network.
    Demo(demo::Args),
    /// Measure the sandbox, the process and the components.
    Bench(bench::Args),
    /// Drive the built binary against recorded exchanges and compare.
    Replay(replay::Args),
    /// Judge what becomes of recorded requests.
    Recorded(recorded::Args),
    /// Ask the gateway with real clients, installed from their registries.
    Clients(clients::Args),
    /// Run the fuzz targets; needs a nightly compiler and cargo-fuzz.
    Fuzz(fuzz::Args),
    /// Write what is made of the contract: the SDK's types, bindings of the C example, docs/wit.md.
    Wit(wit::Args),
    /// Make the packages of a release; needs zig.
    Dist(dist::Args),
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
        Command::Bundle(args) => bundle::exec(&workspace, &args),
        Command::Test(args) => check::exec(&workspace, &args),
        Command::Demo(args) => demo::exec(&workspace, &args),
        Command::Bench(args) => bench::exec(&workspace, &args),
        Command::Replay(args) => replay::exec(&workspace, &args),
        Command::Recorded(args) => recorded::exec(&workspace, &args),
        Command::Clients(args) => clients::exec(&workspace, &args),
        Command::Fuzz(args) => fuzz::exec(&workspace, &args),
        Command::Wit(args) => wit::exec(&workspace, &args),
        Command::Dist(args) => dist::exec(&workspace, &args),
    }
}
