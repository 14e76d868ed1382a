//! `multillm keys set`: a key is typed unseen or piped in, checked and kept. It is shown nowhere.

use std::io::{ErrorKind, IsTerminal as _};

use secrecy::SecretString;
use serde::Serialize;

use super::check::{Verdict, check};
use crate::ending::Signal;
use crate::{Context, Failure, foreign, input};
use multillm::bounded;
use multillm::config::{HAS_KEYRING, KeyName, KeyPlace, Vault, typed_key};

/// The most that is read from a pipe: far more than any key, and little enough to be refused at once.
const MAX_KEY: u64 = 64 << 10;

/// Arguments of `keys set`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A provider such as openai, or a variable such as OPENAI_API_KEY
    #[arg(value_name = "PROVIDER|VARIABLE")]
    name: String,
    /// Keep it without asking the vendor whether it takes it
    #[arg(long)]
    no_check: bool,
    /// Keep it in the system's keyring instead of your file (in programs built with --features keyring)
    #[arg(long)]
    keyring: bool,
    /// Nothing: a key does not belong on the command line
    #[arg(hide = true, allow_hyphen_values = true)]
    key: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  multillm keys set openai
  multillm keys set claude < key.txt
  pass show groq | multillm keys set GROQ_API_KEY --no-check

The key goes only where its variable's value would: to its vendor's own address, or where your
configuration says. The environment comes before it, a .env of the directory behind it.";

/// What was done, as it stands in output.
#[derive(Serialize)]
struct Done<'a> {
    name: &'a str,
    provider: Option<&'a str>,
    vault: Vault,
    path: String,
    check: &'static str,
    problem: Option<&'a str>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    if args.key.is_some() {
        return Err(Failure::Usage(
            "a key on the command line stays in the shell's history: type it when you are asked, or \
             pipe it in"
                .to_owned(),
        ));
    }
    let config = super::configuration(context)?;
    let key_name = super::named(&args.name, config.as_ref())?;
    let variable = variable(&key_name)?;
    let vault = match args.keyring {
        true if !HAS_KEYRING => {
            return Err(Failure::Usage(
                "this program was built without the system's keyring: build it with --features \
                 keyring, or leave --keyring out"
                    .to_owned(),
            ));
        }
        true => Vault::Keyring,
        false => Vault::File,
    };
    let store = super::store(context)?;
    // What would be refused is told before anybody types.
    store.list()?;
    let key = read(variable, context)?;
    let verdict = match args.no_check {
        true => Verdict::Skipped,
        false => check(&key_name, variable, &key, config, context).await?,
    };
    store.set(variable, &key, vault)?;
    let done = Done {
        name: variable,
        provider: key_name.provider.as_deref(),
        vault,
        path: store.path().display().to_string(),
        check: verdict.word(),
        problem: verdict.problem(),
    };
    tell(&done, &verdict, context)?;
    tell_of_others(&key_name, context);
    Ok(())
}

/// The variable that the key is kept for.
fn variable(name: &KeyName) -> Result<&str, Failure> {
    let provider = name.provider.as_deref().unwrap_or_default();
    let fault = match (&name.instead, name.variables.first()) {
        (None, Some(variable)) => return Ok(variable),
        (Some(instead), _) => {
            format!("{provider} takes {instead}, as the configuration says: change that there")
        }
        (None, None) => format!(
            "nobody knows which variable holds the key of {provider}: name one with api_key_env in the \
             configuration"
        ),
    };
    Err(Failure::Usage(foreign::line(&fault)))
}

/// Reads the key: unseen from a person, else from standard input to its end.
fn read(variable: &str, context: &Context) -> Result<SecretString, Failure> {
    let text = match std::io::stdin().is_terminal() {
        true => typed(variable, context)?,
        false => input::reading(context, || {
            input::now_reading("standard input, which is to hold the key");
            let bytes = bounded::bytes(std::io::stdin().lock(), MAX_KEY);
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            text.map_err(|error| Failure::Usage(format!("cannot read the key: {error}")))
        })?,
    };
    typed_key(&text).map_err(Failure::Usage)
}

fn typed(variable: &str, context: &Context) -> Result<String, Failure> {
    context.printer.ask(&format!("{variable} (not shown): "));
    let _nothing_to_lose = context.ending.at_once();
    context.ending.mind_terminal();
    rpassword::read_password().map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Failure::Stopped(Signal::Interrupt),
        ErrorKind::UnexpectedEof => Failure::Usage("no key was given: nothing is kept".to_owned()),
        _ => Failure::Usage(format!("cannot read the key: {error}")),
    })
}

fn tell(done: &Done<'_>, verdict: &Verdict, context: &Context) -> Result<(), Failure> {
    if context.json {
        return Ok(context.printer.json(done)?);
    }
    let place = match done.vault {
        Vault::File => done.path.clone(),
        Vault::Keyring => "the system's keyring".to_owned(),
    };
    let name = done.name;
    let told = verdict.told(done.provider.unwrap_or(name));
    context.printer.note(&format!(
        "{name} is kept in {place}{}",
        foreign::line(&told)
    ));
    Ok(())
}

/// What comes before the key that was just kept.
fn tell_of_others(name: &KeyName, context: &Context) {
    let found = context.env.found_keys(&name.variables, name.configured);
    let Ok(found) = found else {
        return;
    };
    if let Some(first) = found.first()
        && !matches!(first.place, KeyPlace::Keys { .. })
    {
        context.printer.note(&format!(
            "but {} comes from {} too, and that counts first",
            first.name, first.place
        ));
    }
}
