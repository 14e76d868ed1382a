//! `--dry-run`: the request that would be sent, as it would be sent, with references in the place of secrets.

use super::{Context, Failure, foreign};
use multillm::service::DryRun;

/// Prints a request: its first line, its headers, an empty line and its body, as HTTP writes them.
pub(super) fn print(told: &DryRun, context: &Context) -> Result<(), Failure> {
    if context.json {
        context.printer.json(told)?;
        return Ok(());
    }
    let printer = &context.printer;
    for warning in &told.warnings {
        printer.note(&format!("left out: {}", foreign::line(warning)));
    }
    printer.line(&foreign::line(&format!("{} {}", told.method, told.url)))?;
    for (name, value) in &told.headers {
        printer.line(&foreign::line(&format!("{name}: {value}")))?;
    }
    if !told.body.is_empty() {
        printer.data(&format!("\n{}\n", told.body))?;
    }
    Ok(())
}
