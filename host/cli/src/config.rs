//! `multillm config`: check the configuration, make a first one.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Serialize;

use super::{Context, Failure, foreign, input, place, trust};
use multillm::config::{Config, ConfigError, ConfigFile, Env, Problem, Provenance, Starter};
use multillm::error::Error;
use multillm::files::{self, Existing, Readers};
use multillm::service::{MultiLlmService, Readiness};
use multillm::stats::PriceTable;

const FILE: &str = "multi_llm_config.json";
const SCHEMA: &str = "multi_llm_config.schema.json";
const ENV_EXAMPLE: &str = ".env.example";

/// Subcommands of `config`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say everything that is wrong or missing; nobody is asked
    Check {
        /// Fail on warnings and missing keys too
        #[arg(long)]
        strict: bool,
    },
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Write a first configuration, its schema and .env.example
    Init {
        /// The vendors you use, such as openai,claude [default: asks]
        #[arg(long, value_delimiter = ',', value_name = "NAMES")]
        vendor: Vec<String>,
        /// Overwrite files that are there
        #[arg(long)]
        force: bool,
    },
    /// Print which configuration file is read
    Path,
    /// Allow what was found in the working directory what it asks for, once for exactly its content
    Trust(trust::Args),
    /// Turn a price list in LiteLLM's form into a price table
    ImportPrices {
        /// The list, such as model_prices_and_context_window.json
        #[arg(value_parser = place::path())]
        file: PathBuf,
        /// The file to write [default: standard output]
        #[arg(long, short, value_name = "FILE", value_parser = place::path())]
        output: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Check { strict } => check(strict, context).await,
        Command::Schema => {
            context.printer.line(&schema()?)?;
            Ok(())
        }
        Command::Init { vendor, force } => init(vendor, force, context),
        Command::Path => {
            let file =
                Config::find(context.config.as_deref(), &context.env).map_err(Error::from)?;
            let path = std::path::absolute(&file.path).unwrap_or(file.path);
            let path = path.display().to_string();
            match context.json {
                true => context
                    .printer
                    .json(&serde_json::json!({ "path": path, "provenance": file.provenance }))?,
                false => context.printer.line(&path)?,
            }
            Ok(())
        }
        Command::Trust(args) => trust::run(args, context),
        Command::ImportPrices { file, output } => import_prices(&file, output, context),
    }
}

fn schema() -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(&Config::schema()).map_err(std::io::Error::from)?;
    Ok(text)
}

/// What `check` found.
#[derive(Serialize)]
struct Report {
    file: String,
    ok: bool,
    problems: Vec<Place>,
    /// What a file that was found asks for and the user has not allowed.
    consent: Vec<Place>,
    missing_files: Vec<Place>,
    warnings: Vec<Place>,
    models: Vec<Readiness>,
}

/// A problem as it stands in output.
#[derive(Serialize)]
struct Place {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    path: String,
    message: String,
    #[serde(skip)]
    text: String,
}

impl From<&Problem> for Place {
    fn from(problem: &Problem) -> Self {
        Place {
            file: problem.file.clone(),
            line: problem.position.map(|position| position.line),
            column: problem.position.map(|position| position.column),
            path: problem.path.clone(),
            message: problem.message.clone(),
            text: problem.to_string(),
        }
    }
}

fn places(problems: &[Problem]) -> Vec<Place> {
    problems.iter().map(Place::from).collect()
}

