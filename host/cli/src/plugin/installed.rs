//! The plugins that are there: listed in the configuration, in its plugin directory, installed or lying in the user's
//! own directory, in the program itself. Where several have one name, the first of these counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::sheet::Sheet;
use super::super::{Context, Failure, trust};
use super::signature::id_of_key;
use super::source::{Source, Way};
use multillm::config::{EmbeddedPlugin, Installed, PluginSource};
use multillm::error::Error;
use multillm::plugin::{
    Contract, Filter, Inspection, LoadOptions, Plugin, PluginEngine, PluginError, brings_code,
    digest,
};

/// Arguments of `plugin list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Ask the registries whether what was installed by a tag is still what the tag means
    #[arg(long)]
    moved: bool,
    /// With --moved: let plain http lead to other machines
    #[arg(long, requires = "moved")]
    plain_http: bool,
}

/// Where a component is.
#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Installed(PathBuf, Box<Installed>),
    Embedded(EmbeddedPlugin),
}

/// A component under a name.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) name: String,
    place: Place,
}

impl Component {
    /// The one in a file, by the file's name.
    pub(super) fn of_file(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Component {
            name: name.into_owned(),
            place: Place::File(path),
        }
    }

    /// Where it comes from, for people.
    pub(super) fn origin(&self) -> String {
        match &self.place {
            Place::File(path) | Place::Installed(path, _) => path.display().to_string(),
            Place::Embedded(_) => "this program".to_owned(),
        }
    }

    /// In bytes.
    pub(super) fn size(&self) -> Result<u64, Failure> {
        match &self.place {
            Place::File(path) | Place::Installed(path, _) => match std::fs::metadata(path) {
                Ok(there) => Ok(there.len()),
                Err(error) => Err(unreadable(path, &error)),
            },
            Place::Embedded(plugin) => Ok(plugin.bytes().len() as u64),
        }
    }

    pub(super) fn inspect(&self, engine: &PluginEngine) -> Result<Inspection, Failure> {
        let inspection = match &self.place {
            Place::File(path) | Place::Installed(path, _) => engine.inspect(path),
            Place::Embedded(plugin) => engine.inspect_embedded(*plugin),
        };
        Ok(inspection.map_err(Error::from)?)
    }

    fn options(&self, wasi_deny_all: bool) -> LoadOptions {
        LoadOptions {
            // What was changed since it was agreed to is not looked into.
            sha256: match &self.place {
                Place::Installed(_, installed) => Some(installed.sha256.clone()),
                _ => None,
            },
            wasi_deny_all,
        }
    }

    pub(super) async fn loaded(
        &self,
        engine: &PluginEngine,
        wasi_deny_all: bool,
    ) -> Result<Plugin, PluginError> {
        let options = self.options(wasi_deny_all);
        match &self.place {
            Place::File(path) | Place::Installed(path, _) => {
                engine.load(&self.name, path, &options).await
            }
            Place::Embedded(plugin) => engine.load_embedded(*plugin, &options).await,
        }
    }

    /// The same of a filter.
    pub(super) async fn loaded_filter(
        &self,
        engine: &PluginEngine,
        wasi_deny_all: bool,
    ) -> Result<Filter, PluginError> {
        let options = self.options(wasi_deny_all);
        match &self.place {
            Place::File(path) | Place::Installed(path, _) => {
                engine.load_filter(&self.name, path, &options).await
            }
            Place::Embedded(plugin) => engine.load_embedded_filter(*plugin, &options).await,
        }
    }

    pub(super) async fn load(
        &self,
        engine: &PluginEngine,
        wasi_deny_all: bool,
    ) -> Result<Plugin, Failure> {
        let loaded = self.loaded(engine, wasi_deny_all).await;
        Ok(loaded.map_err(Error::from)?)
    }

    fn digest(&self) -> Result<String, Failure> {
        Ok(digest(&self.bytes()?))
    }

    /// Who made it, as it says itself.
    pub(super) fn says(&self) -> Result<multillm_kit::Origin, Failure> {
        Ok(multillm_kit::origin(&self.bytes()?))
    }

    fn bytes(&self) -> Result<Cow<'static, [u8]>, Failure> {
        match &self.place {
            Place::File(path) | Place::Installed(path, _) => match std::fs::read(path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => Err(unreadable(path, &error)),
            },
            Place::Embedded(plugin) => Ok(plugin.bytes()),
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot read {}: {error}", path.display()))
}

/// Every plugin, by name.
pub(super) fn all(context: &Context) -> Result<Vec<Component>, Failure> {
    let config = trust::configuration(context)?;
    let mut found: BTreeMap<String, Place> = BTreeMap::new();
    for plugin in context.env.plugins() {
        found.insert(plugin.name.to_owned(), Place::Embedded(*plugin));
    }
    let store = context.env.installed();
    for name in store.names() {
        let Some(own) = store.find(&name) else {
            continue;
        };
        let place = match own.installed {
            Some(installed) => Place::Installed(own.path, Box::new(installed)),
            None => Place::File(own.path),
        };
        found.insert(name, place);
    }
    let entries = std::fs::read_dir(&config.plugin_dir).into_iter().flatten();
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_component = path
            .extension()
            .is_some_and(|extension| extension == "wasm");
        if is_component && path.is_file() {
            let component = Component::of_file(path);
            found.insert(component.name, component.place);
        }
    }
    for (name, plugin) in &config.plugins {
        match plugin.source() {
            // One that is installed stays what it is.
            Ok(PluginSource::File(path)) if is_at(found.get(name), path) => {}
            Ok(PluginSource::File(path)) => {
                found.insert(name.clone(), Place::File(path.to_owned()));
            }
            Ok(PluginSource::Embedded(plugin)) => {
                found.insert(name.clone(), Place::Embedded(plugin));
            }
            // It is named, and not there: nothing else counts under its name.
            Err(missing) => {
                found.remove(name);
                context.printer.note(&format!("warning: {missing}"));
            }
        }
    }
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "no plugins: this program was built without them, and none are in {}: run \"cargo xtask \
             plugins\" and build it again",
            config.plugin_dir.display()
        )));
    }
    let components = found.into_iter();
    Ok(components
        .map(|(name, place)| Component { name, place })
        .collect())
}

