//! What is released: the program and what goes with it, and the packages that are made of that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use super::archive::Tree;
use super::bill::{self, Subject};
use super::notices::{self, Addition};
use super::zig::Zig;
use super::{deb, image, npm, parts, wheel};
use crate::process;
use crate::workspace::Workspace;

/// The package of the program, and its command.
pub(super) const PACKAGE: &str = "multillm-cli";
pub(super) const PROGRAM: &str = "multillm";
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];
/// The program writes its own documents in milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Everything that a package may hold.
pub(super) struct Release {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) target: String,
    /// Seconds since 1970, of the commit.
    pub(super) time: u64,
    pub(super) description: String,
    /// An SPDX expression.
    pub(super) licence: String,
    pub(super) program: Vec<u8>,
    pub(super) readme: String,
    pub(super) changes: String,
    /// File names and texts.
    pub(super) licences: Vec<(String, String)>,
    /// Third parties'.
    pub(super) notices: String,
    /// The bill of materials.
    pub(super) parts: String,
    /// File names and pages.
    pub(super) manual: Vec<(String, String)>,
    /// Shells and scripts.
    pub(super) completions: Vec<(String, String)>,
}

/// The commit that a release is made of.
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) time: u64,
    /// In the form of RFC 3339, in UTC.
    pub(super) moment: String,
}

impl Commit {
    /// Asks git for the one that is checked out, and says so where files differ from it.
    ///
    /// # Errors
    ///
    /// The folder is no checkout.
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.args(arguments)
                .current_dir(&workspace.root)
                .env("TZ", "UTC");
            process::capture(&mut git).context("a release is made of a commit")
        };
        let format = [
            "--format=%H %ct %cd",
            "--date=format-local:%Y-%m-%dT%H:%M:%SZ",
        ];
        let printed = git(&[&["log", "-1"], &format[..]].concat())?;
        let mut words = printed.split_whitespace();
        let (Some(id), Some(time), Some(moment)) = (words.next(), words.next(), words.next())
        else {
            bail!("git said {printed:?}");
        };
        if !git(&["status", "--porcelain"])?.trim().is_empty() {
            eprintln!("note: files differ from commit {id}, so the packages are not that commit's");
        }
        Ok(Commit {
            id: id.to_owned(),
            time: time.parse().context("git's time of the commit")?,
            moment: moment.to_owned(),
        })
    }
}

impl Release {
    /// Gathers what goes with a program that was built for `target` and runs on this machine.
    ///
    /// # Errors
    ///
    /// A file is missing, or the program cannot be run.
    pub(super) fn gather(
        workspace: &Workspace,
        commit: &Commit,
        target: &str,
        program: &Path,
        zig: &Zig,
    ) -> Result<Self> {
        let package = workspace
            .members
            .iter()
            .find(|package| package.name == PACKAGE);
        let package = package.with_context(|| format!("there is no package {PACKAGE}"))?;
        let read = |path: &str| {
            fs::read_to_string(workspace.root.join(path))
                .with_context(|| format!("cannot read {path}"))
        };
        let licence = package
            .license
            .clone()
            .context("the program has no licence")?;
        let parts = parts::of_program(workspace, PACKAGE, target)?;
        let subject = Subject {
            name: PROGRAM,
            version: &package.version,
            licence: &licence,
            target,
            commit: &commit.id,
            moment: &commit.moment,
        };
        let named = |name: &str| -> Result<_> { Ok((name.to_owned(), read(name)?)) };
        let ask = |arguments: &[&str]| document(program, arguments);
        let completion =
            |shell: &str| -> Result<_> { Ok((shell.to_owned(), ask(&["completions", shell])?)) };
        Ok(Release {
            name: PROGRAM.to_owned(),
            version: package.version.clone(),
            target: target.to_owned(),
            time: commit.time,
            description: "one interface to every LLM, in one file".to_owned(),
            program: fs::read(program)
                .with_context(|| format!("cannot read {}", program.display()))?,
            readme: read("README.md")?,
            changes: read("CHANGELOG.md")?,
            licences: vec![named("LICENSE-APACHE")?, named("LICENSE-MIT")?],
            notices: notices::of(PROGRAM, &parts, &additions(workspace, target, zig)?)?,
            parts: bill::of(&subject, &parts),
            manual: vec![(format!("{PROGRAM}.1"), ask(&["man"])?)],
            completions: SHELLS.map(completion).into_iter().collect::<Result<_>>()?,
            licence,
        })
    }

    /// Every file of the release, by its name.
    ///
    /// # Errors
    ///
    /// The target has no name in one of the kinds of packages.
    pub(super) fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let stem = format!("{}-{}-{}", self.name, self.version, self.target);
        let mut files = vec![
            (format!("{stem}.tar.gz"), self.archive(&stem)?),
            deb::package(self)?,
            wheel::package(self)?,
            npm::package(self)?,
            image::root(self)?,
            (
                "Dockerfile".to_owned(),
                image::dockerfile(self).into_bytes(),
            ),
            (format!("{stem}.cdx.json"), self.parts.clone().into_bytes()),
        ];
        files.sort();
        let line = |(name, bytes): &(String, Vec<u8>)| {
            format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)))
        };
        let sums: String = files.iter().map(line).collect();
        files.push((SUMS.to_owned(), sums.into_bytes()));
        Ok(files)
    }

    fn archive(&self, stem: &str) -> Result<Vec<u8>> {
        let mut tree = Tree::default();
        tree.program(self.name.as_str(), self.program.clone());
        tree.file("README.md", self.readme.as_str());
        tree.file("CHANGELOG.md", self.changes.as_str());
        tree.file("THIRD-PARTY-NOTICES.txt", self.notices.as_str());
        for (name, text) in &self.licences {
            tree.file(name.as_str(), text.as_str());
        }
        for (page, text) in &self.manual {
            tree.file(format!("man/{page}"), text.as_str());
        }
        for (shell, script) in &self.completions {
            let file = match shell.as_str() {
                "zsh" => format!("_{}", self.name),
                shell => format!("{}.{shell}", self.name),
            };
            tree.file(format!("completions/{file}"), script.as_str());
        }
        tree.tar_gz(&format!("{stem}/"), self.time)
    }
}

