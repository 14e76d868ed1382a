//! The command line: arguments, dispatch and exit codes.
//!
//! Whatever a command does, a Rust program can do with the library: commands hold no logic
//! besides reading arguments and printing. Exit codes: 0 done, 1 the vendor or the network
//! failed, 2 usage or configuration, 129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM.

mod alias;
mod answer;
mod arguments;
mod attachment;
mod chat;
mod clock;
mod compare;
mod complete;
mod completions;
mod config;
mod dry_run;
mod editor;
mod embed;
mod ending;
mod exif;
mod extract;
mod figures;
mod filter;
mod foreign;
mod going_on;
mod health;
mod history;
mod input;
mod key;
mod keys;
mod list;
mod made;
mod man;
mod markdown;
mod memory;
mod messages;
mod model;
mod numbers;
mod oci;
mod picture;
mod place;
mod plugin;
mod prices;
mod printer;
mod progress;
mod query;
mod serve;
mod server_tools;
mod sheet;
mod show;
mod sources;
mod stats;
mod template;
mod threads;
mod tokens;
mod trust;
mod value;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind as Fault;
use clap::{CommandFactory as _, Parser, Subcommand, ValueHint};

use ending::{Ending, Signal};
use multillm::config::{Env, KeyStore};
use multillm::error::{Error, ErrorKind};
use multillm::plugin::{COMPILE_COMMAND, compile_with};
use multillm::service::MultiLlmService;
use printer::Printer;

/// One interface to every LLM, where each vendor is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "multillm", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file [env: MULTILLM_CONFIG] [default: ./configs/multi_llm_config.json, then ./multi_llm_config.json, then the user's]
    #[arg(long, short = 'C', global = true, help_heading = GLOBAL, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = place::path())]
    config: Option<PathBuf>,
    /// File of variables such as .env, all of which count. May be repeated; the last wins
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = place::path())]
    env_file: Vec<PathBuf>,
    /// Print one JSON object instead of text; failures end stderr with one JSON line
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    /// Print answers and errors, nothing else
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    quiet: bool,
    /// Say on stderr what is done; twice: in detail. Keys are never shown
    #[arg(long, short, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

/// Where help lists what every command takes, behind what only this one does.
const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "\
Examples:
  multillm keys set openai
  multillm list
  multillm query \"What is a monad?\" --model openai/gpt-6-luna
  git diff | multillm query \"Write a commit message\"
  multillm query \"Shorter\" --continue
  multillm query \"What is on it?\" --image photo.jpg --json
  multillm chat --model claude/claude-sonnet-5-5
  multillm compare \"What is a monad?\" --models openai/gpt-6-luna claude/claude-haiku-5-5
  multillm plugin add oci://registry.example/acme:1

Keys come from the environment, from \"multillm keys set\" or from a .env file, in this order.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List what can be asked, or what a vendor offers
    List(list::Args),
    /// Ask a model once
    Query(Box<query::Args>),
    /// Talk with a model
    Chat(Box<chat::Args>),
    /// Show or choose the model that is asked where none is named
    Model(model::Args),
    /// Ask every model for a word, and say which answer
    Health(health::Args),
    /// Ask several models the same
    Compare(compare::Args),
    /// Turn texts into vectors
    Embed(Box<embed::Args>),
    /// Count the tokens of a question
    Tokens(tokens::Args),
    /// Keep your keys once, for every directory
    #[command(subcommand)]
    Keys(keys::Command),
    /// Let short names stand for models
    #[command(subcommand)]
    Alias(alias::Command),
    /// Look at prompt templates, or make one
    #[command(subcommand)]
    Template(template::Command),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// What models cost, and keeping that fresh
    #[command(subcommand)]
    Prices(prices::Command),
    /// What exchanges add up to: tokens, money, time, failures
    Stats(stats::Args),
    /// What was asked and answered
    #[command(subcommand)]
    History(history::Command),
    /// Serve every model to programs that speak a vendor's wire
    Serve(serve::Args),
    /// Keys of the gateway that "serve" runs
    #[command(subcommand)]
    Key(key::Command),
    /// Check the configuration, or make a first one
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

