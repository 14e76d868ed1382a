//! `multillm chat`: a conversation on a terminal, or line by line from a pipe.

mod act;
mod command;
mod line;
mod turn;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::attachment::Attachments;
use super::going_on::Going;
use super::server_tools::ServerTools;
use super::show::Manner;
use super::{Context, Failure, figures, foreign, value};
use command::Command;
use line::{Assistant, Input, Line};
use multillm::dialogue::Dialogue;
use multillm::service::{MultiLlmService, Reloaded, Watch};
use multillm::template::Template;

/// Arguments of `chat`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Model or route of the configuration, or provider/model [default: that of the continued conversation, or as "multillm model" says]
    #[arg(long, short)]
    model: Option<String>,
    /// Instructions for the model
    #[arg(long, short, allow_hyphen_values = true)]
    system: Option<String>,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    server_tools: ServerTools,
    /// The most tokens of an answer
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::tokens())]
    max_tokens: Option<u32>,
    /// 0 is greedy; up to 1 or 2, by vendor
    #[arg(long, short, value_name = "X", allow_hyphen_values = true, value_parser = value::temperature)]
    temperature: Option<f64>,
}

const EXAMPLES: &str = "\
Examples:
  multillm chat --model openai/gpt-5-mini
  multillm chat --continue
  printf 'Hello!\\nAnd again?\\n' | multillm chat --quiet

