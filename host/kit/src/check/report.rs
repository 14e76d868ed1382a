//! What was found: for people, as JSON, and as JUnit for continuous integration.

use std::fmt;
use std::time::Duration;

use multillm::plugin::{Filter, Inspection, Plugin};
use serde::Serialize;

use super::rules::{RULES, Rule, rule};

/// Findings of one rule that are kept; more say nothing new.
const MOST: usize = 8;
/// Characters of a finding.
const LONG: usize = 400;

/// How a rule came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// The plugin makes no such promise, or nothing was there to look at.
    #[serde(rename = "n/a")]
    NotApplicable,
}

/// One rule, and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// It was expected to fail: see [`Report::expect`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expected: bool,
    /// What exactly, at most eight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Why it matters; with a failure only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// What to change; with a failure only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'static str>,
}

/// What was found of a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The file's name without its ending.
    pub plugin: String,
    /// The version of the contract, as it was released; absent where it does not load.
    pub contract: Option<String>,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// The version of these checks.
    pub kit: &'static str,
    /// The file's length in bytes.
    pub size: Option<u64>,
    /// Reading, compiling and describing, in milliseconds; compiled code may have been there.
    pub load_ms: Option<u64>,
    /// A fresh instance and one request, in microseconds, the first time.
    pub encode_us: Option<u64>,
    /// A fresh instance later on, in microseconds: the middle one of several.
    pub start_us: Option<u64>,
    /// A request of one, in microseconds: the middle one of several.
    pub call_us: Option<u64>,
    /// One for each rule, in the order of [`RULES`].
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(plugin: &str) -> Self {
        Report {
            plugin: plugin.to_owned(),
            contract: None,
            sha256: None,
            kit: env!("CARGO_PKG_VERSION"),
            size: None,
            load_ms: None,
            encode_us: None,
            start_us: None,
            call_us: None,
            findings: vec![],
        }
    }

    pub(super) fn loaded(&mut self, plugin: &Plugin, took: Duration) {
        self.contract = Some(plugin.contract().to_owned());
        self.sha256 = Some(plugin.digest().to_owned());
        self.size = u64::try_from(plugin.size()).ok();
        self.load_ms = u64::try_from(took.as_millis()).ok();
    }

    pub(super) fn loaded_filter(&mut self, filter: &Filter, took: Duration) {
        self.contract = Some(format!("filter {}", Inspection::filter_version()));
        self.sha256 = Some(filter.digest().to_owned());
        self.size = u64::try_from(filter.size()).ok();
        self.load_ms = u64::try_from(took.as_millis()).ok();
    }

    pub(super) fn encoded(&mut self, took: Duration) {
        self.encode_us = u64::try_from(took.as_micros()).ok();
    }

    pub(super) fn timed(&mut self, mut starts: Vec<Duration>, mut calls: Vec<Duration>) {
        let middle = |times: &mut Vec<Duration>| {
            times.sort();
            let middle = times.get(times.len() / 2)?;
            u64::try_from(middle.as_micros()).ok()
        };
        self.start_us = middle(&mut starts);
        self.call_us = middle(&mut calls);
    }

    fn entry(&mut self, code: &'static str) -> &mut Finding {
        let place = self.findings.iter().position(|known| known.code == code);
        let place = place.unwrap_or_else(|| {
            self.findings.push(Finding {
                code,
                holds: rule(code).map_or("", |rule| rule.holds),
                verdict: Verdict::NotApplicable,
                expected: false,
                details: vec![],
                cause: None,
                fix: None,
            });
            self.findings.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "it was just found or made")]
        &mut self.findings[place]
    }

    /// The rule held, this time.
    pub(super) fn passed(&mut self, code: &'static str) {
        let entry = self.entry(code);
        if entry.verdict == Verdict::NotApplicable {
            entry.verdict = Verdict::Passed;
        }
    }

    /// The rule did not hold.
    pub(super) fn failed(&mut self, code: &'static str, detail: impl Into<String>) {
        let mut detail: String = detail.into();
        if detail.chars().count() > LONG {
            detail = detail.chars().take(LONG).chain(['…']).collect();
        }
        let entry = self.entry(code);
        entry.verdict = Verdict::Failed;
        let known = rule(code);
        entry.cause = known.map(|rule| rule.cause);
        entry.fix = known.map(|rule| rule.fix);
        if entry.details.len() < MOST && !entry.details.contains(&detail) {
            entry.details.push(detail);
        }
    }

    /// The rule held, or it did not.
    pub(super) fn judge(
        &mut self,
        code: &'static str,
        holds: bool,
        detail: impl FnOnce() -> String,
    ) {
        match holds {
            true => self.passed(code),
            false => self.failed(code, detail()),
        }
    }

    /// Every rule has its place.
    pub(super) fn complete(&mut self) {
        for Rule { code, .. } in RULES {
            self.entry(code);
        }
        let place = |code: &str| RULES.iter().position(|rule| rule.code == code);
        self.findings.sort_by_key(|finding| place(finding.code));
    }

    /// Marks rules that are known to fail. Gives those that did not fail after all.
    pub fn expect(&mut self, codes: &[String]) -> Vec<String> {
        let mut held = vec![];
        for code in codes {
            let failed = |finding: &&mut Finding| finding.code == code;
            match self.findings.iter_mut().find(failed) {
                Some(finding) if finding.verdict == Verdict::Failed => finding.expected = true,
                _ => held.push(code.clone()),
            }
        }
        held
    }

    /// Nothing failed that was not expected to.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.failures().any(|finding| !finding.expected)
    }

    /// The rules that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        let failed = |finding: &&Finding| finding.verdict == Verdict::Failed;
        self.findings.iter().filter(failed)
    }

    fn count(&self, verdict: Verdict) -> usize {
        let is = |finding: &&Finding| finding.verdict == verdict;
        self.findings.iter().filter(is).count()
    }

    /// One line to publish: what was checked, by which kit, and how it came out.
    #[must_use]
    pub fn badge(&self) -> String {
        format!(
            "multillm-kit {} · contract {} · {} passed, {} failed, {} n/a · sha256:{}",
            self.kit,
            self.contract.as_deref().unwrap_or("none"),
            self.count(Verdict::Passed),
            self.count(Verdict::Failed),
            self.count(Verdict::NotApplicable),
            self.sha256.as_deref().unwrap_or("unknown")
        )
    }

    /// As JUnit's XML, which continuous integration reads.
    #[must_use]
    pub fn junit(&self) -> String {
        let failures = self.failures().filter(|finding| !finding.expected).count();
        let skipped = self.count(Verdict::NotApplicable);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">\n",
            escaped(&self.plugin),
            self.findings.len()
        );
        for finding in &self.findings {
            let inner = match finding.verdict {
                Verdict::Passed => String::new(),
                Verdict::NotApplicable => "<skipped/>".to_owned(),
                Verdict::Failed if finding.expected => "<skipped message=\"expected\"/>".to_owned(),
                Verdict::Failed => format!(
                    "<failure message=\"{}\">{}</failure>",
                    escaped(finding.holds),
                    escaped(&finding.details.join("\n"))
                ),
            };
            text += &format!(
                "  <testcase classname=\"plugin\" name=\"{}\">{inner}</testcase>\n",
                finding.code
            );
        }
        text + "</testsuite>\n"
    }
}

