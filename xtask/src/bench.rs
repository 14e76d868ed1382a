//! `cargo xtask bench`: measures the release build and prints markdown tables.
//!
//! Three parts: the same adapter code native and through wasm (a bench of its
//! own in the workspace, which prints its table itself), the program as a whole
//! process beside `curl`, and the components. Everything runs in one go on one
//! machine, so that ratios mean something; single numbers do not travel.

mod exchange;
mod memory;
mod table;

use std::fs;

use anyhow::{Context, Result};

use crate::demo;
use crate::plugins::{self, Built, kilobytes};
use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;

use exchange::Exchange;
use table::Table;

/// The package of the measurements inside one process.
const IN_PROCESS: &str = "multillm-bench";
/// So many runs with an empty cache; each compiles a plugin.
const COLD_RUNS: usize = 5;

/// Measure the sandbox, the process and the components.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each process is run
    #[arg(long, default_value_t = 40)]
    runs: usize,
    /// Leave out the measurements inside one process
    #[arg(long)]
    no_in_process: bool,
}

/// Builds, measures and prints.
///
/// # Errors
///
/// Something does not build, or a measured program fails.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let components = plugins::build(workspace, &[])?;
    demo::build_programs(workspace, "release")?;
    if !args.no_in_process {
        in_process(workspace)?;
    }
    println!(
        "\n## The whole process\n\n{}",
        whole_process(workspace, args.runs.max(1))?
    );
    println!("\n## The components\n\n{}", sizes(&components));
    Ok(())
}

/// Runs the bench of the sandbox, which prints its table itself.
fn in_process(workspace: &Workspace) -> Result<()> {
    if workspace
        .members
        .iter()
        .any(|package| package.name == IN_PROCESS)
    {
        println!("\n## The same adapter code native and through wasm\n");
        return process::run(
            workspace
                .cargo()
                .args(["bench", "--quiet", "--package", IN_PROCESS]),
        );
    }
    eprintln!("warning: there is no package {IN_PROCESS}: the sandbox is not measured");
    Ok(())
}

/// One question to the simulator: with the program cold and warm, and with curl.
fn whole_process(workspace: &Workspace, runs: usize) -> Result<Table> {
    let folder = workspace.target.join("bench");
    let simulator = Simulator::start(workspace, "release", &folder.join("exchanges.jsonl"))?;
    let exchange = Exchange::prepare(workspace, &simulator, &folder)?;
    let cache = folder.join("cache");

    let mut cold = Vec::new();
    for _ in 0..COLD_RUNS.min(runs) {
        if cache.exists() {
            fs::remove_dir_all(&cache)
                .with_context(|| format!("cannot empty {}", cache.display()))?;
        }
        cold.push(exchange.time(&mut exchange.query(&cache))?);
    }
    // In turn, so that whatever else the machine does hits all of them alike.
    let [mut start, mut warm, mut forgetful, mut curl] = [const { Vec::new() }; 4];
    for _ in 0..runs {
        start.push(exchange.time(&mut exchange.version())?);
        warm.push(exchange.time(&mut exchange.query(&cache))?);
        forgetful.push(exchange.time(&mut exchange.forgetful_query(&cache))?);
        if exchange::has_curl() {
            curl.push(exchange.time(&mut exchange.curl()?)?);
        }
    }
    let peak = memory::peak(&mut exchange.slow_query(&cache))?;

    let mut table = Table::new(["what", "median", "9 of 10 below"]);
    table.times("`multillm --version`", &mut start);
    table.times("`multillm query`, nothing compiled yet", &mut cold);
    table.times("`multillm query`, compiled code on disk", &mut warm);
    table.times("the same without a history", &mut forgetful);
    table.times("`curl`, the same exchange", &mut curl);
    table.difference("`query` more than `curl`", &warm, &curl);
    let memory = peak.map_or("unknown".to_owned(), |peak| {
        format!("{:.1} MB", kilobytes(peak) / 1000.0)
    });
    table.row(["peak resident memory of `query`", &memory, ""]);
    Ok(table)
}

fn sizes(components: &[Built]) -> Table {
    let mut table = Table::new(["component", "size", "function imports"]);
    for built in components.iter().filter(|built| built.first_party) {
        let size = format!("{:.1} KB", kilobytes(built.size));
        let imports = built.function_imports.len().to_string();
        table.row([&format!("{}.wasm", built.name), &size, &imports]);
    }
    table
}
