//! `multillm man`: the manual page of the program or of a command. Arguments and examples are those of
//! `--help`; what `man` readers look for besides, variables, files and exit codes, stands here.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::{Cli, Context, Failure};
use multillm::config::key_names;

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The command whose page is wanted, such as `history list` [default: the program's]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  multillm man | man -l -
  multillm man history list > multillm-history-list.1";

/// Variables that mean something, and what.
const VARIABLES: [(&str, &str); 11] = [
    (
        "MULTILLM_CONFIG",
        "The configuration file, where --config names none.",
    ),
    (
        "MULTILLM_LOG",
        "What is traced to standard error in place of --verbose, such as multillm=debug.",
    ),
    ("NO_COLOR", "No colours, if it is not empty."),
    (
        "TZ",
        "The time zone of times that are shown and of --since; else the system's.",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        "Proxies, unless a provider's proxy says otherwise.",
    ),
    (
        "SSL_CERT_FILE",
        "A PEM bundle in place of the system's root certificates.",
    ),
    (
        "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME",
        "In place of ~/.config, ~/.local/share and ~/.cache on Linux.",
    ),
    (
        "OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL, CO_API_URL",
        "Another address of these vendors.",
    ),
    ("AZURE_OPENAI_ENDPOINT", "The address of an Azure resource."),
    (
        "OLLAMA_HOST, OLLAMA_BASE_URL",
        "Where Ollama runs, if not at http://localhost:11434.",
    ),
    (
        "VISUAL, EDITOR",
        "The editor of the chat's /edit and of template new.",
    ),
];

/// Files that are read or written, as they are on Linux.
const FILES: [(&str, &str); 10] = [
    (
        "configs/multi_llm_config.json, multi_llm_config.json",
        "The configuration, in the working directory. What it asks for beyond models needs your consent.",
    ),
    (
        "~/.config/multillm/config.json",
        "Your own configuration, where the working directory has none.",
    ),
    (
        "~/.config/multillm/aliases.json",
        "Your short names of models (multillm alias).",
    ),
    (
        "~/.config/multillm/keys.json",
        "Your keys (multillm keys). Refused if others may read it.",
    ),
    (
        ".env, ~/.config/multillm/.env",
        "Variables, behind the environment and your keys.",
    ),
    (
        "~/.local/share/multillm/history.db",
        "What was asked and answered; beside it what budgets have spent.",
    ),
    (
        "~/.local/share/multillm/trust.json",
        "What you have allowed (multillm config trust, multillm plugin trust).",
    ),
    (
        "~/.local/share/multillm/plugins",
        "Plugins that you installed (multillm plugin add), or put there.",
    ),
    ("~/.cache/multillm/compiled", "Plugins as compiled code."),
    (
        "plugins/*.wasm, templates/*.json",
        "Plugins and prompt templates, beside the configuration unless it says otherwise.",
    ),
];

const CODES: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "The vendor or the network failed."),
    ("2", "Usage or configuration."),
    ("129, 130, 143", "Ended by SIGHUP, SIGINT or SIGTERM."),
    (
        "with --json",
        "A failure ends standard error with one JSON line that says its kind.",
    ),
];

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut chosen = &command;
    for name in &args.command {
        chosen = chosen.find_subcommand(name).ok_or_else(|| {
            Failure::Usage(format!(
                "no command {name:?}: \"multillm --help\" lists them"
            ))
        })?;
    }
    context.printer.data(&page(chosen)?)?;
    Ok(())
}

/// The page of a built command, in roff.
fn page(command: &clap::Command) -> Result<String, Failure> {
    let is_program = command.get_name() == Cli::command().get_name();
    let man = Man::new(command.clone()).manual("multillm");
    let mut page = vec![];
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|inner| !inner.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(text) = command.get_after_help() {
        examples(&text.to_string(), &mut page);
    }
    if is_program {
        list("ENVIRONMENT", &VARIABLES, &mut page);
        for name in key_names(None) {
            let provider = name.provider.unwrap_or_default();
            entry(
                &name.variables.join(", "),
                &format!("The key of {provider}."),
                &mut page,
            );
        }
        list("FILES", &FILES, &mut page);
        paragraph(
            "On macOS these folders are in ~/Library/Application Support and ~/Library/Caches, on \
             Windows in %APPDATA% and %LOCALAPPDATA%. \"multillm config path\" and \"multillm keys \
             path\" print where theirs are.",
            &mut page,
        );
    }
    list("EXIT STATUS", &CODES, &mut page);
    if !is_program {
        section("SEE ALSO", &mut page);
        paragraph("multillm(1), which lists variables and files", &mut page);
    }
    Ok(page)
}

