//! From a file to a plugin that may run.
//!
//! In this order: read, check the pin, count what is in it, inspect what it imports and exports,
//! compile (or take from the cache), link against nothing, ask it to describe itself, check the
//! description. What is refused is refused before anything is compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};

use super::calls::Exports;
use super::file::{File, pinned, place_of, read};
use super::inspect::Version;
use super::precompiled::{self, About};
use super::prepare::{self, inspect};
use super::session::{Session, State};
use super::{Contract, Inspection, PluginEngine, PluginError, cache, names, wire};
use crate::config::EmbeddedPlugin;

/// How a plugin is to be loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// SHA-256 that the file must have, in hexadecimal.
    pub sha256: Option<String>,
    /// The plugin may import WASI, and gets an empty one.
    pub wasi_deny_all: bool,
}

/// A loaded component that keeps the contract. Cloning is cheap.
#[derive(Clone)]
pub struct Plugin {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) engine: PluginEngine,
    pub(super) pre: InstancePre<State>,
    pub(super) exports: Exports,
    version: Version,
    pub(super) wasi: bool,
    /// Permits that an instance takes.
    pub(super) permits: u32,
    name: String,
    /// Absent: it is part of the program.
    path: Option<PathBuf>,
    digest: String,
    size: usize,
    inspection: Inspection,
    info: wire::Info,
}

impl PluginEngine {
    /// Loads the component in a file under a name of the configuration's.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] that says what the file is and what it should be.
    pub async fn load(
        &self,
        name: &str,
        path: &Path,
        options: &LoadOptions,
    ) -> Result<Plugin, PluginError> {
        let (bytes, digest) = read(name, path, options.sha256.as_deref())?;
        let file = File {
            place: path,
            bytes: &bytes,
            digest,
        };
        let mut loaded = self.prepare(name, file, options).await?;
        loaded.path = Some(path.to_owned());
        Ok(Plugin {
            inner: Arc::new(loaded),
        })
    }

    /// Loads a component that is part of the program.
    ///
    /// # Errors
    ///
    /// As [`PluginEngine::load`].
    pub async fn load_embedded(
        &self,
        plugin: EmbeddedPlugin,
        options: &LoadOptions,
    ) -> Result<Plugin, PluginError> {
        let (name, place) = (plugin.name, place_of(plugin));
        if let Some(inner) = self.brought(plugin, &place, options).await? {
            let inner = Arc::new(inner);
            return Ok(Plugin { inner });
        }
        let bytes = plugin.bytes();
        let digest = cache::sha256(&bytes);
        let digest = pinned(name, &place, options.sha256.as_deref(), digest)?;
        let file = File {
            place: &place,
            bytes: &names::written_out(bytes.into_owned()),
            digest,
        };
        let loaded = self.prepare(name, file, options).await?;
        Ok(Plugin {
            inner: Arc::new(loaded),
        })
    }

    /// A component whose code is part of the program too: it is not even unpacked, because what has to be known of it
    /// was found out when it was compiled. Nothing if there is no such code, or none that fits here.
    async fn brought(
        &self,
        plugin: EmbeddedPlugin,
        place: &Path,
        options: &LoadOptions,
    ) -> Result<Option<Inner>, PluginError> {
        let Some(about) = precompiled::known(plugin.digest) else {
            return Ok(None);
        };
        let (name, pin) = (plugin.name, options.sha256.as_deref());
        let read = Read {
            digest: pinned(name, place, pin, plugin.digest.to_owned())?,
            wasi: admitted(name, &about.inspection, options.wasi_deny_all)?,
            version: check(name, &about.inspection)?,
            about,
        };
        match precompiled::brought(&self.inner.engine, plugin.digest) {
            Some(component) => self.link(name, &component, read).await.map(Some),
            None => Ok(None),
        }
    }

    /// Everything between a component's bytes and a plugin that may run.
    async fn prepare(
        &self,
        name: &str,
        file: File<'_>,
        options: &LoadOptions,
    ) -> Result<Inner, PluginError> {
        let File {
            place,
            bytes,
            digest,
        } = file;
        let inspection = inspect(name, place, bytes)?;
        let read = Read {
            wasi: admitted(name, &inspection, options.wasi_deny_all)?,
            version: check(name, &inspection)?,
            digest,
            about: About {
                size: bytes.len(),
                permits: prepare::permits(bytes),
                inspection,
            },
        };
        let component = self.component(name, place, bytes, &read.digest).await?;
        self.link(name, &component, read).await
    }

    /// From machine code to a plugin that may run.
    async fn link(
        &self,
        name: &str,
        component: &Component,
        read: Read,
    ) -> Result<Inner, PluginError> {
        let Read {
            digest,
            wasi,
            version,
            about,
        } = read;
        let inspection = about.inspection;
        let link = |error: wasmtime::Error| PluginError::WrongWorld {
            plugin: name.to_owned(),
            found: format!("something else ({error:#})"),
            needed: Inspection::needed(),
        };
        let mut linker = Linker::<State>::new(&self.inner.engine);
        if wasi {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(link)?;
        }
        let pre = linker.instantiate_pre(component).map_err(link)?;
        let named = |interface: &str| inspection.export(version, interface).map(str::to_owned);
        let exports =
            Exports::of(component, version, &named).map_err(|found| PluginError::WrongWorld {
                plugin: name.to_owned(),
                found,
                needed: Inspection::needed(),
            })?;
        let mut inner = Inner {
            permits: about.permits,
            engine: self.clone(),
            exports,
            version,
            pre,
            wasi,
            name: name.to_owned(),
            path: None,
            digest,
            size: about.size,
            inspection,
            info: wire::Info::unknown(),
        };
        inner.info = describe(&mut inner).await?;
        Ok(inner)
    }

