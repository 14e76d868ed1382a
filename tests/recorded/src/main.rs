//! Judges by recorded exchanges.
//!
//! ```console
//! $ cargo run -p multillm-recorded -- relay ../shared/cases ../shared/responses
//! $ cargo xtask recorded order ../shared/cases
//! ```
//!
//! `relay` judges the adapters' relays: that a body goes where the recorded one went, and that what
//! is read of the recorded answer is what the adapter reads of it otherwise. It runs natively,
//! without the host: a difference there is the adapter's. `requests` reads recorded bodies into the unified request and lets the
//! adapters make bodies of them again, which must mean the same. `order` asks for recorded schemas and tools
//! by way of the library and the components, and compares their order and digits. `faces` says recorded answers again
//! through the gateway's faces, and compares what strict callers hear with what is expected; with `--write FOLDER` it also writes down what was said. The exit code is 1
//! if anything differs, and 2 if there was nothing to judge.
//!
//! # Layout
//!
//! - `case`: a recording, `frames`: its bytes cut as the host cuts them
//! - `vendors`: the adapters, one table
//! - `way`: where the body goes, `reading`: what is read of the answer
//! - `requests`: the judge of what the unified request can say, with a reader for each wire
//! - `tally`: counts and what is printed
//! - `faces`: the judge of the gateway's faces
//! - `order` with `plugins`: the judge of order, and the components that it asks through
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a judge tells its verdict to the person at the terminal"
)]

mod case;
mod faces;
mod frames;
mod order;
mod plugins;
mod reading;
mod requests;
mod tally;
mod vendors;
mod way;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use case::Case;
use tally::Tally;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = env::args().skip(1);
    let judge_of = arguments.next();
    match judge_of.as_deref() {
        Some("relay") => {}
        Some(judge @ ("order" | "faces" | "requests")) => {
            let mut cases = vec![];
            let mut written = None;
            while let Some(folder) = arguments.next() {
                if folder == "--write" {
                    written = Some(arguments.next().context("--write takes a folder")?.into());
                    continue;
                }
                for file in recordings(Path::new(&folder))? {
                    cases.push(Case::load(&file)?);
                }
            }
            return match judge {
                "order" => order::judge(&cases),
                "requests" => Ok(requests::judge(&cases)),
                _ => faces::judge(&cases, &mut faces::Writer::to(written)?),
            };
        }
        _ => bail!(
            "say what to judge: `relay FOLDER…`, `requests FOLDER…`, `order FOLDER…` or `faces FOLDER…`"
        ),
    }
    let mut tally = Tally::default();
    for folder in arguments {
        for file in recordings(Path::new(&folder))? {
            judge(&Case::load(&file)?, &mut tally)?;
        }
    }
    Ok(tally.print())
}

/// Every recording below a folder, always in the same order.
fn recordings(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("folder {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(recordings(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn judge(case: &Case, tally: &mut Tally) -> Result<()> {
    let adapter = vendors::adapter(&case.vendor)
        .with_context(|| format!("{}: no adapter of {}", case.name, case.vendor))?;
    if let Some(why) = way::elsewhere(case) {
        tally.elsewhere(case, why);
        return Ok(());
    }
    let target = way::target(case, &adapter);
    tally.way(case, way::differences(case, &adapter, &target));
    tally.reading(case, reading::differences(case, &adapter, &target));
    Ok(())
}
