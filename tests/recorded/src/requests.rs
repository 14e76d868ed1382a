//! What a recorded request says can be said in the unified form: each body is read into a unified request, the vendor's
//! adapter makes a body of it again, and both must mean the same, the order of keys in schemas included.
//!
//! Some requests need an open tail (`extra`) to be said whole; they are counted apart. What stands in settings, and
//! what a host carries from an earlier answer by itself (ids of items, signatures), is none.
//!
//! [`reading`] is what all wires share; a file for each wire reads its bodies; [`same`] compares.

mod anthropic;
mod cohere;
mod gemini;
mod ollama;
mod openai_chat;
mod reading;
mod responses;
mod same;

use std::collections::BTreeMap;
use std::process::ExitCode;

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{BodyPart, ChatRequest, Error, ErrorKind, Mode, Request, Target};

use serde_json::value::RawValue;

use crate::case::Case;
use crate::vendors;
use reading::Read;

/// What was found of a vendor's requests.
#[derive(Default)]
struct Tally {
    requests: usize,
    /// Said whole in unified fields.
    plainly: usize,
    /// Said whole, with open tails where they are needed.
    whole: usize,
    /// What needed an open tail, and how often.
    tails: BTreeMap<String, usize>,
    differences: Vec<String>,
}

/// Judges all requests, prints the counts of each vendor and every difference; the exit code is as the program's.
pub(crate) fn judge(cases: &[Case]) -> ExitCode {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for case in cases {
        let Some(body) = case.body.as_deref().filter(|_| is_question(case)) else {
            continue;
        };
        let tally = tallies.entry(row(case)).or_default();
        tally.requests += 1;
        match again(case, body.get()) {
            Ok((found, tails)) if found.is_empty() => {
                tally.whole += 1;
                tally.plainly += usize::from(tails.is_empty());
                for name in tails {
                    *tally.tails.entry(name).or_default() += 1;
                }
            }
            Ok((found, _)) => {
                let told = found
                    .into_iter()
                    .map(|line| format!("{}: {line}", case.name));
                tally.differences.extend(told);
            }
            Err(error) => tally.differences.push(format!("{}: {error}", case.name)),
        }
    }
    report(&tallies)
}

/// Whether a body is a question in one of the wires that this project speaks.
fn is_question(case: &Case) -> bool {
    let former = case.vendor == "cohere" && case.path.iter().any(|segment| segment == "v1");
    let embeds = matches!(case.kind.as_str(), "embeddings" | "tokens");
    let is_object = case
        .body
        .as_deref()
        .is_some_and(|body| body.get().starts_with('{'));
    // One that is no list of messages no vendor reads.
    let body = case.body.as_deref().map_or("", RawValue::get);
    let body = Json::parse(body).unwrap_or_default();
    let is_list = body
        .get("messages")
        .is_none_or(|list| matches!(list, Json::List(_)));
    is_object && is_list && !embeds && !former
}

fn row(case: &Case) -> String {
    match case.kind.as_str() {
        "responses" => format!("{} responses", case.vendor),
        _ => case.vendor.clone(),
    }
}

/// What differs between a recorded body and the one that is made of it, and what stood in the tails that that took.
fn again(case: &Case, text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let body = Json::parse(text).map_err(|error| error.to_string())?;
    let read = read(case, body.clone())?;
    let encode = encoder(&case.vendor).ok_or("no adapter")?;
    let mut target = Target {
        model: case.model.clone(),
        settings: Json::Object(read.settings).to_string(),
        ..Target::default()
    };
    if target.model.is_empty() {
        target.model = body.text("model").unwrap_or("recorded-model").to_owned();
    }
    let mode = match read.streams {
        true => Mode::Stream,
        false => Mode::Whole,
    };
    let made = match encode(&target, &read.request, mode) {
        Ok(made) => made,
        // Refused before it is sent, as the vendor refused it.
        Err(error) if refused(&error) && case.response.status == 400 => {
            return Ok((Vec::new(), read.tails));
        }
        Err(error) => return Err(format!("not encoded: {}", error.message)),
    };
    let mut sent = String::new();
    for part in made.body {
        match part {
            BodyPart::Text(text) => sent.push_str(&text),
            BodyPart::BlobBase64(id) => {
                let blob = read.blobs.get(id as usize);
                sent.push_str(blob.map_or("", String::as_str));
            }
        }
    }
    let sent = Json::parse(&sent).map_err(|error| error.to_string())?;
    let wire = wire(case);
    let (recorded, sent) = (same::canonical(wire, body), same::canonical(wire, sent));
    Ok((same::differences(&recorded, &sent), read.tails))
}

fn refused(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unsupported | ErrorKind::InvalidRequest
    )
}

fn wire(case: &Case) -> &str {
    match case.kind.as_str() {
        "responses" => "responses",
        _ => match case.vendor.as_str() {
            "openai" | "azure" | "huggingface" => "openai-chat",
            other => other,
        },
    }
}

fn read<'a>(case: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    match wire(case) {
        "responses" => responses::read(case, body),
        "openai-chat" => openai_chat::read(case, body),
        "anthropic" => anthropic::read(case, body),
        "gemini" => gemini::read(case, body),
        "cohere" => cohere::read(case, body),
        "ollama" => ollama::read(case, body),
        other => Err(format!("no reader of {other}")),
    }
}

type Encode = fn(&Target, &ChatRequest, Mode) -> Result<Request, Error>;

fn encoder(vendor: &str) -> Option<Encode> {
    vendors::adapter(vendor).map(|adapter| adapter.encode)
}

fn report(tallies: &BTreeMap<String, Tally>) -> ExitCode {
    for (vendor, tally) in tallies {
        for line in &tally.differences {
            println!("{vendor}/{line}");
        }
    }
    println!(
        "{:<18} {:>9} {:>14} {:>11}",
        "vendor", "requests", "without extra", "with extra"
    );
    let (mut all, mut whole) = (0, 0);
    for (vendor, tally) in tallies {
        println!(
            "{vendor:<18} {:>9} {:>14} {:>11}",
            tally.requests, tally.plainly, tally.whole
        );
        all += tally.requests;
        whole += tally.whole;
    }
    for (vendor, tally) in tallies {
        let tails = tally.tails.iter();
        let named: Vec<String> = tails.map(|(name, n)| format!("{name} {n}")).collect();
        if !named.is_empty() {
            println!("in extra of {vendor}: {}", named.join(", "));
        }
    }
    println!("{whole} of {all} mean the same");
    match (all, all - whole) {
        (0, _) => ExitCode::from(2),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
