//! Makes sure that the compiler can build WebAssembly, with rustup or without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// The target of all components. It has no system interface at all, so what is
/// built for it can import nothing that its author did not ask for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Checks that the standard library of a target is there, and installs it
/// with rustup where it is not.
///
/// # Errors
///
/// It is missing and cannot be installed; the message says how to do it by hand.
pub(crate) fn ensure_target(target: &str) -> Result<()> {
    if is_installed(target)? {
        return Ok(());
    }
    let rustup = Command::new("rustup")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if rustup.is_ok_and(|status| status.success()) {
        eprintln!("the target {target} is missing: installing it with rustup");
        process::run(Command::new("rustup").args(["target", "add", target])).context(
            "rustup cannot install it: check the network, and HTTPS_PROXY where there is a proxy",
        )?;
        if is_installed(target)? {
            return Ok(());
        }
    }
    bail!(
        "the rust compiler has no target {target}; install it with \
         `rustup target add {target}`, or, where rust comes from the distribution, \
         with its package (for {TARGET} `apt install libstd-rust-dev-wasm32`, \
         `dnf install rust-std-static-{TARGET}`, `pacman -S rust-wasm`), and run this again"
    );
}

/// Where the compiler may look for the sources of the standard library, and the
/// commit it was built from. Code that is inlined from the library carries the
/// first where the sources are installed, and the second where they are not.
///
/// # Errors
///
/// There is no compiler.
pub(super) fn rust_sources() -> Result<(PathBuf, String)> {
    let sysroot = process::capture(rustc().args(["--print", "sysroot"]))?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    let version = process::capture(rustc().arg("-vV"))?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))
        .unwrap_or("unknown");
    Ok((sources, commit.to_owned()))
}

fn is_installed(target: &str) -> Result<bool> {
    let printed = process::capture(rustc().args(["--print", "target-libdir", "--target", target]))?;
    let Ok(entries) = fs::read_dir(printed.trim()) else {
        return Ok(false);
    };
    let is_core = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libcore");
    Ok(entries.filter_map(Result::ok).any(is_core))
}

/// The compiler that cargo would use.
fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
