//! From a file to a plugin that may run.
//!
//! In this order: read, check the pin, count what is in it, inspect what it imports and exports,
//! compile (or take from the cache), link against nothing, ask it to describe itself, check the
//! description. What is refused is refused before anything is compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{InstancePre, Linker};

use super::bindings::ProviderIndices;
use super::bindings::listing::ModelsOnlyIndices;
use super::prepare::inspect;
use super::session::{Session, State};
use super::{Contract, Inspection, PluginEngine, PluginError, cache, wire};

/// The largest component file, in bytes.
const MAX_FILE: u64 = 64 << 20;

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
    pub(super) provider: ProviderIndices,
    pub(super) listing: Option<ModelsOnlyIndices>,
    pub(super) wasi: bool,
    name: String,
    path: PathBuf,
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
        let inspection = inspect(name, path, &bytes)?;
        let models = check(name, &inspection, options.wasi_deny_all)?;
        let component = self.component(name, path, &bytes, &digest).await?;
        let wasi = options.wasi_deny_all && !inspection.forbidden().is_empty();
        let link = |error: wasmtime::Error| PluginError::WrongWorld {
            plugin: name.to_owned(),
            found: format!("something else ({error:#})"),
            needed: Inspection::needed(),
        };
        let mut linker = Linker::<State>::new(&self.inner.engine);
        if wasi {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(link)?;
        }
        let pre = linker.instantiate_pre(&component).map_err(link)?;
        let listing = models
            .then(|| ModelsOnlyIndices::new(&pre))
            .transpose()
            .map_err(link)?;
        let mut inner = Inner {
            engine: self.clone(),
            provider: ProviderIndices::new(&pre).map_err(link)?,
            pre,
            listing,
            wasi,
            name: name.to_owned(),
            path: path.to_owned(),
            digest,
            size: bytes.len(),
            inspection,
            info: wire::Info::unknown(),
        };
        inner.info = describe(&mut inner).await?;
        Ok(Plugin {
            inner: Arc::new(inner),
        })
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
}

fn read(name: &str, path: &Path, pin: Option<&str>) -> Result<(Vec<u8>, String), PluginError> {
    let unreadable = |reason: String| PluginError::Unreadable {
        plugin: name.to_owned(),
        path: path.display().to_string(),
        reason,
    };
    let there = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable(
            "no such file: build it with `cargo xtask plugins`, or correct the path".into(),
        ),
        _ => unreadable(error.to_string()),
    })?;
    if !there.is_file() {
        return Err(unreadable("it is no file: correct the path".into()));
    }
    let length = there.len();
    if length > MAX_FILE {
        return Err(unreadable(format!(
            "{length} bytes are more than the {MAX_FILE} that a plugin may have"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let digest = cache::sha256(&bytes);
    match pin {
        Some(pin) if !pin.eq_ignore_ascii_case(&digest) => Err(PluginError::PinMismatch {
            plugin: name.to_owned(),
            path: path.display().to_string(),
            found: digest,
            pinned: pin.to_owned(),
        }),
        _ => Ok((bytes, digest)),
    }
}

/// Whether the component may be linked; true if it also lists models.
fn check(name: &str, inspection: &Inspection, deny_all: bool) -> Result<bool, PluginError> {
    let plugin = name.to_owned();
    let forbidden = inspection.forbidden();
    let (wasi, other): (Vec<_>, Vec<_>) = forbidden
        .into_iter()
        .partition(|import| import.starts_with("wasi:"));
    if !other.is_empty() || (!wasi.is_empty() && !deny_all) {
        let hint = match other.is_empty() {
            true => {
                ": build it without WASI (target wasm32-unknown-unknown), or give it an empty one \
                 with \"wasi\": \"deny-all\" in its plugins entry"
            }
            false => "",
        };
        return Err(PluginError::Imports {
            plugin,
            imports: other.into_iter().chain(wasi).collect(),
            hint: hint.to_owned(),
        });
    }
    let needed = Inspection::needed();
    match inspection.contract() {
        Contract::Fits { models } => Ok(models),
        Contract::Foreign { found } => Err(PluginError::ForeignContract {
            plugin,
            found,
            needed,
        }),
        Contract::Other { found } => Err(PluginError::WrongWorld {
            plugin,
            found,
            needed,
        }),
    }
}

async fn describe(inner: &mut Inner) -> Result<wire::Info, PluginError> {
    let info = Session::describe(inner).await?;
    let wrong = |reason: String| PluginError::BadDescription {
        plugin: inner.name.clone(),
        reason,
    };
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !token(&info.name) {
        return Err(wrong(format!("{:?} is no name", info.name)));
    }
    if info.secrets.len() > 8 || info.settings.len() > 64 {
        return Err(wrong("too many secrets or settings".into()));
    }
    let environment = info.secrets.iter().flat_map(|secret| &secret.env);
    for name in info
        .secrets
        .iter()
        .map(|secret| &secret.name)
        .chain(info.settings.iter().map(|setting| &setting.name))
        .chain(environment)
        .chain(&info.base_url_env)
    {
        if !token(name) {
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

impl wire::Info {
    fn unknown() -> Self {
        wire::Info {
            name: String::new(),
            title: String::new(),
            version: String::new(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: vec![],
            capabilities: vec![],
        }
    }
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

    /// The file it came from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The file it came from still holds it.
    #[must_use]
    pub fn is_current(&self) -> bool {
        std::fs::read(&self.inner.path).is_ok_and(|bytes| cache::sha256(&bytes) == self.digest())
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
        self.inner.listing.is_some()
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
