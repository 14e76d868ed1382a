//! One target at work: its corpus, its bounds, and what its log says.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Bounds of a run: seconds and memory of one input, bytes of it.
const BOUNDS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384"];

/// A target, and where its things are.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) log: PathBuf,
    program: PathBuf,
    /// Inputs that were found, from this run and earlier ones.
    corpus: PathBuf,
    /// Inputs that the project keeps; nothing is written there.
    seeds: PathBuf,
    tokens: PathBuf,
    /// Inputs that are findings.
    findings: PathBuf,
}

/// What came of a run.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) runs: Option<u64>,
    pub(super) took: Duration,
    pub(super) finding: Option<Finding>,
}

/// Something is wrong.
pub(super) struct Finding {
    program: PathBuf,
    /// Absent if the target failed by itself.
    input: Option<PathBuf>,
    log: PathBuf,
}

impl Target {
    /// A target whose program stands in this folder.
    pub(super) fn new(workspace: &Workspace, programs: &Path, name: &str) -> Self {
        let fuzz = workspace.root.join("fuzz");
        let of = |kind: &str| workspace.target.join(kind).join(name);
        Target {
            name: name.to_owned(),
            program: programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)),
            log: of("fuzz-logs").with_extension("log"),
            corpus: of("fuzz-corpus"),
            findings: of("fuzz-findings"),
            seeds: fuzz.join("seeds").join(name),
            tokens: fuzz.join("tokens.dict"),
        }
    }

    /// Runs it until the time is over or something is found.
    ///
    /// # Errors
    ///
    /// It cannot be started, or a folder cannot be made.
    pub(super) fn run(&self, seconds: u64) -> Result<Outcome> {
        let logs = self.log.parent().context("a log needs a folder")?;
        for folder in [logs, &self.corpus, &self.findings] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let log = File::create(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .args([&self.corpus, &self.seeds])
            .args(BOUNDS)
            .arg(format!("-dict={}", self.tokens.display()))
            .arg(format!("-artifact_prefix={}/", self.findings.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg("-print_final_stats=1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let status = command
            .status()
            .with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        let took = started.elapsed();
        let log =
            fs::read(&self.log).with_context(|| format!("cannot read {}", self.log.display()))?;
        let log = String::from_utf8_lossy(&log);
        let finding = (!status.success()).then(|| Finding {
            program: self.program.clone(),
            input: input_in(&log),
            log: self.log.clone(),
        });
        Ok(Outcome {
            name: self.name.clone(),
            runs: runs_in(&log),
            took,
            finding,
        })
    }
}

impl Outcome {
    /// For a person; empty if nothing was found.
    pub(super) fn how_to_reproduce(&self, workspace: &Workspace) -> String {
        let Some(finding) = &self.finding else {
            return String::new();
        };
        let (name, log) = (&self.name, workspace.shown(&finding.log));
        let Some(input) = &finding.input else {
            return format!("{name} failed without an input: see {log}");
        };
        format!(
            "{name}: see {log}; again:\n  {} {}\nonce it is mended, the input belongs into fuzz/seeds/{name}",
            workspace.shown(&finding.program),
            workspace.shown(input),
        )
    }
}

/// How many inputs were tried.
fn runs_in(log: &str) -> Option<u64> {
    let stated = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    // Without the statistics, the last line of progress: `#1024  pulse  cov: …`.
    let counted = || {
        let numbers = log.lines().rev().filter_map(|line| line.strip_prefix('#'));
        numbers
            .filter_map(|line| line.split_whitespace().next())
            .find(|number| number.parse::<u64>().is_ok())
    };
    stated.or_else(counted)?.trim().parse().ok()
}

/// The input that the fuzzer kept because of what it did.
fn input_in(log: &str) -> Option<PathBuf> {
    log.lines()
        .find_map(|line| line.split_once("Test unit written to "))
        .map(|(_, path)| PathBuf::from(path.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_how_much_was_done() {
        let log = "#2\tINITED cov: 9\n#1024\tpulse  cov: 11\n    #0 a frame\n";
        assert_eq!(runs_in(log), Some(1024));
        let log = format!("{log}stat::number_of_executed_units: 2048\nstat::new: 3\n");
        assert_eq!(runs_in(&log), Some(2048));
        assert_eq!(runs_in("nothing"), None);
    }

    #[test]
    fn a_log_says_which_input_it_was() {
        let log = "panicked\nartifact_prefix='f/'; Test unit written to f/crash-1\nBase64: QA==\n";
        assert_eq!(input_in(log), Some(PathBuf::from("f/crash-1")));
        assert_eq!(input_in("Done 7 runs in 1 second(s)"), None);
    }
}