    /// What a component file imports and exports, whether or not it is a plugin.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no component.
    pub fn inspect(&self, path: &Path) -> Result<Inspection, PluginError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let (bytes, _) = read(&name, path, None)?;
        inspect(&name, path, &bytes)
    }

    /// The same of a component that is part of the program.
    ///
    /// # Errors
    ///
    /// If it is no component.
    pub fn inspect_embedded(&self, plugin: EmbeddedPlugin) -> Result<Inspection, PluginError> {
        let bytes = names::written_out(plugin.bytes().into_owned());
        inspect(plugin.name, &place_of(plugin), &bytes)
    }
}

/// What was found out of a component before its code is linked.
struct Read {
    digest: String,
    /// It gets an empty WASI.
    wasi: bool,
    version: Version,
    about: About,
}

/// Whether a component is to get an empty WASI, if it may be linked at all.
pub(super) fn admitted(
    name: &str,
    inspection: &Inspection,
    deny_all: bool,
) -> Result<bool, PluginError> {
    let forbidden = inspection.forbidden();
    let (wasi, other): (Vec<_>, Vec<_>) = forbidden
        .into_iter()
        .partition(|import| import.starts_with("wasi:"));
    if other.is_empty() && (wasi.is_empty() || deny_all) {
        return Ok(!wasi.is_empty());
    }
    let hint = match other.is_empty() {
        true => {
            ": build it without WASI (target wasm32-unknown-unknown), or give it an empty one \
             with \"wasi\": \"deny-all\" in its plugins entry"
        }
        false => "",
    };
    Err(PluginError::Imports {
        plugin: name.to_owned(),
        imports: other.into_iter().chain(wasi).collect(),
        hint: hint.to_owned(),
    })
}

/// Which version of the contract the component keeps.
fn check(name: &str, inspection: &Inspection) -> Result<Version, PluginError> {
    let plugin = name.to_owned();
    if let Some(version) = inspection.version() {
        return Ok(version);
    }
    let needed = Inspection::needed();
    match inspection.contract() {
        Contract::Foreign { found } => Err(PluginError::ForeignContract {
            plugin,
            found,
            needed,
        }),
        Contract::Fits { version, .. } => Err(PluginError::WrongWorld {
            plugin,
            found: format!("contract {version}"),
            needed,
        }),
        Contract::Other { found } => Err(PluginError::WrongWorld {
            plugin,
            found,
            needed,
        }),
    }
}

/// Whether it can be a name.
pub(super) fn is_token(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(letter)
}

async fn describe(inner: &mut Inner) -> Result<wire::Info, PluginError> {
    let info = Session::describe(inner).await?;
    let wrong = |reason: String| PluginError::BadDescription {
        plugin: inner.name.clone(),
        reason,
    };
    if !is_token(&info.name) {
        return Err(wrong(format!("{:?} is no name", info.name)));
    }
    if info.secrets.len() > 8 || info.settings.len() > 64 {
        return Err(wrong("too many secrets or settings".into()));
    }
    if info.wires.len() > 16 || info.passes.len() > 64 || info.capabilities.len() > 256 {
        return Err(wrong(
            "too many wires, passed headers or capabilities".into(),
        ));
    }
    if let Some((name, _)) = info.capabilities.iter().find(|(name, _)| !is_token(name)) {
        return Err(wrong(format!("{name:?} is no capability")));
    }
    let environment = info.secrets.iter().flat_map(|secret| &secret.env);
    for name in info
        .secrets
        .iter()
        .map(|secret| &secret.name)
        .chain(info.settings.iter().map(|setting| &setting.name))
        .chain(environment)
        .chain(&info.base_url_env)
        .chain(&info.wires)
        .chain(&info.passes)
    {
        if !is_token(name) {
            return Err(wrong(format!("{name:?} is no name")));
        }
    }
    let printable = |text: &str| text.len() <= 256 && !text.chars().any(char::is_control);
    if ![&info.title, &info.version, &info.documentation]
        .iter()
        .all(|text| printable(text))
    {
        return Err(wrong("its title, version or documentation".into()));
    }
    Ok(info)
}

impl Inner {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Plugin {
    /// The name it has in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The file it came from; nothing if it is part of the program.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The file it came from still holds it. What is part of the program does not change.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.path().is_none_or(|path| {
            std::fs::read(path).is_ok_and(|bytes| cache::sha256(&bytes) == self.digest())
        })
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// What it imports and exports.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// What it says of itself.
    #[must_use]
    pub fn info(&self) -> &wire::Info {
        &self.inner.info
    }

    /// It was given an empty WASI.
    #[must_use]
    pub fn has_wasi(&self) -> bool {
        self.inner.wasi
    }

    /// It can list its vendor's models.
    #[must_use]
    pub fn lists_models(&self) -> bool {
        self.inner.exports.lists_models()
    }

    /// It takes bodies that a caller wrote in one of its wires.
    #[must_use]
    pub fn relays(&self) -> bool {
        self.inner.exports.relays()
    }

    /// The version of the contract that it keeps, as it was released, such as `0.2.0`.
    #[must_use]
    pub fn contract(&self) -> &'static str {
        self.inner.version.as_str()
    }

    /// A fresh instance for one exchange.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] if it fails while it starts.
    pub async fn session(&self) -> Result<Session, PluginError> {
        Session::start(&self.inner).await
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.inner.name)
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}
