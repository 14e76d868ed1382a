//! `multillm keys`: the user's own keys, kept once for every directory.

mod check;
mod list;
mod set;

use super::{Context, Failure, foreign};
use multillm::config::{
    Config, ConfigError, KeyName, KeyStore, KeyStoreError, Provenance, key_named,
};
use multillm::error::Error;

/// Subcommands of `keys`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Keep the key of a provider: it is typed unseen or piped in, and checked by one free call
    Set(set::Args),
    /// Show which keys there are, where each comes from and which one counts; no key is shown
    List,
    /// Forget a kept key
    Remove {
        /// A provider such as openai, or a variable such as OPENAI_API_KEY
        #[arg(value_name = "PROVIDER|VARIABLE")]
        name: String,
    },
    /// Print the file that holds the keys
    Path,
}

impl From<KeyStoreError> for Failure {
    fn from(error: KeyStoreError) -> Self {
        Failure::Usage(error.to_string())
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Set(args) => set::run(args, context).await,
        Command::List => list::run(context),
        Command::Remove { name } => remove(&name, context),
        Command::Path => {
            let path = store(context)?.path().display().to_string();
            match context.json {
                true => context.printer.json(&serde_json::json!({ "path": path }))?,
                false => context.printer.line(&path)?,
            }
            Ok(())
        }
    }
}

fn store(context: &Context) -> Result<&KeyStore, Failure> {
    context
        .env
        .keys()
        .ok_or_else(|| Failure::Usage("keys cannot be kept: there is no home directory".to_owned()))
}

/// The configuration, which may name other providers. There need be none; one that lies in the
/// directory and has not the user's consent has no say in where keys belong.
fn configuration(context: &Context) -> Result<Option<Config>, Failure> {
    let file = match Config::find(context.config.as_deref(), &context.env) {
        Ok(file) => file,
        Err(ConfigError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(Error::from(error).into()),
    };
    match Config::read(&file, &context.env) {
        Ok(config) => Ok(Some(config)),
        Err(error) if file.provenance == Provenance::Named => Err(Error::from(error).into()),
        Err(error) => {
            tracing::info!("{} has no say here: {error}", file.path.display());
            Ok(None)
        }
    }
}

fn named(name: &str, config: Option<&Config>) -> Result<KeyName, Failure> {
    key_named(name, config).map_err(|fault| Failure::Usage(foreign::line(&fault)))
}

fn remove(name: &str, context: &Context) -> Result<(), Failure> {
    let store = store(context)?;
    let kept = store.list()?;
    let is_kept = |name: &String| kept.iter().any(|(known, _)| known == name);
    // What another configuration called by a name of its own is forgotten by that name.
    let (mut names, configured) = match name.trim().to_owned() {
        name if is_kept(&name) => (vec![name], true),
        name => {
            let named = named(&name, configuration(context)?.as_ref())?;
            (named.variables, named.configured)
        }
    };
    names.retain(is_kept);
    if names.is_empty() {
        return Err(Failure::Usage(
            "no key of that name is kept: \"multillm keys list\" shows which are".to_owned(),
        ));
    }
    for name in &names {
        store.remove(name)?;
    }
    if context.json {
        let removed = serde_json::json!({ "removed": names });
        return Ok(context.printer.json(&removed)?);
    }
    context
        .printer
        .note(&format!("forgotten: {}", names.join(", ")));
    if let Some(left) = context.env.found_keys(&names, configured)?.first() {
        let place = &left.place;
        context
            .printer
            .note(&format!("{} still comes from {place}", left.name));
    }
    Ok(())
}
