//! Builds the program for a target, so that it has the same bytes wherever that is done: no path of the machine, no
//! C library of it, no time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::release::{PACKAGE, PROGRAM};
use super::zig::{self, Zig};
use crate::bundle;
use crate::plugins;
use crate::process;
use crate::workspace::Workspace;

/// The profile of `Cargo.toml` that releases are built with.
const PROFILE: &str = "dist";
/// What Rust's own linker is told: functions of the same code are one, and places to be moved are listed in short.
const SMALLER: [&str; 2] = ["--icf=all", "--pack-dyn-relocs=relr"];

/// Builds it and returns where it is. The machine code of the components is made by the program's own
/// compiler, built alike, and goes into it; for a target that does not run here it is left out, and
/// components are compiled when they are first needed.
///
/// # Errors
///
/// The target is not installed and cannot be, or something does not build.
pub(super) fn build(workspace: &Workspace, target: &str, zig: &Zig) -> Result<PathBuf> {
    plugins::build_first_party(workspace)?;
    let built = |binary: &str| -> Result<PathBuf> {
        let mut command = workspace.cargo();
        command
            .args(["build", "--locked", "--profile", PROFILE])
            .args(["--package", PACKAGE, "--package", bundle::PACKAGE])
            .args(["--bin", binary, "--target", target]);
        set_up(&mut command, workspace, target, zig)?;
        process::run(&mut command)?;
        Ok(workspace.target.join(target).join(PROFILE).join(binary))
    };
    if runs_here(target) {
        bundle::compile(workspace, &built(bundle::COMPILER)?, target)?;
    }
    built(PROGRAM)
}

fn runs_here(target: &str) -> bool {
    target.starts_with(std::env::consts::ARCH) && target.contains(std::env::consts::OS)
}

/// Has cargo only check that the program compiles for a target.
///
/// # Errors
///
/// It does not, or the target is not installed and cannot be.
pub(super) fn check(workspace: &Workspace, target: &str, zig: &Zig) -> Result<()> {
    let mut command = workspace.cargo();
    command.args([
        "check",
        "--locked",
        "--package",
        PACKAGE,
        "--target",
        target,
    ]);
    set_up(&mut command, workspace, target, zig)?;
    process::run(&mut command)
}

fn set_up(
    command: &mut std::process::Command,
    workspace: &Workspace,
    target: &str,
    zig: &Zig,
) -> Result<()> {
    plugins::ensure_target(target)?;
    let folder = workspace.target.join("dist-tools");
    let tools = zig.tools(target, &folder)?;
    tools.set(command, target);
    let suffix = target.replace('-', "_");
    // Not among cargo's flags: it names the folders of build scripts by those, and names of folders are in the program where
    // a dependency's code was generated into one.
    let remaps = plugins::path_remaps(workspace, target)?;
    let wrapper = zig::script(&folder, &format!("rustc-{target}"), &wrapper(&remaps))?;
    command.env("RUSTC_WRAPPER", wrapper);
    let smaller = if target.ends_with("-musl") {
        &SMALLER[..]
    } else {
        &[]
    };
    let flags: Vec<String> = smaller
        .iter()
        .map(|argument| format!("-Clink-arg={argument}"))
        .collect();
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    let sources = cargo_home()?.join("registry");
    let map = format!("-ffile-prefix-map={}=/registry", sources.display());
    command.env(format!("CFLAGS_{suffix}"), map);
    // An allocator in C says when it was compiled. Not the commit's time: what was compiled for an earlier one is used again.
    command.env("SOURCE_DATE_EPOCH", "0");
    if target.ends_with("-musl") {
        // The compiler brings this C library, and with its own linker the machine's has no part in the program.
        command.env(
            format!("CARGO_TARGET_{}_LINKER", suffix.to_uppercase()),
            "rust-lld",
        );
    }
    Ok(())
}

/// What calls the compiler with these flags behind cargo's; they are separated as cargo separates them.
fn wrapper(flags: &str) -> String {
    let quoted: Vec<String> = flags
        .split('\u{1f}')
        .map(|flag| format!("'{}'", flag.replace('\'', "'\\''")))
        .collect();
    format!("#!/bin/sh\nexec \"$@\" {}\n", quoted.join(" "))
}

fn cargo_home() -> Result<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual = || Some(Path::new(&std::env::var_os("HOME")?).join(".cargo"));
    named
        .or_else(usual)
        .context("neither CARGO_HOME nor HOME is set")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_gets_its_paths_behind_what_cargo_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = wrapper("--remap-path-prefix=/a b=/x\u{1f}--remap-path-prefix=/it's=/y");
        let script = zig::script(folder.path(), "rustc-test", &text).expect("a script");
        let mut command = std::process::Command::new(script);
        command.args(["printf", "<%s>", "--crate-name", "one two"]);
        assert_eq!(
            process::capture(&mut command).expect("it runs"),
            "<--crate-name><one two><--remap-path-prefix=/a b=/x><--remap-path-prefix=/it's=/y>"
        );
    }
}
