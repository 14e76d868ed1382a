//! `multillm plugin dev`: the loop of an author. Watches a project, builds it, packs and checks what came of it, and puts
//! it where running programs look at it.
//!
//! That place is `.multillm/` in the project: a configuration of its own, `dev.json`, names the component there, so that
//! `multillm chat --config DIR/.multillm/dev.json` and a gateway take over each one that is put in its place, as they do
//! with any component that changes. Nothing outside the project is written, and nothing has to be allowed: who names a
//! configuration means it. A component that is done goes into the user's plugin directory or is installed like anybody's.

mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use multillm_kit::{Project, Recording, Replay, Report, Subject, Verdict};
use serde::Serialize;

use super::check::print_findings;
use crate::{Context, Failure, foreign, progress};
use place::Place;

/// How often the project's files are looked at, and how long they are let alone after a change.
const LOOK: Duration = Duration::from_millis(250);
/// The most files that are looked at.
const MOST_FILES: usize = 10_000;
/// The last lines of a failed build that are shown.
const LINES: usize = 40;

/// Arguments of `plugin dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// The project: a folder of "plugin new". Its build commands are run, as make would run them
    #[arg(default_value = ".", value_parser = crate::place::path())]
    dir: PathBuf,
    /// Ask this server instead of answering with the project's recordings
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The variable that holds the key for it
    #[arg(long, value_name = "VARIABLE", requires = "base_url")]
    key_env: Option<String>,
    /// Put whatever loads in its place, also if rules do not hold
    #[arg(long)]
    anyway: bool,
    /// Build, pack, check and put it in its place once, and end
    #[arg(long)]
    once: bool,
}

/// What a round came to.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Round {
    /// The component is in its place.
    Ready {
        /// From the beginning of the build, in milliseconds.
        took_ms: u128,
        bytes: usize,
        #[serde(flatten)]
        report: Box<Report>,
    },
    /// It is not, and the one before goes on.
    Refused {
        /// `build`, `pack`, `check` or `place`.
        step: &'static str,
        reason: String,
        #[serde(flatten)]
        report: Option<Box<Report>>,
    },
}

pub(crate) async fn dev(args: DevArgs, context: &Context) -> Result<(), Failure> {
    let usage = |error: String| Failure::Usage(error);
    let folder = std::fs::canonicalize(&args.dir)
        .map_err(|error| usage(format!("{}: {error}", args.dir.display())))?;
    let mut project = Project::of(&folder).map_err(|error| usage(error.to_string()))?;
    let place = Place::make(&folder, &project.name)?;
    let replay = match &args.base_url {
        None if !args.once => {
            let recordings = recordings(&project).unwrap_or_default();
            let started = Replay::start(recordings).await;
            Some(started.map_err(|error| usage(format!("no port for the recordings: {error}")))?)
        }
        _ => None,
    };
    let base_url = args.base_url.clone();
    let base_url = base_url.or_else(|| replay.as_ref().map(Replay::base_url));
    if let Some(base_url) = &base_url {
        place.configure(&project, base_url, args.key_env.as_deref())?;
    }
    let behind = base_url.as_ref().map(|base_url| match replay {
        Some(_) => format!("recorded answers at {base_url}"),
        None => base_url.clone(),
    });
    let mut last_good = None;
    loop {
        let before = marks(&project);
        let building = round(&project, &place, &args);
        let what = format!("building {}", project.name);
        let round = progress::waiting(context, what, building).await;
        if matches!(round, Round::Ready { .. }) {
            last_good = Some(jiff::Zoned::now());
        }
        if context.json {
            context.printer.json(&round)?;
        } else {
            show(
                &round,
                &project,
                &place,
                (behind.as_deref(), last_good.as_ref()),
                context,
            )?;
        }
        if args.once {
            return match round {
                Round::Ready { .. } => Ok(()),
                Round::Refused { .. } => Err(Failure::Reported),
            };
        }
        wait(&project, before).await;
        // What the project says may be what changed. While it is wrong, what it said before holds.
        if let Ok(now) = Project::of(&folder) {
            project = now;
        }
        if let (Some(replay), Ok(recordings)) = (&replay, recordings(&project)) {
            replay.load(recordings);
        }
    }
}

