//! Zig as the C compiler for other platforms: one download that has the headers of all of them. It is looked for,
//! not installed; what it is called with is written down as programs that cargo's build scripts can run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// The version that releases are made with. Another one makes a program that works as well, of other bytes.
pub(super) const VERSION: &str = "0.17.1";

/// How Zig is started.
pub(super) struct Zig {
    start: Vec<String>,
}

/// Programs that stand for the C compiler and the archiver of a platform.
pub(super) struct Tools {
    pub(super) compiler: PathBuf,
    pub(super) archiver: PathBuf,
    /// Where Zig keeps what it made.
    pub(super) cache: PathBuf,
}

impl Zig {
    /// Looks for it: the variable `ZIG`, the path, the Python package.
    ///
    /// # Errors
    ///
    /// There is none; the message says how to get it.
    pub(super) fn find() -> Result<Self> {
        let named = env::var("ZIG").ok().map(|zig| vec![zig]);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let usual: [Vec<String>; 3] = [
            words(&["zig"]),
            words(&["python3", "-m", "ziglang"]),
            words(&["python", "-m", "ziglang"]),
        ];
        for start in named.into_iter().chain(usual) {
            let zig = Zig { start };
            if let Some(version) = zig.version() {
                if version != VERSION {
                    eprintln!("note: releases are made with zig {VERSION}, and this is {version}");
                }
                return Ok(zig);
            }
        }
        bail!(
            "zig is needed as the C compiler for other platforms: `pip install ziglang=={VERSION}`, or name it in ZIG"
        );
    }

    fn version(&self) -> Option<String> {
        let output = self
            .command()?
            .arg("version")
            .stderr(Stdio::null())
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    }

    fn command(&self) -> Option<Command> {
        let (program, arguments) = self.start.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments);
        Some(command)
    }

    /// The folder of its libraries and their licences.
    ///
    /// # Errors
    ///
    /// It does not say where that is.
    pub(super) fn libraries(&self) -> Result<PathBuf> {
        let mut command = self.command().context("zig has no name")?;
        let printed = process::capture(command.arg("env"))?;
        let line = printed.lines().find(|line| line.contains("lib_dir"));
        let folder = line.and_then(|line| line.split('"').rev().nth(1));
        folder
            .map(PathBuf::from)
            .context("`zig env` names no lib_dir")
    }

    /// Writes the programs for a platform into a folder.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    #[cfg(unix)]
    pub(super) fn tools(&self, target: &str, folder: &Path) -> Result<Tools> {
        let write = |name: &str, text: String| script(folder, &format!("{name}-{target}"), &text);
        let start: Vec<String> = self.start.iter().map(|word| format!("'{word}'")).collect();
        let start = start.join(" ");
        let platform = platform(target)?;
        Ok(Tools {
            // Build scripts name the platform as rustc does, which Zig does not know; it has been told already.
            compiler: write(
                "cc",
                format!(
                    "#!/bin/sh\nfor word do\n  shift\n  case $word in --target=*) ;; *) set -- \"$@\" \"$word\" ;; esac\ndone\n\
                     exec {start} cc -target {platform} -g0 -fno-sanitize=undefined \"$@\"\n"
                ),
            )?,
            archiver: write("ar", format!("#!/bin/sh\nexec {start} ar \"$@\"\n"))?,
            cache: folder.join("zig-cache"),
        })
    }

    /// Nobody has tried it there.
    #[cfg(not(unix))]
    pub(super) fn tools(&self, _target: &str, _folder: &Path) -> Result<Tools> {
        bail!("a release is made on Linux or macOS")
    }
}

/// Writes a program for the shell.
///
/// # Errors
///
/// It cannot be written.
#[cfg(unix)]
pub(super) fn script(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Nobody has tried it there.
#[cfg(not(unix))]
pub(super) fn script(_folder: &Path, _name: &str, _text: &str) -> Result<PathBuf> {
    bail!("a release is made on Linux or macOS")
}

/// A platform as Zig names it.
///
/// # Errors
///
/// It is none that the program is made for.
fn platform(target: &str) -> Result<String> {
    let parts: Vec<&str> = target.split('-').collect();
    match parts.as_slice() {
        [processor, "unknown", "linux", library] => Ok(format!("{processor}-linux-{library}")),
        [processor, "pc", "windows", library] => Ok(format!("{processor}-windows-{library}")),
        [processor, "apple", "darwin"] => Ok(format!("{processor}-macos")),
        _ => bail!("it is not known what zig calls {target}"),
    }
}

impl Tools {
    /// Makes them the tools of a command of cargo's for this target.
    pub(super) fn set(&self, command: &mut Command, target: &str) {
        let suffix = target.replace('-', "_");
        command
            .env(format!("CC_{suffix}"), &self.compiler)
            .env(format!("AR_{suffix}"), &self.archiver)
            .env("ZIG_GLOBAL_CACHE_DIR", &self.cache)
            .env("ZIG_LOCAL_CACHE_DIR", &self.cache);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_told_to_zig_in_its_words() {
        for (target, expected) in [
            ("x86_64-unknown-linux-musl", "x86_64-linux-musl"),
            ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu"),
            ("x86_64-pc-windows-gnu", "x86_64-windows-gnu"),
            ("aarch64-apple-darwin", "aarch64-macos"),
        ] {
            assert_eq!(platform(target).expect(target), expected);
        }
        assert!(platform("wasm32-unknown-unknown").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_compiler_is_not_told_the_platform_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let zig = Zig {
            start: vec!["echo".to_owned()],
        };
        let tools = zig
            .tools("x86_64-unknown-linux-musl", folder.path())
            .expect("tools");
        let mut command = Command::new(&tools.compiler);
        command.args(["--target=x86_64-unknown-linux-musl", "-c", "a b.c"]);
        let said = process::capture(&mut command).expect("it runs");
        assert_eq!(
            said,
            "cc -target x86_64-linux-musl -g0 -fno-sanitize=undefined -c a b.c\n"
        );
    }
}
