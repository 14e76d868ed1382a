//! The committed schema of the configuration is the one that the binary prints.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

const FILE: &str = "configs/multi_llm_config.schema.json";
const LIMIT: Duration = Duration::from_secs(30);

/// Compares them as JSON.
///
/// # Errors
///
/// They differ, or one of them is missing.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let mut command = Command::new(workspace.program("debug", "multillm"));
    let printed = process::finish_within(command.args(["config", "schema"]), LIMIT)?;
    let committed = fs::read_to_string(workspace.root.join(FILE)).ok();
    let Some(committed) = committed else {
        if printed.status.success() {
            bail!("{FILE} is missing: `multillm config schema > {FILE}`");
        }
        return Ok("there is no schema yet".to_owned());
    };
    if !printed.status.success() {
        bail!(
            "`multillm config schema` failed: {}",
            printed.stderr.trim_end()
        );
    }
    let printed: serde_json::Value = serde_json::from_str(&printed.stdout)?;
    if serde_json::from_str::<serde_json::Value>(&committed)? != printed {
        bail!("{FILE} is out of date: `multillm config schema > {FILE}`");
    }
    Ok(String::new())
}
