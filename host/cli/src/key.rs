//! `multillm key`: the keys of the gateway.

use std::num::{NonZeroU32, NonZeroU64};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use multillm::config::Config;
use multillm_gateway::{KeyEntry, KeyError, KeyStore, NewKey};
use rust_decimal::Decimal;

use super::numbers::{dollars, number};
use super::sheet::Sheet;
use super::{Context, Failure, clock, trust};

/// What to do with keys of the gateway.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key and show it, once
    Create(Create),
    /// List the keys, without their secrets
    List,
    /// Show what one key allows
    Show(Named),
    /// Give a key a new secret; the old one ends at once, what it allows and has spent stays
    Rotate(Named),
    /// Take a key out of use for good
    Revoke(Named),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Whose it is: what the history calls the caller
    name: String,
    /// Models and routes that it may ask [default: all]
    #[arg(long, value_name = "NAME", num_args = 1..)]
    models: Vec<String>,
    /// Most requests in a minute
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<NonZeroU32>,
    /// Most tokens in a minute, input and output together
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<NonZeroU64>,
    /// Most US dollars in a day (UTC)
    #[arg(long, value_name = "DOLLARS")]
    budget_day: Option<Decimal>,
    /// Most US dollars in a month (UTC)
    #[arg(long, value_name = "DOLLARS")]
    budget_month: Option<Decimal>,
    /// Most requests at one time
    #[arg(long, value_name = "N")]
    concurrency: Option<NonZeroU32>,
    /// Until when it is valid: 30d, 12h, 2026-12-31, or 2026-12-31T18:00:00Z [default: until it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The key's name
    name: String,
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Failure::Usage(error.to_string())
    }
}

/// Where the gateway's keys are.
pub(super) fn store(config: &Config, context: &Context) -> Result<KeyStore, Failure> {
    let directory = context.env.config_dir().map(std::path::Path::to_owned);
    Ok(KeyStore::at(config.gateway.keys.clone(), directory)?)
}

#[allow(clippy::unused_async, reason = "as all commands")]
pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    let config = trust::configuration(context)?;
    let store = store(&config, context)?;
    let now_ms = Timestamp::now().as_millisecond();
    match command {
        Command::Create(args) => {
            let entry = args.entry(&config, now_ms, context)?;
            let name = entry.name.clone();
            reveal(&name, &store.create(entry)?, context)
        }
        Command::Rotate(args) => reveal(&args.name, &store.rotate(&args.name)?, context),
        Command::Revoke(args) => {
            store.revoke(&args.name, now_ms)?;
            context
                .printer
                .note(&format!("the key {:?} is revoked", args.name));
            Ok(())
        }
        Command::List => list(&store, now_ms, context),
        Command::Show(args) => {
            let keys = store.read()?;
            let entry = keys.named(&args.name).ok_or(KeyError::Unknown(args.name))?;
            show(entry, now_ms, context)
        }
    }
}

impl Create {
    fn entry(self, config: &Config, now_ms: i64, context: &Context) -> Result<KeyEntry, Failure> {
        for model in &self.models {
            if config.model(model).is_none() && !config.routes.contains_key(model) {
                return Err(Failure::Usage(config.unknown_model(model)));
            }
        }
        let budgets = [self.budget_day, self.budget_month];
        if budgets
            .into_iter()
            .flatten()
            .any(|amount| amount <= Decimal::ZERO)
        {
            return Err(Failure::Usage(
                "a budget is more than $0: \"multillm key revoke\" ends a key".to_owned(),
            ));
        }
        let expires_ms = match &self.expires {
            Some(text) => Some(until(text, now_ms, &clock::zone(context))?),
            None => None,
        };
        Ok(KeyEntry {
            name: self.name,
            created_ms: now_ms,
            expires_ms,
            models: self.models,
            requests_per_minute: self.requests_per_minute.map(NonZeroU32::get),
            tokens_per_minute: self.tokens_per_minute.map(NonZeroU64::get),
            cost_per_day: self.budget_day,
            cost_per_month: self.budget_month,
            max_concurrency: self.concurrency.map(NonZeroU32::get),
            ..KeyEntry::default()
        })
    }
}

