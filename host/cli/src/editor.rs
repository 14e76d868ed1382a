//! The editor that the user wants, for texts that are more than a line.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Command;

use super::{Context, Failure, input};
use multillm::bounded;

/// Variables that name it, in the order in which they count. They are taken from the environment
/// itself, never from a `.env`: what they name is run.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// The editor's program and its arguments, if the user named one.
pub(super) fn named(context: &Context) -> Result<Option<Vec<String>>, Failure> {
    let mut named = VARIABLES
        .iter()
        .filter_map(|name| Some((name, context.env.own_var(name)?)));
    let Some((name, line)) = named.next() else {
        return Ok(None);
    };
    match shlex::split(&line) {
        Some(words) if !words.is_empty() => Ok(Some(words)),
        _ => Err(usage(format!(
            "{name} is no command ({line:?}): set it to your editor, such as nano"
        ))),
    }
}

/// Whether somebody is there to edit something.
pub(super) fn is_possible(context: &Context) -> bool {
    context.printer.is_terminal() && std::io::stdin().is_terminal()
}

/// Opens a file in the editor, and returns when it is closed.
pub(super) async fn open(path: &Path, context: &Context) -> Result<(), Failure> {
    if !is_possible(context) {
        return Err(usage("an editor needs a terminal, and this is none"));
    }
    let words = named(context)?
        .ok_or_else(|| usage("no editor is named: set VISUAL or EDITOR, such as EDITOR=nano"))?;
    // Ctrl-C is the editor's.
    context.ending.leave_interrupts();
    let path = path.to_owned();
    let run = move || {
        let (program, arguments) = words.split_first()?;
        let status = Command::new(program).args(arguments).arg(path).status();
        Some((program.clone(), status))
    };
    let ended = tokio::task::spawn_blocking(run).await.ok().flatten();
    match ended {
        Some((_, Ok(status))) if status.success() => Ok(()),
        Some((program, Ok(status))) => Err(usage(format!(
            "{program} ended with {status}: nothing of it is used"
        ))),
        Some((program, Err(error))) => Err(usage(format!(
            "cannot run {program}: {error}: correct VISUAL or EDITOR"
        ))),
        None => Err(usage("the editor did not end as it should")),
    }
}

/// A text that the user writes, beginning with this one; nothing if it is left empty.
pub(super) async fn text(begun: &str, context: &Context) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| usage(format!("cannot make a file to edit: {error}"));
    // Its user's alone, and gone afterwards.
    let folder = tempfile::Builder::new()
        .prefix("multillm-")
        .tempdir()
        .map_err(failed)?;
    let file = folder.path().join("question.md");
    std::fs::write(&file, begun).map_err(failed)?;
    open(&file, context).await?;
    let text = bounded::text(&file, input::MAX_TEXT)
        .map_err(|error| usage(format!("cannot read what was written: {error}")))?;
    let text = text.trim_end();
    Ok((!text.trim().is_empty()).then(|| text.to_owned()))
}
