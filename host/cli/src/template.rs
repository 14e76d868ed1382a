//! `multillm template`: prompts kept in files.

use std::path::Path;

use super::sheet::Sheet;
use super::{Context, Failure, editor};
use multillm::config::{Config, Provenance, only_words};
use multillm::files::{self, Existing, Readers};
use multillm::template::Template;

/// Subcommands of `template`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the templates: those of the configuration's templates_dir, and those that come with the program
    List,
    /// Show a template: its texts, variables and parameters
    Show {
        /// Its name
        name: String,
    },
    /// Make a template, and open it in your editor ($VISUAL, $EDITOR)
    New {
        /// Its name
        name: String,
        /// Only write the file
        #[arg(long)]
        no_edit: bool,
    },
}

/// What a new template says, until somebody writes something better.
const STARTER: &str = r#"{
  // For people: what this template is for.
  "description": "a first draft",

  // Instructions for the model. A text, or a list of its lines.
  "system": "Be brief.",

  // A value of a variable that need not be given with -p NAME=VALUE.
  "defaults": { "language": "English" },

  // How it is asked unless the command line says otherwise:
  // "model": "NAME",
  // "parameters": { "max_tokens": 500, "temperature": 0.2 },

  // The question. {{input}} is what you bring: the prompt and what is piped in.
  "prompt": [
    "Answer in {{language}}:",
    "",
    "{{input}}"
  ]
}
"#;

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
        Command::New { name, no_edit } => make(&directory, &name, no_edit, context).await,
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
            let template = Template::load(&directory, &name).map_err(multillm::Error::from)?;
            match context.json {
                true => context.printer.json(&shown(&template))?,
                false => print_one(&template, context)?,
            }
            Ok(())
        }
    }
}

/// Makes a template.
async fn make(
    directory: &Path,
    name: &str,
    no_edit: bool,
    context: &Context,
) -> Result<(), Failure> {
    let path = Template::path(directory, name).map_err(multillm::Error::from)?;
    let shown = path.display();
    let usage = |error: std::io::Error| {
        Failure::Usage(match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!(
                "there is a template {name:?} already: edit {shown}, or choose another name"
            ),
            _ => format!("cannot write {shown}: {error}"),
        })
    };
    std::fs::create_dir_all(directory).map_err(usage)?;
    files::write(&path, STARTER.as_bytes(), Existing::Keep, Readers::Usual).map_err(usage)?;
    let edits = !no_edit && editor::is_possible(context) && editor::named(context)?.is_some();
    if edits {
        editor::open(&path, context).await?;
        // What is wrong with it is told at once; the file stays, to be corrected.
        Template::load(directory, name)
            .map_err(|fault| Failure::Usage(format!("{fault}: correct {shown}")))?;
    }
    match context.json {
        true => context
            .printer
            .json(&serde_json::json!({ "name": name, "path": path }))?,
        false => context.printer.line(&shown.to_string())?,
    }
    context.printer.note(&format!(
        "ask by it: multillm query --template {name} \"…\""
    ));
    Ok(())
}

/// The template of this name. One that lies where a configuration was merely found chooses words, a
/// model and numbers; what it would put into requests besides may be the address of somebody's server.
pub(super) fn load(config: &Config, name: &str) -> Result<Template, Failure> {
    let template = Template::load(&config.templates_dir, name).map_err(multillm::Error::from)?;
    let plain = template.parameters.extra.values().all(only_words);
    if config.provenance == Provenance::Found && !plain {
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
