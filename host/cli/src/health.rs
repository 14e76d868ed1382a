//! `multillm health`: does every model answer?

use std::time::Duration;

use super::sheet::Sheet;
use super::{Context, Failure, figures, foreign, model, progress};
use multillm::service::ModelHealth;

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Models or routes to ask [default: every configured model that is switched on, or one of each vendor whose key is there]
    models: Vec<String>,
    /// Seconds that each may take [default: health.timeout_ms of the configuration]
    #[arg(long, short, value_name = "SECONDS", allow_hyphen_values = true, value_parser = seconds)]
    timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds above 0".to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let service = context.service().await?;
    let mut models = args.models;
    if models.is_empty() && service.models().is_empty() {
        // Without a configuration: what a vendor whose key is there is usually asked.
        let ready = service.built_in_providers().into_iter();
        let ready = ready.filter(|it| it.ready && !it.local);
        models = ready.filter_map(|it| it.model).collect();
        if models.is_empty() {
            models.push(model::or_usual(None, &service).await?);
        }
    }
    let checks = service.health_check(&models, args.timeout);
    let found = progress::waiting(context, "asking the models", checks).await?;
    service.close().await;
    match context.json {
        true => context.printer.json(&found)?,
        false => print(&found, context)?,
    }
    match found.iter().all(|model| model.reachable) {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}

fn print(found: &[ModelHealth], context: &Context) -> Result<(), Failure> {
    let mut table = Sheet::new(&["MODEL", "PROVIDER", "STATE", "LATENCY", "ANSWERED AS"]);
    for model in found {
        let state = match &model.error {
            None => "ok".to_owned(),
            Some(error) => error.kind.as_str().replace('_', " "),
        };
        let latency = model.latency_ms.map(Duration::from_millis);
        table.row([
            model.model.clone(),
            model.provider.clone(),
            state,
            latency.map_or("-".to_owned(), figures::time),
            model.vendor_model.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    context.printer.table(&table)?;
    for model in found {
        let Some(error) = &model.error else {
            continue;
        };
        let status = error
            .status
            .map_or(String::new(), |status| format!(" (HTTP {status})"));
        context.printer.text(&format!(
            "\n{}: {}{status}",
            model.model,
            foreign::line(&error.message)
        ))?;
        if let Some(fix) = &model.fix {
            context.printer.text(&format!("  fix: {fix}"))?;
        }
    }
    let well = found.iter().filter(|model| model.reachable).count();
    context
        .printer
        .note(&format!("\n{well} of {} models answer", found.len()));
    Ok(())
}
