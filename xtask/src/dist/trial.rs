//! Tries every package as its user would: unpacks or installs it where nothing else is, asks the simulator with it,
//! and takes it away again. Nothing of this machine is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::image;
use super::release::{PROGRAM, Release, SUMS};
use crate::process::{self, Finished};
use crate::simulator::Simulator;
use crate::workspace::{self, Workspace};

/// Longer than a busy machine needs to install a package.
const LIMIT: Duration = Duration::from_secs(300);
const MODEL: &str = "trial";
const QUESTION: &str = "Who are you?";

/// Where a package is tried, and what is asked of it.
struct Trial<'run> {
    /// The folder of the release.
    release: &'run Path,
    /// An empty folder for this package alone.
    place: PathBuf,
    /// A configuration for the simulator.
    config: String,
    target: &'run str,
}

/// Tries one package.
type Try = fn(&Trial<'_>) -> Result<()>;

/// Tries all packages in a folder.
///
/// # Errors
///
/// A package did not do what it is for, or a tool that installs it is missing here.
pub(super) fn all(workspace: &Workspace, release: &Release, folder: &Path) -> Result<()> {
    let mut build = workspace.cargo();
    process::run(build.args(["build", "--package", "multillm-simulator"]))?;
    let places = workspace.target.join("dist-trial");
    if places.exists() {
        fs::remove_dir_all(&places)
            .with_context(|| format!("cannot empty {}", places.display()))?;
    }
    let log = places.join("exchanges.jsonl");
    let simulator = Simulator::start(workspace, "debug", &log)?;
    let config = json!({
        "providers": { "ollama": { "base_url": simulator.base_url("ollama")? } },
        "models": { MODEL: { "provider": "ollama", "model_name": "llama3.2" } },
    });
    let trials: [(&str, Try); 6] = [
        ("the checksums are those of the files", sums),
        ("the archive unpacks and its program answers", archive),
        (
            "the Debian package installs, answers and leaves nothing behind",
            deb,
        ),
        (
            "the wheel installs in a fresh environment and answers",
            wheel,
        ),
        (
            "the npm package installs in an empty folder and answers",
            npm,
        ),
        ("the image's file system is enough to answer in", root),
    ];
    let mut failed = Vec::new();
    for (number, (what, run)) in trials.iter().enumerate() {
        let place = places.join(format!("{number}"));
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let trial = Trial {
            release: folder,
            place,
            config: config.to_string(),
            target: &release.target,
        };
        match run(&trial) {
            Ok(()) => println!("ok      {what}"),
            Err(error) => {
                println!("FAILED  {what}: {error:#}");
                failed.push(*what);
            }
        }
    }
    ensure!(
        failed.is_empty(),
        "{} of the packages' trials failed",
        failed.len()
    );
    Ok(())
}

impl Trial<'_> {
    /// The one file of the release whose name ends so.
    fn package(&self, end: &str) -> Result<PathBuf> {
        let files = workspace::entries(self.release)?;
        let mut found = files
            .into_iter()
            .filter(|path| path.to_string_lossy().ends_with(end));
        found
            .next()
            .with_context(|| format!("the release has no file …{end}"))
    }

    /// A command with a home of its own below this place, and nothing of the caller's settings.
    fn command(&self, program: impl AsRef<Path>) -> Result<Command> {
        let home = self.place.join("home");
        fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
        let mut command = process::in_clean_environment(program.as_ref());
        command.current_dir(&self.place).env("HOME", home);
        Ok(command)
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Result<Finished> {
        done(self.command(program)?.args(arguments))
    }

    /// Has an installed program ask the simulator.
    fn asks(&self, program: impl AsRef<Path>, before: &[&str]) -> Result<()> {
        let config = self.place.join("config.json");
        fs::write(&config, &self.config).context("cannot write the configuration")?;
        let config = config.to_string_lossy();
        let question = ["--config", &config, "query", QUESTION, "--model", MODEL];
        answers(&done(self.command(program)?.args(before).args(question))?)
    }
}

fn answers(finished: &Finished) -> Result<()> {
    let expected = format!("You said: {QUESTION}");
    ensure!(
        finished.stdout.contains(&expected),
        "it answered {:?}",
        finished.stdout
    );
    Ok(())
}

/// Runs a command that has to succeed.
fn done(command: &mut Command) -> Result<Finished> {
    let finished =
        process::finish_within(command, LIMIT).with_context(|| process::shown(command))?;
    if !finished.status.success() {
        let said = format!("{}{}", finished.stdout, finished.stderr);
        bail!(
            "`{}` failed ({}): {}",
            process::shown(command),
            finished.status,
            said.trim()
        );
    }
    Ok(finished)
}

fn sums(trial: &Trial<'_>) -> Result<()> {
    let mut command = process::in_clean_environment(Path::new("sha256sum"));
    done(
        command
            .args(["--check", "--strict", SUMS])
            .current_dir(trial.release),
    )
    .map(drop)
}

fn unpack(trial: &Trial<'_>, end: &str, more: &[&str]) -> Result<PathBuf> {
    let package = trial.package(end)?;
    let folder = trial.place.join("unpacked");
    fs::create_dir_all(&folder)?;
    let (package, into) = (package.to_string_lossy(), folder.to_string_lossy());
    trial.run("tar", &[&["-xzf", &*package, "-C", &*into], more].concat())?;
    Ok(folder)
}

fn archive(trial: &Trial<'_>) -> Result<()> {
    let folder = unpack(
        trial,
        &format!("{}.tar.gz", trial.target),
        &["--strip-components=1"],
    )?;
    for file in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "THIRD-PARTY-NOTICES.txt",
        "man/multillm.1",
    ] {
        ensure!(folder.join(file).is_file(), "{file} is missing");
    }
    trial.asks(folder.join(PROGRAM), &[])
}