/// Exchanges at one time. A person asks few; setting up room for more takes milliseconds.
const MAX_EXCHANGES: u32 = 32;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An exchange or the configuration failed.
    Error(Error),
    /// The arguments do not make sense.
    Usage(String),
    /// Some of several things failed, and it was said already.
    Reported,
    /// Standard output takes no more.
    Output(std::io::Error),
    /// The program was told to end.
    Stopped(Signal),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl From<multillm::stats::StatsError> for Failure {
    fn from(error: multillm::stats::StatsError) -> Self {
        Failure::Error(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Output(error)
    }
}

/// What every command gets.
pub(crate) struct Context {
    config: Option<PathBuf>,
    env: Env,
    pub(crate) json: bool,
    pub(crate) printer: Printer,
    pub(crate) ending: Ending,
    /// Those that were asked for: what they recorded is written before the program ends.
    services: Mutex<Vec<MultiLlmService>>,
}

impl Context {
    /// The service by the configuration that was asked for.
    pub(crate) async fn service(&self) -> Result<MultiLlmService, Failure> {
        let config = {
            // A question may be waiting for its answer.
            let _nothing_to_lose = self.ending.at_once();
            trust::configuration(self)?
        };
        let service = MultiLlmService::builder()
            .config(config)
            .env(self.env.clone())
            .max_concurrency(MAX_EXCHANGES)
            .build()?;
        for warning in service.warnings() {
            tracing::info!("{warning}");
        }
        self.keep(&service);
        Ok(service)
    }

    /// What this one recorded is written before the program ends.
    pub(crate) fn keep(&self, service: &MultiLlmService) {
        self.services().push(service.clone());
    }

    fn services(&self) -> std::sync::MutexGuard<'_, Vec<MultiLlmService>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything that was recorded is in the history.
    async fn close(&self) {
        let services = std::mem::take(&mut *self.services());
        for service in services {
            service.close().await;
        }
    }
}

/// The environment of this process, with what the program brings along and the user's own keys.
fn environment() -> Env {
    let env = Env::process().with_plugins(multillm_bundle::plugins());
    match KeyStore::of_user() {
        Some(keys) => env.with_keys(keys),
        None => env,
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    memory::take_stack();
    let words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|first| first == COMPILE_COMMAND) {
        return printer::compile(words.into_iter().skip(2));
    }
    if let Ok(program) = std::env::current_exe() {
        compile_with(program);
    }
    multillm_bundle::bring_code();
    if let Some(words) = complete::asked(&words) {
        let found = complete::print(words, &Printer::new(true));
        return ExitCode::from(u8::from(!found));
    }
    let mut command = Cli::command();
    command.build();
    let typed = arguments::typed(&command, words);
    let (json, continues) = (typed.json, typed.continues);
    let cli = match Cli::try_parse_from(typed.words) {
        Ok(cli) => cli,
        Err(fault) => return misused(&fault, json, continues),
    };
    let printer = Printer::new(cli.quiet);
    printer::start_tracing(cli.verbose, cli.quiet);
    let workers = match cli.command {
        Command::Serve(_) => threads::many(),
        _ => threads::FEW,
    };
    let runtime = match threads::runtime(workers) {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let mut context = {
        let _within = runtime.enter();
        Context {
            config: cli.config,
            env: environment(),
            json: cli.json,
            printer,
            ending: Ending::listen(move |signal| {
                let printer = Printer::new(cli.quiet);
                tell(&printer, cli.json, &ended_by(signal));
            }),
            services: Mutex::default(),
        }
    };
    for file in &cli.env_file {
        match context.env.clone().with_env_file(file) {
            Ok(env) => context.env = env,
            Err(error) => return report(&context, Err(Error::from(error).into())),
        }
    }
    let done = runtime.block_on(async {
        let done = until_told(cli.command, &context).await;
        // What was under way was given up with it, and recorded.
        if matches!(done, Err(Failure::Stopped(_))) {
            context.close().await;
        }
        context.ending.tidy();
        done
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    let code = report(&context, done);
    // Services with their engines and plugins: the system takes them back faster, all at once.
    std::mem::forget(context);
    code
}

/// Does what is asked, or what of it there is time for.
async fn until_told(command: Command, context: &Context) -> Result<(), Failure> {
    // A chat ends by itself: it has something to keep. So does a gateway: its callers wait for answers.
    if matches!(command, Command::Chat(_) | Command::Serve(_)) {
        return run(command, context).await;
    }
    tokio::select! {
        biased;
        done = run(command, context) => done,
        signal = context.ending.told() => Err(Failure::Stopped(signal)),
    }
}

/// The arguments cannot be read, or ask for no more than a text.
fn misused(fault: &clap::Error, json: bool, continues: bool) -> ExitCode {
    let printer = Printer::new(false);
    if !fault.use_stderr() {
        printer.of_parser(fault);
        return ExitCode::SUCCESS;
    }
    if json {
        printer.error_json(&Error::configuration(arguments::in_words(fault)));
    } else {
        printer.of_parser(fault);
        let text = fault.kind() == Fault::MissingRequiredArgument
            && fault.to_string().contains("  <TEXT>");
        if text {
            printer.note("  tip: a text that looks like an option stands behind --");
        }
        if continues && fault.kind() == Fault::UnknownArgument {
            printer.note(
                "  tip: -c goes on with the last conversation; a configuration is named by --config FILE or -C FILE",
            );
        }
    }
    ExitCode::from(2)
}

async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Query(args) => query::run(*args, context).await,
        Command::Embed(args) => embed::run(*args, context).await,
        Command::Tokens(args) => tokens::run(args, context).await,
        Command::Chat(args) => chat::run(*args, context).await,
        Command::Model(args) => model::run(args, context).await,
        Command::Health(args) => health::run(args, context).await,
        Command::Compare(args) => compare::run(args, context).await,
        Command::Keys(command) => keys::run(command, context).await,
        Command::Alias(command) => alias::run(command, context).await,
        Command::Template(command) => template::run(command, context).await,
        Command::Plugin(command) => plugin::run(command, context).await,
        Command::Prices(command) => prices::run(command, context).await,
        Command::Stats(args) => stats::run(args, context).await,
        Command::History(command) => history::run(command, context).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Key(command) => key::run(command, context).await,
        Command::Config(command) => config::run(command, context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}

fn report(context: &Context, done: Result<(), Failure>) -> ExitCode {
    let error = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Reported) => return ExitCode::from(1),
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(Failure::Output(error)) => Error::new(
            ErrorKind::Other,
            format!("standard output takes no more: {error}"),
        ),
        Err(Failure::Stopped(signal)) => {
            if context.ending.leaves_interrupts() {
                context.printer.leave_prompt();
            }
            context.printer.end_line(context.json);
            tell(&context.printer, context.json, &ended_by(signal));
            return ExitCode::from(signal.code());
        }
        Err(Failure::Usage(message)) => Error::configuration(message),
        Err(Failure::Error(error)) => error,
    };
    tell(&context.printer, context.json, &error);
    ExitCode::from(if error.is_usage() { 2 } else { 1 })
}

fn ended_by(signal: Signal) -> Error {
    Error::new(ErrorKind::Cancelled, format!("ended by {signal}"))
}

fn tell(printer: &Printer, json: bool, error: &Error) {
    match json {
        true => printer.error_json(error),
        false => printer.failure(error),
    }
}
