//! The commands of a chat: lines that begin with `/`.

use super::super::place::is_windows_path;
use multillm::config::advice;

/// What can be asked for beside questions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Model(Option<String>),
    System(Option<String>),
    Image(String),
    ServerTool(Option<String>),
    File {
        path: String,
        question: String,
    },
    Retry,
    Undo,
    Clear,
    Save(Option<String>),
    Load(String),
    Stats,
    Template(Vec<String>),
    /// With what was typed already.
    Edit(String),
    Help,
    Leave,
}

/// Names, arguments, meaning.
const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "/model",
        "[NAME]",
        "ask this model from now on, or list them",
    ),
    (
        "/system",
        "[TEXT|none]",
        "give instructions, or show or remove them",
    ),
    (
        "/image",
        "FILE|URL",
        "send a picture with the next question",
    ),
    (
        "/file",
        "FILE [QUESTION]",
        "send a text or picture with the next question",
    ),
    (
        "/server-tool",
        "[NAME[=JSON]|none]",
        "let the vendor run a tool, such as web-search",
    ),
    (
        "/edit",
        "[TEXT]",
        "write the question in your editor ($VISUAL, $EDITOR)",
    ),
    ("/retry", "", "ask the last question again"),
    ("/undo", "", "take the last question and answer back"),
    ("/clear", "", "begin a new conversation"),
    (
        "/save",
        "[FILE]",
        "write the conversation: .md for people, else JSON",
    ),
    (
        "/load",
        "FILE|ID",
        "go on with a saved or kept conversation",
    ),
    ("/stats", "", "what this chat has used"),
    (
        "/template",
        "[NAME K=V…]",
        "ask by a template, or list them",
    ),
    ("/help", "", "this list"),
    ("/quit", "", "leave; Ctrl-D does too"),
];

/// The commands' names.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    COMMANDS.iter().map(|(name, ..)| *name)
}

/// The list of commands.
pub(super) fn help() -> String {
    let lines = COMMANDS.iter().map(|(name, arguments, meaning)| {
        format!("{:<33}{meaning}\n", format!("{name} {arguments}"))
    });
    let more = "A line that ends with \\ goes on, and so does a block between ```.\n\
                A question that begins with / is written with //. Ctrl-C stops an answer.";
    lines.collect::<String>() + more
}

impl Command {
    /// The command of a line; nothing if the line is a question. A path such as `/etc/hosts` is no command.
    pub(super) fn parse(line: &str) -> Option<Result<Self, String>> {
        let line = line.trim();
        let word = line.split_whitespace().next()?;
        let name = word.strip_prefix('/')?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return None;
        }
        let rest = line.get(word.len()..).unwrap_or_default().trim();
        Some(Self::of(word, rest))
    }

    fn of(word: &str, rest: &str) -> Result<Self, String> {
        let optional = (!rest.is_empty()).then(|| rest.to_owned());
        let words = || split(rest).ok_or_else(|| format!("{word}: a quotation mark is not closed"));
        let needed = |what: &str| {
            optional
                .clone()
                .ok_or_else(|| format!("{word} needs {what}"))
        };
        let one = |what: &str| match words()?.as_slice() {
            [only] => Ok(only.clone()),
            // A path with blanks need not be quoted.
            _ => needed(what),
        };
        Ok(match word {
            "/model" => Command::Model(optional),
            "/system" => Command::System(optional),
            "/image" => Command::Image(one("a file or a URL")?),
            "/server-tool" => Command::ServerTool(optional),
            "/file" => {
                needed("a file")?;
                let (path, question) =
                    first(rest).ok_or_else(|| format!("{word}: a quotation mark is not closed"))?;
                Command::File { path, question }
            }
            "/retry" => Command::Retry,
            "/undo" => Command::Undo,
            "/clear" => Command::Clear,
            "/save" => Command::Save(optional.is_some().then(|| one("a file")).transpose()?),
            "/load" => Command::Load(one("a file or the id of a conversation")?),
            "/stats" => Command::Stats,
            "/template" => Command::Template(words()?),
            "/edit" => Command::Edit(rest.to_owned()),
            "/help" => Command::Help,
            "/quit" | "/exit" => Command::Leave,
            _ => {
                return Err(format!(
                    "no command {word:?}: {}",
                    advice(word, names(), "see /help")
                ));
            }
        })
    }
}

/// The words of a text; nothing if a quotation mark is not closed. The backslashes of a path of
/// Windows escape nothing.
fn split(text: &str) -> Option<Vec<String>> {
    match is_windows_path(text) && !text.starts_with('\'') {
        true => shlex::split(&text.replace('\\', r"\\")),
        false => shlex::split(text),
    }
}

/// The first word, and what stands behind it as it was typed.
fn first(text: &str) -> Option<(String, String)> {
    let ends = text.char_indices().filter(|(_, c)| c.is_whitespace());
    let mut ends = ends.map(|(at, _)| at).chain([text.len()]);
    ends.find_map(|end| {
        let (word, rest) = text.split_at_checked(end)?;
        let [word] = <[String; 1]>::try_from(split(word)?).ok()?;
        Some((word, rest.trim().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Command {
        Command::parse(line).unwrap().unwrap()
    }

    #[test]
    fn lines_are_commands_or_questions() {
        assert_eq!(parse("/model gpt-4"), Command::Model(Some("gpt-4".into())));
        assert_eq!(parse(" /undo "), Command::Undo);
        assert_eq!(
            parse(r#"/server-tool web-search={"max_uses": 2}"#),
            Command::ServerTool(Some(r#"web-search={"max_uses": 2}"#.into()))
        );
        assert_eq!(
            parse("/save my chat.md"),
            Command::Save(Some("my chat.md".into()))
        );
        for line in [r"/image C:\pics\a b.png", r#"/image "C:\pics\a b.png""#] {
            assert_eq!(parse(line), Command::Image(r"C:\pics\a b.png".into()));
        }
        assert_eq!(
            parse(r"/file C:\a\b.rs what is it?"),
            Command::File {
                path: r"C:\a\b.rs".into(),
                question: "what is it?".into()
            }
        );
        assert_eq!(
            parse(r"/file my\ a.rs what's it?"),
            Command::File {
                path: "my a.rs".into(),
                question: "what's it?".into()
            }
        );
        assert_eq!(
            parse(r"/image my\ pic.png"),
            Command::Image("my pic.png".into())
        );
        assert_eq!(parse("/image 'a b.png'"), Command::Image("a b.png".into()));
        assert_eq!(
            parse("/file 'a b.rs' what is it?"),
            Command::File {
                path: "a b.rs".into(),
                question: "what is it?".into()
            }
        );
        for question in [
            "hello",
            "/etc/hosts is a file",
            "// a comment",
            "/",
            "",
            "a /undo",
        ] {
            assert!(Command::parse(question).is_none(), "{question}");
        }
    }

    #[test]
    fn faults_name_the_fix() {
        let fault = |line: &str| Command::parse(line).unwrap().unwrap_err();
        assert_eq!(
            fault("/modle x"),
            r#"no command "/modle": did you mean "/model"?"#
        );
        assert_eq!(
            fault("/load"),
            "/load needs a file or the id of a conversation"
        );
        assert_eq!(fault("/image 'a"), "/image: a quotation mark is not closed");
    }

    #[test]
    fn help_lists_every_command() {
        insta::assert_snapshot!(help());
    }
}
