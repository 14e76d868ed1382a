//! Names for shells: what can stand at a place of a command line, as the configuration has it. The
//! scripts of [`super::completions`] ask for them; nothing here asks, loads or changes anything.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::CommandFactory as _;

use super::Cli;
use super::arguments::{self, Slot, Walk};
use super::printer::Printer;
use multillm::config::{Config, built_in};
use multillm::template::Template;

/// What a script says instead of a command. Behind it stand the words that were typed, without the
/// program's name; the last is the one that is to be completed, which may be empty.
pub(super) const ASKED: &str = "__complete";

/// The words behind [`ASKED`], if a script asks.
pub(super) fn asked(words: &[OsString]) -> Option<&[OsString]> {
    let (name, rest) = words.get(1..)?.split_first()?;
    (name == ASKED).then_some(rest)
}

/// Prints the names that can stand there, one a line. False where names of the configuration cannot:
/// the script has to know better.
pub(super) fn print(words: &[OsString], printer: &Printer) -> bool {
    let Some(names) = names(words) else {
        return false;
    };
    for name in names {
        let _ = printer.line(&name);
    }
    true
}

fn names(words: &[OsString]) -> Option<Vec<String>> {
    let mut command = Cli::command();
    command.build();
    let mut walk = Walk::new(&command);
    let (begun, before) = words.split_last()?;
    let before = arguments::present(&command, before.to_vec());
    let mut file: Option<PathBuf> = None;
    for word in &before {
        // A shell that takes words apart at `=` hands the sign over as a word.
        if word == "=" {
            continue;
        }
        let word_before = walk.slot("");
        walk.pass(word);
        if word_before == Some(Slot::Value("config")) {
            file = Some(super::place::file(&word.to_string_lossy()).ok()?);
        }
    }
    let begun = begun.to_string_lossy();
    let begun = if begun == "=" { "" } else { &*begun };
    let slot = walk.slot(begun)?;
    let path = walk.path.join(" ");
    let (begun, head) = match begun.strip_prefix("--").and_then(|it| it.split_once('=')) {
        Some((name, value)) => (value, format!("--{name}=")),
        None => (begun, String::new()),
    };
    let config = || {
        let env = super::environment();
        match Config::find(file.as_deref(), &env) {
            // One that needs consent has no names until it is given: nobody can be asked here.
            Ok(file) => Config::read(&file, &env).ok(),
            Err(_) => Config::without_file(&env).ok(),
        }
    };
    let of_config = |pick: fn(Config) -> Vec<String>| config().map(pick).unwrap_or_default();
    let all = match (path.as_str(), slot) {
        (_, Slot::Value("model"))
        | ("health", Slot::Argument("models"))
        | ("model", Slot::Argument("name"))
        | ("alias set", Slot::Argument("model")) => of_config(models),
        ("alias remove", Slot::Argument("name")) => {
            of_config(|config| config.aliases.into_keys().collect())
        }
        (_, Slot::Value("models")) => {
            // `--models a,b`: what stands behind the last comma.
            let (done, begun) = begun.rsplit_once(',').unwrap_or(("", begun));
            let done = if done.is_empty() {
                String::new()
            } else {
                format!("{done},")
            };
            let names = of_config(models).into_iter();
            let names = names.filter(|name| name.starts_with(begun));
            return Some(names.map(|name| format!("{head}{done}{name}")).collect());
        }
        (_, Slot::Value("provider")) => of_config(|config| {
            let built_in: Vec<String> = config
                .built_in_providers()
                .map(|provider| provider.name.clone())
                .collect();
            config.providers.into_keys().chain(built_in).collect()
        }),
        (_, Slot::Value("template")) | ("template show", Slot::Argument("name")) => {
            of_config(|config| Template::names(&config.templates_dir))
        }
        (_, Slot::Value("tool_choice")) => ["auto", "none", "required"].map(str::to_owned).to_vec(),
        ("man", Slot::Argument(_)) => visible(&command),
        _ => return None,
    };
    let fitting = all.into_iter().filter(|name| name.starts_with(begun));
    Some(fitting.map(|name| format!("{head}{name}")).collect())
}

/// The models and routes that can be asked, those that providers without an entry are usually
/// asked for, and the user's other names for them.
fn models(config: Config) -> Vec<String> {
    let usual = built_in().into_iter().filter_map(|known| {
        let mut free = config.built_in_providers();
        free.find(|provider| provider.name == known.name)?;
        Some(format!(
            "{}/{}",
            known.name,
            known.model.unwrap_or_default()
        ))
    });
    let usual: Vec<String> = usual.collect();
    let on = config.models.into_iter().filter(|(_, model)| model.enabled);
    let models = on.map(|(name, _)| name);
    let written = models.chain(config.routes.into_keys());
    let mut all: Vec<String> = written.chain(usual).collect();
    let aliases = config.aliases.into_keys();
    let aliases: Vec<_> = aliases.filter(|name| !all.contains(name)).collect();
    all.extend(aliases);
    all
}

fn visible(command: &clap::Command) -> Vec<String> {
    let commands = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set());
    commands.map(|inner| inner.get_name().to_owned()).collect()
}
