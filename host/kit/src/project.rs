//! A plugin's project: how its component is built, whatever the language, as its `plugin.json` says.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use multillm::bounded;
use multillm::chat::JsonObject;
use serde::Deserialize;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::origin::Origin;

/// The file that says it.
pub const PROJECT_FILE: &str = "plugin.json";
/// The longest that file may be, in bytes.
const LONGEST: u64 = 64 << 10;
/// Bytes of what a command said that are kept: its last ones.
const WORDS: usize = 64 << 10;

/// What `plugin.json` says. Paths are below the project's folder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Where it stands.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The plugin's name.
    pub name: String,
    /// Command lines, run one after the other in the folder, without a shell.
    pub build: Vec<String>,
    /// What they make: a core module or a component.
    pub module: PathBuf,
    /// Command lines that test it natively.
    #[serde(default)]
    pub test: Vec<String>,
    /// Files and folders that it is built of.
    pub watch: Vec<PathBuf>,
    /// Recorded answers.
    #[serde(default)]
    pub recordings: Option<PathBuf>,
    /// The model to ask for.
    #[serde(default = "some_model")]
    pub model: String,
    /// Settings that it needs to be asked at all.
    #[serde(default)]
    pub settings: JsonObject,
    /// It imports WASI, and gets an empty one.
    #[serde(default)]
    pub wasi_deny_all: bool,
    /// Who makes it, under which licence, and what else its component says of itself.
    #[serde(default)]
    pub origin: Origin,
}

fn some_model() -> String {
    "model-1".to_owned()
}

/// Why a project cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// There is none.
    #[error(
        "{} cannot be read: {reason}. A project of \"multillm plugin new\" has one; docs/plugins.md says what stands in it",
        path.display()
    )]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A command line cannot be split, or is empty.
    #[error("{0:?} is no command line")]
    Line(String),
    /// A program is not there.
    #[error("{program} cannot be run ({error}): install it, or name another in plugin.json")]
    Program {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// A command failed.
    #[error("{line} failed:\n{words}")]
    Failed {
        /// The command line.
        line: String,
        /// The end of what it said.
        words: String,
    },
    /// The commands ran, and their product is not there.
    #[error("the build made no {}: correct \"module\" in plugin.json", .0.display())]
    NoModule(PathBuf),
}

impl Project {
    /// The project in a folder.
    ///
    /// # Errors
    ///
    /// There is none, or its file is wrong.
    pub fn of(folder: &Path) -> Result<Self, ProjectError> {
        let path = folder.join(PROJECT_FILE);
        let unreadable = |reason: String| ProjectError::Unreadable {
            path: path.clone(),
            reason,
        };
        let text = bounded::text(&path, LONGEST).map_err(|e| unreadable(e.to_string()))?;
        let mut project: Project =
            serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
        project.folder = folder.to_owned();
        Ok(project)
    }

    /// Builds it, and gives the path of what came of it.
    ///
    /// # Errors
    ///
    /// A command failed, with the end of what it said.
    pub async fn build(&self) -> Result<PathBuf, ProjectError> {
        self.run(&self.build).await?;
        let module = self.folder.join(&self.module);
        match module.is_file() {
            true => Ok(module),
            false => Err(ProjectError::NoModule(module)),
        }
    }

    /// Runs its own tests.
    ///
    /// # Errors
    ///
    /// A command failed, with the end of what it said.
    pub async fn run_tests(&self) -> Result<(), ProjectError> {
        self.run(&self.test).await
    }

    async fn run(&self, lines: &[String]) -> Result<(), ProjectError> {
        for line in lines {
            self.command(line).await?;
        }
        Ok(())
    }

    async fn command(&self, line: &str) -> Result<(), ProjectError> {
        let words = shlex::split(line).unwrap_or_default();
        let Some((program, arguments)) = words.split_first() else {
            return Err(ProjectError::Line(line.to_owned()));
        };
        let unusable = |error| ProjectError::Program {
            program: program.clone(),
            error,
        };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(unusable)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err, status) = tokio::join!(tail(out), tail(err), child.wait());
        let status = status.map_err(unusable)?;
        if status.success() {
            return Ok(());
        }
        let words = [out, err].concat();
        Err(ProjectError::Failed {
            line: line.to_owned(),
            words: String::from_utf8_lossy(&words).trim().to_owned(),
        })
    }
}

/// The last bytes of a pipe, which is read to its end.
async fn tail(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = vec![];
    let Some(mut pipe) = pipe else {
        return kept;
    };
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        kept.extend_from_slice(piece.get(..length).unwrap_or_default());
        if kept.len() > 2 * WORDS {
            kept.drain(..kept.len() - WORDS);
        }
    }
    kept.drain(..kept.len().saturating_sub(WORDS));
    kept
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn project(build: &[&str]) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        let text = serde_json::json!({
            "name": "a", "build": build, "module": "out", "watch": ["src"],
        });
        std::fs::write(folder.path().join(PROJECT_FILE), text.to_string()).unwrap();
        let project = Project::of(folder.path()).unwrap();
        (folder, project)
    }

    #[tokio::test]
    async fn commands_run_in_order_in_the_folder_and_without_a_shell() {
        let (folder, project) = project(&["cp plugin.json 'a file'", "cp 'a file' out"]);
        assert_eq!(project.build().await.unwrap(), folder.path().join("out"));
        let (_folder, project) = self::project(&["cp plugin.json out;true"]);
        assert!(matches!(
            project.build().await,
            Err(ProjectError::NoModule(_))
        ));
    }

    #[tokio::test]
    async fn what_fails_is_told_with_the_end_of_what_it_said() {
        let (_folder, project) = project(&["sh -c 'seq 1 100000; echo at last >&2; exit 3'"]);
        match project.build().await {
            Err(ProjectError::Failed { words, .. }) => {
                assert!(words.ends_with("at last") && words.contains("\n100000"));
                assert!(words.len() <= 2 * WORDS && !words.contains("\n12\n"));
            }
            other => panic!("{other:?}"),
        }
        let (_folder, project) = self::project(&["no-such-program-anywhere x"]);
        let error = project.build().await.unwrap_err().to_string();
        assert!(error.starts_with("no-such-program-anywhere cannot be run"));
        let (_folder, project) = self::project(&["cp 'open"]);
        assert!(matches!(project.build().await, Err(ProjectError::Line(_))));
    }

    #[test]
    fn a_project_file_is_read_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Project::of(folder.path()).unwrap_err().to_string();
        assert!(missing.contains("multillm plugin new"), "{missing}");
        std::fs::write(
            folder.path().join(PROJECT_FILE),
            r#"{"name":"a","biuld":[]}"#,
        )
        .unwrap();
        let odd = Project::of(folder.path()).unwrap_err().to_string();
        assert!(odd.contains("biuld"), "{odd}");
    }
}
