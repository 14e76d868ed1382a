//! `multillm list`: what can be asked.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Context, Failure, foreign};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask this provider which models it offers, instead of listing the configured ones
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let service = context.service().await?;
    match args.provider {
        Some(provider) => {
            let models = service.vendor_models(&provider).await?;
            if context.json {
                context.printer.json(&models)?;
                return Ok(());
            }
            let mut table = table(&["MODEL", "CONTEXT", "OUTPUT", "TITLE"]);
            let count = |tokens: Option<u64>| tokens.map_or(String::new(), |n| n.to_string());
            for model in models {
                table.add_row([
                    foreign::line(&model.id),
                    count(model.context_tokens),
                    count(model.output_tokens),
                    foreign::line(&model.title.unwrap_or_default()),
                ]);
            }
            context.printer.line(&table.trim_fmt())?;
        }
        None => {
            let models = service.models();
            if context.json {
                context.printer.json(&models)?;
                return Ok(());
            }
            let mut table = table(&["MODEL", "PROVIDER", "VENDOR'S NAME", ""]);
            for model in models {
                let mut remarks = vec![];
                if model.default {
                    remarks.push("default".to_owned());
                }
                if !model.enabled {
                    remarks.push("off".to_owned());
                }
                remarks.extend(model.description);
                let provider = model.provider.unwrap_or_else(|| "(route)".to_owned());
                let vendor = model.model_name.unwrap_or_else(|| model.models.join(", "));
                let cells = [model.name, provider, vendor, remarks.join(", ")];
                table.add_row(cells.map(|cell| foreign::line(&cell)));
            }
            context.printer.line(&table.trim_fmt())?;
        }
    }
    Ok(())
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}
