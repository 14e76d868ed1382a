//! `cargo xtask bench`: measures the release build and prints markdown tables.
//!
//! `cargo xtask bench gateway` measures the gateway alone, beside plain relays ([`gateway`]). Without it there are three
//! parts: the same adapter code native and through wasm (a bench of its
//! own in the workspace, which prints its table itself), the program as a whole
//! process beside `curl`, and the components. Everything runs in one go on one
//! machine, so that ratios mean something; single numbers do not travel.

mod exchange;
mod gateway;
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

/// So many runs with an empty cache; each compiles a plugin.
const COLD_RUNS: usize = 5;

/// Measure the sandbox, the process and the components.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure [default: the sandbox, the process and the components]
    what: Option<What>,
    /// Few requests to a debug build, to see that it works; for `gateway`
    #[arg(long)]
    quick: bool,
    /// Write the tables into the READMEs; for `gateway`
    #[arg(long, conflicts_with = "quick")]
    write: bool,
    /// How often each process is run
    #[arg(long, default_value_t = 40)]
    runs: usize,
    /// Leave out the measurements inside one process
    #[arg(long)]
    no_in_process: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// The gateway beside nginx as a plain relay
    Gateway,
}

/// Builds, measures and prints.
///
/// # Errors
///
/// Something does not build, or a measured program fails.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(What::Gateway) = args.what {
        return gateway::exec(workspace, args.quick, args.write);
    }
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
    println!("\n## The same adapter code native and through wasm\n");
    let mut bench = workspace.cargo();
    process::run(bench.args(["bench", "--quiet", "--package", "multillm-bench"]))
}

/// One question to the simulator: with the program cold and warm, and with curl.
fn whole_process(workspace: &Workspace, runs: usize) -> Result<Table<3>> {
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
    let home = folder.join("home");
    let [mut start, mut first, mut warm, mut forgetful, mut curl] = [const { Vec::new() }; 5];
    for _ in 0..runs {
        first.push(exchange.time(&mut exchange.first_query(&home)?)?);
        start.push(exchange.time(&mut exchange.version())?);
        warm.push(exchange.time(&mut exchange.query(&cache))?);
        forgetful.push(exchange.time(&mut exchange.forgetful_query(&cache))?);
        if exchange::has_curl() {
            curl.push(exchange.time(&mut exchange.curl()?)?);
        }
    }
    let peak = memory::peak(&mut exchange.slow_query(&cache))?;
    let first_peak = memory::peak(&mut exchange.slow_first_query(&home)?)?;

    let mut table = Table::new(["what", "median", "9 of 10 below"]);
    table.times("`multillm --version`", &mut start);
    table.times(
        "`multillm query`, components in files, nothing compiled yet",
        &mut cold,
    );
    table.times(
        "`multillm query`, the file alone in an empty home, no configuration",
        &mut first,
    );
    table.times("`multillm query`, compiled code on disk", &mut warm);
    table.times("the same without a history", &mut forgetful);
    table.times("`curl`, the same exchange", &mut curl);
    table.difference("`query` more than `curl`", &warm, &curl);
    table.difference("the file alone more than `curl`", &first, &curl);
    let memory = |peak: Option<usize>| {
        peak.map_or("unknown".to_owned(), |peak| {
            format!("{:.1} MB", kilobytes(peak) / 1000.0)
        })
    };
    table.row(["peak resident memory of `query`", &memory(peak), ""]);
    table.row(["peak of the file alone", &memory(first_peak), ""]);
    Ok(table)
}

fn sizes(components: &[Built]) -> Table<2> {
    let mut table = Table::new(["component", "size"]);
    for built in components.iter().filter(|built| built.first_party) {
        let size = format!("{:.1} KB", kilobytes(built.size));
        table.row([&format!("{}.wasm", built.name), &size]);
    }
    table
}
