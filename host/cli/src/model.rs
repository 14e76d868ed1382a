//! `multillm model`: which model is asked where none is named.

use serde_json::json;

use super::{Context, Failure, foreign};
use multillm::config::{choose_model, chosen_model_file};
use multillm::service::MultiLlmService;

/// Arguments of `model`.
#[derive(Debug, clap::Args)]
#[command(after_help = ORDER)]
pub(super) struct Args {
    /// The model or route to ask from now on, such as openai/gpt-5-mini [default: shows which it is]
    #[arg(value_name = "NAME", conflicts_with = "clear")]
    name: Option<String>,
    /// Forget the choice
    #[arg(long)]
    clear: bool,
}

const ORDER: &str = "\
A model is asked in this order: what --model names, what MULTILLM_MODEL names, the configuration's
default_model, what was chosen here, the first vendor whose key is there (\"multillm list --all\" shows
the order), the first model of an Ollama that answers.

Examples:
  multillm model openai/gpt-5-mini
  multillm model
  multillm model --clear";

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let file = chosen_model_file(&context.env).unwrap_or_default();
        Failure::Usage(format!(
            "cannot keep the choice in {}: {error}",
            file.display()
        ))
    };
    let service = context.service().await?;
    if args.clear {
        choose_model(&context.env, None).map_err(failed)?;
        return Ok(());
    }
    let Some(name) = args.name else {
        return show(&service, context).await;
    };
    service.knows(&name)?;
    choose_model(&context.env, Some(&name)).map_err(failed)?;
    if let Some(usual) = service.written_model()?.filter(|usual| usual.model != name) {
        context.printer.note(&format!(
            "note: here {} is asked all the same ({})",
            foreign::line(&usual.model),
            usual.because
        ));
    }
    Ok(())
}

async fn show(service: &MultiLlmService, context: &Context) -> Result<(), Failure> {
    let usual = service.usual_model().await?;
    match context.json {
        true => context.printer.json(&json!({
            "model": usual.model,
            "because": usual.because.to_string(),
        }))?,
        false => {
            context.printer.line(&foreign::line(&usual.model))?;
            context.printer.note(&usual.because.to_string());
        }
    }
    Ok(())
}

/// The model that was named, or the one that is asked where none is.
pub(super) async fn or_usual(
    named: Option<String>,
    service: &MultiLlmService,
) -> Result<String, Failure> {
    if let Some(name) = named {
        return Ok(name);
    }
    let usual = service.usual_model().await?;
    tracing::info!("model {}: {}", usual.model, usual.because);
    Ok(usual.model)
}