/// What stands behind the options in `--help`: commands to type, which keep their lines, and words
/// about them.
fn examples(text: &str, page: &mut String) {
    section("EXAMPLES", page);
    let mut literal = false;
    for line in text.lines().filter(|line| *line != "Examples:") {
        let is_literal = line.starts_with("  ");
        if is_literal != literal {
            page.push_str(if is_literal { ".nf\n" } else { ".fi\n" });
            literal = is_literal;
        }
        match line.strip_prefix("  ").unwrap_or(line) {
            "" => page.push_str(".PP\n"),
            text => {
                let _ = writeln!(page, "{}", escaped(text));
            }
        }
    }
    if literal {
        page.push_str(".fi\n");
    }
}

fn list(title: &str, entries: &[(&str, &str)], page: &mut String) {
    section(title, page);
    for (name, text) in entries {
        entry(name, text, page);
    }
}

fn section(title: &str, page: &mut String) {
    let _ = writeln!(page, ".SH \"{title}\"");
}

fn entry(name: &str, text: &str, page: &mut String) {
    let _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", escaped(name), escaped(text));
}

fn paragraph(text: &str, page: &mut String) {
    let _ = writeln!(page, ".PP\n{}", escaped(text));
}

/// A line as roff takes it literally.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &[&str]) -> String {
        let mut command = Cli::command();
        command.build();
        let mut chosen = &command;
        for name in path {
            chosen = chosen.find_subcommand(name).unwrap();
        }
        page(chosen).unwrap()
    }

    /// The names of sections, in their order.
    fn sections(page: &str) -> Vec<&str> {
        let titles = page.lines().filter_map(|line| line.strip_prefix(".SH "));
        titles.map(|title| title.trim_matches('"')).collect()
    }

    #[test]
    fn the_pages_have_what_their_readers_look_for() {
        let page = of(&[]);
        assert_eq!(
            sections(&page),
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "GLOBAL OPTIONS",
                "SUBCOMMANDS",
                "EXAMPLES",
                "ENVIRONMENT",
                "FILES",
                "EXIT STATUS"
            ]
        );
        for words in ["OPENAI_API_KEY", "GOOGLE_API_KEY", "keys.json", "SIGTERM"] {
            assert!(page.contains(words), "no {words}");
        }
        let page = of(&["keys", "set"]);
        assert_eq!(
            sections(&page),
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "GLOBAL OPTIONS",
                "EXAMPLES",
                "EXIT STATUS",
                "SEE ALSO"
            ]
        );
        assert!(page.contains("multillm keys set openai\n"), "{page}");
        assert!(!page.contains("EXTRA"));
    }

    #[test]
    fn the_files_are_where_the_page_says() {
        let Some(dirs) = directories::ProjectDirs::from("", "", "multillm") else {
            return;
        };
        let home = directories::BaseDirs::new().unwrap();
        let usual =
            std::env::vars_os().all(|(name, _)| !name.to_string_lossy().starts_with("XDG_"));
        if !cfg!(target_os = "linux") || !usual {
            return;
        }
        let shown = |dir: &std::path::Path| {
            let below = dir.strip_prefix(home.home_dir()).unwrap();
            format!("~/{}/", below.display())
        };
        for dir in [dirs.config_dir(), dirs.data_dir(), dirs.cache_dir()] {
            let dir = shown(dir);
            assert!(FILES.iter().any(|(files, _)| files.contains(&dir)), "{dir}");
        }
    }

    #[test]
    fn nothing_is_taken_for_a_request() {
        assert_eq!(escaped(".env, a-b\\n"), "\\&.env, a\\-b\\en");
    }
}
