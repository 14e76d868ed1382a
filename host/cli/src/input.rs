//! What commands read: prompts, pictures, schemas, tools, parameters. All of it to a bound, and
//! whoever waits for it is told what for.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Context, Failure, place};
use multillm::bounded;
use multillm::chat::{Json, JsonObject, JsonSchema, ResponseFormat, Tool};
use multillm::error::Error;
use multillm::template::{INPUT, Rendered, Template};

/// The most that is read from standard input, in bytes: twice what a request may hold by default,
/// and more than any model reads.
const MAX_INPUT: u64 = 64 << 20;
/// The largest file of another kind: schemas, tools, values of variables.
pub(super) const MAX_TEXT: u64 = 64 << 20;
/// Who waits longer is told what for.
const SOON: Duration = Duration::from_secs(2);

/// What is read at this moment.
static READ: Mutex<String> = Mutex::new(String::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what is read from now on.
pub(super) fn now_reading(what: impl Into<String>) {
    *lock(&READ) = what.into();
}

/// Reads what a command needs, and says what is waited for where that does not end by itself. A
/// signal ends the program meanwhile: nothing is under way yet.
pub(super) fn reading<T>(context: &Context, read: impl FnOnce() -> T) -> T {
    let _nothing_to_lose = context.ending.at_once();
    now_reading("");
    let (done, told) = (Mutex::new(false), Condvar::new());
    std::thread::scope(|scope| {
        let hint = || {
            let waited = told.wait_timeout_while(lock(&done), SOON, |done| !*done);
            let is_late = waited.is_ok_and(|(done, _)| !*done);
            let what = lock(&READ).clone();
            if is_late && !what.is_empty() {
                context
                    .printer
                    .note(&format!("waiting for the end of {what}"));
            }
        };
        // Without it, nobody is told.
        let _ = std::thread::Builder::new().spawn_scoped(scope, hint);
        let result = read();
        *lock(&done) = true;
        told.notify_all();
        result
    })
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// The prompt from the argument, standard input, or both: what is piped in stands before the question.
/// `unread`: standard input is left alone.
pub(super) fn prompt(argument: Option<&str>, unread: bool) -> Result<String, Failure> {
    let piped = match (argument, unread || std::io::stdin().is_terminal()) {
        (Some("-") | None, true) if unread => {
            return Err(usage(
                "no prompt: --no-stdin leaves standard input alone, so give it as an argument",
            ));
        }
        (Some("-") | None, true) => {
            return Err(usage(
                "no prompt: give one as an argument or on standard input",
            ));
        }
        (_, true) => String::new(),
        (_, false) => read_stdin()?,
    };
    let argument = argument.filter(|argument| *argument != "-").unwrap_or("");
    let prompt = match (piped.trim().is_empty(), argument.trim().is_empty()) {
        (true, true) => {
            return Err(usage(
                "the prompt is empty: give one as an argument or on standard input",
            ));
        }
        (true, false) => argument.to_owned(),
        (false, true) => piped,
        (false, false) => format!("{}\n\n{argument}", piped.trim_end()),
    };
    Ok(prompt)
}

/// The prompt from the argument alone: what is piped in is something else.
pub(super) fn alone(argument: Option<&str>) -> Result<String, Failure> {
    let argument = argument.filter(|argument| *argument != "-" && !argument.trim().is_empty());
    let argument = argument.ok_or_else(|| {
        usage("no prompt: give one as an argument, since the picture is piped in")
    })?;
    Ok(argument.to_owned())
}

/// As [`prompt`], where there need be none.
pub(super) fn optional_prompt(
    argument: Option<&str>,
    unread: bool,
) -> Result<Option<String>, Failure> {
    match (argument, unread || std::io::stdin().is_terminal()) {
        (None, true) => Ok(None),
        (None, false) => {
            let piped = read_stdin()?;
            Ok((!piped.trim().is_empty()).then_some(piped))
        }
        (Some(_), _) => prompt(argument, unread).map(Some),
    }
}

fn read_stdin() -> Result<String, Failure> {
    now_reading("standard input (--no-stdin goes without it)");
    let bytes = bounded::bytes(std::io::stdin().lock(), MAX_INPUT).map_err(|error| {
        usage(match error.kind() {
            ErrorKind::FileTooLarge => format!(
                "standard input holds more than {} MiB, or has no end: send less",
                MAX_INPUT >> 20
            ),
            _ => format!("cannot read standard input: {error}"),
        })
    })?;
    now_reading("");
    String::from_utf8(bytes).map_err(|_| {
        usage("standard input is no UTF-8 text: convert it, or use --image - for a picture")
    })
}

/// What the user answers to a question, trimmed; nothing where nobody can be asked.
pub(super) fn answer(question: &str, context: &Context) -> Result<Option<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    context.printer.ask(question);
    let _nothing_to_lose = context.ending.at_once();
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| usage(format!("cannot read the answer: {error}")))?;
    Ok(Some(line.trim().to_owned()))
}

