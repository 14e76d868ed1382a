//! `multillm plugin check` and `multillm plugin pack`: what an author of a plugin needs, by way of the kit.

use std::path::{Path, PathBuf};

use multillm::bounded;
use multillm::chat::JsonObject;
use multillm_kit::{Kind, Language, Origin, PROJECT_FILE, Project, Report, Subject, Verdict};

use crate::{Context, Failure, foreign, input, place, progress};

/// The largest module or component, in bytes.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// Arguments of `plugin check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The component
    #[arg(value_parser = place::path())]
    file: PathBuf,
    /// The model to name in requests
    #[arg(long, value_name = "NAME", default_value = "kit-model-1")]
    model: String,
    /// A setting that the plugin needs to be asked at all. May be repeated
    #[arg(long, value_name = "KEY=JSON")]
    setting: Vec<String>,
    /// A folder of recorded answers, one JSON file each: see docs/plugin-check.md
    #[arg(long, value_name = "DIR", value_parser = place::path())]
    recordings: Option<PathBuf>,
    /// A rule that is known to fail, by its code. May be repeated; one that holds after all is a failure
    #[arg(long, value_name = "CODE")]
    expect_failure: Vec<String>,
    /// Write the report as JUnit's XML as well
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    junit: Option<PathBuf>,
    /// Admit WASI imports, linked against an empty WASI, as "wasi": "deny-all" does
    #[arg(long)]
    wasi_deny_all: bool,
}

/// Arguments of `plugin new`.
#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// The plugin's name: a-z, 0-9 and -
    name: String,
    /// For a server that speaks OpenAI's chat completions with differences of its own
    #[arg(long)]
    openai_compatible: bool,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Lang,
    /// The folder in which the project gets a folder of its own
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = place::path())]
    dir: PathBuf,
}

/// Languages of projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    Rust,
    Python,
    Javascript,
    C,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Language::Rust,
            Lang::Python => Language::Python,
            Lang::Javascript => Language::JavaScript,
            Lang::C => Language::C,
        }
    }
}

/// Arguments of `plugin pack`.
#[derive(Debug, clap::Args)]
pub(crate) struct PackArgs {
    /// A core module that was built with the SDK or with bindings of wit-bindgen; or a component, to strip it
    #[arg(value_parser = place::path())]
    module: PathBuf,
    /// Where the component goes [default: the module's name in the working directory]
    #[arg(long, short, value_name = "FILE", value_parser = place::path())]
    out: Option<PathBuf>,
    /// Keep the names of functions, so that a trap says where it happened
    #[arg(long)]
    keep_names: bool,
    #[command(flatten)]
    origin: OriginArgs,
}

/// What the component says of itself; what is not given stands in the project's plugin.json, or is left as it is.
#[derive(Debug, Clone, clap::Args)]
#[command(
    next_help_heading = "What the component says of itself [default: \"origin\" of plugin.json]"
)]
struct OriginArgs {
    /// Who wrote it
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// The licence, as an SPDX expression such as "MIT OR Apache-2.0"
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// Its own version
    #[arg(long, value_name = "VERSION")]
    plugin_version: Option<String>,
    /// What it is, in a sentence
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where its source is
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Where more is said of it
    #[arg(long, value_name = "URL")]
    homepage: Option<String>,
    /// What of the source it was built from
    #[arg(long, value_name = "ID")]
    revision: Option<String>,
}

impl From<OriginArgs> for Origin {
    fn from(args: OriginArgs) -> Self {
        Origin {
            authors: args.author,
            licenses: args.license,
            version: args.plugin_version,
            description: args.description,
            source: args.source,
            homepage: args.homepage,
            revision: args.revision,
        }
    }
}

