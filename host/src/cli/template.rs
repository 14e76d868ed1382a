//! `multillm template`: prompts kept in files.

use super::sheet::Sheet;
use super::{Context, Failure};
use crate::config::{Config, Provenance, only_words};
use crate::template::Template;

/// Subcommands of `template`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the templates of the configuration's templates_dir
    List,
    /// Show a template: its texts, variables and parameters
    Show {
        /// Its name
        name: String,
    },
}

#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    template: &'a Template,
    variables: Vec<String>,
    required: Vec<String>,
}

fn shown(template: &Template) -> Shown<'_> {
    Shown {
        variables: template.variables(),
        required: template.required(),
        template,
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    let directory = context.service().await?.config().templates_dir.clone();
    match command {
        Command::List => {
            let names = Template::names(&directory);
            let (found, faults): (Vec<_>, Vec<_>) = names
                .iter()
                .map(|name| Template::load(&directory, name))
                .partition(Result::is_ok);
            let found: Vec<Template> = found.into_iter().flatten().collect();
            match context.json {
                true => context
                    .printer
                    .json(&found.iter().map(shown).collect::<Vec<_>>())?,
                false => print_list(&found, context)?,
            }
            if found.is_empty() && faults.is_empty() {
                context.printer.note(&format!(
                    "there are no templates in {}",
                    directory.display()
                ));
            }
            let faults: Vec<_> = faults.into_iter().filter_map(Result::err).collect();
            for fault in &faults {
                context.printer.error(&fault.to_string());
            }
            match faults.is_empty() {
                true => Ok(()),
                false => Err(Failure::Reported),
            }
        }
        Command::Show { name } => {
            let template = Template::load(&directory, &name).map_err(crate::Error::from)?;
            match context.json {
                true => context.printer.json(&shown(&template))?,
                false => print_one(&template, context)?,
            }
            Ok(())
        }
    }
}

/// The template of this name. One that lies where a configuration was merely found chooses words, a
/// model and numbers; what it would put into requests besides may be the address of somebody's server.
pub(super) fn load(config: &Config, name: &str) -> Result<Template, Failure> {
    let template = Template::load(&config.templates_dir, name).map_err(crate::Error::from)?;
    let extra = template.parameters.extra.values();
    if config.provenance == Provenance::Found && !extra.into_iter().all(only_words) {
        return Err(Failure::Usage(format!(
            "template {name:?} was found in the working directory, and its parameters.extra holds more \
             than words: give that with --param, or name the configuration with --config"
        )));
    }
    Ok(template)
}

fn print_list(found: &[Template], context: &Context) -> Result<(), Failure> {
    let mut table = Sheet::new(&["TEMPLATE", "VARIABLES", "DESCRIPTION"]).texts(&[1, 2]);
    for template in found {
        table.row([
            template.name.clone(),
            variables(template),
            template.description.clone().unwrap_or_default(),
        ]);
    }
    context.printer.table(&table)?;
    Ok(())
}

/// The variables; those that need not be given in brackets.
fn variables(template: &Template) -> String {
    let required = template.required();
    let names = template
        .variables()
        .into_iter()
        .map(|name| match required.contains(&name) {
            true => name,
            false => format!("[{name}]"),
        });
    names.collect::<Vec<_>>().join(" ")
}

fn print_one(template: &Template, context: &Context) -> Result<(), Failure> {
    let line = |text: &str| context.printer.line(text);
    if let Some(description) = &template.description {
        line(&format!("{description}\n"))?;
    }
    line(&format!("variables: {}", variables(template)))?;
    for (name, value) in &template.defaults {
        line(&format!("  {name} = {value}"))?;
    }
    if let Some(model) = &template.model {
        line(&format!("model: {model}"))?;
    }
    let parameters = serde_json::to_string(&template.parameters).unwrap_or_default();
    if parameters != "{}" {
        line(&format!("parameters: {parameters}"))?;
    }
    if let Some(system) = &template.system {
        line(&format!("\n--- system\n{system}"))?;
    }
    line(&format!("\n--- prompt\n{}", template.prompt))?;
    Ok(())
}