/// Text as XML holds it; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => made += "&amp;",
            '<' => made += "&lt;",
            '>' => made += "&gt;",
            '"' => made += "&quot;",
            '\n' | '\t' => made.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => made.push(c),
        }
    }
    made
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let word = match finding.verdict {
                Verdict::Passed => "passed",
                Verdict::Failed if finding.expected => "expected",
                Verdict::Failed => "FAILED",
                Verdict::NotApplicable => "n/a",
            };
            writeln!(f, "{word:<9}{:<22}{}", finding.code, finding.holds)?;
            for detail in &finding.details {
                writeln!(f, "           - {detail}")?;
            }
            if let (Some(cause), Some(fix)) = (finding.cause, finding.fix) {
                writeln!(f, "           why: {cause}")?;
                writeln!(f, "           fix: {fix}")?;
            }
        }
        write!(f, "{}", self.badge())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stays_one_and_what_was_expected_is_no_fault() {
        let mut report = Report::new("x");
        report.failed("text-kept", "the system prompt <is> lost");
        report.passed("text-kept");
        report.passed("loads");
        report.complete();
        assert_eq!(report.findings.len(), RULES.len());
        assert!(!report.is_clean());
        assert!(report.junit().contains("&lt;is&gt;") && report.junit().contains("failures=\"1\""));
        let held = report.expect(&["text-kept".to_owned(), "loads".to_owned()]);
        assert_eq!(held, ["loads"]);
        assert!(report.is_clean() && report.to_string().contains("expected text-kept"));
        assert!(report.badge().contains("1 passed, 1 failed"));
    }
}
