//! `multillm plugin update`, `remove` and `verify`: what becomes of plugins that were installed.

use std::collections::BTreeMap;

use multillm::bounded;
use multillm::config::{Installed, advice};
use multillm::error::Error;
use multillm::plugin::{LoadOptions, Plugin, digest};
use serde::Serialize;

use super::add::{TermArgs, agreed, forget, keep};
use super::candidate::{Candidate, Terms, engine, fetch};
use super::card;
use super::signature::{Claim, id_of_key};
use super::source::{Source, Way};
use crate::oci::{MAX_COMPONENT, MAX_SIGNATURE};
use crate::{Context, Failure};

/// Arguments of `plugin update`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// The plugin
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every one that was installed
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    terms: TermArgs,
}

/// Arguments of `plugin verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The plugin [default: every one that was installed]
    name: Option<String>,
}

/// Those that are meant.
fn chosen(name: Option<&str>, context: &Context) -> Result<BTreeMap<String, Installed>, Failure> {
    let mut known = context.env.installed().list().map_err(Error::from)?;
    let Some(name) = name else {
        return Ok(known);
    };
    match known.remove(name) {
        Some(installed) => Ok(BTreeMap::from([(name.to_owned(), installed)])),
        None => {
            let names = known.keys().map(String::as_str);
            let advice = advice(name, names, "see \"multillm plugin list\"");
            Err(Failure::Usage(format!(
                "no plugin {name:?} was installed: {advice}"
            )))
        }
    }
}

pub(crate) async fn update(args: UpdateArgs, context: &Context) -> Result<(), Failure> {
    let known = chosen(args.name.as_deref(), context)?;
    let way = Way::new(args.terms.plain_http, context);
    let mut failed = false;
    for (name, installed) in &known {
        let done = renew(name, installed, &way, args.terms, context).await;
        match done {
            Ok(()) => {}
            // The others do not depend on this one.
            Err(Failure::Usage(reason)) if args.all => {
                failed = true;
                context.printer.error(&format!("{name}: {reason}"));
            }
            Err(Failure::Error(error)) if args.all => {
                failed = true;
                context.printer.error(&format!("{name}: {error}"));
            }
            Err(failure) => return Err(failure),
        }
    }
    if known.is_empty() {
        context.printer.note("no plugin was installed");
    }
    match failed {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}

/// Asks again where a plugin came from.
async fn renew(
    name: &str,
    old: &Installed,
    way: &Way,
    terms: TermArgs,
    context: &Context,
) -> Result<(), Failure> {
    let source = Source::of(&old.source).map_err(Failure::Usage)?;
    let fetched = fetch(&source, way, context).await?;
    let moved = old.manifest.is_some() && fetched.manifest != old.manifest;
    if moved {
        context.printer.note(&format!(
            "{name}: {source} means another manifest now: {} → {}",
            old.manifest.as_deref().unwrap_or("-"),
            fetched.manifest.as_deref().unwrap_or("-")
        ));
    }
    let same = digest(&fetched.component) == old.sha256;
    let wanted = Terms {
        sha256: None,
        wasi: old.wasi,
        before: old.signer.as_deref(),
    };
    let new = Candidate::examined(name, source, fetched, wanted, context).await?;
    if same {
        if moved || new.signature.key() != old.signer.as_deref() {
            keep(&new, Some(old), context)?;
        }
        context
            .printer
            .note(&format!("{name}: the component is the same"));
        return Ok(());
    }
    let changes = match present(name, old, context).await {
        Ok(before) => card::changes(&before, &new),
        Err(reason) => vec![format!("what is installed cannot be compared: {reason}")],
    };
    card::show(&new, Some(&changes), context)?;
    agreed(&new, terms, context)?;
    keep(&new, Some(old), context)?;
    context
        .printer
        .note(&format!("{name} is another component now"));
    Ok(())
}

/// What is installed, loaded.
async fn present(name: &str, old: &Installed, context: &Context) -> Result<Plugin, String> {
    let file = context.env.installed().component(&old.sha256);
    let file = file.map_err(|error| error.to_string())?;
    let options = LoadOptions {
        sha256: Some(old.sha256.clone()),
        wasi_deny_all: old.wasi.is_some(),
    };
    let engine = engine().map_err(|_| "the engine cannot start".to_owned())?;
    let loaded = engine.load(name, &file, &options).await;
    loaded.map_err(|error| error.to_string())
}

pub(crate) fn remove(name: &str, context: &Context) -> Result<(), Failure> {
    let store = context.env.installed();
    if let Some(own) = store.find(name).filter(|own| own.installed.is_none()) {
        return Err(Failure::Usage(format!(
            "{name} was not installed: it is the file {}, and goes when that goes",
            own.path.display()
        )));
    }
    chosen(Some(name), context)?;
    if let Some(old) = store.remove(name).map_err(Error::from)? {
        forget(&old, context)?;
        context
            .printer
            .note(&format!("removed: {name}, and what it was allowed"));
    }
    Ok(())
}

/// What is true of an installed plugin now.
#[derive(Serialize)]
struct Verified {
    name: String,
    sha256: String,
    signer: Option<String>,
    ok: bool,
    problem: Option<String>,
}

pub(crate) fn verify(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let mut all = vec![];
    for (name, installed) in chosen(args.name.as_deref(), context)? {
        let problem = fault(&name, &installed, context).err();
        all.push(Verified {
            ok: problem.is_none(),
            sha256: installed.sha256,
            signer: installed.signer.as_deref().and_then(id_of_key),
            name,
            problem,
        });
    }
    if context.json {
        context.printer.json(&all)?;
    } else {
        for it in &all {
            let signed = match &it.signer {
                Some(id) => format!("signed by the key {id}"),
                None => "not signed".to_owned(),
            };
            let line = match &it.problem {
                None => format!("{}: ok, sha256 {}, {signed}", it.name, it.sha256),
                Some(problem) => format!("{}: WRONG: {problem}", it.name),
            };
            context.printer.line(&line)?;
        }
        if all.is_empty() {
            context.printer.note("no plugin was installed");
        }
    }
    match all.iter().all(|it| it.ok) {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}

/// Holds what is in place against what was agreed to.
fn fault(name: &str, installed: &Installed, context: &Context) -> Result<(), String> {
    let told = |error: multillm::config::InstalledError| error.to_string();
    let store = context.env.installed();
    let file = store.component(&installed.sha256).map_err(told)?;
    let component = bounded::file(&file, MAX_COMPONENT)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let now = digest(&component);
    if now != installed.sha256 {
        return Err(format!(
            "{} has sha256 {now}, and {} was agreed to: somebody changed it",
            file.display(),
            installed.sha256
        ));
    }
    let Some(key) = &installed.signer else {
        return Ok(());
    };
    let file = store.signature(&installed.sha256).map_err(told)?;
    let signature = bounded::text(&file, MAX_SIGNATURE).ok();
    let source = Source::of(&installed.source)?;
    let publishers = context
        .env
        .trust()
        .publishers()
        .map_err(|error| error.to_string())?;
    Claim {
        component: &component,
        signature: signature.as_deref(),
        name,
        place: &source.place(),
        before: Some(key),
    }
    .judged(&publishers)?;
    let trusted = publishers
        .iter()
        .any(|known| &known.key == key && known.may_vouch_for(name, &source.place()));
    match trusted {
        true => Ok(()),
        false => Err(format!(
            "the key {} that signed it is no longer one that you trust for it",
            id_of_key(key).unwrap_or_default()
        )),
    }
}
