//! The command line: arguments, dispatch and exit codes.
//!
//! Whatever a command does, a Rust program can do with the library: commands hold no logic
//! besides reading arguments and printing. Exit codes: 0 done, 1 the vendor or the network
//! failed, 2 usage or configuration, 129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM.

mod answer;
mod arguments;
mod chat;
mod clock;
mod compare;
mod complete;
mod completions;
mod config;
mod ending;
mod exif;
mod figures;
mod filter;
mod foreign;
mod health;
mod history;
mod input;
mod list;
mod markdown;
mod numbers;
mod picture;
mod place;
mod plugin;
mod printer;
mod progress;
mod query;
mod sheet;
mod stats;
mod template;
mod threads;
mod trust;
mod value;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind as Fault;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::Env;
use crate::error::{Error, ErrorKind};
use crate::plugin::{COMPILE_COMMAND, compile_with};
use crate::service::MultiLlmService;
use ending::{Ending, Signal};
use printer::Printer;

/// One interface to every LLM, where each vendor is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "multillm", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file [env: MULTILLM_CONFIG] [default: ./configs/multi_llm_config.json, then ./multi_llm_config.json, then the user's]
    #[arg(long, short, global = true, value_name = "FILE", value_parser = place::path())]
    config: Option<PathBuf>,
    /// File of variables such as .env, all of which count. May be repeated; the last wins
    #[arg(long, global = true, value_name = "FILE", value_parser = place::path())]
    env_file: Vec<PathBuf>,
    /// Print one JSON object instead of text; failures end stderr with one JSON line
    #[arg(long, global = true)]
    json: bool,
    /// Print answers and errors, nothing else
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say on stderr what is done; twice: in detail. Keys are never shown
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  multillm list
  multillm query \"What is a monad?\" --model gpt-4
  git diff | multillm query \"Write a commit message\" --stream
  multillm query \"What is on it?\" --image photo.jpg --json
  multillm chat --model gpt-4 --stream
  multillm compare \"What is a monad?\" --models gpt-4 claude-3-haiku
  multillm plugin inspect plugins/openai.wasm

Keys come from environment variables or a .env file; the configuration names them.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the configured models, or those a vendor offers
    List(list::Args),
    /// Ask a model once
    Query(Box<query::Args>),
    /// Talk with a model
    Chat(Box<chat::Args>),
    /// Ask every model for a word, and say which answer
    Health(health::Args),
    /// Ask several models the same
    Compare(compare::Args),
    /// Look at prompt templates
    #[command(subcommand)]
    Template(template::Command),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// What exchanges add up to: tokens, money, time, failures
    Stats(stats::Args),
    /// What was asked and answered
    #[command(subcommand)]
    History(history::Command),
    /// Check the configuration, or make a first one
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(completions::ManArgs),
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

impl From<crate::stats::StatsError> for Failure {
    fn from(error: crate::stats::StatsError) -> Self {
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
        self.services().push(service.clone());
        Ok(service)
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

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|first| first == COMPILE_COMMAND) {
        return printer::compile(words.into_iter().skip(2));
    }
    if let Ok(program) = std::env::current_exe() {
        compile_with(program);
    }
    if let Some(words) = complete::asked(&words) {
        let found = complete::print(words, &Printer::new(true));
        return ExitCode::from(u8::from(!found));
    }
    let mut command = Cli::command();
    command.build();
    let typed = arguments::typed(&command, words);
    let cli = match Cli::try_parse_from(typed.words) {
        Ok(cli) => cli,
        Err(fault) => return misused(&fault, typed.json),
    };
    let printer = Printer::new(cli.quiet);
    printer::start_tracing(cli.verbose, cli.quiet);
    let runtime = match threads::runtime() {
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
            env: Env::process(),
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
    report(&context, done)
}

/// Does what is asked, or what of it there is time for.
async fn until_told(command: Command, context: &Context) -> Result<(), Failure> {
    // A chat ends by itself: it has something to keep.
    if matches!(command, Command::Chat(_)) {
        return run(command, context).await;
    }
    tokio::select! {
        biased;
        done = run(command, context) => done,
        signal = context.ending.told() => Err(Failure::Stopped(signal)),
    }
}

/// The arguments cannot be read, or ask for no more than a text.
fn misused(fault: &clap::Error, json: bool) -> ExitCode {
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
    }
    ExitCode::from(2)
}

async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Query(args) => query::run(*args, context).await,
        Command::Chat(args) => chat::run(*args, context).await,
        Command::Health(args) => health::run(args, context).await,
        Command::Compare(args) => compare::run(args, context).await,
        Command::Template(command) => template::run(command, context).await,
        Command::Plugin(command) => plugin::run(command, context).await,
        Command::Stats(args) => stats::run(args, context).await,
        Command::History(command) => history::run(command, context).await,
        Command::Config(command) => config::run(command, context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => completions::man(&args, context),
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