/// In a root of its own, with a list of installed packages that is empty before and after.
fn deb(trial: &Trial<'_>) -> Result<()> {
    let package = trial.package(".deb")?;
    let root = trial.place.join("root");
    let list = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(list.join(folder))?;
    }
    fs::write(list.join("status"), "")?;
    let before = below(&root)?;
    let at = format!("--root={}", root.display());
    // Whoever is not root may do the same in a folder of their own.
    let dpkg = |action: &str, what: &str| {
        let arguments = [
            &at,
            "--force-not-root",
            "--force-script-chrootless",
            action,
            what,
        ];
        let mut command = trial.command("dpkg")?;
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        done(command.args(arguments))
    };
    dpkg("--install", &package.to_string_lossy())?;
    trial.asks(root.join("usr/bin").join(PROGRAM), &[])?;
    dpkg("--verify", PROGRAM)?;
    dpkg("--purge", PROGRAM)?;
    let is_kept = |path: &&PathBuf| path.starts_with(&list);
    let mut after = below(&root)?;
    after.retain(|path| !before.contains(path) && !is_kept(&path));
    ensure!(after.is_empty(), "it left behind {after:?}");
    Ok(())
}

fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in workspace::entries(folder)? {
        if path.is_dir() && !path.is_symlink() {
            all.extend(below(&path)?);
        }
        all.push(path);
    }
    Ok(all)
}

fn wheel(trial: &Trial<'_>) -> Result<()> {
    let package = trial.package(".whl")?;
    trial.run("python3", &["-m", "venv", "venv"])?;
    let programs = trial.place.join("venv/bin");
    let pip = programs.join("pip");
    let package = package.to_string_lossy();
    trial.run(&pip, &["install", "--no-index", "--no-cache-dir", &package])?;
    trial.asks(programs.join(PROGRAM), &[])?;
    trial.run(&pip, &["uninstall", "--yes", PROGRAM])?;
    ensure!(
        !programs.join(PROGRAM).exists(),
        "the program is still there"
    );
    Ok(())
}

