//! Reading the configuration with the user's consent: `multillm config trust`, the question that a
//! person at a terminal is asked, and what is said of `.env` files.

use std::path::{Path, PathBuf};

use super::{Context, Failure, foreign, input, place, plugin};
use multillm::config::{
    Config, ConfigError, ConfigFile, PluginGrant, Provenance, TrustError, Untrusted,
};
use multillm::error::Error;

/// What to do about a file that asks for consent.
pub(super) const HINT: &str = "allow exactly this content with \"multillm config trust\", or name the file with --config or --env-file";

/// Arguments of `config trust`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A configuration or .env file [default: those that are found in the working directory]
    #[arg(value_parser = place::path())]
    path: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// List what is allowed
    #[arg(long, conflicts_with_all = ["path", "yes"])]
    list: bool,
    /// Take back what was allowed: a file, or a plugin by its name; either by its digest; or a key by its number
    #[arg(long, value_name = "FILE|NAME|KEY", conflicts_with_all = ["path", "yes", "list"])]
    remove: Option<String>,
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        Failure::Usage(error.to_string())
    }
}

/// The configuration that was named or found, or else none: nothing but what comes with the program. Says what is to be known of `.env` files; a person at a
/// terminal is asked for the consent that a found one needs.
pub(super) fn configuration(context: &Context) -> Result<Config, Failure> {
    tell_files(context);
    let file = match Config::find(context.config.as_deref(), &context.env) {
        Err(ConfigError::NotFound { .. }) => {
            tracing::info!("no configuration: every provider by its own name");
            return Ok(Config::without_file(&context.env).map_err(Error::from)?);
        }
        found => found.map_err(Error::from)?,
    };
    tracing::info!(
        "configuration {}: {}",
        file.path.display(),
        file.provenance.reason()
    );
    match Config::read(&file, &context.env) {
        Err(ConfigError::Untrusted(untrusted)) if can_ask(context) => {
            match agreed(&untrusted, context)? {
                Some(true) => {}
                Some(false) => {
                    let file = untrusted.path.display();
                    return Err(Failure::Usage(format!("{file} is not used: {HINT}")));
                }
                None => return Err(Error::from(ConfigError::Untrusted(untrusted)).into()),
            }
            context
                .env
                .trust()
                .allow(&untrusted.path, &untrusted.sha256)?;
            // What changed meanwhile is not what was allowed.
            Ok(Config::read(&file, &context.env).map_err(Error::from)?)
        }
        other => Ok(other.map_err(Error::from)?),
    }
}

fn can_ask(context: &Context) -> bool {
    !context.json && context.printer.is_seen() && input::is_terminal()
}

/// Asks a person. What is too much to be read at a glance is not asked here.
fn agreed(untrusted: &Untrusted, context: &Context) -> Result<Option<bool>, Failure> {
    const GLANCE: usize = 20;
    let (lines, left_out) = untrusted.lines(GLANCE);
    if left_out > 0 {
        return Ok(None);
    }
    context.printer.ask(&format!(
        "{} was found in the working directory, and wants to\n",
        untrusted.path.display()
    ));
    for line in lines {
        // Nothing that is agreed to may be hidden, or make a line of its own.
        context
            .printer
            .ask(&format!("  {}\n", foreign::escaped(&line.to_string())));
    }
    input::confirmed("allow that, for exactly this content?", context).map(Some)
}

/// What of `.env` files cannot be read or does not count, and with `-v` what each gives.
fn tell_files(context: &Context) {
    let env = &context.env;
    for warning in env.warnings() {
        context.printer.note(&format!("warning: {warning}"));
    }
    for file in env.files() {
        let given: Vec<&str> = file.given().collect();
        tracing::info!(
            "variables {}: {}; gives {}",
            file.path().display(),
            file.provenance().reason(),
            given.join(", ")
        );
        let ignored = file.ignored();
        if !ignored.is_empty() {
            context.printer.note(&format!(
                "warning: {}: {} cannot be set there: set it in the environment",
                file.path().display(),
                ignored.join(", ")
            ));
        }
    }
    if let Some(untrusted) = env.untrusted() {
        let names: Vec<&str> = untrusted
            .requests
            .iter()
            .map(|request| request.path.as_str())
            .collect();
        context.printer.note(&format!(
            "warning: {} was found in the working directory, and no address in it counts without \
             your consent ({}): {HINT}",
            untrusted.path.display(),
            names.join(", ")
        ));
    }
}

