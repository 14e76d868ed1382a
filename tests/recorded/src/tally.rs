//! Counts of what was judged, and what is printed of them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::case::Case;

/// How many were right, of how many.
#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
}

/// Everything that was judged.
#[derive(Default)]
pub(crate) struct Tally {
    /// By vendor and kind: routes, and readings.
    scores: BTreeMap<(String, String), (Score, Score)>,
    /// Recordings of other APIs, by reason.
    elsewhere: BTreeMap<(String, &'static str), usize>,
    differences: Vec<String>,
}

impl Tally {
    pub(crate) fn way(&mut self, case: &Case, differences: Vec<String>) {
        self.score(case, differences, "way", |(way, _)| way);
    }

    pub(crate) fn reading(&mut self, case: &Case, differences: Vec<String>) {
        self.score(case, differences, "reading", |(_, reading)| reading);
    }

    pub(crate) fn elsewhere(&mut self, case: &Case, why: &'static str) {
        let row = (format!("{} {}", case.vendor, case.kind), why);
        *self.elsewhere.entry(row).or_default() += 1;
    }

    fn score(
        &mut self,
        case: &Case,
        differences: Vec<String>,
        what: &str,
        of: impl Fn(&mut (Score, Score)) -> &mut Score,
    ) {
        let row = (case.vendor.clone(), case.kind.clone());
        let score = of(self.scores.entry(row).or_default());
        score.all += 1;
        score.right += usize::from(differences.is_empty());
        let told = differences
            .into_iter()
            .map(|line| format!("{}/{} {what}: {line}", case.vendor, case.name));
        self.differences.extend(told);
    }

    /// Prints the table and what differs.
    pub(crate) fn print(&self) -> ExitCode {
        for line in &self.differences {
            println!("{line}");
        }
        println!(
            "{:<12} {:<11} {:>9} {:>9}",
            "vendor", "kind", "routes", "readings"
        );
        let (mut right, mut all) = (0, 0);
        for ((vendor, kind), (way, reading)) in &self.scores {
            let told = |score: &Score| format!("{}/{}", score.right, score.all);
            println!(
                "{vendor:<12} {kind:<11} {:>9} {:>9}",
                told(way),
                told(reading)
            );
            right += way.right + reading.right;
            all += way.all + reading.all;
        }
        for ((whose, why), count) in &self.elsewhere {
            println!("not relayed: {count} of {whose}: {why}");
        }
        println!("{right} of {all} are right");
        match (all, all - right) {
            (0, _) => ExitCode::from(2),
            (_, 0) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}