fn npm(trial: &Trial<'_>) -> Result<()> {
    let package = trial.package(".tgz")?;
    fs::write(trial.place.join("package.json"), "{}")?;
    let package = package.to_string_lossy();
    let quiet = [
        "--offline",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ];
    trial.run("npm", &[&["install"], &quiet[..], &[&*package]].concat())?;
    trial.asks("npx", &["--no", PROGRAM, "--"])
}

/// The image's file system as the root of a process with the image's user, home and nothing else.
fn root(trial: &Trial<'_>) -> Result<()> {
    let root = unpack(trial, "-root.tar.gz", &["--same-permissions"])?;
    let program = format!("/usr/bin/{PROGRAM}");
    let home = root.join(image::HOME.trim_start_matches('/'));
    fs::write(home.join("config.json"), &trial.config)?;
    let is_root = trial.run("id", &["-u"])?.stdout.trim() == "0";
    let inside = |arguments: &[&str]| -> Result<Command> {
        let root = root.to_string_lossy();
        let user = format!("--userspec={0}:{0}", image::USER);
        let mut command = if is_root {
            let mut command = Command::new("chroot");
            command.args([&*user, &*root]);
            command
        } else {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "chroot", &*root]);
            command
        };
        command.arg(&program).args(arguments);
        command.env_clear().env("HOME", image::HOME);
        command.env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin");
        Ok(command)
    };
    let config = format!("{}/config.json", image::HOME);
    let question = ["--config", &config, "query", QUESTION, "--model", MODEL];
    answers(&done(&mut inside(&question)?)?)?;
    // Nothing listens there: what is told is that, and not that there are no certificates.
    fs::write(
        home.join("secure.json"),
        trial.config.replace("http://", "https://"),
    )?;
    let config = format!("{}/secure.json", image::HOME);
    let question = ["--config", &config, "query", QUESTION, "--model", MODEL];
    let refused = process::finish_within(&mut inside(&question)?, LIMIT)?;
    ensure!(
        refused.status.code() == Some(1) && !refused.stderr.contains("root certificates"),
        "with TLS it said {:?}",
        refused.stderr
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::release::{self, tests::small};

    /// Answers whatever it is asked.
    const SCRIPT: &str = "#!/bin/sh\nwhile [ $# -gt 0 ] && [ \"$1\" != query ]; do shift; done\necho \"You said: $2\"\n";

    /// Tries a package of a small program. Where its installer is missing, as on another system, there is nobody to
    /// whom it could mean anything.
    fn try_small(installer: &str, run: Try) {
        if process::capture(Command::new(installer).arg("--version")).is_err() {
            eprintln!("not tried: there is no {installer} here");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let files = small(SCRIPT).files().expect("packed");
        let place = folder.path().join("release");
        release::write(&place, &files).expect("written");
        let trial = Trial {
            release: &place,
            place: folder.path().to_path_buf(),
            config: "{}".to_owned(),
            target: "x86_64-unknown-linux-musl",
        };
        run(&trial).expect("it does what it is for");
    }

    #[test]
    fn the_sums_are_read_by_their_tool() {
        try_small("sha256sum", sums);
    }

    #[test]
    fn the_archive_is_unpacked_and_answers() {
        try_small("tar", archive);
    }

    #[test]
    fn the_debian_package_is_installed_and_taken_away() {
        try_small("dpkg", deb);
    }

    #[test]
    fn the_wheel_is_installed_and_taken_away() {
        try_small("python3", wheel);
    }

    #[test]
    fn the_npm_package_is_installed_and_answers() {
        try_small("npm", npm);
    }

    #[test]
    fn a_program_that_says_something_else_is_not_taken_for_one_that_answers() {
        let mut command = Command::new("echo");
        let finished = done(command.arg("hello")).expect("it runs");
        assert!(answers(&finished).is_err());
        assert!(done(&mut Command::new("false")).is_err());
    }
}
