//! `multillm plugin`: look at components.

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, Failure, foreign, place, trust};
use crate::config::{PluginGrant, Starter};
use crate::plugin::{
    Contract, EngineOptions, Inspection, LoadOptions, PluginEngine, capability_matrix, wire,
};

/// Subcommands of `plugin`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What a component file imports, exports and says of itself
    Inspect {
        /// The component
        #[arg(value_parser = place::path())]
        file: PathBuf,
        /// Admit WASI imports, linked against an empty WASI, as "wasi": "deny-all" does
        #[arg(long)]
        wasi_deny_all: bool,
    },
    /// Print what plugins can do, side by side, as a Markdown table
    Matrix {
        /// The components [default: those of the configuration and of its plugin directory]
        #[arg(value_parser = place::path())]
        files: Vec<PathBuf>,
    },
    /// Allow a plugin that is none of the program's own its address and the variables it asks for
    Trust {
        /// A plugin of the configuration, or its file
        plugin: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What `inspect` found.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    size: u64,
    sha256: Option<&'a str>,
    #[serde(flatten)]
    inspection: &'a Inspection,
    function_imports: Vec<String>,
    contract: &'static str,
    usable: bool,
    problem: Option<String>,
    info: Option<&'a wire::Info>,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Inspect {
            file,
            wasi_deny_all,
        } => inspect(file, wasi_deny_all, context).await,
        Command::Matrix { files } => matrix(files, context).await,
        Command::Trust { plugin, yes } => allow(&plugin, yes, context).await,
    }
}

fn engine() -> Result<PluginEngine, Failure> {
    let options = EngineOptions {
        max_instances: 1,
        ..EngineOptions::default()
    };
    Ok(PluginEngine::new(options).map_err(crate::error::Error::from)?)
}

async fn matrix(files: Vec<PathBuf>, context: &Context) -> Result<(), Failure> {
    let files = match files.is_empty() {
        true => configured_plugins(context)?,
        false => files,
    };
    let engine = engine()?;
    let mut plugins = vec![];
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let options = LoadOptions {
            sha256: None,
            wasi_deny_all: true,
        };
        let plugin = engine.load(&name, &file, &options).await;
        plugins.push(plugin.map_err(crate::error::Error::from)?);
    }
    match context.json {
        true => {
            let infos: Vec<_> = plugins.iter().map(|plugin| plugin.info()).collect();
            context.printer.json(&infos)?;
        }
        false => context
            .printer
            .line(capability_matrix(&plugins).trim_end())?,
    }
    Ok(())
}

/// The files of the configured plugins and of the plugin directory, those that are there, by name.
fn configured_plugins(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let config = trust::configuration(context)?;
    let listed = config.plugins.values().map(|plugin| plugin.path.clone());
    let beside = std::fs::read_dir(&config.plugin_dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        });
    let mut files: Vec<PathBuf> = listed.chain(beside).filter(|path| path.is_file()).collect();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    files.dedup();
    match files.is_empty() {
        true => Err(Failure::Usage(format!(
            "no plugins in {}: run \"cargo xtask plugins\", or name their files",
            config.plugin_dir.display()
        ))),
        false => Ok(files),
    }
}

/// The file of a plugin: by its path, or by the name that the configuration has for it.
fn file_of(plugin: &str, context: &Context) -> Result<(String, PathBuf), Failure> {
    let path = PathBuf::from(plugin);
    let is_path = plugin.contains(['/', '\\']) || path.extension().is_some();
    if is_path {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok((name.into_owned(), path));
    }
    let config = trust::configuration(context)?;
    let file = match config.plugins.get(plugin) {
        Some(listed) => listed.path.clone(),
        None => config.plugin_dir.join(format!("{plugin}.wasm")),
    };
    Ok((plugin.to_owned(), file))
}