/// Whether standard input is a person's terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Whether the user agrees to something that cannot be undone.
pub(super) fn confirmed(question: &str, context: &Context) -> Result<bool, Failure> {
    match answer(&format!("{question} [y/N] "), context)? {
        Some(answer) => Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes")),
        None => Err(usage(format!(
            "{question} nobody can be asked here: --yes agrees"
        ))),
    }
}

/// A JSON file.
pub(super) fn json_file<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T, Failure> {
    now_reading(path.display().to_string());
    let text = bounded::text(path, MAX_TEXT)
        .map_err(|error| usage(format!("cannot read {what} {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| usage(format!("{}: {what}: {error}", path.display())))
}

/// The form of the answer that a schema file asks for.
pub(super) fn schema(path: &Path) -> Result<ResponseFormat, Failure> {
    let schema: Json = json_file("the schema", path)?;
    if !schema.is_object() {
        return Err(usage(format!(
            "{}: a schema is a JSON object",
            path.display()
        )));
    }
    let name: String = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .take(64)
        .collect();
    Ok(ResponseFormat::JsonSchema(JsonSchema {
        name: if name.is_empty() {
            "answer".into()
        } else {
            name
        },
        description: None,
        schema,
        strict: None,
    }))
}

/// Tools from a file: a list of tools in the unified form or in OpenAI's.
pub(super) fn tools(path: &Path) -> Result<Vec<Tool>, Failure> {
    /// A tool as it stands in a request to OpenAI.
    #[derive(Deserialize)]
    struct Wrapped {
        function: Tool,
    }
    let list: Vec<Json> = json_file("the tools", path)?;
    list.iter()
        .map(|tool| {
            let wraps = tool
                .to_object()
                .is_some_and(|tool| tool.get("function").is_some());
            let read = match wraps {
                true => serde_json::from_str(tool.as_str()).map(|tool: Wrapped| tool.function),
                false => serde_json::from_str(tool.as_str()),
            };
            read.map_err(|error| usage(format!("{}: the tools: {error}", path.display())))
        })
        .collect()
}

/// Parameters given as `KEY=JSON`; what is no JSON is a string. A key may be a path: `a.b=1`.
pub(super) fn parameters(given: &[String]) -> Result<JsonObject, Failure> {
    let mut result = JsonObject::new();
    for parameter in given {
        let (key, value) = parameter
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| usage(format!("--param {parameter:?} is not of the form KEY=JSON")))?;
        let value = Json::parse(value).unwrap_or_else(|_| Json::from(value));
        insert(&mut result, key, value);
    }
    Ok(result)
}

/// Whether a word is of the form `NAME=VALUE`.
pub(super) fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    })
}

/// A template with the values of `NAME=VALUE` words; `@FILE` is what stands in a file. What is
/// free goes where the template has `{{input}}`, or behind it.
pub(super) fn fill(
    template: &Template,
    given: &[String],
    free: Option<String>,
) -> Result<Rendered, Failure> {
    let mut values = BTreeMap::new();
    for word in given {
        let (name, value) = word
            .split_once('=')
            .filter(|_| is_assignment(word))
            .ok_or_else(|| usage(format!("-p {word:?} is not of the form NAME=VALUE")))?;
        let value = match (value.strip_prefix("@@"), value.strip_prefix('@')) {
            (Some(rest), _) => format!("@{rest}"),
            (None, Some(path)) => place::file(path)
                .and_then(|file| bounded::text(&file, MAX_TEXT).map_err(|error| error.to_string()))
                .map_err(|error| usage(format!("-p {name}: cannot read {path}: {error}")))?,
            (None, None) => value.to_owned(),
        };
        values.insert(name.to_owned(), value);
    }
    let takes_input = template.variables().iter().any(|name| name == INPUT);
    let mut behind = None;
    match free {
        Some(text) if takes_input && !values.contains_key(INPUT) => {
            values.insert(INPUT.to_owned(), text);
        }
        free => behind = free,
    }
    let mut filled = template.render(&values).map_err(Error::from)?;
    if let Some(text) = behind {
        filled.prompt = format!("{}\n\n{text}", filled.prompt.trim_end());
    }
    Ok(filled)
}

fn insert(into: &mut JsonObject, key: &str, value: Json) {
    match key.split_once('.') {
        Some((first, rest)) => {
            let mut inner = into
                .get(first)
                .and_then(Json::to_object)
                .unwrap_or_default();
            insert(&mut inner, rest, value);
            into.insert(first, inner);
        }
        None => into.insert(key, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_or_text_and_keys_are_paths() {
        let made = parameters(&[
            "a.b=1.10".into(),
            "a.c=[true]".into(),
            "name=plain text".into(),
            "x=\"1\"".into(),
        ])
        .unwrap();
        assert_eq!(
            made.to_string(),
            r#"{"a":{"b":1.10,"c":[true]},"name":"plain text","x":"1"}"#
        );
        assert!(matches!(
            parameters(&["novalue".into()]),
            Err(Failure::Usage(_))
        ));
    }
}
