//! `cargo xtask bundle`: everything that goes into the one file, where its build looks for it: the
//! components, and their machine code for a target.
//!
//! The compiler is the library itself: a small program over it (`multillm-precompile`) is built from
//! the same packages as the programs, so that cargo builds their dependencies once, and run. The
//! next build of the program takes what it wrote. A build without it works too: then components are
//! compiled when they are first needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::process;
use crate::workspace::{self, Workspace};

/// The package that holds what goes into the program.
pub(crate) const PACKAGE: &str = "multillm-bundle";
/// The program in it that makes machine code.
pub(crate) const COMPILER: &str = "multillm-precompile";
/// The packages that are built together. Another choice would have other features of what they share.
pub(crate) const PACKAGES: [&str; 3] = ["multillm-cli", "multillm-simulator", PACKAGE];

/// Make the components and their machine code, for the next build of the program to take in.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The profile that the program will be built with
    #[arg(long, default_value = "release")]
    profile: String,
    /// The target that the program will be built for [default: this machine]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// Builds, compiles and says where it is.
///
/// # Errors
///
/// Something does not build, or the target is not this machine's kind.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    plugins::build(workspace, &[])?;
    let folder = prepare(workspace, &args.profile, args.target.as_deref())?;
    for file in workspace::entries(&folder)? {
        println!("{}", workspace.shown(&file));
    }
    Ok(())
}

/// Makes the machine code of the components that are there, with a program of this profile and target.
/// Gives the folder.
///
/// # Errors
///
/// As [`exec`].
pub(crate) fn prepare(
    workspace: &Workspace,
    profile: &str,
    target: Option<&str>,
) -> Result<PathBuf> {
    let host = host()?;
    let triple = target.unwrap_or(&host);
    let mut command = workspace.cargo();
    command.args([
        "build",
        "--bin",
        "multillm-precompile",
        "--profile",
        profile,
    ]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    process::run(&mut command)?;

    let mut program = workspace.target.clone();
    program.extend(target);
    program.push(if profile == "dev" { "debug" } else { profile });
    program.push(format!("{COMPILER}{}", std::env::consts::EXE_SUFFIX));
    compile(workspace, &program, triple)
}

/// Makes the machine code of the components that are there for a target, with a `multillm-precompile` that
/// was built for it and runs here. Gives the folder in which builds of the program look for it.
///
/// # Errors
///
/// The program does not run here, or a component does not compile.
pub(crate) fn compile(workspace: &Workspace, program: &Path, triple: &str) -> Result<PathBuf> {
    let folder = workspace.plugin_dir().join("code").join(triple);
    let mut compile = Command::new(program);
    compile.arg(triple).arg(&folder);
    let mut components = workspace::entries(&workspace.plugin_dir())?;
    components.retain(|path| path.extension().is_some_and(|kind| kind == "wasm"));
    // The first is what the others are packed against, and unpacked the fastest.
    components.sort_by_key(|path| path.file_stem() != Some("openai".as_ref()));
    compile.args(components);
    process::run(&mut compile).with_context(|| {
        format!("the machine code for {triple} is made on a machine of that kind")
    })?;
    Ok(folder)
}

/// The target that cargo builds for where none is named.
fn host() -> Result<String> {
    let version = process::capture(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    match host {
        Some(host) => Ok(host.to_owned()),
        None => bail!("rustc names no host"),
    }
}
