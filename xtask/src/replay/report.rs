//! Prints the outcome of a replay: what differs, and the table of what passed.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::case::Case;
use super::cuts::Chunking;

/// The judgement of one run of one recording.
pub(super) struct Verdict<'run> {
    pub(super) case: &'run Case,
    pub(super) chunking: Chunking,
    /// Empty: it passed.
    pub(super) differences: Vec<String>,
    /// The request line that reached the server.
    pub(super) request: Option<String>,
}

impl Verdict<'_> {
    fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    fn counts(&self) -> bool {
        !self.case.is_optional()
    }
}

/// Prints everything.
///
/// # Errors
///
/// A recording that counts has failed.
pub(super) fn print(
    verdicts: &[Verdict<'_>],
    chunkings: &[Chunking],
    show_optional: bool,
) -> Result<()> {
    let shown = |verdict: &&Verdict<'_>| !verdict.passed() && (verdict.counts() || show_optional);
    let mut rest: Vec<&Verdict<'_>> = verdicts.iter().filter(shown).collect();
    while let Some(first) = rest.first().copied() {
        // What goes wrong in the same way in several cuts is told once.
        let same = |other: &&Verdict<'_>| {
            other.case.name == first.case.name && other.differences == first.differences
        };
        let (alike, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(same);
        rest = others;
        print_failure(first, &alike);
    }

    print!("\n{:<14}", "vendor");
    for chunking in chunkings {
        print!("{:>12}", chunking.name());
    }
    println!("{:>12}", "optional");
    let vendors: BTreeSet<&str> = verdicts
        .iter()
        .map(|verdict| verdict.case.vendor.as_str())
        .collect();
    for vendor in vendors {
        print_row(
            vendor,
            chunkings,
            &of(verdicts, |verdict| verdict.case.vendor == vendor),
        );
    }
    print_row("all", chunkings, &of(verdicts, |_| true));

    let failed = verdicts
        .iter()
        .filter(|verdict| verdict.counts() && !verdict.passed())
        .count();
    if failed > 0 {
        bail!("{failed} of {} runs failed", verdicts.len());
    }
    Ok(())
}

fn of<'all, 'run>(
    verdicts: &'all [Verdict<'run>],
    wanted: impl Fn(&Verdict<'_>) -> bool,
) -> Vec<&'all Verdict<'run>> {
    verdicts.iter().filter(|verdict| wanted(verdict)).collect()
}

fn print_failure(first: &Verdict<'_>, alike: &[&Verdict<'_>]) {
    let cuts: Vec<&str> = alike
        .iter()
        .map(|verdict| verdict.chunking.name())
        .collect();
    let word = if first.counts() { "FAIL" } else { "optional" };
    println!(
        "{word} {}/{} ({})",
        first.case.vendor,
        first.case.name,
        cuts.join(", ")
    );
    for difference in &first.differences {
        println!("     {difference}");
    }
    match &first.request {
        Some(request) => println!("     after {request}"),
        None => println!("     no request was sent"),
    }
}

fn print_row(name: &str, chunkings: &[Chunking], verdicts: &[&Verdict<'_>]) {
    let tally = |wanted: &dyn Fn(&Verdict<'_>) -> bool| {
        let of_kind = verdicts.iter().filter(|verdict| wanted(verdict));
        let passed = of_kind.clone().filter(|verdict| verdict.passed()).count();
        format!("{passed}/{}", of_kind.count())
    };
    print!("{name:<14}");
    for chunking in chunkings {
        print!(
            "{:>12}",
            tally(&|verdict| verdict.counts() && verdict.chunking == *chunking)
        );
    }
    println!("{:>12}", tally(&|verdict| !verdict.counts()));
}
