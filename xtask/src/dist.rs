//! `cargo xtask dist`: what a release needs, of the commit that is checked out: the program in one file for Linux, in
//! an archive, a Debian package, a Python wheel, an npm package and the file system of an image, with what belongs
//! to them (manual page, completions, licences, notices about third parties, bill of materials, checksums).
//!
//! The same commit gives the same bytes, whoever builds it and where; `--again` shows it. `--check` tries every
//! package. Neither is part of `cargo xtask test`, for they build everything anew.

mod again;
mod archive;
mod bill;
mod deb;
mod image;
mod notices;
mod npm;
mod parts;
mod program;
mod release;
mod trial;
mod wheel;
mod zig;

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

use release::{Commit, Release};
use zig::Zig;

/// What a release is made for: it runs on this kind of machine, and needs nothing there.
const TARGET: &str = "x86_64-unknown-linux-musl";
/// Where the packages lie in the target folder, beside what cargo keeps there by the names of profiles.
const FOLDER: &str = "packages";
/// What the program has to compile for as well, where it cannot be run here.
const PLATFORMS: [&str; 4] = [
    "aarch64-unknown-linux-musl",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-gnu",
];
/// The program must not grow beyond this, in bytes.
const LARGEST: usize = 25_000_000;

/// Make the packages of a release.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to build for
    #[arg(long, value_name = "TRIPLE", default_value = TARGET)]
    target: String,
    /// Try every package afterwards: install it, ask the simulator, remove it
    #[arg(long)]
    check: bool,
    /// Build the commit once more in another folder, and compare
    #[arg(long)]
    again: bool,
    /// Only check that the program compiles for other systems and processors
    #[arg(long)]
    platforms: bool,
}

/// Builds and packs, and does what else was asked for.
///
/// # Errors
///
/// A tool is missing, something does not build, or a check failed.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    let zig = Zig::find()?;
    if args.platforms {
        return platforms(workspace, &zig);
    }
    let commit = Commit::of(workspace)?;
    println!("1 of 2: building the program for {}", args.target);
    let started = Instant::now();
    let program = program::build(workspace, &args.target, &zig)?;
    println!("   done in {} s", started.elapsed().as_secs());
    println!("2 of 2: packing");
    let release = Release::gather(workspace, &commit, &args.target, &program, &zig)?;
    ensure!(
        release.program.len() <= LARGEST,
        "the program has {} bytes, and {LARGEST} are the limit",
        release.program.len()
    );
    let folder = workspace.target.join(FOLDER);
    for path in release::write(&folder, &release.files()?)? {
        let size = fs::metadata(&path)
            .context("what was written is gone")?
            .len();
        println!("{size:>12}  {}", workspace.shown(&path));
    }
    if args.check {
        trial::all(workspace, &release, &folder)?;
    }
    if args.again {
        again::compare(workspace, &commit, &args.target, &folder)?;
    }
    Ok(())
}

fn platforms(workspace: &Workspace, zig: &Zig) -> Result<()> {
    let mut failed = Vec::new();
    for target in PLATFORMS {
        println!("== {target}");
        if let Err(error) = program::check(workspace, target, zig) {
            eprintln!("{error:#}");
            failed.push(target);
        }
    }
    ensure!(
        failed.is_empty(),
        "it does not compile for {}",
        failed.join(", ")
    );
    println!("It compiles for {}.", PLATFORMS.join(", "));
    Ok(())
}