pub(crate) async fn check(args: CheckArgs, context: &Context) -> Result<(), Failure> {
    let recordings = match &args.recordings {
        None => vec![],
        Some(folder) => multillm_kit::recordings_of(folder).map_err(Failure::Usage)?,
    };
    let subject = Subject {
        model: args.model,
        settings: settings(&args.setting)?,
        wasi_deny_all: args.wasi_deny_all,
        recordings,
        cache_dir: multillm::plugin::code_directory(),
        ..Subject::file(args.file)
    };
    let checking = multillm_kit::check(&subject);
    let report = progress::waiting(context, "checking the plugin", checking).await;
    let mut report = report.map_err(multillm::error::Error::from)?;
    let held = report.expect(&args.expect_failure);
    if let Some(file) = &args.junit {
        std::fs::write(file, report.junit()).map_err(|error| unwritable(file, &error))?;
    }
    match context.json {
        true => context.printer.json(&report)?,
        false => print(&report, context)?,
    }
    for code in &held {
        context.printer.error(&format!(
            "{code} was expected to fail and did not: take it out of --expect-failure"
        ));
    }
    match report.is_clean() && held.is_empty() {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}

pub(crate) fn new(args: &NewArgs, context: &Context) -> Result<(), Failure> {
    let kind = match args.openai_compatible {
        true => Kind::OpenAiCompatible,
        false => Kind::OwnWire,
    };
    let made = multillm_kit::scaffold(&args.dir, &args.name, kind, args.lang.into());
    let folder = made.map_err(|error| Failure::Usage(error.to_string()))?;
    let project = Project::of(&folder).map_err(|error| Failure::Usage(error.to_string()))?;
    let prepare = match args.lang {
        Lang::Rust => "rustup target add wasm32-unknown-unknown",
        Lang::Python => "pip install componentize-py",
        Lang::Javascript => "npm install",
        Lang::C => "pip install ziglang",
    };
    let steps = [format!("cd {}", folder.display()), prepare.to_owned()];
    let steps = steps
        .into_iter()
        .chain(project.test)
        .chain(["multillm plugin dev".to_owned()]);
    let steps: Vec<String> = steps.map(|step| format!("  {step}")).collect();
    context.printer.line(&format!(
        "made {}\n\nNext:\n{}\n\nREADME.md in it says more.",
        folder.display(),
        steps.join("\n")
    ))?;
    Ok(())
}

fn print(report: &Report, context: &Context) -> Result<(), Failure> {
    let text = report.to_string();
    let lines = text.lines().map(foreign::line);
    context
        .printer
        .line(&lines.collect::<Vec<_>>().join("\n"))?;
    Ok(())
}

/// What does not hold, each with its fix.
pub(super) fn print_findings(report: &Report, context: &Context) -> Result<(), Failure> {
    let wrong = report.findings.iter();
    for finding in wrong.filter(|finding| finding.verdict == Verdict::Failed) {
        let line = |text: &str| context.printer.line(&foreign::line(text));
        line(&format!("{}: {}", finding.code, finding.holds))?;
        for detail in &finding.details {
            context
                .printer
                .line(&format!("  {}", foreign::line(detail)))?;
        }
        if let Some(fix) = finding.fix {
            context
                .printer
                .line(&format!("  fix: {}", foreign::line(fix)))?;
        }
    }
    Ok(())
}

fn settings(given: &[String]) -> Result<JsonObject, Failure> {
    input::parameters(given)
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot write {}: {error}", file.display()))
}

pub(crate) fn pack(args: &PackArgs, context: &Context) -> Result<(), Failure> {
    let usage = |error: String| Failure::Usage(format!("{}: {error}", args.module.display()));
    let module = bounded::file(&args.module, MAX_FILE).map_err(|e| usage(e.to_string()))?;
    let packed = multillm_kit::pack(&module, args.keep_names).map_err(|e| usage(e.to_string()))?;
    let origin = Origin::from(args.origin.clone()).or(origin_of_project(&args.module)?);
    let component =
        multillm_kit::stamp(&packed.bytes, &origin).map_err(|e| Failure::Usage(e.to_string()))?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => PathBuf::from(args.module.file_name().unwrap_or_default()),
    };
    if out == args.module || same_file(&out, &args.module) {
        return Err(usage(
            "this is the module itself: name another file with --out".to_owned(),
        ));
    }
    std::fs::write(&out, &component).map_err(|error| unwritable(&out, &error))?;
    let how = if packed.was_component {
        "stripped"
    } else {
        "packed"
    };
    context.printer.line(&format!(
        "{how} {}: {} bytes, {} left out",
        out.display(),
        component.len(),
        packed.stripped
    ))?;
    let said = multillm_kit::origin(&component);
    if said.authors.is_none() || said.licenses.is_none() {
        context.printer.note(
            "it does not say who wrote it and under which licence: --author and --license, or \"origin\" in plugin.json",
        );
    }
    context.printer.note(&format!(
        "multillm plugin check {} tells what a user would meet",
        out.display()
    ));
    Ok(())
}

/// What the project in the working directory says of the component that is made of this module.
fn origin_of_project(module: &Path) -> Result<Origin, Failure> {
    if !Path::new(PROJECT_FILE).exists() {
        return Ok(Origin::default());
    }
    let project = Project::of(Path::new(".")).map_err(|error| Failure::Usage(error.to_string()))?;
    match same_file(&project.folder.join(&project.module), module) {
        true => Ok(project.origin),
        false => Ok(Origin::default()),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    place(one).is_some_and(|one| Some(one) == place(other))
}
