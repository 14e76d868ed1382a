//! Order is meaning: models fill in a schema in the order in which its keys are written. For every recorded request with
//! tools or a schema of the answer, the same tools and schema are asked for in the unified form; what the vendor's component
//! makes of them must have the keys in the recorded order and the numbers with the recorded digits.
//!
//! A component may drop, rename and add keys where its vendor wants that: compared are the keys that both have.
//! [`said`] finds schemas in bodies, recorded or made; [`tree`] compares.

mod said;
mod tree;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use multillm::chat::{ChatMessage, ChatRequest, Json, Tool};
use multillm::described::BodyPart;
use multillm::plugin::{Plugin, wire};
use serde_json::json;

use crate::case::Case;
use crate::plugins::Plugins;
use said::Said;
use tree::Compared;

/// What was found of a vendor.
#[derive(Default)]
struct Tally {
    requests: usize,
    schemas: usize,
    compared: Compared,
    differences: Vec<String>,
}

/// Judges all recordings, prints the counts of each vendor and every difference; the exit code is as the program's.
///
/// # Errors
///
/// A component cannot be loaded.
pub(crate) fn judge(cases: &[Case]) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let tallies = runtime.block_on(all(cases))?;
    Ok(report(&tallies))
}

async fn all(cases: &[Case]) -> Result<BTreeMap<String, Tally>> {
    let mut plugins = Plugins::new()?;
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for case in cases {
        let Some(body) = &case.body else { continue };
        let said = Said::of(body);
        if said.is_empty() {
            continue;
        }
        let plugin = plugins.get(case.plugin()).await?;
        let tally = tallies.entry(case.vendor.clone()).or_default();
        tally.requests += 1;
        one(case, &said, &plugin, tally).await;
    }
    Ok(tallies)
}

async fn one(case: &Case, said: &Said, plugin: &Plugin, tally: &mut Tally) {
    // One thing at a time: not every vendor takes tools and a form together.
    let mut asked = vec![];
    if !said.tools.is_empty() {
        asked.push(Said {
            tools: said.tools.clone(),
            forms: vec![],
        });
    }
    asked.extend(said.forms.iter().map(|form| Said {
        tools: vec![],
        forms: vec![form.clone()],
    }));
    for wanted in asked {
        tally.schemas += wanted.schemas().flatten().count();
        let mut differences = vec![];
        match sent(case, &wanted, plugin).await {
            Err(reason) => differences.push(format!("not sent: {reason}")),
            Ok(made) => {
                let names = |said: &Said| said.tools.iter().map(|(name, _)| name.clone()).collect();
                let (before, after): (Vec<_>, Vec<_>) = (names(&wanted), names(&made));
                if before != after || wanted.forms.len() != made.forms.len() {
                    differences.push(format!("{before:?} became {after:?}"));
                }
                for pair in wanted.schemas().zip(made.schemas()) {
                    // A schema without any argument is left out where the vendor wants that.
                    if let (Some(recorded), Some(made)) = pair {
                        differences.extend(tally.compared.add(recorded, made));
                    }
                }
            }
        }
        let named = differences.into_iter();
        let named = named.map(|text| format!("{}/{}: {text}", case.vendor, case.name));
        tally.differences.extend(named);
    }
}

/// What the component makes of these tools or this form.
async fn sent(case: &Case, wanted: &Said, plugin: &Plugin) -> Result<Said> {
    let mut request = ChatRequest::new([ChatMessage::user("Hello")]);
    for (name, parameters) in &wanted.tools {
        let parameters = match parameters {
            Some(parameters) => Json::parse(parameters)?,
            None => json!({ "type": "object", "properties": {} }).into(),
        };
        request = request.tool(Tool::new(name, parameters));
    }
    for form in &wanted.forms {
        request = request.json_schema("answer", Json::parse(form)?);
    }
    let target = wire::Target {
        model: case.model.clone(),
        settings: "{}".to_owned(),
        wire: plugin.info().wires.first().cloned().unwrap_or_default(),
    };
    let mut session = plugin.session().await?;
    let described = session.encode(&target, &request, false).await??.request;
    let mut body = String::new();
    for part in described.body {
        match part {
            BodyPart::Text(text) => body += &text,
            other => bail!("it holds {other:?}"),
        }
    }
    Ok(Said::of(serde_json::from_str(&body)?))
}

fn report(tallies: &BTreeMap<String, Tally>) -> ExitCode {
    let mut differences = 0;
    println!("vendor       requests  schemas  objects  keys  numbers  differences");
    let mut all = Tally::default();
    for (vendor, tally) in tallies {
        line(vendor, tally, tally.differences.len());
        differences += tally.differences.len();
        all.requests += tally.requests;
        all.schemas += tally.schemas;
        all.compared.sum(&tally.compared);
    }
    line("all", &all, differences);
    for difference in tallies.values().flat_map(|tally| &tally.differences) {
        println!("{difference}");
    }
    match (all.requests, differences) {
        (0, _) => ExitCode::from(2),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn line(name: &str, tally: &Tally, differences: usize) {
    let Compared {
        objects,
        keys,
        numbers,
    } = tally.compared;
    println!(
        "{name:<12} {:>8}  {:>7}  {objects:>7}  {keys:>4}  {numbers:>7}  {differences:>11}",
        tally.requests, tally.schemas
    );
}
