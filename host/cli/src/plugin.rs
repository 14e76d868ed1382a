//! `multillm plugin`: look at components.

mod add;
mod candidate;
mod card;
mod check;
mod dev;
mod filter;
mod inspect;
mod installed;
mod likeness;
mod push;
mod record;
mod signature;
mod source;
mod update;

use std::path::PathBuf;

use super::{Context, Failure, place, trust};
use installed::Component;
use multillm::config::{Starter, advice};
use multillm::plugin::{EngineOptions, PluginEngine, capability_matrix};
pub(crate) use signature::id_of_key;

/// Subcommands of `plugin`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Install a plugin by somebody else: fetch it, try it, show what it is and wants, keep exactly that
    Add(add::AddArgs),
    /// List the plugins that are there: where each comes from, who signed it, its digest and its contract
    List(installed::ListArgs),
    /// Ask again where an installed plugin came from; show what would change, and change it
    Update(update::UpdateArgs),
    /// Take an installed plugin away, with what it was allowed
    Remove {
        /// The plugin
        name: String,
    },
    /// Hold installed plugins against what was agreed to: digests and signatures
    Verify(update::VerifyArgs),
    /// Put a component into a registry
    Push(push::PushArgs),
    /// What a component file imports, exports and says of itself
    Inspect {
        /// The component's file, or the name of a plugin
        #[arg(value_parser = place::path())]
        file: PathBuf,
        /// Admit WASI imports, linked against an empty WASI, as "wasi": "deny-all" does
        #[arg(long)]
        wasi_deny_all: bool,
    },
    /// Begin a plugin: a project that builds and passes its tests at once
    New(check::NewArgs),
    /// Build, pack and check a project whenever it changes, and serve it to query, chat and serve
    Dev(dev::DevArgs),
    /// Make a component of a core module
    Pack(check::PackArgs),
    /// Check a plugin for what its users rely on
    Check(check::CheckArgs),
    /// Record answers of a real server for "plugin check --recordings", without the keys
    Record(record::RecordArgs),
    /// Print what plugins can do, side by side, as a Markdown table
    Matrix {
        /// The components [default: those of the configuration and of its plugin directory]
        #[arg(value_parser = place::path())]
        files: Vec<PathBuf>,
    },
    /// Allow a plugin that is none of the program's own its address and the variables it asks for; or trust a key
    Trust {
        /// A plugin that is installed or of the configuration, or its file
        #[arg(required_unless_present = "key", conflicts_with = "key")]
        plugin: Option<String>,
        /// Trust what this key of minisign signed: the public key, or a file such as minisign.pub
        #[arg(long, value_name = "KEY|FILE")]
        key: Option<String>,
        /// For this plugin, or for what comes from there, and let nothing unsigned count there
        #[arg(long = "for", value_name = "NAME|REGISTRY", requires = "key")]
        scope: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add::run(args, context).await,
        Command::List(args) => installed::list(&args, context).await,
        Command::Update(args) => update::update(args, context).await,
        Command::Remove { name } => update::remove(&name, context),
        Command::Verify(args) => update::verify(&args, context),
        Command::Push(args) => push::push(args, context).await,
        Command::Inspect {
            file,
            wasi_deny_all,
        } => inspect::inspect(file, wasi_deny_all, context).await,
        Command::New(args) => check::new(&args, context),
        Command::Dev(args) => dev::dev(args, context).await,
        Command::Record(args) => record::record(args, context).await,
        Command::Pack(args) => check::pack(&args, context),
        Command::Check(args) => check::check(args, context).await,
        Command::Matrix { files } => matrix(files, context).await,
        Command::Trust {
            plugin,
            key,
            scope,
            yes,
        } => match (plugin, key) {
            (Some(plugin), _) => allow(&plugin, yes, context).await,
            (None, Some(key)) => push::trust_key(&key, scope.as_deref(), context),
            (None, None) => Err(Failure::Usage(
                "name a plugin, or a key with --key".to_owned(),
            )),
        },
    }
}

fn engine() -> Result<PluginEngine, Failure> {
    let options = EngineOptions {
        max_instances: 1,
        // Whoever looks at a component is going to use it.
        cache_dir: multillm::plugin::code_directory(),
        ..EngineOptions::default()
    };
    Ok(PluginEngine::new(options).map_err(multillm::error::Error::from)?)
}

async fn matrix(files: Vec<PathBuf>, context: &Context) -> Result<(), Failure> {
    let components = match files.is_empty() {
        true => installed::all(context)?,
        false => files.into_iter().map(Component::of_file).collect(),
    };
    let engine = engine()?;
    let mut plugins = vec![];
    for component in components {
        // What filters can do is no row of this table.
        if component.inspect(&engine).is_ok_and(|it| it.is_filter()) {
            continue;
        }
        plugins.push(component.load(&engine, true).await?);
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

/// A plugin's component: by its path, or by the name that the configuration or the program has for it.
fn component_of(plugin: &str, context: &Context) -> Result<Component, Failure> {
    let path = PathBuf::from(plugin);
    let is_path = plugin.contains(['/', '\\']) || path.extension().is_some() || path.is_file();
    if is_path {
        return Ok(Component::of_file(path));
    }
    let known = installed::all(context)?;
    let names: Vec<&str> = known.iter().map(|it| it.name.as_str()).collect();
    let advice = advice(
        plugin,
        names.iter().copied(),
        "see \"multillm plugin list\"",
    );
    let found = known.iter().find(|it| it.name == plugin).cloned();
    found.ok_or_else(|| Failure::Usage(format!("no plugin {plugin:?}: {advice}")))
}

async fn allow(plugin: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let component = component_of(plugin, context)?;
    let name = component.name.clone();
    if Starter::VENDORS.contains(&name.as_str()) {
        return Err(Failure::Usage(format!(
            "{name} is one of the program's own names: its key goes to its own address or one that \
             you name, whatever the file says, and there is nothing to allow"
        )));
    }
    let loaded = component.load(&engine()?, true).await?;
    trust::allow_plugin(candidate::grant(&loaded), &loaded.info().name, yes, context)
}
