//! The vendor simulator as a child process that ends with its owner.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace::Workspace;

/// It starts in milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running simulator.
pub(crate) struct Simulator {
    child: Child,
    ready: Ready,
    log: PathBuf,
}

/// The line that it prints when it is ready.
#[derive(Deserialize)]
struct Ready {
    address: String,
    base_urls: BTreeMap<String, String>,
}

/// A line of its log.
#[derive(Deserialize)]
pub(crate) struct Exchange {
    pub(crate) vendor: Option<String>,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) status: Option<u16>,
}

impl Simulator {
    /// Starts it on a free port, with a log of all exchanges.
    ///
    /// # Errors
    ///
    /// It is not built, or is not ready in time.
    pub(crate) fn start(workspace: &Workspace, profile: &str, log: &Path) -> Result<Self> {
        let folder = log.parent().context("a log needs a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let program = workspace.program(profile, "multillm-simulator");
        let mut child = Command::new(&program)
            .args(["--port", "0", "--log"])
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        match ready_line(&mut child) {
            Ok(ready) => Ok(Simulator {
                child,
                ready,
                log: log.to_owned(),
            }),
            Err(error) => {
                // It may have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                Err(error.context(format!("{} is not ready", program.display())))
            }
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.ready.address
    }

    /// What a provider of this vendor has as `base_url`.
    ///
    /// # Errors
    ///
    /// The simulator does not know the vendor.
    pub(crate) fn base_url(&self, vendor: &str) -> Result<&str> {
        let url = self.ready.base_urls.get(vendor);
        url.map(String::as_str)
            .with_context(|| format!("the simulator has no {vendor}"))
    }

    /// Every exchange so far, in order.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub(crate) fn exchanges(&self) -> Result<Vec<Exchange>> {
        let text = fs::read_to_string(&self.log)
            .with_context(|| format!("cannot read {}", self.log.display()))?;
        let parse = |line| serde_json::from_str(line).context("a line of the simulator's log");
        text.lines().map(parse).collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It has nothing to save, and it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready_line(child: &mut Child) -> Result<Ready> {
    let stdout = child.stdout.take().context("it has no standard output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Nobody listens any more when the time is up.
        let _ = sender.send(read.map(|_| line));
    });
    let line = receiver.recv_timeout(READY_WITHIN)??;
    serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))
}
