//! `multillm plugin record`: answers of a real server as the author's recorded cases.

use std::path::PathBuf;

use multillm::error::Error;
use multillm_kit::{Live, RecordError, Subject};
use secrecy::SecretString;

use crate::{Context, Failure, foreign, input, place, progress};

/// Arguments of `plugin record`.
#[derive(Debug, clap::Args)]
pub(crate) struct RecordArgs {
    /// The component
    #[arg(value_parser = place::path())]
    file: PathBuf,
    /// The server to ask. It is asked some questions of a few tokens each, among them one with a wrong key
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// The model to ask
    #[arg(long, value_name = "NAME")]
    model: String,
    /// The variable that holds the key; the key is taken out of what is written. Without it none is sent
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// Another secret, by the plugin's name for it. May be repeated
    #[arg(long, value_name = "NAME=VARIABLE")]
    secret_env: Vec<String>,
    /// The folder for the recordings, one file each
    #[arg(long, value_name = "DIR", default_value = "recordings", value_parser = place::path())]
    out: PathBuf,
    /// What is asked
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "Say good evening in five words."
    )]
    prompt: String,
    /// A setting that the plugin needs to be asked at all. May be repeated
    #[arg(long, value_name = "KEY=JSON")]
    setting: Vec<String>,
    /// Replace recordings of the same names
    #[arg(long)]
    force: bool,
    /// Admit WASI imports, linked against an empty WASI
    #[arg(long)]
    wasi_deny_all: bool,
}

pub(crate) async fn record(args: RecordArgs, context: &Context) -> Result<(), Failure> {
    let mut secrets = vec![];
    let named = args
        .key_env
        .iter()
        .map(|variable| ("api_key", variable.as_str()));
    for (name, variable) in named.chain(pairs(&args.secret_env)?) {
        let Some(value) = context.env.var(variable) else {
            return Err(Failure::Usage(format!(
                "{variable} is not set: it is to hold the {name}"
            )));
        };
        secrets.push((name.to_owned(), SecretString::from(value)));
    }
    let live = Live {
        subject: Subject {
            model: args.model,
            settings: input::parameters(&args.setting)?,
            wasi_deny_all: args.wasi_deny_all,
            cache_dir: multillm::plugin::code_directory(),
            ..Subject::file(args.file)
        },
        base_url: args.base_url,
        secrets,
        prompt: args.prompt,
    };
    let asking = multillm_kit::record(&live);
    let recordings = progress::waiting(context, "asking the server", asking).await;
    let recordings = recordings.map_err(failure)?;
    let unwritable = |path: &PathBuf, error: std::io::Error| {
        Failure::Usage(format!("cannot write {}: {error}", path.display()))
    };
    let files: Vec<PathBuf> = recordings
        .iter()
        .map(|recording| args.out.join(format!("{}.json", recording.name)))
        .collect();
    if let Some(there) = files.iter().find(|file| file.exists() && !args.force) {
        return Err(Failure::Usage(format!(
            "{} is there already: name another folder with --out, or replace it with --force",
            there.display()
        )));
    }
    std::fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, error))?;
    for (recording, file) in recordings.iter().zip(&files) {
        let text = serde_json::to_string_pretty(recording).unwrap_or_default() + "\n";
        std::fs::write(file, text).map_err(|error| unwritable(file, error))?;
    }
    if context.json {
        context.printer.json(&recordings)?;
        return Ok(());
    }
    for (recording, file) in recordings.iter().zip(&files) {
        let said = recording
            .expect
            .as_ref()
            .map(|said| match (&said.error, &said.content) {
                (Some(error), _) => format!("read as the error {error}"),
                (None, Some(content)) => format!("read as {:?}", excerpt(content)),
                (None, None) => "read as nothing".to_owned(),
            });
        let said = said.unwrap_or("the plugin breaks at it".to_owned());
        let line = format!("{}: status {}, {said}", file.display(), recording.status);
        context.printer.line(&foreign::line(&line))?;
    }
    context.printer.note(
        "look through them: \"expect\" is what the plugin reads now, and what \"plugin check --recordings\" holds it to",
    );
    Ok(())
}

/// The beginning of a text.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

fn pairs(given: &[String]) -> Result<Vec<(&str, &str)>, Failure> {
    let pair = |text: &'_ String| Failure::Usage(format!("{text:?}: write NAME=VARIABLE"));
    given
        .iter()
        .map(|text| text.split_once('=').ok_or_else(|| pair(text)))
        .collect()
}

fn failure(error: RecordError) -> Failure {
    match error {
        RecordError::Plugin(error) => Failure::Error(Error::from(error)),
        RecordError::Transport(error) => Failure::Error(Error::from(error)),
        RecordError::Question(error) => Failure::Error(error),
        other => Failure::Usage(other.to_string()),
    }
}
