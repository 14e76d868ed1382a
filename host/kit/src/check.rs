//! Whether a component keeps what the host and its users rely on.
//!
//! Each rule has a stable code, its cause and its fix ([`RULES`]). A promise that a plugin does not make is `n/a`, not
//! passed. Nothing here is sent anywhere: the component describes requests and reads answers that are made up, or that
//! its author recorded.

mod answers;
mod describe;
mod errors;
mod filter;
mod form;
mod live;
mod recorded;
mod report;
mod rules;
mod sent;
mod vocabulary;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use multillm::chat::{ChatRequest, JsonObject};
use multillm::error::{Error, ErrorKind};
use multillm::plugin::{EngineOptions, LoadOptions, Plugin, PluginEngine, PluginError, wire};

pub use live::{Live, RecordError, record};
pub use recorded::{Recording, Request, Said, recordings_of};
pub use report::{Finding, Report, Verdict};
pub use rules::{RULES, Rule};

/// How often something is timed.
const TIMES: usize = 9;

/// What is checked.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The component.
    pub file: PathBuf,
    /// The model that is named in requests.
    pub model: String,
    /// Settings that the plugin needs to encode at all.
    pub settings: JsonObject,
    /// It may import WASI, and gets an empty one.
    pub wasi_deny_all: bool,
    /// Exchanges that its author recorded.
    pub recordings: Vec<Recording>,
    /// Where compiled code is kept; absent: nowhere.
    pub cache_dir: Option<PathBuf>,
}

impl Subject {
    /// A component, and nothing beside it.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Subject {
            file: path.into(),
            model: "kit-model-1".to_owned(),
            settings: JsonObject::new(),
            wasi_deny_all: false,
            recordings: vec![],
            cache_dir: None,
        }
    }
}

/// Checks a component.
///
/// # Errors
///
/// The engine cannot start. Whatever is wrong with the component is in the report.
pub async fn check(subject: &Subject) -> Result<Report, PluginError> {
    let engine = subject.engine()?;
    let name = stem(&subject.file);
    let mut report = Report::new(&name);
    if engine.inspect(&subject.file).is_ok_and(|it| it.is_filter()) {
        filter::check(&engine, &name, subject, &mut report).await?;
        report.complete();
        return Ok(report);
    }
    let begun = Instant::now();
    match engine.load(&name, &subject.file, &subject.options()).await {
        Ok(plugin) => Ok(check_loaded(plugin, subject, begun.elapsed()).await),
        Err(error) => {
            report.failed("loads", error.to_string());
            Ok(report)
        }
    }
}

/// The same of a component that was loaded from the subject's file, which took so long.
pub async fn check_loaded(plugin: Plugin, subject: &Subject, took: Duration) -> Report {
    let mut report = Report::new(plugin.name());
    report.passed("loads");
    report.loaded(&plugin, took);
    describe::check(&plugin, &mut report);
    let bench = Bench::with(subject, plugin);
    if bench.begins(&mut report).await {
        bench.time(&mut report).await;
        form::check(&bench, &mut report).await;
        sent::check(&bench, &mut report).await;
    }
    answers::check(&bench, &mut report).await;
    errors::check(&bench, &mut report).await;
    recorded::check(&bench, &subject.recordings, &mut report).await;
    report.complete();
    report
}

/// What is odd about a loaded plugin at first sight: what of its description will be ignored or misleads, and secrets
/// that it places without having named them.
pub async fn odd(plugin: &Plugin) -> Vec<Finding> {
    let mut report = Report::new(plugin.name());
    describe::check(plugin, &mut report);
    let bench = Bench::with(&Subject::file(""), plugin.clone());
    if let Described::Request(request) = bench.describe(&vocabulary::plain(), false).await {
        form::secrets(&bench, &request, &mut report);
    }
    let mut findings = report.findings;
    findings.retain(|finding| finding.verdict == Verdict::Failed);
    findings
}

