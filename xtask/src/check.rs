//! `cargo xtask test`: every check there is, the quick ones first. The first
//! failure ends the run; a table at the end says what was done and how long it took.
//!
//! Cargo is always called for the whole workspace (without this crate, whose
//! program is running), with the same profile and without extra compiler flags,
//! so that every dependency is compiled once.
//!
//! What a tool enforces is that tool's: rustfmt the form, rustc and clippy (`Cargo.toml`,
//! `clippy.toml`, `host/clippy.toml`) panics, printing, `mod.rs` and documentation, rustdoc the links,
//! cargo the walls between crates. What the built program and its components must be (the schema that is
//! printed, no imports, small files) are tests of `tests/integration`. A check that stands here says in its head why it is ours.

mod claims;
mod code;
mod frozen;
mod layering;
mod licences;
mod likeness;
mod tree;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::plugins;
use crate::process;
use crate::wit;
use crate::workspace::Workspace;

/// Run every check there is; what CI runs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these steps.
    #[arg(long, num_args = 1.., value_name = "STEP")]
    only: Vec<String>,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// Name the steps and do nothing.
    #[arg(long)]
    list: bool,
}

/// A named check.
struct Step {
    name: &'static str,
    what: &'static str,
    /// Returns a remark for the table, by custom an empty one.
    run: fn(&Workspace) -> Result<String>,
}

const STEPS: [Step; 17] = [
    Step {
        name: "format",
        what: "the code is formatted",
        run: |workspace| cargo(workspace, &["fmt", "--all", "--", "--check"]),
    },
    Step {
        name: "layering",
        what: "dependencies between modules and crates run one way",
        run: layering::check,
    },
    Step {
        name: "tree",
        what: "file sizes, names, headers; no machine's paths",
        run: tree::check,
    },
    Step {
        name: "frozen",
        what: "released contracts and components are as they were",
        run: frozen::check,
    },
    Step {
        name: "wit",
        what: "what is made of the contract is current",
        run: wit::check,
    },
    Step {
        name: "claims",
        what: "each public promise names a proof that exists",
        run: claims::check,
    },
    Step {
        name: "likeness",
        what: "no code stands in two plugins",
        run: likeness::check,
    },
    Step {
        name: "licences",
        what: "every dependency's licence is on the list",
        run: licences::check,
    },
    Step {
        name: "components",
        what: "the plugins and the guests of the tests build",
        run: |workspace| {
            Ok(format!(
                "{} components",
                plugins::build(workspace, &[])?.len()
            ))
        },
    },
    Step {
        name: "clippy",
        what: "no warning of the compiler or of clippy",
        run: |workspace| {
            let strict = ["--all-targets", "--", "-D", "warnings"];
            cargo(
                workspace,
                &[&["clippy", "--workspace"], &strict[..]].concat(),
            )
        },
    },
    Step {
        name: "features",
        what: "the library builds without its optional parts",
        run: |workspace| {
            let library = ["check", "--package", "multillm", "--no-default-features"];
            cargo(workspace, &library)
        },
    },
    Step {
        name: "docs",
        what: "the documentation builds without a warning",
        run: |workspace| {
            let mut command = workspace.cargo();
            command.args(["doc", "--workspace", "--no-deps"]);
            process::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
            Ok(String::new())
        },
    },
    Step {
        name: "build",
        what: "the programs and the tests build",
        run: |workspace| {
            cargo(
                workspace,
                &[&["build"], NATIVE, &["--lib", "--bins", "--tests"]].concat(),
            )
        },
    },
    Step {
        name: "xtask",
        what: "the tests of this crate",
        run: |workspace| cargo(workspace, &["test", "--quiet", "--package", "xtask"]),
    },
    Step {
        name: "unit",
        what: "the unit tests of all other crates",
        run: |workspace| test(workspace, &["--lib", "--bins"]),
    },
    Step {
        name: "integration",
        what: "the built binary and the library against the simulator",
        run: |workspace| test(workspace, &["--test", "*"]),
    },
    Step {
        name: "doctests",
        what: "the examples in the documentation",
        run: |workspace| test(workspace, &["--doc"]),
    },
];

/// All packages but this one.
const NATIVE: &[&str] = &["--workspace", "--exclude", "xtask"];

/// How a step ended.
enum End {
    Passed(String),
    Failed(anyhow::Error),
    NotRun,
}

/// Runs the steps.
///
/// # Errors
///
/// A step has failed, or a name is unknown.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(unknown) = args
        .only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        bail!("there is no step {unknown:?}; `cargo xtask test --list` names them");
    }
    let wanted =
        |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let mut ends = Vec::new();
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(wanted) {
        if args.list {
            println!("{:<13} {}", step.name, step.what);
            continue;
        }
        if !failed.is_empty() && !args.keep_going {
            ends.push((step, End::NotRun, Duration::ZERO));
            continue;
        }
        println!("== {}: {}", step.name, step.what);
        let started = Instant::now();
        let end = match (step.run)(workspace) {
            Ok(remark) => End::Passed(remark),
            Err(error) => {
                eprintln!("{error:#}");
                failed.push(step.name);
                End::Failed(error)
            }
        };
        ends.push((step, end, started.elapsed()));
    }
    print_summary(&ends);
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn print_summary(ends: &[(&Step, End, Duration)]) {
    for (step, end, took) in ends {
        let (word, remark) = match end {
            End::Passed(remark) => ("ok", remark.clone()),
            End::Failed(error) => {
                let text = error.to_string();
                ("FAILED", text.lines().next().unwrap_or_default().to_owned())
            }
            End::NotRun => ("not run", String::new()),
        };
        println!(
            "{word:<8} {:<13} {:>7.1} s  {remark}",
            step.name,
            took.as_secs_f64()
        );
    }
}

/// Runs tests of all packages but this one.
fn test(workspace: &Workspace, which: &[&str]) -> Result<String> {
    cargo(workspace, &[&["test", "--quiet"], NATIVE, which].concat())
}

fn cargo(workspace: &Workspace, args: &[&str]) -> Result<String> {
    process::run(workspace.cargo().args(args))?;
    Ok(String::new())
}

/// One error that lists what was found, or a remark.
pub(crate) fn verdict(found: &[String], rule: &str, remark: String) -> Result<String> {
    if found.is_empty() {
        return Ok(remark);
    }
    bail!("{rule}:\n  {}", found.join("\n  "));
}
