//! The configuration as written into the configuration as used: names become what they name,
//! defaults are filled in, and what does not fit together is reported, all of it.

mod entry;
mod filters;
mod gateway;
mod header;
mod implied;
mod key;
mod models;
mod plugins;
mod routes;

pub(super) use entry::{Parts, endpoint};
pub(super) use implied::plain_provider;
pub(super) use key::{looks_like_a_key, reference};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::check::check;
use super::diagnose::{Problem, quoted};
use super::document::{Aim, Document, Place};
use super::env::Env;
use super::model::{Model, Plugin, Provider};
use super::policy::{Cache, History, Retry, Timeouts};
use super::provenance::Provenance;
use super::requests::requests;
use super::schema::{self, File};
use super::{Config, NeededFile};

/// Attempts to read a document from which faults are taken one by one. The check finds all that
/// there are at once; this is for what it might overlook.
const ATTEMPTS: usize = 100;

/// Why a text makes no configuration.
pub(super) enum Refusal {
    /// It is wrong.
    Faults(Vec<Problem>),
    /// It asks for what it may not.
    Requests(Vec<Problem>),
}

/// Reads a text as a configuration whose relative paths are relative to `dir`. What it asks for
/// beyond choosing models is done if `allowed` says so; until then nothing that it names is touched. `found`: whoever
/// wrote it may have put other files around it.
pub(super) fn config(
    name: Option<String>,
    text: &str,
    dir: &Path,
    env: &Env,
    found: bool,
    allowed: impl FnOnce() -> bool,
) -> Result<Config, Refusal> {
    let (document, mut problems) =
        Document::parse(name, text).map_err(|problem| Refusal::Faults(vec![*problem]))?;
    // Where nothing stands there is nothing to hold against the schema, which is not made for it either.
    let (faults, mut faulty) = match document.root().is_empty_object() {
        true => (vec![], vec![]),
        false => check(&document, schema::json_schema()),
    };
    problems.extend(faults);
    let requests = requests(&document, dir, env);
    if !requests.is_empty() && !allowed() {
        return Err(match problems.is_empty() {
            true => Refusal::Requests(requests),
            false => Refusal::Faults(problems),
        });
    }
    let raw = read(&document, &mut faulty, &mut problems);
    let mut resolver = Resolver {
        document: &document,
        faulty: &faulty,
        dir,
        env,
        found,
        plugin_dir: env.path(dir, raw.plugin_dir.as_deref().unwrap_or("plugins")),
        timeouts: Timeouts::default().with(raw.timeouts.as_ref()),
        plugins: BTreeMap::new(),
        providers: BTreeMap::new(),
        models: IndexMap::new(),
        problems,
        warnings: Vec::new(),
        files: Vec::new(),
    };
    let config = resolver.config(&raw);
    let mut problems = resolver.problems;
    if problems.is_empty() {
        Ok(config)
    } else {
        problems.sort_by_key(|problem| problem.position);
        Err(Refusal::Faults(problems))
    }
}

/// The raw configuration without what is faulty.
fn read(document: &Document, faulty: &mut Vec<Place>, problems: &mut Vec<Problem>) -> File {
    for _ in 0..ATTEMPTS {
        if faulty.iter().any(Place::is_root) {
            break;
        }
        let json = document.to_json(faulty);
        let mut deserializer = serde_json::Deserializer::from_str(&json);
        match serde_path_to_error::deserialize(&mut deserializer) {
            Ok(file) => return file,
            Err(error) => {
                let place = place(error.path()).member();
                let message = error.inner().to_string();
                // The position that serde_json adds is that of the text without comments.
                let message = message
                    .split(" at line ")
                    .next()
                    .unwrap_or("cannot be read");
                problems.push(document.problem(&place, Aim::Value, message));
                faulty.push(place);
            }
        }
    }
    File::default()
}

fn place(path: &serde_path_to_error::Path) -> Place {
    use serde_path_to_error::Segment;
    path.iter()
        .fold(Place::default(), |place, segment| match segment {
            Segment::Seq { index } => place.index(*index),
            Segment::Map { key } => place.key(key),
            Segment::Enum { .. } | Segment::Unknown => place,
        })
}

struct Resolver<'a> {
    document: &'a Document,
    faulty: &'a [Place],
    dir: &'a Path,
    env: &'a Env,
    found: bool,
    plugin_dir: PathBuf,
    timeouts: Timeouts,
    plugins: BTreeMap<String, Arc<Plugin>>,
    providers: BTreeMap<String, (Arc<Provider>, Parts)>,
    models: IndexMap<String, Arc<Model>>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    files: Vec<NeededFile>,
}