fn is_at(place: Option<&Place>, path: &Path) -> bool {
    matches!(place, Some(Place::Installed(at, _)) if at == path)
}

/// A plugin as it is listed.
#[derive(Serialize)]
struct Listed {
    name: String,
    /// `program`, `installed`, or `file`.
    from: &'static str,
    /// Its file.
    file: Option<String>,
    size: u64,
    sha256: String,
    /// `provider` or `filter`; absent where it is neither.
    kind: Option<&'static str>,
    /// The version of the contract that it keeps; absent where it keeps none that is known.
    contract: Option<&'static str>,
    /// Its machine code is part of the program.
    compiled: bool,
    /// Where it was installed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The number of the key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
    /// The tag means something else by now; absent where nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<bool>,
    problem: Option<String>,
}

pub(super) async fn list(args: &ListArgs, context: &Context) -> Result<(), Failure> {
    let engine = super::engine()?;
    let way = Way::new(args.plain_http, context);
    let mut listed = vec![];
    for component in all(context)? {
        let inspected = component.inspect(&engine);
        let is_filter = inspected.as_ref().is_ok_and(Inspection::is_filter);
        let (contract, mut problem) = match inspected {
            Ok(inspection) if inspection.is_filter() => (Some(Inspection::filter_version()), None),
            Ok(inspection) => match inspection.contract() {
                Contract::Fits { version, .. } => (Some(version), None),
                Contract::Foreign { found } | Contract::Other { found } => (None, Some(found)),
            },
            Err(Failure::Error(error)) => (None, Some(error.message.clone())),
            Err(failure) => return Err(failure),
        };
        let installed = match &component.place {
            Place::Installed(_, installed) => Some(installed.as_ref()),
            _ => None,
        };
        let sha256 = match (component.digest(), installed) {
            (Err(_), Some(installed)) => installed.sha256.clone(),
            (digest, _) => digest?,
        };
        if installed.is_some_and(|installed| installed.sha256 != sha256) {
            problem = Some("it was changed since it was agreed to, and is not loaded".to_owned());
        }
        let moved = match installed {
            Some(installed) if args.moved => {
                has_moved(&component.name, installed, &way, context).await
            }
            _ => None,
        };
        listed.push(Listed {
            from: match component.place {
                Place::File(_) => "file",
                Place::Installed(..) => "installed",
                Place::Embedded(_) => "program",
            },
            file: match &component.place {
                Place::File(path) | Place::Installed(path, _) => Some(path.display().to_string()),
                Place::Embedded(_) => None,
            },
            size: component.size().unwrap_or_default(),
            kind: contract.map(|_| if is_filter { "filter" } else { "provider" }),
            compiled: brings_code(&sha256),
            source: installed.map(|installed| installed.source.clone()),
            signer: installed
                .and_then(|installed| installed.signer.as_deref())
                .and_then(id_of_key),
            name: component.name,
            moved,
            sha256,
            contract,
            problem,
        });
    }
    if context.json {
        context.printer.json(&listed)?;
        return Ok(());
    }
    let header = [
        "PLUGIN",
        "FROM",
        "CONTRACT",
        "SIGNED BY",
        "MACHINE CODE",
        "SHA-256",
    ];
    let mut table = Sheet::new(&header).texts(&[1]);
    for plugin in listed {
        let code = match plugin.compiled {
            true => "in this program",
            false => "made at first use",
        };
        let moved = match plugin.moved {
            Some(true) => " (moved: the tag means something else)",
            Some(false) => " (not moved)",
            None => "",
        };
        let from = plugin.source.or(plugin.file);
        let state = plugin.contract.map(|version| match plugin.kind {
            Some("filter") => format!("filter {version}"),
            _ => version.to_owned(),
        });
        table.row([
            plugin.name,
            format!("{}{moved}", from.as_deref().unwrap_or("this program")),
            match (state, plugin.problem) {
                (Some(contract), None) => contract,
                (_, problem) => problem.unwrap_or_default(),
            },
            plugin.signer.unwrap_or_default(),
            code.to_owned(),
            plugin.sha256,
        ]);
    }
    context.printer.table(&table)?;
    Ok(())
}

/// Whether the tag that it was installed by means something else now; nothing where nobody could say.
async fn has_moved(
    name: &str,
    installed: &Installed,
    way: &Way,
    context: &Context,
) -> Option<bool> {
    let Ok(Source::Oci(reference)) = Source::of(&installed.source) else {
        return None;
    };
    let now = async { way.registry(&reference)?.resolve().await };
    match now.await {
        Ok(now) => Some(installed.manifest.as_ref() != Some(&now)),
        Err(reason) => {
            context.printer.note(&format!("warning: {name}: {reason}"));
            None
        }
    }
}