async fn check(strict: bool, context: &Context) -> Result<(), Failure> {
    let env = context.env.clone();
    let file = Config::find(context.config.as_deref(), &env).map_err(Error::from)?;
    let mut report = Report {
        file: file.path.display().to_string(),
        ok: false,
        problems: vec![],
        consent: vec![],
        missing_files: vec![],
        warnings: places(env.warnings()),
        models: vec![],
    };
    if let Some(untrusted) = env.untrusted() {
        let mut requests = places(&untrusted.requests);
        for request in &mut requests {
            request.text += " needs consent, see \"multillm config trust\"";
        }
        report.warnings.extend(requests);
    }
    match Config::read(&file, &env) {
        Ok(config) => look(&mut report, config, env).await,
        Err(ConfigError::Invalid { problems }) => report.problems = places(&problems),
        Err(ConfigError::Untrusted(untrusted)) => report.consent = places(&untrusted.requests),
        Err(error) => return Err(Error::from(error).into()),
    }
    let faults = report.problems.len() + report.consent.len() + report.missing_files.len();
    let unready = report.models.iter().filter(|model| !model.ready).count();
    let found = match strict {
        true => faults + unready + report.warnings.len(),
        false => faults,
    };
    report.ok = found == 0;
    match context.json {
        true => context.printer.json(&report)?,
        false => print(&report, context)?,
    }
    match found {
        0 => Ok(()),
        1 => Err(Failure::Usage(format!(
            "{}: 1 thing to put right",
            report.file
        ))),
        _ => Err(Failure::Usage(format!(
            "{}: {found} things to put right",
            report.file
        ))),
    }
}

/// What can be seen once the file itself is right.
async fn look(report: &mut Report, mut config: Config, env: Env) {
    report.missing_files = places(&config.missing_files());
    report.warnings.extend(places(&config.warnings));
    // A check leaves nothing behind.
    config.history.enabled = false;
    let service = MultiLlmService::new(config, env);
    if let Err(error) = service.check_prices() {
        report.problems.push(Place {
            file: Some(report.file.clone()),
            line: None,
            column: None,
            path: "prices".to_owned(),
            message: error.message.clone(),
            text: format!("{}: prices: {}", report.file, error.message),
        });
    }
    report.models = service.readiness().await;
}

fn print(report: &Report, context: &Context) -> Result<(), Failure> {
    let line = |text: &str| context.printer.line(text);
    for place in &report.problems {
        line(&foreign::line(&format!("problem: {}", place.text)))?;
    }
    for place in &report.consent {
        line(&format!("needs consent: {}", place.text))?;
    }
    for place in &report.missing_files {
        line(&foreign::line(&format!("missing: {}", place.text)))?;
    }
    for place in &report.warnings {
        line(&foreign::line(&format!("warning: {}", place.text)))?;
    }
    for (problem, models) in unready(&report.models) {
        line(&foreign::line(&format!(
            "not ready: {}: {problem}",
            models.join(", ")
        )))?;
    }
    if !report.consent.is_empty() {
        line(trust::HINT)?;
    } else if report.problems.is_empty() {
        let ready = report.models.iter().filter(|model| model.ready).count();
        let all = report.models.len();
        line(&format!(
            "{}: {ready} of {all} models are ready",
            report.file
        ))?;
    }
    Ok(())
}

/// What models lack, in the order of the first of each, with all that lack it.
fn unready(models: &[Readiness]) -> IndexMap<String, Vec<&str>> {
    let mut lacking: IndexMap<String, Vec<&str>> = IndexMap::new();
    for model in models {
        if let Some(problem) = &model.problem {
            let owner = format!("model {:?}", model.model);
            let problem = problem.strip_prefix(&owner).unwrap_or(problem);
            let problem = problem.trim_start_matches([':', ' ']).to_owned();
            lacking.entry(problem).or_default().push(&model.model);
        }
    }
    lacking
}