/// From the sources to a component in its place.
async fn round(project: &Project, place: &Place, args: &DevArgs) -> Round {
    let refused = |step, reason: String| Round::Refused {
        step,
        reason,
        report: None,
    };
    let begun = Instant::now();
    let module = match project.build().await {
        Ok(module) => module,
        Err(error) => return refused("build", error.to_string()),
    };
    let packed = multillm::bounded::file(&module, super::check::MAX_FILE)
        .map_err(|error| error.to_string())
        .and_then(|module| {
            // A development build: a trap names the functions that it happened in.
            multillm_kit::pack(&module, true).map_err(|error| error.to_string())
        });
    let stamped = packed.and_then(|packed| {
        multillm_kit::stamp(&packed.bytes, &project.origin).map_err(|error| error.to_string())
    });
    let bytes = match stamped {
        Ok(bytes) => bytes,
        Err(reason) => return refused("pack", reason),
    };
    let next = match place.next(&bytes) {
        Ok(next) => next,
        Err(error) => return refused("place", error.to_string()),
    };
    let recordings = match recordings(project) {
        Ok(recordings) => recordings,
        Err(reason) => return refused("check", reason),
    };
    let subject = Subject {
        model: project.model.clone(),
        settings: project.settings.clone(),
        wasi_deny_all: project.wasi_deny_all,
        recordings,
        cache_dir: multillm::plugin::code_directory(),
        ..Subject::file(next)
    };
    let report = match multillm_kit::check(&subject).await {
        Ok(report) => report,
        Err(error) => return refused("check", error.to_string()),
    };
    let loads = report.sha256.is_some();
    if !loads || !report.is_clean() && !args.anyway {
        return Round::Refused {
            step: "check",
            reason: "it does not keep what its users rely on".to_owned(),
            report: Some(Box::new(report)),
        };
    }
    match place.put() {
        Ok(()) => Round::Ready {
            took_ms: begun.elapsed().as_millis(),
            bytes: bytes.len(),
            report: Box::new(report),
        },
        Err(error) => refused("place", error.to_string()),
    }
}

fn recordings(project: &Project) -> Result<Vec<Recording>, String> {
    match &project.recordings {
        Some(folder) => multillm_kit::recordings_of(&project.folder.join(folder)),
        None => Ok(vec![]),
    }
}

/// One screen that says how things stand now.
fn show(
    round: &Round,
    project: &Project,
    place: &Place,
    (base_url, last_good): (Option<&str>, Option<&jiff::Zoned>),
    context: &Context,
) -> Result<(), Failure> {
    let printer = &context.printer;
    printer.fresh_screen()?;
    let name = &project.name;
    let at = |time: &jiff::Zoned| time.strftime("%H:%M:%S").to_string();
    if let Some(base_url) = base_url {
        printer.line(&format!(
            "{name}: multillm chat --config {}",
            place.config().display()
        ))?;
        printer.line(&format!("behind it: {base_url}"))?;
    }
    match round {
        Round::Ready {
            took_ms,
            bytes,
            report,
        } => {
            #[allow(clippy::cast_precision_loss, reason = "for people")]
            let (seconds, size) = (*took_ms as f64 / 1000.0, *bytes as f64 / 1000.0);
            printer.line(&format!(
                "ready at {} after {seconds:.1} s: {size:.0} KB, an instance in {} µs, a request in {} µs",
                last_good.map(at).unwrap_or_default(),
                report.start_us.unwrap_or_default(),
                report.call_us.unwrap_or_default()
            ))?;
            let count = |verdict| {
                let findings = report.findings.iter();
                findings
                    .filter(|finding| finding.verdict == verdict)
                    .count()
            };
            let wrong = count(Verdict::Failed);
            printer.line(&format!(
                "{} rules hold, {} say nothing of it; wrong now: {wrong}",
                count(Verdict::Passed),
                count(Verdict::NotApplicable),
            ))?;
            print_findings(report, context)?;
        }
        Round::Refused {
            step,
            reason,
            report,
        } => {
            let goes_on = match last_good {
                Some(time) => format!("the one of {} goes on", at(time)),
                None => "there is none before it".to_owned(),
            };
            printer.line(&format!("refused by {step}; {goes_on}"))?;
            let lines: Vec<&str> = reason.lines().collect();
            let first = lines.len().saturating_sub(LINES);
            for line in lines.iter().skip(first) {
                printer.line(&foreign::line(line))?;
            }
            if let Some(report) = report {
                print_findings(report, context)?;
            }
        }
    }
    Ok(())
}

/// What tells that a file is no longer the same.
type Marks = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Waits until the project is not as it was, and no longer changing.
async fn wait(project: &Project, before: Marks) {
    let mut known = before.clone();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = marks(project);
        if now != before && now == known {
            return;
        }
        known = now;
    }
}

/// The files that a project is built of.
fn marks(project: &Project) -> Marks {
    let mut marks = Marks::new();
    let recordings = project.recordings.iter();
    for path in project.watch.iter().chain(recordings) {
        mark(&project.folder.join(path), &mut marks);
    }
    marks
}

fn mark(path: &Path, marks: &mut Marks) {
    let Ok(about) = std::fs::symlink_metadata(path) else {
        return;
    };
    if marks.len() >= MOST_FILES {
        return;
    }
    if !about.is_dir() {
        marks.insert(path.to_owned(), (about.modified().ok(), about.len()));
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !["target", "node_modules", "__pycache__"].contains(&&*name) {
            mark(&entry.path(), marks);
        }
    }
}
