//! Looks at what the program printed and says in a sentence whether it is what
//! was announced. Pure: every function takes text and returns a verdict.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::first_line;
use crate::process::Finished;

/// It ended well, and printed something that contains this.
pub(super) fn says(finished: &Finished, part: &str) -> Result<String> {
    succeeded(finished)?;
    ensure!(
        finished.stdout.contains(part),
        "the answer does not contain {part:?}"
    );
    Ok(format!("{:?}", first_line(&finished.stdout)?))
}

/// It printed all of these names.
pub(super) fn lists(finished: &Finished, names: &[&str]) -> Result<String> {
    succeeded(finished)?;
    for name in names {
        ensure!(finished.stdout.contains(name), "{name} is not listed");
    }
    Ok(format!("{} models are listed", names.len()))
}

/// It streamed: several text events, then an object with the whole text.
pub(super) fn streams(finished: &Finished, part: &str) -> Result<String> {
    succeeded(finished)?;
    let mut pieces = Vec::new();
    let mut whole = None;
    for line in finished.stdout.lines() {
        let event: Value =
            serde_json::from_str(line).with_context(|| format!("no JSON: {line:?}"))?;
        match field(&event, "type") {
            "text" => pieces.push(field(&event, "text").to_owned()),
            "done" => whole = Some(field(&event, "content").to_owned()),
            _ => {}
        }
    }
    let whole = whole.context("the stream has no end")?;
    ensure!(
        pieces.len() > 1,
        "the answer came in {} piece",
        pieces.len()
    );
    ensure!(pieces.concat() == whole, "the pieces are not the whole");
    ensure!(whole.contains(part), "the answer does not contain {part:?}");
    Ok(format!(
        "{} pieces, which together are the answer",
        pieces.len()
    ))
}

/// It wants this tool called with this argument.
pub(super) fn calls(finished: &Finished, tool: &str, argument: (&str, &str)) -> Result<String> {
    succeeded(finished)?;
    let answer: Value = serde_json::from_str(&finished.stdout).context("the answer is no JSON")?;
    ensure!(
        field(&answer, "finish_reason") == "tool_calls",
        "the answer does not end with a tool call"
    );
    let call = answer
        .pointer("/tool_calls/0")
        .context("no tool is called")?;
    ensure!(field(call, "name") == tool, "another tool is called");
    let arguments: Value =
        serde_json::from_str(field(call, "arguments")).context("the arguments are no JSON")?;
    let (name, value) = argument;
    ensure!(
        field(&arguments, name) == value,
        "the argument {name} is not {value:?}: {arguments}"
    );
    Ok(format!(
        "{tool}({name}={value}) with id {}",
        field(call, "id")
    ))
}

/// The vendor refused the key, and nobody repeats it.
pub(super) fn refuses_key(finished: &Finished, key: &str) -> Result<String> {
    let Some(1) = finished.status.code() else {
        bail!("exit code 1 was expected, and it was {}", finished.status);
    };
    let last = finished.stderr.lines().last().unwrap_or_default();
    let report: Value =
        serde_json::from_str(last).context("standard error does not end with JSON")?;
    let error = report.get("error").context("there is no error object")?;
    ensure!(
        field(error, "kind") == "authentication",
        "the kind is {:?}",
        field(error, "kind")
    );
    let printed = [&finished.stdout, &finished.stderr];
    ensure!(
        printed.iter().all(|text| !text.contains(key)),
        "the key was printed"
    );
    Ok("exit code 1, an authentication error, and the key is nowhere to be read".to_owned())
}

fn succeeded(finished: &Finished) -> Result<()> {
    ensure!(
        finished.status.success(),
        "it ended with {}",
        finished.status
    );
    Ok(())
}

fn field<'value>(object: &'value Value, name: &str) -> &'value str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::*;

    fn finished(code: i32, stdout: &str, stderr: &str) -> Finished {
        Finished {
            status: ExitStatus::from_raw(code << 8),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            took: Duration::ZERO,
        }
    }

    fn refusal(verdict: Result<String>) -> String {
        verdict.expect_err("passed").to_string()
    }

    #[test]
    fn one_piece_is_no_stream() {
        let done = "{\"type\":\"done\",\"content\":\"ab\"}\n";
        let text = |text: &str| format!("{{\"type\":\"text\",\"text\":\"{text}\"}}\n");
        let good = text("a") + &text("b") + done;
        assert!(streams(&finished(0, &good, ""), "a").is_ok());
        assert!(refusal(streams(&finished(0, &(text("ab") + done), ""), "a")).contains("1 piece"));
        assert!(
            refusal(streams(
                &finished(0, &(text("a") + &text("c") + done), ""),
                "a"
            ))
            .contains("not the whole")
        );
        assert!(refusal(streams(&finished(0, &text("a"), ""), "a")).contains("no end"));
    }

    #[test]
    fn a_tool_call_needs_its_name_and_argument() {
        let answer = |name: &str, city: &str| {
            format!(
                r#"{{"finish_reason":"tool_calls","tool_calls":[{{"id":"1","name":"{name}","arguments":"{{\"city\":\"{city}\"}}"}}]}}"#
            )
        };
        let look = |text: String| calls(&finished(0, &text, ""), "f", ("city", "Paris"));
        assert!(look(answer("f", "Paris")).is_ok());
        assert!(refusal(look(answer("g", "Paris"))).contains("another tool"));
        assert!(refusal(look(answer("f", "Rome"))).contains("is not \"Paris\""));
    }

    #[test]
    fn a_refused_key_is_an_error_that_does_not_repeat_it() {
        let error = "{\"error\":{\"kind\":\"authentication\"}}";
        assert!(refuses_key(&finished(1, "", error), "sk-1").is_ok());
        let leaked = format!("sk-1 was refused\n{error}");
        assert!(refusal(refuses_key(&finished(1, "", &leaked), "sk-1")).contains("was printed"));
        assert!(refusal(refuses_key(&finished(0, "", error), "sk-1")).contains("exit code 1"));
        let other = error.replace("authentication", "server");
        assert!(refusal(refuses_key(&finished(1, "", &other), "sk-1")).contains("\"server\""));
    }
}
