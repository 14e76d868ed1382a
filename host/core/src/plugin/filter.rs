//! Filters: components that stand between a caller and a model. What they may is what providers may: nothing but
//! to compute, within bounds, in a fresh instance for each exchange.
//!
//! A [`Filter`] is a loaded component, [`Places`] are room for the instances of one exchange, an [`Inquiry`] is
//! such an instance before it was asked, an [`Answering`] one that reads the answer.

mod instance;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{Component, ComponentType, InstancePre, Lift, Linker, ResourceAny};

use super::bindings::v0_2_0::multillm::provider::types as wit;
use super::calls::{Called, Finder, Function, Running};
use super::convert::v0_2_0::{asked, filtered};
use super::file::{File, place_of, read};
use super::load::LoadOptions;
use super::prepare::{self, inspect};
use super::session::{self, State};
use super::{Inspection, PluginEngine, PluginError, cache, names, wire};
use crate::config::EmbeddedPlugin;
pub use instance::{Answering, Inquiry, Places, Verdict};

type Prepare = Function<(&'static str, asked::ChatRequest<'static>), (Result<Prepared, Stop>,)>;
type Push = Function<(ResourceAny, Vec<filtered::ChatEvent<'static>>), (Vec<wit::ChatEvent>,)>;

#[derive(ComponentType, Lift)]
#[component(record)]
struct Setting {
    name: String,
    description: String,
    schema: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Info {
    name: String,
    title: String,
    version: String,
    documentation: String,
    settings: Vec<Setting>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Refusal {
    rule: Option<String>,
    reason: String,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
enum Stop {
    #[component(name = "refused")]
    Refused(Refusal),
    #[component(name = "misconfigured")]
    Misconfigured(String),
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Prepared {
    request: Option<wit::ChatRequest>,
    answer: Option<ResourceAny>,
}

/// A loaded filter. Cloning is cheap.
#[derive(Clone)]
pub struct Filter {
    inner: Arc<Inner>,
}

struct Inner {
    engine: PluginEngine,
    pre: InstancePre<State>,
    exports: Exports,
    name: String,
    digest: String,
    size: usize,
    /// What an instance takes of the engine's room.
    permits: u32,
    path: Option<PathBuf>,
    info: wire::FilterInfo,
}

/// Where its functions are.
struct Exports {
    describe: Function<(), (Info,)>,
    prepare: Prepare,
    push: Push,
}

impl Exports {
    fn of(component: &Component, inspection: &Inspection) -> Result<Self, String> {
        let interface = |name: &str| {
            let export = inspection.filter_export(name);
            let export = export.ok_or_else(|| format!("no {name}"))?;
            Ok::<_, String>(Finder::new(component, export))
        };
        let (metadata, exchange) = (interface("metadata")?, interface("exchange")?);
        Ok(Exports {
            describe: metadata.function("describe")?.into(),
            prepare: exchange.function("prepare")?.into(),
            push: exchange.function("[method]answer.push")?.into(),
        })
    }

    /// Whether all functions have the types that the contract gives them.
    fn check(&self, on: &mut Running) -> Called<()> {
        self.describe.check(on)?;
        self.prepare.check(on)?;
        self.push.check(on)
    }
}

impl PluginEngine {
    /// Loads the filter in a file under a name of the configuration's.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] that says what the file is and what it should be.
    pub async fn load_filter(
        &self,
        name: &str,
        path: &Path,
        options: &LoadOptions,
    ) -> Result<Filter, PluginError> {
        let (bytes, digest) = read(name, path, options.sha256.as_deref())?;
        let file = File {
            place: path,
            bytes: &bytes,
            digest,
        };
        self.filter(name, file, Some(path), options).await
    }

    /// Loads a filter that is part of the program.
    ///
    /// # Errors
    ///
    /// As [`PluginEngine::load_filter`].
    pub async fn load_embedded_filter(
        &self,
        plugin: EmbeddedPlugin,
        options: &LoadOptions,
    ) -> Result<Filter, PluginError> {
        let (place, bytes) = (place_of(plugin), plugin.bytes());
        let digest = cache::sha256(&bytes);
        let file = File {
            place: &place,
            bytes: &names::written_out(bytes.into_owned()),
            digest,
        };
        self.filter(plugin.name, file, None, options).await
    }

    async fn filter(
        &self,
        name: &str,
        file: File<'_>,
        path: Option<&Path>,
        options: &LoadOptions,
    ) -> Result<Filter, PluginError> {
        let inspection = inspect(name, file.place, file.bytes)?;
        let wasi = super::load::admitted(name, &inspection, options.wasi_deny_all)?;
        let wrong = |found: String| PluginError::WrongWorld {
            plugin: name.to_owned(),
            found,
            needed: Inspection::needed_of_filters(),
        };
        if !inspection.is_filter() {
            return Err(wrong(inspection.listed()));
        }
        let component = self
            .component(name, file.place, file.bytes, &file.digest)
            .await?;
        let link = |error: wasmtime::Error| wrong(format!("something else ({error:#})"));
        let mut linker = Linker::<State>::new(&self.inner.engine);
        if wasi {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(link)?;
        }
        let pre = linker.instantiate_pre(&component).map_err(link)?;
        let exports = Exports::of(&component, &inspection).map_err(wrong)?;
        let permits = prepare::permits(file.bytes);
        let _place = self.room(permits).await?;
        let mut running = session::begin(self, &pre, name).await?;
        exports
            .check(&mut running)
            .map_err(|error| wrong(format!("functions of other types ({error:#})")))?;
        let described = describe(&exports, &mut running).await;
        let described = described
            .map_err(|error| session::failure(name, &mut running.store, "describe", &error))?;
        let info = described.map_err(|reason| PluginError::BadDescription {
            plugin: name.to_owned(),
            reason,
        })?;
        Ok(Filter {
            inner: Arc::new(Inner {
                engine: self.clone(),
                pre,
                exports,
                name: name.to_owned(),
                digest: file.digest,
                size: file.bytes.len(),
                permits,
                path: path.map(Path::to_owned),
                info,
            }),
        })
    }
}

async fn describe(exports: &Exports, on: &mut Running) -> Called<Result<wire::FilterInfo, String>> {
    let call = exports.describe.on(on)?;
    let (info,) = call.call_async(&mut on.store, ()).await?;
    Ok(sound(info))
}

/// The description; an error says what is wrong with it.
fn sound(info: Info) -> Result<wire::FilterInfo, String> {
    let printable = |text: &str| text.len() <= 256 && !text.chars().any(char::is_control);
    let texts = [&info.title, &info.version, &info.documentation];
    if !texts.iter().all(|text| printable(text)) {
        return Err("its title, version or documentation".to_owned());
    }
    if info.settings.len() > 64 {
        return Err("too many settings".to_owned());
    }
    let names = info.settings.iter().map(|setting| &setting.name);
    if let Some(name) = [&info.name]
        .into_iter()
        .chain(names)
        .find(|name| !super::load::is_token(name))
    {
        return Err(format!("{name:?} is no name"));
    }
    let settings = info.settings.into_iter().map(|setting| {
        let schema = serde_json::from_str(&setting.schema)
            .map_err(|error| format!("the schema of setting {:?}: {error}", setting.name))?;
        Ok(wire::SettingInfo {
            name: setting.name,
            description: setting.description,
            schema,
        })
    });
    Ok(wire::FilterInfo {
        settings: settings.collect::<Result<_, String>>()?,
        name: info.name,
        title: info.title,
        version: info.version,
        documentation: info.documentation,
    })
}

impl Filter {
    /// The name it has in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// The file it came from; nothing if it is part of the program.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// What it says of itself.
    #[must_use]
    pub fn info(&self) -> &wire::FilterInfo {
        &self.inner.info
    }

    /// The engine that runs it.
    #[must_use]
    pub fn engine(&self) -> &PluginEngine {
        &self.inner.engine
    }

    /// The file it came from still holds it. What is part of the program does not change.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.path().is_none_or(|path| {
            std::fs::read(path).is_ok_and(|bytes| cache::sha256(&bytes) == self.digest())
        })
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter")
            .field("name", &self.inner.name)
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}