pub(super) fn run(args: Args, context: &Context) -> Result<(), Failure> {
    if args.list {
        return list(context);
    }
    if let Some(what) = args.remove {
        return match context.env.trust().remove(&key_of(&what, context)?)? {
            true => Ok(()),
            false => Err(Failure::Usage(format!(
                "nothing of that name is allowed: {what}: \"multillm config trust --list\" shows what is"
            ))),
        };
    }
    let mut asking = vec![];
    match &args.path {
        Some(path) => asking.extend(asks(path, context)?),
        None => {
            let found = Config::find(None, &context.env).ok();
            let found = found.filter(|file| file.provenance == Provenance::Found);
            let env_file = Path::new(".env");
            let files = found.map(|file| file.path);
            for file in files.into_iter().chain([env_file.to_owned()]) {
                if file.is_file() {
                    asking.extend(asks(&file, context)?);
                }
            }
        }
    }
    if asking.is_empty() {
        context
            .printer
            .note("nothing here needs your consent, or you gave it already");
    }
    for untrusted in asking {
        show(&untrusted, context)?;
        if !args.yes && !input::confirmed("allow that, for exactly this content?", context)? {
            return Err(Failure::Usage("nothing was allowed".to_owned()));
        }
        context
            .env
            .trust()
            .allow(&untrusted.path, &untrusted.sha256)?;
        context
            .printer
            .note(&format!("allowed: {}", untrusted.path.display()));
    }
    Ok(())
}

/// What a file asks for that is not allowed yet.
fn asks(path: &Path, context: &Context) -> Result<Option<Untrusted>, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with(".env") || name.ends_with(".env") {
        let asked = context.env.requests_of(path).map_err(Error::from)?;
        let trust = context.env.trust();
        return Ok(asked.filter(|asked| !trust.allows(&asked.path, &asked.sha256)));
    }
    let file = ConfigFile {
        path: path.to_owned(),
        provenance: Provenance::Found,
    };
    match Config::read(&file, &context.env) {
        Ok(_) => Ok(None),
        Err(ConfigError::Untrusted(untrusted)) => Ok(Some(untrusted)),
        Err(error) => Err(Error::from(error).into()),
    }
}

fn show(untrusted: &Untrusted, context: &Context) -> Result<(), Failure> {
    if context.json {
        let requests: Vec<_> = untrusted
            .requests
            .iter()
            .map(|request| {
                serde_json::json!({
                    "line": request.position.map(|position| position.line),
                    "path": request.path,
                    "message": request.message,
                })
            })
            .collect();
        context.printer.json(&serde_json::json!({
            "file": untrusted.path.display().to_string(),
            "sha256": untrusted.sha256,
            "requests": requests,
        }))?;
        return Ok(());
    }
    let line = |text: &str| context.printer.line(text);
    line(&format!("{} wants to", untrusted.path.display()))?;
    for request in untrusted.lines(usize::MAX).0 {
        line(&format!("  {}", foreign::escaped(&request.to_string())))?;
    }
    Ok(())
}

/// Shows what a plugin asks for, and allows it.
pub(super) fn allow_plugin(
    grant: PluginGrant,
    calls_itself: &str,
    yes: bool,
    context: &Context,
) -> Result<(), Failure> {
    match context.json {
        true => context.printer.json(&grant)?,
        false => {
            let line = |text: &str| context.printer.line(text);
            line(&format!(
                "the plugin {:?} (it calls itself {calls_itself:?}, sha256 {}) wants to",
                grant.name, grant.sha256
            ))?;
            for text in grant.lines() {
                line(&format!("  {}", foreign::escaped(&text)))?;
            }
        }
    }
    if !yes && !input::confirmed("allow that, for exactly this component?", context)? {
        return Err(Failure::Usage("nothing was allowed".to_owned()));
    }
    let name = grant.name.clone();
    context.env.trust().allow_plugin(grant)?;
    context.printer.note(&format!("allowed: the plugin {name}"));
    Ok(())
}

/// A key that is meant by its number; anything else as it is.
fn key_of(what: &str, context: &Context) -> Result<String, Failure> {
    let publishers = context.env.trust().publishers()?;
    let mut meant = publishers.into_iter().filter(|known| {
        plugin::id_of_key(&known.key).is_some_and(|id| id.eq_ignore_ascii_case(what))
    });
    Ok(meant
        .next()
        .map_or_else(|| what.to_owned(), |known| known.key))
}

fn list(context: &Context) -> Result<(), Failure> {
    let (files, plugins) = context.env.trust().list()?;
    let publishers = context.env.trust().publishers()?;
    if context.json {
        let all =
            serde_json::json!({ "files": files, "plugins": plugins, "publishers": publishers });
        context.printer.json(&all)?;
        return Ok(());
    }
    for file in &files {
        let line = format!("file    {}  {}", file.sha256, foreign::escaped(&file.path));
        context.printer.line(&line)?;
    }
    for plugin in &plugins {
        let line = format!("plugin  {}  {}", plugin.sha256, plugin.name);
        context.printer.line(&line)?;
        for line in plugin.lines() {
            context
                .printer
                .line(&format!("          {}", foreign::escaped(&line)))?;
        }
    }
    for known in &publishers {
        let id = plugin::id_of_key(&known.key).unwrap_or_default();
        let scopes = match known.scopes.is_empty() {
            true => "whatever it signs".to_owned(),
            false => known.scopes.join(", "),
        };
        let line = format!("key     {id}  for {}", foreign::escaped(&scopes));
        context.printer.line(&line)?;
    }
    if files.is_empty() && plugins.is_empty() && publishers.is_empty() {
        context.printer.note("nothing is allowed");
    }
    Ok(())
}
