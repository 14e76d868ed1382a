//! The clients, installed from their ordinary registries by their ordinary tools, once for each list of versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::process;
use crate::workspace::Workspace;

/// What is installed; nothing where that could not be done.
pub(super) struct Installed {
    /// The interpreter that has the Python clients.
    pub(super) python: Option<PathBuf>,
    /// The folder with the Node clients.
    pub(super) node: Option<PathBuf>,
}

impl Installed {
    /// What an earlier run left there.
    pub(super) fn at(folder: &Path) -> Self {
        let done = |part: &str| folder.join(part).join("done").is_file();
        Installed {
            python: done("python").then(|| folder.join("python/bin/python")),
            node: done("node").then(|| folder.join("node")),
        }
    }
}

/// Installs what is not there in these versions.
pub(super) fn install(workspace: &Workspace, folder: &Path) -> Result<()> {
    let lists = workspace.root.join("tests").join("clients");
    for (part, list, how) in [
        (
            "python",
            "python.txt",
            python as fn(&Path, &Path) -> Result<()>,
        ),
        ("node", "package.json", node),
    ] {
        let wanted = fs::read_to_string(lists.join(list))?;
        let part_folder = folder.join(part);
        let done = part_folder.join("done");
        if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
            continue;
        }
        // What is half there is no use.
        let _ = fs::remove_file(&done);
        fs::create_dir_all(&part_folder)
            .with_context(|| format!("cannot make {}", part_folder.display()))?;
        match how(&part_folder, &lists.join(list)) {
            Ok(()) => fs::write(&done, wanted)?,
            Err(error) => {
                println!("the clients in {list} are skipped: they cannot be installed: {error:#}")
            }
        }
    }
    Ok(())
}

fn python(folder: &Path, list: &Path) -> Result<()> {
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ]);
    process::run(install.arg(list))
}

fn node(folder: &Path, list: &Path) -> Result<()> {
    fs::copy(list, folder.join("package.json"))?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run(install.current_dir(folder).stdout(Stdio::null()))
}