async fn allow(plugin: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let (name, file) = file_of(plugin, context)?;
    if Starter::VENDORS.contains(&name.as_str()) {
        return Err(Failure::Usage(format!(
            "{name} is one of the program's own names: its key goes to its own address or one that \
             you name, whatever the file says, and there is nothing to allow"
        )));
    }
    let options = LoadOptions {
        sha256: None,
        wasi_deny_all: true,
    };
    let loaded = engine()?.load(&name, &file, &options).await;
    let loaded = loaded.map_err(crate::error::Error::from)?;
    let info = loaded.info();
    let secrets = info.secrets.iter();
    let grant = PluginGrant {
        sha256: loaded.digest().to_owned(),
        name,
        base_url: info.default_base_url.clone(),
        base_url_env: info.base_url_env.clone(),
        secrets: secrets
            .map(|secret| (secret.name.clone(), secret.env.clone()))
            .collect(),
    };
    trust::allow_plugin(grant, &info.name, yes, context)
}

async fn inspect(file: PathBuf, wasi_deny_all: bool, context: &Context) -> Result<(), Failure> {
    let engine = engine()?;
    let inspection = engine.inspect(&file).map_err(crate::error::Error::from)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let options = LoadOptions {
        sha256: None,
        wasi_deny_all,
    };
    let loaded = engine.load(&name, &file, &options).await;
    let report = Report {
        file: file.display().to_string(),
        size: std::fs::metadata(&file)?.len(),
        sha256: loaded.as_ref().ok().map(|plugin| plugin.digest()),
        inspection: &inspection,
        function_imports: inspection.forbidden(),
        contract: match inspection.contract() {
            Contract::Fits { .. } => "fits",
            Contract::Foreign { .. } => "foreign version",
            Contract::Other { .. } => "no provider",
        },
        usable: loaded.is_ok(),
        problem: loaded.as_ref().err().map(ToString::to_string),
        info: loaded.as_ref().ok().map(|plugin| plugin.info()),
    };
    match context.json {
        true => context.printer.json(&report)?,
        false => print(&report, context)?,
    }
    match report.usable {
        true => Ok(()),
        false => Err(Failure::Usage(foreign::line(
            &report.problem.unwrap_or_default(),
        ))),
    }
}

fn print(report: &Report<'_>, context: &Context) -> Result<(), Failure> {
    let row = |name: &str, value: &str| {
        let value = foreign::line(value);
        context.printer.line(&format!("{name:<18}{value}"))
    };
    row("file", &report.file)?;
    row("size", &format!("{} bytes", report.size))?;
    row("sha256", report.sha256.unwrap_or("-"))?;
    let functions = match report.function_imports.is_empty() {
        true => "none".to_owned(),
        false => report.function_imports.join(", "),
    };
    row("function imports", &functions)?;
    for import in &report.inspection.imports {
        let what = if import.items.is_empty() {
            " (types only)"
        } else {
            ""
        };
        row("import", &format!("{}{what}", import.name))?;
    }
    for export in &report.inspection.exports {
        row("export", export)?;
    }
    row("contract", report.contract)?;
    if let Some(info) = report.info {
        row(
            "name",
            &format!("{} {} ({})", info.name, info.version, info.title),
        )?;
        row("documentation", &info.documentation)?;
        let base_url = info.default_base_url.as_deref();
        row("base URL", base_url.unwrap_or("from the configuration"))?;
        for secret in &info.secrets {
            let need = if secret.required { "" } else { " (optional)" };
            row(
                "secret",
                &format!("{} from {}{need}", secret.name, secret.env.join(" or ")),
            )?;
        }
        for setting in &info.settings {
            row(
                "setting",
                &format!("{}: {}", setting.name, setting.description),
            )?;
        }
        for (name, support) in &info.capabilities {
            let text = match support {
                wire::Support::No => "no",
                wire::Support::Yes => "yes",
                wire::Support::SomeModels => "some models",
                wire::Support::Emulated => "emulated",
            };
            row("can", &format!("{name}: {text}"))?;
        }
    }
    Ok(())
}
