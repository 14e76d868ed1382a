//! What a filter is and says of itself.

use multillm::plugin::{Inspection, PluginEngine, wire};
use multillm_kit::Origin;
use serde::Serialize;

use super::installed::Component;
use crate::{Context, Failure, foreign, progress};

/// What `inspect` found of a filter.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    size: u64,
    sha256: Option<&'a str>,
    #[serde(flatten)]
    inspection: &'a Inspection,
    function_imports: Vec<String>,
    kind: &'static str,
    contract: &'static str,
    contract_version: &'static str,
    usable: bool,
    problem: Option<String>,
    /// Who made it, as it says itself.
    origin: Origin,
    info: Option<&'a wire::FilterInfo>,
}

pub(super) async fn inspect(
    component: &Component,
    inspection: &Inspection,
    (engine, wasi_deny_all): (&PluginEngine, bool),
    context: &Context,
) -> Result<(), Failure> {
    let loading = component.loaded_filter(engine, wasi_deny_all);
    let what = format!("compiling {}", component.name);
    let loaded = progress::waiting(context, what, loading).await;
    let report = Report {
        file: component.origin(),
        size: component.size()?,
        sha256: loaded.as_ref().ok().map(|filter| filter.digest()),
        inspection,
        function_imports: inspection.forbidden(),
        kind: "filter",
        contract: "fits",
        contract_version: Inspection::filter_version(),
        usable: loaded.is_ok(),
        problem: loaded.as_ref().err().map(ToString::to_string),
        origin: component.says()?,
        info: loaded.as_ref().ok().map(|filter| filter.info()),
    };
    match context.json {
        true => context.printer.json(&report)?,
        false => print(&report, context)?,
    }
    match report.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::Usage(foreign::line(&problem))),
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
    for (word, text) in report.origin.said() {
        row(&format!("it says: {word}"), text)?;
    }
    let functions = match report.function_imports.is_empty() {
        true => "none".to_owned(),
        false => report.function_imports.join(", "),
    };
    row("function imports", &functions)?;
    for export in &report.inspection.exports {
        row("export", export)?;
    }
    row("contract", &format!("filter {}", report.contract_version))?;
    let Some(info) = report.info else {
        return Ok(());
    };
    row(
        "name",
        &format!("{} {} ({})", info.name, info.version, info.title),
    )?;
    row("documentation", &info.documentation)?;
    for setting in &info.settings {
        row(
            "setting",
            &format!("{}: {}", setting.name, setting.description),
        )?;
    }
    Ok(())
}
