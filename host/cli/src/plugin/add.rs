//! `multillm plugin add`: a plugin by somebody else, fetched, judged, shown, and kept under its digest.

use multillm::config::{Installed, Wasi, is_plugin_name};
use multillm::error::Error;

use super::candidate::{Candidate, Terms, fetch, grant};
use super::card;
use super::likeness::{Likeness, likeness};
use super::source::{Source, Way};
use crate::{Context, Failure, input};

/// Arguments of `plugin add`.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// A file, a URL, or a name in a registry: oci://registry/name:tag, or oci://registry/name@sha256:…
    #[arg(value_name = "FILE|URL|oci://…")]
    source: String,
    /// The name under which it is asked [default: that of the file or repository]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The SHA-256 that the component must have, in hexadecimal
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    #[command(flatten)]
    terms: TermArgs,
    /// Admit WASI imports, linked against an empty WASI, as "wasi": "deny-all" does
    #[arg(long)]
    wasi_deny_all: bool,
}

/// What `add` and `update` have in common.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct TermArgs {
    /// Do not ask: agree to what is shown
    #[arg(long, short)]
    yes: bool,
    /// Install it although it breaks rules of "plugin check"
    #[arg(long)]
    accept_defects: bool,
    /// Let plain http lead to other machines, where others may read and change what comes
    #[arg(long)]
    pub(super) plain_http: bool,
}

pub(crate) async fn run(args: AddArgs, context: &Context) -> Result<(), Failure> {
    let source = Source::of(&args.source).map_err(Failure::Usage)?;
    let name = name_for(&source, args.name.as_deref())?;
    let sha256 = args.sha256.as_deref().map(written_digest).transpose()?;
    let store = context.env.installed();
    let known = store.list().map_err(Error::from)?;
    let free = store.find(&name).is_none_or(|own| own.installed.is_some());
    if !free {
        return Err(Failure::Usage(format!(
            "a file {name}.wasm lies in {} already: take it away, or choose another name with --name",
            store.dir().unwrap_or(std::path::Path::new("")).display()
        )));
    }
    let fetched = fetch(&source, &Way::new(args.terms.plain_http, context), context).await?;
    let digest = multillm::plugin::digest(&fetched.component);
    if let Some(old) = known.get(&name) {
        if old.sha256 == digest {
            context.printer.note(&format!(
                "{name} is installed already, with exactly this component"
            ));
            return Ok(());
        }
        return Err(Failure::Usage(format!(
            "{name} is installed already, from {}: \"multillm plugin update {name}\" asks there again, \"multillm plugin \
             remove {name}\" takes it away, --name gives this one another name",
            old.source
        )));
    }
    let terms = Terms {
        sha256: sha256.as_deref(),
        wasi: args.wasi_deny_all.then_some(Wasi::DenyAll),
        before: None,
    };
    let candidate = Candidate::examined(&name, source, fetched, terms, context).await?;
    card::show(&candidate, None, context)?;
    agreed(&candidate, args.terms, context)?;
    keep(&candidate, None, context)?;
    context.printer.note(&format!(
        "installed: ask its models as {name}/MODEL{}",
        key_hint(&candidate)
    ));
    Ok(())
}

/// The name that it gets. One that could be taken for another's is not taken without being written.
fn name_for(source: &Source, given: Option<&str>) -> Result<String, Failure> {
    let name = given.map_or_else(|| source.name(), str::to_owned);
    let refused = |reason: &str| Err(Failure::Usage(reason.to_owned()));
    match (likeness(&name), given) {
        (Some(like @ Likeness::Same(_)), _) => {
            return refused(&format!("{}: choose another with --name", like.told(&name)));
        }
        (Some(like), None) => {
            return refused(&format!(
                "{}: choose a name with --name, this one too if you mean it",
                like.told(&name)
            ));
        }
        _ => {}
    }
    match is_plugin_name(&name) {
        true => Ok(name),
        false => refused(&format!(
            "{name:?} cannot be the name of a plugin, which has letters from a to z, digits, '-', '_' and '.': choose one \
             with --name"
        )),
    }
}

fn written_digest(text: &str) -> Result<String, Failure> {
    let digest = text.trim().to_ascii_lowercase();
    let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
    match digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(digest.to_owned()),
        false => Err(Failure::Usage(format!(
            "{text:?} is no SHA-256: write the 64 hexadecimal digits that sha256sum prints"
        ))),
    }
}

/// Asks once, for everything that was shown.
pub(super) fn agreed(
    candidate: &Candidate,
    terms: TermArgs,
    context: &Context,
) -> Result<(), Failure> {
    let defects = candidate.defects();
    if !defects.is_empty() && !terms.accept_defects {
        return Err(Failure::Usage(format!(
            "it breaks rules that its users rely on ({}), and was not installed: \"multillm plugin check\" tells more, \
             --accept-defects installs it all the same",
            defects.join(", ")
        )));
    }
    let question = "install that, and allow exactly this component what it wants?";
    if !terms.yes && !input::confirmed(question, context)? {
        return Err(Failure::Usage("nothing was installed".to_owned()));
    }
    Ok(())
}

/// Keeps it under its name, in place of `old`, with the consent that goes with it.
pub(super) fn keep(
    candidate: &Candidate,
    old: Option<&Installed>,
    context: &Context,
) -> Result<(), Failure> {
    let store = context.env.installed();
    let installed = Installed {
        source: candidate.source.kept(),
        sha256: candidate.sha256.clone(),
        size: candidate.fetched.component.len() as u64,
        manifest: candidate.fetched.manifest.clone(),
        signer: candidate.signature.key().map(str::to_owned),
        contract: candidate.plugin.contract().to_owned(),
        wasi: candidate.wasi,
        added: now(),
    };
    let signature = candidate.fetched.signature.as_deref();
    let component = &candidate.fetched.component;
    store
        .put(&candidate.name, old, &installed, component, signature)
        .map_err(Error::from)?;
    let trust = context.env.trust();
    trust.allow_plugin(grant(&candidate.plugin))?;
    if let Some(old) = old.filter(|old| old.sha256 != installed.sha256) {
        forget(old, context)?;
    }
    Ok(())
}

/// Takes back what a component was allowed, unless another name means it too, and the component itself.
pub(super) fn forget(old: &Installed, context: &Context) -> Result<(), Failure> {
    let store = context.env.installed();
    let known = store.list().map_err(Error::from)?;
    if !known
        .values()
        .any(|installed| installed.sha256 == old.sha256)
    {
        context.env.trust().remove(&old.sha256)?;
    }
    store.tidy().map_err(Error::from)?;
    Ok(())
}

/// In whole seconds.
pub(super) fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

fn key_hint(candidate: &Candidate) -> String {
    let secrets = candidate.plugin.info().secrets.iter();
    let mut required = secrets.filter(|secret| secret.required);
    match required.next().and_then(|secret| secret.env.first()) {
        Some(variable) => format!(", with its key in {variable}"),
        None => String::new(),
    }
}
