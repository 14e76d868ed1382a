//! `cargo xtask recorded JUDGE DIR`: builds the judges of recorded requests (`tests/recorded`) and the components,
//! and runs one of them. What they judge they say themselves: `cargo xtask recorded --help`.

use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::plugins;
use crate::process;
use crate::workspace::Workspace;

/// The program with the judges.
const PROGRAM: &str = "multillm-recorded";

/// Judge what becomes of recorded requests.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// A judge and what it takes.
    #[arg(
        value_name = "JUDGE",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<OsString>,
}

/// Builds and runs.
///
/// # Errors
///
/// Something does not build, or the judge finds something.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    if !workspace.plugin_dir().is_dir() {
        plugins::build(workspace, &[])?;
    }
    // As the tests are built, so that features are the same and nothing is built twice.
    let build = [
        "build",
        "--workspace",
        "--exclude",
        "xtask",
        "--lib",
        "--bins",
        "--tests",
    ];
    process::run(workspace.cargo().args(build))?;
    let mut program = Command::new(workspace.program("debug", PROGRAM));
    process::run(program.args(&args.words))
}
