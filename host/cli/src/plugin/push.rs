//! `multillm plugin push` and `multillm plugin trust --key`: a component into a registry, and whose signatures count.

use std::collections::BTreeMap;
use std::path::PathBuf;

use multillm::bounded;
use multillm::error::Error;
use multillm::plugin::Contract;

use super::add::now;
use super::candidate::unavailable;
use super::signature::{Claim, id_of_key, public_key};
use super::source::{Source, Way, beside};
use crate::oci::{MAX_COMPONENT, MAX_SIGNATURE, Push, Reference, SIGNATURE};
use crate::{Context, Failure, place, progress};

/// Arguments of `plugin push`.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// The component
    #[arg(value_parser = place::path())]
    file: PathBuf,
    /// Where it goes: oci://registry/name:tag
    #[arg(value_name = "oci://…")]
    target: String,
    /// A minisign signature over the component [default: FILE.minisig, if it is there]
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    signature: Option<PathBuf>,
    /// Let plain http lead to other machines, where others may read and change what goes
    #[arg(long)]
    plain_http: bool,
}

pub(crate) async fn push(args: PushArgs, context: &Context) -> Result<(), Failure> {
    let usage = |reason: String| Failure::Usage(format!("{}: {reason}", args.file.display()));
    let reference: Reference = args.target.parse().map_err(Failure::Usage)?;
    if reference.digest.is_some() {
        return Err(Failure::Usage(format!(
            "{reference}: what is put there has a digest of its own: leave it out"
        )));
    }
    let component =
        bounded::file(&args.file, MAX_COMPONENT).map_err(|error| usage(error.to_string()))?;
    let inspection = super::engine()?.inspect(&args.file).map_err(Error::from)?;
    let Contract::Fits { .. } = inspection.contract() else {
        return Err(usage(
            "it is no plugin for this contract: see \"multillm plugin inspect\"".to_owned(),
        ));
    };
    let signature = match &args.signature {
        Some(file) => Some(
            bounded::text(file, MAX_SIGNATURE)
                .map_err(|error| usage(format!("{}: {error}", file.display())))?,
        ),
        None => match beside(&args.file) {
            file if file.is_file() => Some(
                bounded::text(&file, MAX_SIGNATURE).map_err(|error| usage(error.to_string()))?,
            ),
            _ => None,
        },
    };
    let place = reference.place();
    let claim = Claim {
        component: &component,
        signature: signature.as_deref(),
        name: reference.name(),
        place: &place,
        before: None,
    };
    let standing = claim
        .judged(&context.env.trust().publishers()?)
        .map_err(usage)?;
    let origin = multillm_kit::origin(&component);
    let created = now();
    let mut annotations = annotations(&origin);
    annotations.insert(
        "org.opencontainers.image.created".to_owned(),
        created.clone(),
    );
    annotations.extend(signature.map(|text| (SIGNATURE.to_owned(), text)));
    let push = Push {
        component: &component,
        exports: inspection.exports.clone(),
        imports: inspection
            .imports
            .iter()
            .map(|import| import.name.clone())
            .collect(),
        author: origin.authors.clone(),
        created,
        annotations,
    };
    let way = Way::new(args.plain_http, context);
    let registry = way.registry(&reference).map_err(unavailable)?;
    let putting = registry.push(&push);
    let done = progress::waiting(context, "pushing the plugin", putting).await;
    let published = done.map_err(|reason| unavailable(format!("{reference}: {reason}")))?;
    let pinned = format!("oci://{place}@{}", published.manifest);
    if context.json {
        context.printer.json(&serde_json::json!({
            "reference": reference.to_string(),
            "manifest": published.manifest,
            "pinned": pinned,
            "sha256": multillm::plugin::digest(&component),
            "signature": standing.told(),
        }))?;
    } else {
        context.printer.line(&pinned)?;
        context.printer.note(&format!(
            "pushed as {reference}; signature {}",
            standing.told()
        ));
    }
    Ok(())
}

/// What the component says of itself, in the words that registries show.
fn annotations(origin: &multillm_kit::Origin) -> BTreeMap<String, String> {
    let all = [
        ("authors", &origin.authors),
        ("licenses", &origin.licenses),
        ("version", &origin.version),
        ("description", &origin.description),
        ("source", &origin.source),
        ("url", &origin.homepage),
        ("revision", &origin.revision),
    ];
    let said = all
        .into_iter()
        .filter_map(|(word, text)| Some((word, text.clone()?)));
    said.map(|(word, text)| (format!("org.opencontainers.image.{word}"), text))
        .collect()
}

/// Trusts a key: for a plugin's name, for what comes from somewhere, or for whatever it signed.
pub(crate) fn trust_key(key: &str, scope: Option<&str>, context: &Context) -> Result<(), Failure> {
    let key = public_key(key).map_err(Failure::Usage)?;
    let scope = scope.map(scope_of).transpose().map_err(Failure::Usage)?;
    context
        .env
        .trust()
        .trust_publisher(&key, scope.as_deref())?;
    let id = id_of_key(&key).unwrap_or_default();
    context.printer.note(&match &scope {
        Some(scope) => {
            format!("trusted: the key {id}, for {scope}; nothing else counts there any more")
        }
        None => format!("trusted: the key {id}, for whatever it signs"),
    });
    Ok(())
}

/// A name as it is; a URL or a name in a registry as the place that it is.
fn scope_of(text: &str) -> Result<String, String> {
    match text.contains("://") {
        true => Ok(Source::of(text)?.place().trim_end_matches('/').to_owned()),
        false => Ok(text.trim_end_matches('/').to_owned()),
    }
}
