//! Which words are texts, which are options, and by which names.

use super::*;

fn command() -> Command {
    use clap::CommandFactory as _;
    let mut command = crate::Cli::command();
    command.build();
    command
}

fn words(typed: &[&str]) -> Vec<OsString> {
    ["multillm"]
        .iter()
        .chain(typed)
        .map(OsString::from)
        .collect()
}

/// The words after reading, as one line.
fn read(line: &[&str]) -> String {
    let read = typed(&command(), words(line));
    let words: Vec<_> = read
        .words
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    words.join("|")
}

#[test]
fn a_text_that_begins_with_a_dash_is_a_text() {
    for text in [
        "- a list",
        "--find me",
        "-v flag",
        "-m is an option",
        "---",
        "-5",
        "-你好",
        "-> what?",
        "- a\n- b",
        "--",
    ] {
        let behind = if text == "--" {
            String::new()
        } else {
            format!("|{text}")
        };
        assert_eq!(
            read(&["query", text, "-m", "gpt"]).replace("query|-m|gpt|--", ""),
            if text == "--" {
                "query|--|-m|gpt".to_owned()
            } else {
                behind
            },
            "{text}"
        );
    }
    assert_eq!(
        read(&["history", "search", "-v flag"]),
        "history|search|--|-v flag"
    );
    assert_eq!(
        read(&["compare", "-m", "a", "b", "- c", "--json"]),
        "compare|-m|a|b|--json|--|- c"
    );
}

#[test]
fn options_and_their_values_stay_where_they_are() {
    for line in [
        &["query", "-s", "- be brief", "hi"][..],
        &["query", "--system", "--find me", "hi"],
        &["query", "--system=- be brief", "hi"],
        &["query", "-sBe brief", "hi"],
        &["query", "--temperature", "-1", "hi"],
        &["query", "--param", "-x=1", "hi"],
        // Misspelt, and known: the parser's message is the better one.
        &["query", "--modle=my model", "hi"],
        &["query", "--model gpt-4", "hi"],
        &["query", "--nosuch", "hi"],
        &["query", "-"],
        &["chat", "- no text here"],
        &["-C", "x.json", "query", "hi"],
    ] {
        assert_eq!(read(line), line.join("|"));
    }
}

#[test]
fn the_former_short_name_of_the_configuration_is_understood() {
    for (line, wanted) in [
        (&["-c", "x", "query", "hi"][..], "--config|x|query|hi"),
        (&["list", "-c", "x"], "list|--config|x"),
        (&["list", "-qc", "x"], "list|-q|--config|x"),
        (&["-cx.json", "list"], "--config=x.json|list"),
        (&["query", "-c", "x.json", "hi"], "query|--config|x.json|hi"),
        (
            &["query", "hi", "-c", "a/X.JSONC"],
            "query|hi|--config|a/X.JSONC",
        ),
        (&["query", "-cx.json", "hi"], "query|--config=x.json|hi"),
        (&["query", "-c=x", "hi"], "query|--config=x|hi"),
        (&["chat", "-qc", "x.json"], "chat|-q|--config|x.json"),
        (
            &["history", "list", "-vc", "x"],
            "history|list|-v|--config|x",
        ),
        // Conversations go on.
        (&["query", "-c", "and then?"], "query|-c|and then?"),
        (&["query", "-c", "test"], "query|-c|test"),
        (&["query", "-qc", "what is x"], "query|-qc|what is x"),
        (&["query", "and then?", "-c"], "query|and then?|-c"),
        (&["chat", "-c", "-m", "gpt"], "chat|-c|-m|gpt"),
        // Values and texts are none.
        (&["query", "-s", "-c", "hi"], "query|-s|-c|hi"),
        (&["query", "-sc", "x.json"], "query|-sc|x.json"),
        (&["query", "--", "-c", "x.json"], "query|--|-c|x.json"),
        (&["query", "-c is what?"], "query|--|-c is what?"),
    ] {
        assert_eq!(read(line), wanted, "{line:?}");
    }
}

#[test]
fn json_is_asked_for_by_the_option_alone() {
    let json = |line: &[&str]| typed(&command(), words(line)).json;
    assert!(json(&["--json", "bogus"]));
    assert!(json(&["history", "show", "abc", "--json"]));
    assert!(json(&["--json"]));
    assert!(!json(&["query", "--system", "--json", "hi"]));
    assert!(!json(&["query", "--", "--json"]));
}

#[test]
fn what_is_completed_is_known() {
    let command = command();
    let slot = |line: &[&str], begun: &str| {
        let mut walk = Walk::new(&command);
        for word in line {
            walk.pass(OsStr::new(word));
        }
        let slot = walk.slot(begun).map(|slot| match slot {
            Slot::Value(name) => format!("={name}"),
            Slot::Argument(name) => name.to_owned(),
        });
        (walk.path.join(" "), slot.unwrap_or_default())
    };
    let told = |path: &str, slot: &str| (path.to_owned(), slot.to_owned());
    assert_eq!(slot(&["query", "--model"], ""), told("query", "=model"));
    assert_eq!(slot(&["query", "-m"], "gp"), told("query", "=model"));
    assert_eq!(slot(&["query"], "--model=g"), told("query", "=model"));
    assert_eq!(slot(&["query"], "--mod"), told("query", ""));
    assert_eq!(
        slot(&["compare", "-m", "a"], ""),
        told("compare", "=models")
    );
    assert_eq!(slot(&["health", "a"], "b"), told("health", "models"));
    assert_eq!(
        slot(&["template", "show"], ""),
        told("template show", "name")
    );
    assert_eq!(slot(&["query", "hi"], ""), told("query", ""));
}
