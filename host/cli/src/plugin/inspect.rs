//! `multillm plugin inspect`: what a component is, and what is odd about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::filter;
use crate::{Context, Failure, foreign, progress};
use multillm::plugin::{Contract, Inspection, wire};
use multillm_kit::{Finding, Origin};

/// What `inspect` found.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    size: u64,
    sha256: Option<&'a str>,
    #[serde(flatten)]
    inspection: &'a Inspection,
    function_imports: Vec<String>,
    contract: &'static str,
    /// As it was released; absent where it fits none.
    contract_version: Option<&'static str>,
    usable: bool,
    problem: Option<String>,
    /// Who made it, as it says itself.
    origin: Origin,
    info: Option<&'a wire::Info>,
    /// What of its description is ignored, misleads or is wrong, by the rules of `plugin check`.
    odd: Vec<Finding>,
}

pub(super) async fn inspect(
    file: PathBuf,
    wasi_deny_all: bool,
    context: &Context,
) -> Result<(), Failure> {
    let engine = super::engine()?;
    let component = super::component_of(&file.to_string_lossy(), context)?;
    let inspection = component.inspect(&engine)?;
    if inspection.is_filter() {
        return filter::inspect(&component, &inspection, (&engine, wasi_deny_all), context).await;
    }
    // A language's runtime compiles for half a minute the first time.
    let loading = component.loaded(&engine, wasi_deny_all);
    let what = format!("compiling {}", component.name);
    let loaded = progress::waiting(context, what, loading).await;
    let odd = match &loaded {
        Ok(plugin) => multillm_kit::odd(plugin).await,
        Err(_) => vec![],
    };
    let report = Report {
        file: component.origin(),
        size: component.size()?,
        sha256: loaded.as_ref().ok().map(|plugin| plugin.digest()),
        inspection: &inspection,
        function_imports: inspection.forbidden(),
        contract: match inspection.contract() {
            Contract::Fits { .. } => "fits",
            Contract::Foreign { .. } => "foreign version",
            Contract::Other { .. } => "no provider",
        },
        contract_version: match inspection.contract() {
            Contract::Fits { version, .. } => Some(version),
            _ => None,
        },
        usable: loaded.is_ok(),
        problem: loaded.as_ref().err().map(ToString::to_string),
        origin: component.says()?,
        info: loaded.as_ref().ok().map(|plugin| plugin.info()),
        odd,
    };
    match context.json {
        true => context.printer.json(&report)?,
        false => print(&report, context)?,
    }
    match report.usable {
        true => Ok(()),
        false => Err(Failure::Usage(foreign::line(
            &report.problem.unwrap_or_default(),
        ))),
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
        false => grouped(&report.function_imports),
    };
    row("function imports", &functions)?;
    let (wasi, others): (Vec<_>, Vec<_>) = report
        .inspection
        .imports
        .iter()
        .partition(|import| import.name.starts_with("wasi:"));
    if !wasi.is_empty() {
        let names: Vec<String> = wasi.iter().map(|import| import.name.clone()).collect();
        row("import", &grouped(&names))?;
    }
    for import in others {
        let what = if import.items.is_empty() {
            " (types only)"
        } else {
            ""
        };
        row("import", &format!("{}{what}", import.name))?;
    }
    for export in &report.inspection.exports {
        row("export", export)?;
    }
    let version = report.contract_version.unwrap_or_default();
    row(
        "contract",
        format!("{} {version}", report.contract).trim_end(),
    )?;
    if let Some(info) = report.info {
        row(
            "name",
            &format!("{} {} ({})", info.name, info.version, info.title),
        )?;
        row("documentation", &info.documentation)?;
        let base_url = info.default_base_url.as_deref();
        row("base URL", base_url.unwrap_or("from the configuration"))?;
        for secret in &info.secrets {
            let need = if secret.required { "" } else { " (optional)" };
            row(
                "secret",
                &format!("{} from {}{need}", secret.name, secret.env.join(" or ")),
            )?;
        }
        for setting in &info.settings {
            row(
                "setting",
                &format!("{}: {}", setting.name, setting.description),
            )?;
        }
        for (name, support) in &info.capabilities {
            let text = match support {
                wire::Support::No => "no",
                wire::Support::Yes => "yes",
                wire::Support::SomeModels => "some models",
                wire::Support::Emulated => "emulated",
            };
            row("can", &format!("{name}: {text}"))?;
        }
    }
    for finding in &report.odd {
        for detail in &finding.details {
            row("odd", &format!("{} ({})", detail, finding.code))?;
        }
        row("", finding.cause.unwrap_or_default())?;
    }
    Ok(())
}

/// Names with those of WASI together by their package: twenty interfaces of one runtime are one thing to know.
fn grouped(names: &[String]) -> String {
    let mut packages: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shown = vec![];
    for name in names {
        match name.strip_prefix("wasi:") {
            Some(rest) => {
                let package = rest.split(['/', '@', '#']).next().unwrap_or_default();
                *packages.entry(package).or_default() += 1;
            }
            None => shown.push(name.clone()),
        }
    }
    shown.extend(packages.into_iter().map(|(package, count)| match count {
        1 => format!("wasi:{package}"),
        _ => format!("wasi:{package} ({count})"),
    }));
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_wasi_stand_together() {
        let names = [
            "wasi:io/streams@0.2.0#read",
            "evil:clock/time@1.0.0#now",
            "wasi:io/poll@0.2.0",
            "wasi:cli/environment@0.2.0",
        ];
        assert_eq!(
            grouped(&names.map(str::to_owned)),
            "evil:clock/time@1.0.0#now, wasi:cli, wasi:io (2)"
        );
    }
}
