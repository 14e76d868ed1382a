//! A component that may be installed: everything that is known of it before anything of it is kept.

use multillm::config::{PluginGrant, Wasi};
use multillm::error::{Error, ErrorKind};
use multillm::plugin::{EngineOptions, LoadOptions, Plugin, PluginEngine, digest, wire};
use multillm_kit::{Finding, Origin, Report, Subject};
use serde::Serialize;

use super::signature::{Claim, Standing};
use super::source::{Fetched, Source, Way};
use crate::{Context, Failure, progress};

/// What the user said of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms<'a> {
    /// The digest that it must have.
    pub(super) sha256: Option<&'a str>,
    /// It may import WASI, and gets an empty one.
    pub(super) wasi: Option<Wasi>,
    /// The key that vouched for what it takes the place of.
    pub(super) before: Option<&'a str>,
}

/// A component that was fetched, judged and tried.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) fetched: Fetched,
    /// SHA-256 of the component.
    pub(super) sha256: String,
    pub(super) signature: Standing,
    pub(super) origin: Origin,
    pub(super) plugin: Plugin,
    pub(super) report: Report,
    pub(super) wasi: Option<Wasi>,
}

/// What a component is, so far as people decide by it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Face {
    pub(super) calls_itself: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) contract: String,
    pub(super) function_imports: Vec<String>,
    pub(super) wires: Vec<String>,
    pub(super) capabilities: Vec<String>,
    pub(super) asks_for: Vec<String>,
    pub(super) size: usize,
}

impl Face {
    pub(super) fn of(plugin: &Plugin) -> Self {
        let info = plugin.info();
        let capabilities = info.capabilities.iter();
        Face {
            calls_itself: info.name.clone(),
            title: info.title.clone(),
            version: info.version.clone(),
            contract: plugin.contract().to_owned(),
            function_imports: plugin.inspection().forbidden(),
            wires: info.wires.clone(),
            capabilities: capabilities
                .map(|(name, support)| format!("{name}: {}", promised(*support)))
                .collect(),
            asks_for: grant(plugin).lines(),
            size: plugin.size(),
        }
    }
}

fn promised(support: wire::Support) -> &'static str {
    match support {
        wire::Support::No => "no",
        wire::Support::Yes => "yes",
        wire::Support::SomeModels => "some models",
        wire::Support::Emulated => "emulated",
    }
}

/// What a plugin asks for.
pub(super) fn grant(plugin: &Plugin) -> PluginGrant {
    let info = plugin.info();
    let secrets = info.secrets.iter();
    PluginGrant {
        sha256: plugin.digest().to_owned(),
        name: plugin.name().to_owned(),
        base_url: info.default_base_url.clone(),
        base_url_env: info.base_url_env.clone(),
        secrets: secrets
            .map(|secret| (secret.name.clone(), secret.env.clone()))
            .collect(),
    }
}

/// The engine that tries components, with the cache that questions use: what is installed has been compiled.
pub(super) fn engine() -> Result<PluginEngine, Failure> {
    let dirs = directories::ProjectDirs::from("", "", "multillm");
    let options = EngineOptions {
        max_instances: 2,
        cache_dir: dirs.map(|dirs| dirs.cache_dir().join("compiled")),
        ..EngineOptions::default()
    };
    Ok(PluginEngine::new(options).map_err(Error::from)?)
}

/// The network, or whoever is asked by it, failed.
pub(super) fn unavailable(reason: String) -> Failure {
    Failure::Error(Error::new(ErrorKind::Unavailable, reason))
}

/// Fetches what stands somewhere now.
pub(super) async fn fetch(
    source: &Source,
    way: &Way,
    context: &Context,
) -> Result<Fetched, Failure> {
    let fetching = source.fetch(way);
    let fetched = progress::waiting(context, "fetching the plugin", fetching).await;
    fetched.map_err(|reason| match source {
        Source::File(_) => Failure::Usage(reason),
        _ => unavailable(reason),
    })
}

impl Candidate {
    /// Judges and tries what was fetched, in a private place. Nothing of it is kept.
    ///
    /// In this order, the cheapest first: the digest that was demanded, the signature, what the host refuses before it
    /// compiles anything, compiling within bounds, the checks of the kit.
    pub(super) async fn examined(
        name: &str,
        source: Source,
        fetched: Fetched,
        terms: Terms<'_>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let refused = |reason: String| Failure::Usage(format!("{source}: {reason}"));
        let sha256 = digest(&fetched.component);
        if let Some(wanted) = terms.sha256.filter(|wanted| *wanted != sha256) {
            return Err(refused(format!(
                "it has sha256 {sha256}, and {wanted} was demanded"
            )));
        }
        let claim = Claim {
            component: &fetched.component,
            signature: fetched.signature.as_deref(),
            name,
            place: &source.place(),
            before: terms.before,
        };
        let publishers = context.env.trust().publishers()?;
        let signature = claim.judged(&publishers).map_err(refused)?;
        let unwritable =
            |error: std::io::Error| refused(format!("it cannot be put down to be tried: {error}"));
        let folder = tempfile::tempdir().map_err(unwritable)?;
        let file = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, &fetched.component).map_err(unwritable)?;
        let trying = async {
            let options = LoadOptions {
                sha256: Some(sha256.clone()),
                wasi_deny_all: terms.wasi.is_some(),
            };
            let begun = std::time::Instant::now();
            let plugin = engine()?
                .load(name, &file, &options)
                .await
                .map_err(Error::from)?;
            let subject = Subject {
                wasi_deny_all: terms.wasi.is_some(),
                ..Subject::file(&file)
            };
            let report =
                multillm_kit::check_loaded(plugin.clone(), &subject, begun.elapsed()).await;
            Ok::<_, Failure>((plugin, report))
        };
        let (plugin, report) = progress::waiting(context, "trying the plugin", trying).await?;
        Ok(Candidate {
            name: name.to_owned(),
            origin: multillm_kit::origin(&fetched.component),
            source,
            fetched,
            sha256,
            signature,
            plugin,
            report,
            wasi: terms.wasi,
        })
    }

    /// The rules that it breaks. That it cannot be asked at all without a setting is no defect, nor is the name that
    /// whoever installs it gives it.
    pub(super) fn failures(&self) -> impl Iterator<Item = &Finding> {
        let failures = self.report.failures();
        failures.filter(|failure| !matches!(failure.code, "encodes" | "describe-name"))
    }

    /// Their codes.
    pub(super) fn defects(&self) -> Vec<&'static str> {
        self.failures().map(|failure| failure.code).collect()
    }
}
