//! What is shown of a component before it is installed, and of what would change with another one.

use multillm::plugin::Plugin;
use multillm_kit::Verdict;
use serde::Serialize;

use super::candidate::{Candidate, Face};
use super::likeness::{Likeness, likeness};
use crate::{Context, Failure, foreign};

/// Defects that are told one by one.
const DEFECTS: usize = 8;

/// Characters that are shown of what it says of its maker.
const SAID: usize = 200;

/// The same for programs.
#[derive(Serialize)]
struct Card<'a> {
    name: &'a str,
    source: String,
    sha256: &'a str,
    manifest: Option<&'a str>,
    signer: Option<&'a str>,
    signature: String,
    origin: &'a multillm_kit::Origin,
    #[serde(flatten)]
    face: Face,
    defects: Vec<&'static str>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a [String]>,
}

/// Shows all of it. `changes`: what is other than before.
pub(super) fn show(
    candidate: &Candidate,
    changes: Option<&[String]>,
    context: &Context,
) -> Result<(), Failure> {
    let face = Face::of(&candidate.plugin);
    let warnings = warnings(candidate);
    if context.json {
        let card = Card {
            name: &candidate.name,
            source: candidate.source.to_string(),
            sha256: &candidate.sha256,
            manifest: candidate.fetched.manifest.as_deref(),
            signer: candidate.signature.key(),
            signature: candidate.signature.told(),
            origin: &candidate.origin,
            face,
            defects: candidate.defects(),
            warnings,
            changes,
        };
        context.printer.json(&card)?;
        return Ok(());
    }
    let row = |word: &str, text: &str| {
        let text = foreign::escaped(text);
        context.printer.line(&format!("{word:<12}{text}"))
    };
    let rows = |word: &str, texts: &[String]| {
        let mut word = word;
        for text in texts {
            row(word, text)?;
            word = "";
        }
        Ok::<_, std::io::Error>(())
    };
    row("plugin", &candidate.name)?;
    row(
        "is",
        &format!(
            "{:?} {} (it calls itself {:?})",
            face.title, face.version, face.calls_itself
        ),
    )?;
    let layout = candidate
        .fetched
        .layout
        .map_or_else(String::new, |layout| format!(" ({layout})"));
    row("from", &format!("{}{layout}", candidate.source))?;
    row(
        "sha256",
        &format!("{} ({} bytes)", candidate.sha256, face.size),
    )?;
    if let Some(manifest) = &candidate.fetched.manifest {
        row("manifest", manifest)?;
    }
    row("signature", &candidate.signature.told())?;
    let said: Vec<String> = candidate
        .origin
        .said()
        .map(|(word, text)| format!("{word}: {}", text.chars().take(SAID).collect::<String>()))
        .collect();
    match said.is_empty() {
        true => row("made by", "it does not say")?,
        false => rows("it says", &said)?,
    }
    let imports = match face.function_imports.is_empty() {
        true => "imports no function".to_owned(),
        false => format!(
            "imports {}, and gets an empty system",
            face.function_imports.join(", ")
        ),
    };
    row("contract", &format!("{}, {imports}", face.contract))?;
    if !face.wires.is_empty() {
        row("wires", &face.wires.join(", "))?;
    }
    row("promises", &face.capabilities.join(", "))?;
    rows("wants to", &face.asks_for)?;
    row("check", &checked(candidate))?;
    let failures: Vec<String> = candidate
        .failures()
        .take(DEFECTS)
        .map(|failure| {
            let detail = failure
                .details
                .first()
                .map_or(failure.holds, String::as_str);
            format!("{}: {detail}", failure.code)
        })
        .collect();
    rows("", &failures)?;
    rows("warning", &warnings)?;
    if let Some(changes) = changes {
        rows("changes", changes)?;
    }
    Ok(())
}

fn checked(candidate: &Candidate) -> String {
    let findings = &candidate.report.findings;
    let count = |verdict: Verdict| findings.iter().filter(|it| it.verdict == verdict).count();
    format!(
        "{} rules hold, {} do not, {} do not apply",
        count(Verdict::Passed),
        candidate.failures().count(),
        count(Verdict::NotApplicable)
    )
}

fn warnings(candidate: &Candidate) -> Vec<String> {
    let info = candidate.plugin.info();
    let mut warnings = vec![];
    if let Some(like) = likeness(&candidate.name) {
        warnings.push(like.told(&candidate.name));
    }
    for said in [&info.name, &info.title] {
        let same = said == &candidate.name;
        if let Some(Likeness::Same(known) | Likeness::Looks(known)) =
            likeness(said).filter(|_| !same)
        {
            warnings.push(format!(
                "it calls itself {said:?}, like {known}, which comes with the program: it gets nothing by that"
            ));
        }
    }
    warnings.dedup();
    if candidate
        .report
        .failures()
        .any(|failure| failure.code == "encodes")
    {
        warnings.push(
            "it wants a setting before it can be asked, and so most of it was not checked"
                .to_owned(),
        );
    }
    warnings
}

/// What is other in a component than in the one before it, a line each.
pub(super) fn changes(old: &Plugin, new: &Candidate) -> Vec<String> {
    let (before, after) = (Face::of(old), Face::of(&new.plugin));
    let mut lines = vec![];
    let mut one = |what: &str, old: &str, new: &str| {
        if old != new {
            lines.push(format!("{what}: {old:?} → {new:?}"));
        }
    };
    one("version", &before.version, &after.version);
    one("calls itself", &before.calls_itself, &after.calls_itself);
    one("title", &before.title, &after.title);
    one("contract", &before.contract, &after.contract);
    let mut many = |what: &str, old: &[String], new: &[String]| {
        let gone = old.iter().filter(|text| !new.contains(text));
        lines.extend(gone.map(|text| format!("{what} no longer: {text}")));
        let added = new.iter().filter(|text| !old.contains(text));
        lines.extend(added.map(|text| format!("{what} newly: {text}")));
    };
    many("wants to", &before.asks_for, &after.asks_for);
    many("imports", &before.function_imports, &after.function_imports);
    many("wire", &before.wires, &after.wires);
    many("promises", &before.capabilities, &after.capabilities);
    if lines.is_empty() {
        lines.push("nothing but its code".to_owned());
    }
    lines
}
