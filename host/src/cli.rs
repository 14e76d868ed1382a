//! The command line: arguments, dispatch and exit codes.
//!
//! Whatever a command does, a Rust program can do with the library: commands hold no logic
//! besides reading arguments and printing. Exit codes: 0 done, 1 the vendor or the network
//! failed, 2 usage or configuration.

mod answer;
mod chat;
mod compare;
mod completions;
mod config;
mod figures;
mod filter;
mod foreign;
mod health;
mod history;
mod input;
mod list;
mod markdown;
mod numbers;
mod plugin;
mod printer;
mod progress;
mod query;
mod stats;
mod template;
mod threads;
mod trust;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Env;
use crate::error::Error;
use crate::plugin::{COMPILE_COMMAND, compile_with, compile_work};
use crate::service::MultiLlmService;
use printer::Printer;

/// One interface to every LLM, where each vendor is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "multillm", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file [env: MULTILLM_CONFIG] [default: ./configs/multi_llm_config.json, then ./multi_llm_config.json, then the user's]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File of variables such as .env, all of which count. May be repeated; the last wins
    #[arg(long, global = true, value_name = "FILE")]
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
    /// Nobody reads any more.
    Output(std::io::Error),
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
}

impl Context {
    /// The service by the configuration that was asked for.
    pub(crate) async fn service(&self) -> Result<MultiLlmService, Failure> {
        let service = MultiLlmService::builder()
            .config(trust::configuration(self)?)
            .env(self.env.clone())
            .max_concurrency(MAX_EXCHANGES)
            .build()?;
        for warning in service.warnings() {
            tracing::info!("{warning}");
        }
        Ok(service)
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|first| first == COMPILE_COMMAND)
    {
        return compile_work(arguments);
    }
    if let Ok(program) = std::env::current_exe() {
        compile_with(program);
    }
    let cli = Cli::parse();
    printer::start_tracing(cli.verbose, cli.quiet);
    let mut context = Context {
        config: cli.config,
        env: Env::process(),
        json: cli.json,
        printer: Printer::new(cli.quiet),
    };
    for file in &cli.env_file {
        match context.env.clone().with_env_file(file) {
            Ok(env) => context.env = env,
            Err(error) => return report(&context, Err(Error::from(error).into())),
        }
    }
    let runtime = match threads::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            context.printer.error(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let done = runtime.block_on(run(cli.command, &context));
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    report(&context, done)
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
        Err(Failure::Output(error)) => Error::configuration(error.to_string()),
        Err(Failure::Usage(message)) => Error::configuration(message),
        Err(Failure::Error(error)) => error,
    };
    match context.json {
        true => context.printer.error_json(&error),
        false => context.printer.failure(&error),
    }
    ExitCode::from(if error.is_usage() { 2 } else { 1 })
}
