//! Makes sure that the compiler can build WebAssembly, with rustup or without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;

/// The target of all components. It has no system interface at all, so what is
/// built for it can import nothing that its author did not ask for.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Waits between the attempts to install the target.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// Checks that the standard library of [`TARGET`] is there, and installs it
/// with rustup where it is not.
///
/// # Errors
///
/// It is missing and cannot be installed; the message says how to do it by hand.
pub(super) fn ensure_target() -> Result<()> {
    if is_installed()? {
        return Ok(());
    }
    let rustup = Command::new("rustup")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if rustup.is_ok_and(|status| status.success()) {
        eprintln!("the target {TARGET} is missing: installing it with rustup");
        install()?;
        if is_installed()? {
            return Ok(());
        }
    }
    bail!(
        "the rust compiler has no target {TARGET}; install it with \
         `rustup target add {TARGET}`, or, where rust comes from the distribution, \
         with its package (`apt install libstd-rust-dev-wasm32`, \
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

fn install() -> Result<()> {
    let mut last = Ok(());
    for pause in PAUSES.iter().map(Some).chain([None]) {
        last = process::run(Command::new("rustup").args(["target", "add", TARGET]));
        match pause {
            Some(pause) if last.is_err() => thread::sleep(*pause),
            _ => break,
        }
    }
    last.with_context(|| {
        format!(
            "rustup cannot install {TARGET}: check the network (and HTTPS_PROXY), \
             then run `rustup target add {TARGET}`"
        )
    })
}

fn is_installed() -> Result<bool> {
    let printed = process::capture(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
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