impl Resolver<'_> {
    fn config(&mut self, raw: &File) -> Config {
        self.read_plugins(raw);
        self.read_providers(raw);
        self.read_models(raw);
        let routes = self.routes(raw);
        let default_model = self.default_model(raw, &routes);
        let implied = Arc::new(self.implied());
        let retry = self.retry(raw);
        let root = Place::default();
        let cache = raw.cache.as_ref();
        let history = raw.history.as_ref();
        Config {
            path: None,
            provenance: Provenance::Named,
            dir: self.dir.to_owned(),
            default_model,
            plugins: self.plugins.clone(),
            plugin_dir: self.plugin_dir.clone(),
            providers: self
                .providers
                .iter()
                .map(|(name, (provider, _))| (name.clone(), provider.clone()))
                .collect(),
            models: std::mem::take(&mut self.models),
            routes,
            implied,
            retry,
            timeouts: self.timeouts.clone(),
            cache: Cache::new(cache, cache.and_then(|raw| self.path(raw.path.as_deref()))),
            limits: raw.limits.as_ref().into(),
            history: History::new(
                history,
                history.and_then(|raw| self.path(raw.path.as_deref())),
            ),
            gateway: self.gateway(raw.gateway.as_ref()),
            breaker: raw.breaker.as_ref().into(),
            health: raw.health.as_ref().into(),
            terminal: raw.terminal.as_ref().into(),
            templates_dir: self
                .file(&root.key("templates_dir"), raw.templates_dir.as_deref())
                .unwrap_or_else(|| self.dir.join("templates")),
            prices: self.file(&root.key("prices"), raw.prices.as_deref()),
            user_prices: None,
            aliases: BTreeMap::new(),
            warnings: std::mem::take(&mut self.warnings),
            files: std::mem::take(&mut self.files),
        }
    }

    fn retry(&mut self, raw: &File) -> Retry {
        let retry = Retry::from(raw.retry.as_ref());
        if retry.base > retry.max {
            let place = Place::default().key("retry");
            let at = match raw.retry.as_ref().and_then(|raw| raw.base_ms) {
                Some(_) => place.key("base_ms"),
                None => place.key("max_ms"),
            };
            let message = format!(
                "the first pause ({} ms) is longer than the longest ({} ms): make max_ms at least base_ms",
                retry.base.as_millis(),
                retry.max.as_millis()
            );
            self.fault(&at, message);
        }
        retry
    }

    /// A path relative to the configuration.
    fn path(&self, path: Option<&str>) -> Option<PathBuf> {
        path.map(|path| self.env.path(self.dir, path))
    }

    /// A path to something that must be there when it is used.
    fn file(&mut self, place: &Place, path: Option<&str>) -> Option<PathBuf> {
        let path = self.path(path)?;
        let message = format!(
            "{} is not there: put it there or correct the path",
            path.display()
        );
        self.need(path.clone(), place, message);
        Some(path)
    }

    fn need(&mut self, path: PathBuf, place: &Place, message: String) {
        let problem = self.document.problem(place, Aim::Value, message);
        self.files.push(NeededFile { path, problem });
    }

    fn fault(&mut self, place: &Place, message: impl Into<String>) {
        let problem = self.document.problem(place, Aim::Value, message);
        self.problems.push(problem);
    }

    fn fault_of_key(&mut self, place: &Place, message: impl Into<String>) {
        let problem = self.document.problem(place, Aim::Key, message);
        self.problems.push(problem);
    }

    fn warn(&mut self, place: &Place, message: impl Into<String>) {
        let problem = self.document.problem(place, Aim::Value, message);
        self.warnings.push(problem);
    }

    /// Has something at this place been reported already.
    fn is_faulty(&self, place: &Place) -> bool {
        self.faulty.contains(place)
    }

    /// A text that must say something. `None` if it is absent, or if it was empty and that was reported.
    fn filled<'t>(&mut self, place: &Place, text: Option<&'t str>) -> Option<&'t str> {
        let text = text?.trim();
        if text.is_empty() {
            self.fault(place, "is empty: fill it in or write null");
            return None;
        }
        Some(text)
    }

    /// Keys of an object that are the same name in the end, such as `google` and `gemini`.
    fn doubled(&mut self, place: &Place, key: &str, name: &str) {
        let message = format!(
            "names {} a second time: put both into one entry",
            quoted(name)
        );
        self.fault_of_key(&place.key(key), message);
    }
}
