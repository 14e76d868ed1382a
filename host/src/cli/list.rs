//! `multillm list`: what can be asked.

use super::sheet::Sheet;
use super::{Context, Failure};

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
        }
        None => {
            let models = service.models();
            if context.json {
                context.printer.json(&models)?;
                return Ok(());
            }
            let mut table = Sheet::new(&["MODEL", "PROVIDER", "VENDOR'S NAME", ""]).texts(&[2, 3]);
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
                table.row([model.name, provider, vendor, remarks.join(", ")]);
            }
            context.printer.table(&table)?;
        }
    }
    Ok(())
}