/// A time that is to come, as people write it.
fn until(text: &str, now_ms: i64, zone: &TimeZone) -> Result<i64, Failure> {
    // A span means what comes after now, and not what was before.
    let read = multillm::stats::since(text, now_ms, zone).map_err(|_| {
        Failure::Usage(format!(
            "--expires: {text:?} is no time: write 30d, 12h, 2026-12-31 or 2026-12-31T18:00:00Z"
        ))
    })?;
    let is_span = text
        .trim()
        .ends_with(|unit: char| "smhdwSMHDW".contains(unit));
    let end = if is_span {
        now_ms.saturating_add(now_ms - read)
    } else {
        read
    };
    match end > now_ms {
        true => Ok(end),
        false => Err(Failure::Usage(format!(
            "--expires: {text} is over already: write a later time"
        ))),
    }
}

/// Shows a key that was made, for the only time.
fn reveal(name: &str, key: &NewKey, context: &Context) -> Result<(), Failure> {
    if context.json {
        let shown = serde_json::json!({ "name": name, "key": key.reveal() });
        context.printer.json(&shown)?;
        return Ok(());
    }
    context.printer.line(key.reveal())?;
    context.printer.note("keep it: it is not shown again");
    Ok(())
}

fn state(entry: &KeyEntry, now_ms: i64) -> &'static str {
    match entry {
        entry if entry.revoked_ms.is_some() => "revoked",
        entry if entry.expires_ms.is_some_and(|end| end <= now_ms) => "expired",
        _ => "valid",
    }
}

fn time(ms: Option<i64>) -> String {
    let time = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(
        || "-".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// An entry without what is kept of the secret.
fn told(entry: &KeyEntry, now_ms: i64) -> serde_json::Value {
    let mut told = serde_json::to_value(entry).unwrap_or_default();
    if let Some(members) = told.as_object_mut() {
        members.remove("sha256");
        members.insert("state".to_owned(), state(entry, now_ms).into());
    }
    told
}

fn list(store: &KeyStore, now_ms: i64, context: &Context) -> Result<(), Failure> {
    let keys = store.read()?;
    if context.json {
        let all: Vec<_> = keys.keys.iter().map(|entry| told(entry, now_ms)).collect();
        context.printer.json(&all)?;
        return Ok(());
    }
    if keys.is_empty() {
        context
            .printer
            .note("there is no key: \"multillm key create NAME\" makes one");
        return Ok(());
    }
    let mut table =
        Sheet::new(&["NAME", "STATE", "MODELS", "A DAY", "A MONTH", "EXPIRES"]).texts(&[2]);
    for entry in &keys.keys {
        table.row([
            entry.name.clone(),
            state(entry, now_ms).to_owned(),
            models(entry),
            dollars(entry.cost_per_day),
            dollars(entry.cost_per_month),
            time(entry.expires_ms),
        ]);
    }
    context.printer.table(&table)?;
    Ok(())
}

fn models(entry: &KeyEntry) -> String {
    match entry.models.is_empty() {
        true => "all".to_owned(),
        false => entry.models.join(", "),
    }
}

fn show(entry: &KeyEntry, now_ms: i64, context: &Context) -> Result<(), Failure> {
    if context.json {
        context.printer.json(&told(entry, now_ms))?;
        return Ok(());
    }
    let mut table = Sheet::new(&["KEY", ""]).texts(&[1]);
    for (what, value) in [
        ("name", entry.name.clone()),
        ("state", state(entry, now_ms).to_owned()),
        ("made", time(Some(entry.created_ms))),
        ("expires", time(entry.expires_ms)),
        ("models", models(entry)),
        (
            "requests a minute",
            number(entry.requests_per_minute.map(u64::from)),
        ),
        ("tokens a minute", number(entry.tokens_per_minute)),
        ("budget a day", dollars(entry.cost_per_day)),
        ("budget a month", dollars(entry.cost_per_month)),
        ("at one time", number(entry.max_concurrency.map(u64::from))),
    ] {
        table.row([what.to_owned(), value]);
    }
    context.printer.table(&table)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_expire_in_the_future() {
        let now = 1_795_435_200_000;
        let until = |text: &str| until(text, now, &TimeZone::UTC).ok();
        assert_eq!(until("2h"), Some(now + 7_200_000));
        assert_eq!(until("2027-01-01T00:00:00Z"), Some(1_798_761_600_000));
        assert_eq!(until("2026-11-01"), None);
        assert_eq!(until("soon"), None);
    }
}