impl Subject {
    fn engine(&self) -> Result<PluginEngine, PluginError> {
        PluginEngine::new(EngineOptions {
            max_instances: 2,
            cache_dir: self.cache_dir.clone(),
            ..EngineOptions::default()
        })
    }

    fn options(&self) -> LoadOptions {
        LoadOptions {
            sha256: None,
            wasi_deny_all: self.wasi_deny_all,
        }
    }
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The plugin under test, and how it is asked.
struct Bench {
    plugin: Plugin,
    target: wire::Target,
}

/// What came of describing a request.
enum Described {
    Request(Box<wire::Request>),
    /// The plugin says no: with its own error.
    Refused(Error),
    /// It trapped, or took too much.
    Broken(String),
}

impl Described {
    fn request(&self) -> Option<&wire::Request> {
        match self {
            Described::Request(request) => Some(request),
            _ => None,
        }
    }

    /// It says that this cannot be done with it.
    fn is_unsupported(&self) -> bool {
        matches!(self, Described::Refused(error) if error.kind == ErrorKind::Unsupported)
    }
}

impl Bench {
    /// A component that is loaded for it.
    async fn of(subject: &Subject) -> Result<Self, PluginError> {
        let engine = subject.engine()?;
        let name = stem(&subject.file);
        let plugin = engine
            .load(&name, &subject.file, &subject.options())
            .await?;
        Ok(Self::with(subject, plugin))
    }

    fn with(subject: &Subject, plugin: Plugin) -> Self {
        Bench {
            target: wire::Target {
                model: subject.model.clone(),
                settings: subject.settings.to_string(),
                wire: plugin.info().wires.first().cloned().unwrap_or_default(),
            },
            plugin,
        }
    }

    /// A request, described by a fresh instance.
    async fn describe(&self, request: &ChatRequest, stream: bool) -> Described {
        self.describe_for(&self.target, request, stream).await
    }

    async fn describe_for(
        &self,
        target: &wire::Target,
        request: &ChatRequest,
        stream: bool,
    ) -> Described {
        let mut session = match self.plugin.session().await {
            Ok(session) => session,
            Err(error) => return Described::Broken(error.to_string()),
        };
        match session.encode(target, request, stream).await {
            Ok(Ok(encoded)) => Described::Request(Box::new(encoded.request)),
            Ok(Err(error)) => Described::Refused(error),
            Err(error) => Described::Broken(error.to_string()),
        }
    }

    /// A plain question must be describable; without that nothing else can be looked at.
    async fn begins(&self, report: &mut Report) -> bool {
        let begun = Instant::now();
        match self.describe(&vocabulary::plain(), false).await {
            Described::Request(_) => {
                report.encoded(begun.elapsed());
                report.passed("encodes");
                true
            }
            Described::Refused(error) => {
                report.failed(
                    "encodes",
                    format!("a plain question is refused: {error}; settings that it needs are given with --setting"),
                );
                false
            }
            Described::Broken(reason) => {
                report.failed("encodes", format!("a plain question breaks it: {reason}"));
                false
            }
        }
    }

    /// What an exchange costs beside the vendor's time: a fresh instance, and a request of it.
    async fn time(&self, report: &mut Report) {
        let request = vocabulary::plain();
        let (mut starts, mut calls) = (vec![], vec![]);
        for _ in 0..TIMES {
            let begun = Instant::now();
            let Ok(mut session) = self.plugin.session().await else {
                return;
            };
            let started = Instant::now();
            if session.encode(&self.target, &request, false).await.is_err() {
                return;
            }
            calls.push(started.elapsed());
            starts.push(started - begun);
        }
        report.timed(starts, calls);
    }

    /// What a plugin says that it can do, by the capability's name.
    fn promise(&self, name: &str) -> Option<wire::Support> {
        let mut said = self.plugin.info().capabilities.iter();
        // The host writes the contract's words with underscores.
        said.find(|(known, _)| known.replace('_', "-") == name)
            .map(|(_, how)| *how)
    }
}