Each line is a question; a line that ends with \\ goes on, and so does a block between ```.
Ctrl-C stops an answer, Ctrl-D leaves. /help lists the commands.";

/// A chat under way.
struct Chat<'a> {
    context: &'a Context,
    service: MultiLlmService,
    dialogue: Dialogue,
    manner: Manner,
    /// What goes with the next question.
    attached: Attachments,
    /// Files that this chat wrote.
    saved: HashSet<String>,
    failed: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let service = context.service().await?;
    let done = begin(args, context, &service).await;
    service.close().await;
    done
}

async fn begin(args: Args, context: &Context, service: &MultiLlmService) -> Result<(), Failure> {
    args.server_tools.check()?;
    let mut dialogue = args.going.dialogue(args.model, service, context).await?;
    if args.system.is_some() {
        dialogue.system = args.system;
    }
    dialogue.manner.sampling.max_tokens = args.max_tokens;
    dialogue.manner.sampling.temperature = args.temperature;
    args.server_tools.add_to(&mut dialogue.manner)?;
    let news = News::default();
    let watch = watch(service, &news);
    let mut chat = Chat {
        context,
        service: service.clone(),
        dialogue,
        manner: args.manner,
        attached: Attachments::default(),
        saved: HashSet::new(),
        failed: false,
    };
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        context.ending.leave_interrupts();
    }
    let templates = Template::names(&service.config().templates_dir);
    let assistant = Assistant::new(chat.names(), templates);
    let mut input = Input::new(context, history_file(service), assistant);
    if input.is_terminal() {
        context.printer.note(&format!(
            "{}: type a question, /help for commands, Ctrl-D to leave",
            chat.dialogue.model
        ));
    }
    chat.go_on(&mut input, &news).await?;
    drop(watch);
    chat.farewell(input.is_terminal());
    match chat.failed && !input.is_terminal() {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}

/// What a reload had to say; told when nobody is typing.
type News = Arc<Mutex<Vec<String>>>;

fn watch(service: &MultiLlmService, news: &News) -> Option<Watch> {
    let news = news.clone();
    let tell = move |outcome: multillm::Result<Reloaded>| {
        let text = match outcome {
            Ok(done) => {
                let mut text = "the configuration was reloaded".to_owned();
                for plugin in done.plugins {
                    text += &format!("; plugin {plugin} is new");
                }
                done.notes
                    .iter()
                    .fold(text, |text, note| format!("{text}; {note}"))
            }
            Err(error) => format!("the configuration stays as it was: {}", error.message),
        };
        news.lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(text);
    };
    let watch = service.watch(tell);
    watch.inspect_err(|error| tracing::info!(%error)).ok()
}

/// Where the lines that were typed are kept: beside the history, if that is kept.
fn history_file(service: &MultiLlmService) -> Option<PathBuf> {
    let keeps = service.config().history.content;
    let path = service.history_path().filter(|_| keeps)?;
    let lines = lines_beside(path);
    match multillm::files::file_fault(&lines) {
        None => Some(lines),
        Some(fault) => {
            tracing::warn!("the lines that are typed are not kept: {fault}");
            None
        }
    }
}

/// The file of typed lines that belongs to a history's file.
pub(super) fn lines_beside(history: &Path) -> PathBuf {
    history.with_file_name("chat_lines")
}

impl Chat<'_> {
    /// Models and routes that can be asked.
    fn names(&self) -> Vec<String> {
        let models = self
            .service
            .models()
            .into_iter()
            .filter(|model| model.enabled);
        models.map(|model| model.name).collect()
    }

    async fn go_on(&mut self, input: &mut Input, news: &News) -> Result<(), Failure> {
        loop {
            let told =
                std::mem::take(&mut *news.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
            for text in told {
                self.context.printer.note(&text);
            }
            let prompt = format!("{}> ", self.dialogue.model);
            let text = match input.next(&prompt, &self.context.ending).await? {
                Line::End => return Ok(()),
                Line::Interrupted if input.is_terminal() => {
                    self.context.printer.note("(Ctrl-D leaves)");
                    continue;
                }
                Line::Interrupted => return Ok(()),
                Line::Text(text) => text,
            };
            match Command::parse(&text) {
                None if text.trim().is_empty() => {}
                None => {
                    // `//undo` is the question `/undo`; `// a comment` stays as it is.
                    let escaped = text.strip_prefix('/');
                    let escaped = escaped.filter(|rest| Command::parse(rest).is_some());
                    self.question(escaped.unwrap_or(&text).to_owned()).await?;
                }
                Some(Ok(Command::Leave)) => return Ok(()),
                Some(Ok(command)) => {
                    if let Err(failure) = self.act(command).await {
                        self.complain(failure)?;
                    }
                }
                Some(Err(fault)) => self.complain(Failure::Usage(fault))?,
            }
        }
    }

    /// Says what failed; the chat goes on.
    fn complain(&mut self, failure: Failure) -> Result<(), Failure> {
        self.failed = true;
        match failure {
            failure @ (Failure::Output(_) | Failure::Stopped(_)) => return Err(failure),
            Failure::Reported => {}
            Failure::Usage(fault) if self.context.json => {
                let error = multillm::Error::configuration(fault);
                self.context.printer.error_json(&error);
            }
            Failure::Usage(fault) => self.context.printer.error(&fault),
            Failure::Error(error) if self.context.json => self.context.printer.error_json(&error),
            Failure::Error(error) => self.context.printer.failure(&error),
        }
        Ok(())
    }

    /// Asks what was typed, with everything that waits to go with it.
    async fn question(&mut self, text: String) -> Result<(), Failure> {
        let question = self.attached.question(text);
        self.dialogue.ask(question);
        self.answer().await
    }

    async fn answer(&mut self) -> Result<(), Failure> {
        let outcome = match self.turn().await {
            Err(failure) => self.complain(failure),
            Ok(()) => Ok(()),
        };
        if let Err(error) = self.dialogue.store(&self.service).await {
            self.context.printer.note(&foreign::line(&error.message));
        }
        outcome
    }

    fn farewell(&self, terminal: bool) {
        if terminal && !self.dialogue.is_empty() && history_file(&self.service).is_some() {
            self.context.printer.dim_note(&format!(
                "{} · multillm chat --conversation {}",
                self.totals(),
                self.dialogue.id()
            ));
        }
    }

    /// What the chat has used so far.
    fn totals(&self) -> String {
        let spent = &self.dialogue.spent;
        let tokens = spent.prompt_tokens + spent.completion_tokens;
        let mut text = format!("total {tokens} tokens");
        if spent.priced > 0 {
            text += &format!(", {}", figures::money(Some(spent.cost)));
        }
        if spent.priced < spent.answers {
            text += &format!(" ({} without a known price)", spent.answers - spent.priced);
        }
        text
    }
}
