//! The nightly compiler and cargo-fuzz: whether they are there, and building with them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// They only say who they are.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What is needed, and is there.
pub(super) struct Tools {
    /// The platform that is built for.
    host: String,
}

/// Looks for both.
///
/// # Errors
///
/// Says which is missing, and how it is installed.
pub(super) fn find() -> Result<Tools> {
    let Some(compiler) = said(nightly("rustc").arg("-vV")) else {
        bail!(
            "there is no nightly compiler: install it with \
             `rustup toolchain install nightly --profile minimal`"
        );
    };
    if said(nightly("cargo").args(["fuzz", "--version"])).is_none() {
        bail!("there is no cargo-fuzz: install it with `cargo install cargo-fuzz --locked`");
    }
    let host = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("the compiler does not say what it compiles for")?;
    Ok(Tools {
        host: host.to_owned(),
    })
}

impl Tools {
    /// Builds all targets and returns the folder of their programs.
    ///
    /// # Errors
    ///
    /// They do not build.
    pub(super) fn build(&self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.target.join("fuzz");
        let mut command = nightly("cargo");
        command
            .current_dir(&workspace.root)
            .args(["fuzz", "build", "--sanitizer", "none"])
            // The code that is shipped, not what a dependency makes of itself for fuzzing.
            .arg("--no-cfg-fuzzing")
            .args(["--target", &self.host, "--target-dir"])
            .arg(&folder);
        process::run(&mut command)?;
        Ok(folder.join(&self.host).join("release"))
    }
}

/// A program of the nightly toolchain, whichever toolchain runs this one.
fn nightly(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]);
    command
}

/// What a command says, if it is there and succeeds.
fn said(command: &mut Command) -> Option<String> {
    let finished = process::finish_within(command, ANSWER_WITHIN).ok()?;
    finished.status.success().then_some(finished.stdout)
}
