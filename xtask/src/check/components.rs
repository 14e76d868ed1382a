//! Builds all components, and keeps the first-party ones small and pure.

use anyhow::Result;

use super::verdict;
use crate::plugins::{self, Built, kilobytes};
use crate::workspace::Workspace;

/// The largest that the OpenAI component may be, in bytes.
const OPENAI_LIMIT: usize = 240_000;
/// The largest that any other may be, in bytes.
const LIMIT: usize = 300_000;

/// Builds and checks.
///
/// # Errors
///
/// Something does not build, or lists every breach.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let all_built = plugins::build(workspace, &[])?;
    let first_party = all_built.iter().filter(|built| built.first_party);
    let mut found: Vec<String> = first_party.clone().flat_map(breaches).collect();
    for name in plugins::first_party_names(workspace)? {
        if !first_party.clone().any(|built| built.name == name) {
            found.push(format!("{name}: exports nothing"));
        }
    }
    let largest = first_party
        .clone()
        .map(|built| built.size)
        .max()
        .unwrap_or_default();
    let remark = format!(
        "{} plugins, the largest {:.1} KB",
        first_party.count(),
        kilobytes(largest)
    );
    verdict(&found, "components", remark)
}

fn breaches(built: &Built) -> Vec<String> {
    let Built {
        name,
        size,
        function_imports,
        ..
    } = built;
    let limit = if name == "openai" {
        OPENAI_LIMIT
    } else {
        LIMIT
    };
    let mut found = Vec::new();
    if *size > limit {
        found.push(format!(
            "{name}: {:.1} KB, at most {:.0} KB",
            kilobytes(*size),
            kilobytes(limit)
        ));
    }
    if !function_imports.is_empty() {
        found.push(format!("{name}: imports {}", function_imports.join(", ")));
    }
    found
}