/// The file with the digests of all others, as `sha256sum --check` reads it.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Writes files into a folder that holds nothing else afterwards.
///
/// # Errors
///
/// It cannot be written.
pub(super) fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot write to {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(context)?;
    }
    fs::create_dir_all(folder).with_context(context)?;
    let write = |(name, bytes): &(String, Vec<u8>)| {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(context)?;
        Ok(path)
    };
    files.iter().map(write).collect()
}

/// What the program prints of itself.
fn document(program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = process::in_clean_environment(program);
    let done = process::finish_within(command.args(arguments), LIMIT)?;
    let said = done.stdout;
    ensure!(
        done.status.success() && !said.is_empty(),
        "`{}` printed no document: {}",
        process::shown(&command),
        done.stderr.trim()
    );
    Ok(said)
}

/// What the compiler puts into every program.
fn additions(workspace: &Workspace, target: &str, zig: &Zig) -> Result<Vec<Addition>> {
    let sysroot = process::capture(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(&workspace.root),
    )?;
    let documents = Path::new(sysroot.trim()).join("share/doc/rust/licenses");
    let read = |path: PathBuf| {
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut additions = vec![
        Addition {
            name: "the Rust standard library, by the Rust project's contributors",
            licence: "MIT OR Apache-2.0",
            text: read(documents.join("Apache-2.0.txt"))?,
        },
        Addition {
            name: "LLVM's libunwind and compiler-rt, by the LLVM project's contributors",
            licence: "Apache-2.0 WITH LLVM-exception",
            text: read(documents.join("LLVM-exception.txt"))?,
        },
        Addition {
            name: "jsmn, which a new plugin in C is given",
            licence: "MIT",
            text: comment(&read(workspace.root.join("examples/c/jsmn.h"))?),
        },
    ];
    if target.ends_with("-musl") {
        additions.push(Addition {
            name: "musl",
            licence: "MIT",
            text: read(zig.libraries()?.join("libc/musl/COPYRIGHT"))?,
        });
    }
    Ok(additions)
}

/// The words of the comment that a C file begins with.
fn comment(file: &str) -> String {
    let inside = file.split_once("*/").map_or("", |(comment, _)| comment);
    let words = inside
        .lines()
        .map(|line| line.trim_matches(['/', '*', ' ']));
    words.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_licence_of_a_c_file_is_the_comment_that_it_begins_with() {
        let file = "/*\n * MIT License\n *\n * Copyright\n */\nint a; /* not this */\n";
        assert_eq!(comment(file), "MIT License\n\nCopyright");
    }

    /// A release of a program of a few bytes.
    pub(crate) fn small(program: &str) -> Release {
        let text = |name: &str| (name.to_owned(), format!("{name} of the tool\n"));
        Release {
            name: PROGRAM.to_owned(),
            version: "0.1.0".to_owned(),
            target: "x86_64-unknown-linux-musl".to_owned(),
            time: 1_700_000_000,
            description: "a tool".to_owned(),
            licence: "MIT OR Apache-2.0".to_owned(),
            program: program.as_bytes().to_vec(),
            readme: "# tool\n".to_owned(),
            changes: "0.1.0\n".to_owned(),
            licences: vec![text("LICENSE-APACHE"), text("LICENSE-MIT")],
            notices: "of others\n".to_owned(),
            parts: "{}\n".to_owned(),
            manual: vec![text("multillm.1")],
            completions: vec![text("bash"), text("zsh"), text("fish")],
        }
    }

    #[test]
    fn the_same_release_is_the_same_bytes_and_its_sums_are_those_of_the_files() {
        let files = small("#!/bin/sh\necho hi\n").files().expect("packed");
        let again = small("#!/bin/sh\necho hi\n").files().expect("packed");
        assert!(files == again, "packed twice, and different");
        let other = small("#!/bin/sh\necho ho\n").files().expect("packed");
        let (sums, packages) = files.split_last().expect("files");
        assert_eq!(sums.0, SUMS);
        let sums = String::from_utf8(sums.1.clone()).expect("text");
        for (name, bytes) in packages {
            let line = format!("{}  {name}", hex::encode(Sha256::digest(bytes)));
            assert!(sums.lines().any(|known| known == line), "{name} in {sums}");
        }
        let differing = packages
            .iter()
            .zip(&other)
            .filter(|(one, two)| one != two)
            .count();
        assert_eq!(differing, 5, "every package holds the program");
        let names: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "Dockerfile",
            "multillm-0.1.0-npm-linux-x64.tgz",
            "multillm-0.1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl",
            "multillm-0.1.0-x86_64-unknown-linux-musl-root.tar.gz",
            "multillm-0.1.0-x86_64-unknown-linux-musl.cdx.json",
            "multillm-0.1.0-x86_64-unknown-linux-musl.tar.gz",
            "multillm_0.1.0_amd64.deb",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_was_in_the_folder_before_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("dist");
        write(&place, &[("old".to_owned(), vec![1])]).expect("written");
        write(&place, &[("new".to_owned(), vec![2])]).expect("written again");
        assert!(!place.join("old").exists());
        assert_eq!(fs::read(place.join("new")).expect("there"), [2]);
    }
}
