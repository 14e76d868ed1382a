//! `multillm alias`: other names of models, the user's own.

use serde_json::json;

use super::sheet::Sheet;
use super::{Context, Failure};
use multillm::config::AliasStore;
use multillm::error::Error;

/// Subcommands of `alias`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Let a name stand for a model or route, in every directory
    Set {
        /// The new name
        name: String,
        /// The model or route
        model: String,
    },
    /// List the names and what they stand for
    List,
    /// Forget a name
    Remove {
        /// The name
        name: String,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    let dir = context
        .env
        .config_dir()
        .ok_or_else(|| Failure::Usage("aliases need a home directory: set HOME".to_owned()))?;
    let store = AliasStore::in_dir(dir);
    match command {
        Command::Set { name, model } => set(&store, &name, &model, context).await,
        Command::List => list(&store, context),
        Command::Remove { name } => match store.remove(&name).map_err(Error::from)? {
            true => {
                context
                    .printer
                    .note(&format!("{name} stands for nothing any more"));
                Ok(())
            }
            false => Err(Failure::Usage(format!(
                "no alias {name:?}: \"multillm alias list\" lists them"
            ))),
        },
    }
}

async fn set(
    store: &AliasStore,
    name: &str,
    model: &str,
    context: &Context,
) -> Result<(), Failure> {
    let service = context.service().await?;
    let config = service.config();
    if config.models.contains_key(name) || config.routes.contains_key(name) {
        return Err(Failure::Usage(format!(
            "{name:?} is a model or route of the configuration already, and would go before: choose another name"
        )));
    }
    // An alias of an alias is one of its model.
    let model = config.unaliased(model);
    service.knows(model)?;
    store.set(name, model).map_err(Error::from)?;
    match context.json {
        true => context
            .printer
            .json(&json!({ "alias": name, "model": model }))?,
        false => context
            .printer
            .note(&format!("{name} stands for {model} from now on")),
    }
    Ok(())
}

fn list(store: &AliasStore, context: &Context) -> Result<(), Failure> {
    let all = store.read().map_err(Error::from)?;
    if context.json {
        context.printer.json(&all)?;
        return Ok(());
    }
    if all.is_empty() {
        context
            .printer
            .note("there are no aliases: \"multillm alias set NAME MODEL\" makes one");
        return Ok(());
    }
    let mut table = Sheet::new(&["ALIAS", "MODEL"]);
    for (name, model) in all {
        table.row([name, model]);
    }
    context.printer.table(&table)?;
    Ok(())
}