fn init(vendors: Vec<String>, force: bool, context: &Context) -> Result<(), Failure> {
    let by_variable = || context.env.own_var("MULTILLM_CONFIG").map(PathBuf::from);
    let file = context
        .config
        .clone()
        .or_else(by_variable)
        .unwrap_or_else(|| match Path::new("configs").is_dir() {
            true => Path::new("configs").join(FILE),
            false => PathBuf::from(FILE),
        });
    let dir = match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    };
    let paths = [file, dir.join(SCHEMA), PathBuf::from(ENV_EXAMPLE)];
    // A link that leads nowhere is there too.
    let there = |path: &&PathBuf| path.symlink_metadata().is_ok();
    if let Some(there) = paths.iter().find(there).filter(|_| !force) {
        return Err(Failure::Usage(format!(
            "{} is there already: --force overwrites it",
            there.display()
        )));
    }
    let vendors = match vendors.is_empty() {
        true => asked(context)?,
        false => vendors,
    };
    let brings = !context.env.plugins().is_empty();
    let plugin_dir = match brings {
        true => None,
        false => plugin_dir(&dir),
    };
    let starter = Starter::new(&vendors, plugin_dir.as_deref()).map_err(Failure::Usage)?;
    let texts = [
        starter.config,
        format!("{}\n", schema()?),
        starter.env_example,
    ];
    let failed = |path: &Path, error: std::io::Error| {
        Failure::Usage(format!("cannot write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(&dir).map_err(|error| failed(&dir, error))?;
    let existing = match force {
        true => Existing::Replace,
        false => Existing::Keep,
    };
    for (path, text) in paths.iter().zip(texts) {
        files::write(path, text.as_bytes(), existing, Readers::Usual)
            .map_err(|error| failed(path, error))?;
        context.printer.line(&path.display().to_string())?;
    }
    trust_own(&paths, context);
    context
        .printer
        .note("next: copy .env.example to .env, fill in the keys, run \"multillm config check\"");
    if !brings && plugin_dir.is_none() {
        context.printer.note(
            "this program was built without its plugins: run \"cargo xtask plugins\" and build it \
             again, or put their .wasm files into \"plugins\" beside the configuration",
        );
    }
    Ok(())
}

/// What was just written by the user's word needs no further one, such as where the plugins are.
fn trust_own(paths: &[PathBuf], context: &Context) {
    let Some(path) = paths.first().cloned() else {
        return;
    };
    let file = ConfigFile {
        path,
        provenance: Provenance::Found,
    };
    if let Err(ConfigError::Untrusted(written)) = Config::read(&file, &context.env)
        && let Err(error) = context.env.trust().allow(&written.path, &written.sha256)
    {
        context.printer.note(&error.to_string());
    }
}

/// Which vendors the user names.
fn asked(context: &Context) -> Result<Vec<String>, Failure> {
    let known = Starter::VENDORS.join(", ");
    let question = format!("which vendors do you use ({known})? ");
    let Some(answer) = input::answer(&question, context)? else {
        return Err(Failure::Usage(format!(
            "no vendor is named: give --vendor with some of {known}"
        )));
    };
    let names = answer.split([',', ' ', '\t']).map(str::trim);
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Where plugins are: beside the configuration, below the working directory, or where the program
/// is installed. As it is to be written into the configuration.
fn plugin_dir(config_dir: &Path) -> Option<String> {
    let holds_plugins = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
    };
    if holds_plugins(&config_dir.join("plugins")) {
        return Some("plugins".to_owned());
    }
    let mut places = vec![PathBuf::from("configs/plugins"), PathBuf::from("plugins")];
    if let Ok(program) = std::env::current_exe() {
        let above = |levels: usize| program.ancestors().nth(levels).map(Path::to_owned);
        places.extend(above(1).map(|dir| dir.join("plugins")));
        places.extend(above(2).map(|dir| dir.join("share/multillm/plugins")));
        places.extend(above(3).map(|dir| dir.join("configs/plugins")));
    }
    let found = places.iter().find(|dir| holds_plugins(dir))?;
    let absolute = std::fs::canonicalize(found).ok()?;
    Some(absolute.to_string_lossy().into_owned())
}

fn import_prices(file: &Path, output: Option<PathBuf>, context: &Context) -> Result<(), Failure> {
    let mut imported = PriceTable::load(file).map_err(|error| Failure::Usage(error.to_string()))?;
    let today = || {
        jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
    };
    imported
        .table
        .as_of
        .get_or_insert_with(|| today().to_string());
    let text = imported.table.to_json();
    for skipped in &imported.skipped {
        context.printer.note(&format!("left out: {skipped}"));
    }
    let count = format!(
        "{} models are priced, {} entries have no price or are for something else",
        imported.table.len(),
        imported.without_price
    );
    context.printer.note(&count);
    match output {
        None => context.printer.data(&text)?,
        Some(path) => {
            files::write(&path, text.as_bytes(), Existing::Replace, Readers::Usual).map_err(
                |error| Failure::Usage(format!("cannot write {}: {error}", path.display())),
            )?;
            context.printer.note(&format!(
                "now name it in the configuration: \"prices\": \"{}\"",
                path.display()
            ));
        }
    }
    Ok(())
}
