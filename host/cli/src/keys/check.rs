//! Whether a vendor takes a key, before it is kept: one free call, and what came of it.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{Context, Failure, progress};
use multillm::config::{Config, KeyName, Provenance, built_in_of};
use multillm::error::{Error, ErrorKind};
use multillm::service::MultiLlmService;

/// How long a vendor may take: a person waits.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of the call.
pub(super) enum Verdict {
    /// The vendor took the key.
    Accepted,
    /// Nobody wanted to know.
    Skipped,
    /// It could not be told, and why.
    Unknown(String),
}

impl Verdict {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::Skipped => "skipped",
            Verdict::Unknown(_) => "unknown",
        }
    }

    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Verdict::Unknown(reason) => Some(reason),
            _ => None,
        }
    }

    /// The same for people, behind where the key is kept.
    pub(super) fn told(&self, provider: &str) -> String {
        match self {
            Verdict::Accepted => format!(": {provider} takes it"),
            Verdict::Skipped => String::new(),
            Verdict::Unknown(reason) => format!(", but it was not checked: {reason}"),
        }
    }
}

/// Asks the vendor for its list of models with this key.
///
/// # Errors
///
/// The vendor does not take it.
pub(super) async fn check(
    name: &KeyName,
    variable: &str,
    key: &SecretString,
    config: Option<Config>,
    context: &Context,
) -> Result<Verdict, Failure> {
    let Some(provider) = &name.provider else {
        let reason = format!("no provider is known that takes {variable}");
        return Ok(Verdict::Unknown(reason));
    };
    let checked = async {
        let service = service(name, provider, variable, key, config, context)?;
        let asked = tokio::time::timeout(PATIENCE, service.check_key(provider));
        let late = || format!("no answer within {} s", PATIENCE.as_secs());
        let asked = asked.await;
        asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, late())))
    };
    match progress::waiting(context, format!("asking {provider}"), checked).await {
        Ok(()) if name.list_is_open() => Ok(Verdict::Unknown(format!(
            "{provider} gives its list of models to everybody"
        ))),
        Ok(()) => Ok(Verdict::Accepted),
        Err(mut error) if error.kind == ErrorKind::Authentication => {
            let said = &error.message;
            error.message =
                format!("the key is not kept (--no-check keeps it all the same): {said}");
            // It says what to do: nobody has to look which key that was.
            error.provider = None;
            Err(error.into())
        }
        Err(error) => Ok(Verdict::Unknown(error.message.clone())),
    }
}

/// A service that has this key and no other of the provider's.
fn service(
    name: &KeyName,
    provider: &str,
    variable: &str,
    key: &SecretString,
    config: Option<Config>,
    context: &Context,
) -> Result<MultiLlmService, Error> {
    let mut env = context.env.clone();
    for other in &name.variables {
        env = env.with_variable(other, "");
    }
    let env = env.with_variable(variable, key.expose_secret());
    // What merely lies in the directory does not say where a vendor is.
    let may_say =
        |config: &Config| config.provenance != Provenance::Found || built_in_of(provider).is_none();
    let config = match config.filter(may_say) {
        Some(config) => config,
        None => Config::without_file(&env)?,
    };
    MultiLlmService::builder()
        .config(config)
        .env(env)
        .history(false)
        .max_concurrency(1)
        .build()
}
