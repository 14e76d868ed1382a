//! `multillm list`: what can be asked, and what the rest lacks.

use serde::Serialize;

use super::sheet::Sheet;
use super::{Context, Failure};
use multillm::config::built_in_of;
use multillm::service::{ModelInfo, MultiLlmService, ProviderInfo};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask this provider which models it offers, instead of listing the configured ones
    #[arg(long, value_name = "PROVIDER", conflicts_with = "all")]
    provider: Option<String>,
    /// List the providers that need no configuration too (the program's own, and those whose plugin was put in or
    /// installed), as is done where there is none
    #[arg(long)]
    all: bool,
}

/// So many models of an Ollama are listed with the others.
const LOCAL: usize = 20;

/// A line of the list: a model, or a provider that is asked for any model of its vendor.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    model: ModelInfo,
    /// It comes with the program, and no entry is written for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    built_in: bool,
    /// A plugin of its provider's name is there, and no entry is written for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dropped_in: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let service = context.service().await?;
    if let Some(provider) = args.provider {
        return vendors_own(&service, &provider, context).await;
    }
    let configured = service.models();
    let all = args.all || configured.is_empty();
    let mut lines: Vec<Line> = configured.into_iter().map(written).collect();
    if all {
        lines.extend(service.dropped_in_providers().iter().map(dropped_in));
        lines.extend(built_in(&service).await);
    }
    let usual = service.written_model().ok().flatten();
    if let Some(usual) = usual {
        for line in &mut lines {
            line.model.default = line.model.name == usual.model;
        }
    }
    // What can be asked stands first; otherwise the order stays.
    lines.sort_by_key(|line| !line.model.ready);
    if context.json {
        context.printer.json(&lines)?;
        return Ok(());
    }
    let mut table = Sheet::new(&["MODEL", "PROVIDER", "VENDOR'S NAME", ""]).texts(&[2, 3]);
    let ready = lines.iter().filter(|line| line.model.ready).count();
    for line in lines {
        table.row(cells(line));
    }
    context.printer.table(&table)?;
    if all && ready == 0 {
        context.printer.note(
            "\nnothing is ready to be asked: \"multillm keys set openai\" keeps a key, \"ollama pull \
             llama3.2\" brings a model to this machine",
        );
    } else if all {
        context
            .printer
            .note("\nany model of a vendor is asked as provider/model: \"multillm list --provider NAME\" shows them");
    } else {
        context.printer.note(
            "\nevery vendor's models are there as provider/model too: \"multillm list --all\"",
        );
    }
    Ok(())
}

async fn vendors_own(
    service: &MultiLlmService,
    provider: &str,
    context: &Context,
) -> Result<(), Failure> {
    let models = service.vendor_models(provider).await?;
    if context.json {
        context.printer.json(&models)?;
        return Ok(());
    }
    let mut table = Sheet::new(&["MODEL", "CONTEXT", "OUTPUT", "TITLE"]).texts(&[3]);
    let count = |tokens: Option<u64>| tokens.map_or(String::new(), |n| n.to_string());
    for model in models {
        table.row([
            model.id,
            count(model.context_tokens),
            count(model.output_tokens),
            model.title.unwrap_or_default(),
        ]);
    }
    context.printer.table(&table)?;
    Ok(())
}

fn written(model: ModelInfo) -> Line {
    Line {
        model,
        built_in: false,
        dropped_in: false,
    }
}

/// The providers that need no entry: the model that each is usually asked for, and of an Ollama that
/// answers those that it has.
async fn built_in(service: &MultiLlmService) -> Vec<Line> {
    let mut lines = vec![];
    for provider in service.built_in_providers() {
        if provider.name == "ollama" && provider.ready {
            let answer = service.local_models().await;
            let models = answer.iter().flatten().take(LOCAL);
            let names: Vec<&str> = models.map(|model| model.id.as_str()).collect();
            if !names.is_empty() {
                lines.extend(
                    names
                        .into_iter()
                        .map(|name| line(&provider, Some(name), None)),
                );
                continue;
            }
            let lacks = match answer {
                Some(_) => "has no model: ollama pull llama3.2".to_owned(),
                None => format!("does not answer at {}", place(&provider)),
            };
            lines.push(line(&provider, None, Some(lacks)));
            continue;
        }
        let usual = provider.model.as_deref();
        let usual = usual
            .and_then(|model| model.split_once('/'))
            .map(|(_, name)| name);
        let lacks = match (&provider.lacks, provider.local) {
            (Some(lacks), _) => Some(with_step(lacks, &provider)),
            // Whether it runs is seen when it is asked.
            (None, true) => Some(format!("if it runs at {}", place(&provider))),
            (None, false) => None,
        };
        lines.push(line(&provider, usual, lacks));
    }
    lines
}

fn place(provider: &ProviderInfo) -> &str {
    provider.base_url.as_deref().unwrap_or("its address")
}

/// What is lacking, and the command that helps.
fn with_step(lacks: &str, provider: &ProviderInfo) -> String {
    let keys = built_in_of(&provider.name).map_or(&[][..], |known| known.keys);
    match keys.iter().any(|key| lacks.contains(key)) {
        true => format!("{lacks}: multillm keys set {}", provider.name),
        false => lacks.to_owned(),
    }
}

fn line(provider: &ProviderInfo, model: Option<&str>, lacks: Option<String>) -> Line {
    Line {
        built_in: true,
        dropped_in: false,
        model: ModelInfo::of_provider(provider, model, lacks),
    }
}

fn dropped_in(provider: &ProviderInfo) -> Line {
    Line {
        built_in: false,
        dropped_in: true,
        model: ModelInfo::of_provider(provider, None, provider.lacks.clone()),
    }
}

fn cells(line: Line) -> [String; 4] {
    let model = line.model;
    let mut remarks = vec![];
    if model.default {
        remarks.push("default".to_owned());
    }
    if !model.enabled {
        remarks.push("off".to_owned());
    }
    if line.dropped_in {
        remarks.push("a plugin that was put in".to_owned());
    }
    remarks.extend(model.lacks);
    remarks.extend(model.description);
    let provider = model.provider.unwrap_or_else(|| "(route)".to_owned());
    let vendor = model.model_name.unwrap_or_else(|| model.models.join(", "));
    [model.name, provider, vendor, remarks.join(", ")]
}
