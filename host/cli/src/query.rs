//! `multillm query`: ask a model once.

mod asked;
mod given;

use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};
use futures_util::StreamExt as _;

use super::going_on::Going;
use super::server_tools::ServerTools;
use super::show::Manner;
use super::sources::Citing;
use super::{
    Context, Failure, answer, dry_run, input, made, place, progress, server_tools, template, value,
};
use given::Given;
use multillm::chat::{ChatEvent, ChatRequest, ChatResponse, FinishReason, ReasoningEffort};
use multillm::dialogue::Dialogue;
use multillm::error::{Error, ErrorKind};
use multillm::service::{MultiLlmService, Shortfall, shortfall};

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The question. What is piped in stands before it; `-` or nothing: standard input alone
    prompt: Option<String>,
    /// Do not read standard input
    #[arg(long)]
    no_stdin: bool,
    /// Model or route of the configuration, or provider/model [default: that of the continued conversation, else as "multillm model" says]
    #[arg(long, short)]
    model: Option<String>,
    /// Instructions for the model
    #[arg(long, short, allow_hyphen_values = true)]
    system: Option<String>,
    #[command(flatten)]
    going: Going,
    /// A whole conversation as JSON, in our form or OpenAI's; - for standard input. A prompt is its last turn
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "conversation"], value_hint = ValueHint::FilePath)]
    messages: Option<String>,
    /// A text or a picture that goes with the question, under its name. May be repeated
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Vec<String>,
    /// A picture: a file, a data: URL, a URL that the vendor fetches, - for standard input. May be repeated
    #[arg(long, short, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    image: Vec<String>,
    #[command(flatten)]
    manner: Manner,
    /// Print the first code block of the answer and nothing else
    #[arg(long, short = 'x', conflicts_with_all = ["extract_last", "stream"])]
    extract: bool,
    /// Print the last code block of the answer and nothing else
    #[arg(long, conflicts_with = "stream")]
    extract_last: bool,
    /// Write the answer to this file, whole, instead of printing it
    #[arg(long, short, value_name = "FILE", conflicts_with = "stream", value_hint = ValueHint::FilePath, value_parser = place::path())]
    out: Option<PathBuf>,
    /// The most tokens to produce
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::tokens())]
    max_tokens: Option<u32>,
    /// 0 is greedy; up to 1 or 2, by vendor
    #[arg(long, short, value_name = "X", allow_hyphen_values = true, value_parser = value::temperature)]
    temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = value::top_p)]
    top_p: Option<f64>,
    /// Draw from the N most likely tokens
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    top_k: Option<u32>,
    /// Same seed, same answer, as far as the vendor can
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// A text that ends the answer. May be repeated
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    stop: Vec<String>,
    /// How much to think before answering
    #[arg(long, value_name = "EFFORT")]
    reasoning_effort: Option<Effort>,
    /// Answer with JSON that satisfies the JSON Schema in FILE
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = place::path())]
    schema: Option<PathBuf>,
    /// Answer with JSON of any form
    #[arg(long, conflicts_with = "schema")]
    json_mode: bool,
    /// Tools the model may call: a JSON list of {name, description, parameters}, or OpenAI's form
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = place::path())]
    tools: Option<PathBuf>,
    /// auto, none, required, or the name of a tool
    #[arg(long, value_name = "CHOICE")]
    tool_choice: Option<String>,
    #[command(flatten)]
    server_tools: ServerTools,
    /// Fail if the answer is not what --schema, --json-mode or --tool-choice asked for, or was cut
    #[arg(long)]
    strict: bool,
    /// Ask by a template of the configuration's templates_dir; the prompt is its {{input}}
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// The value of a template's variable; @FILE takes it from a file. May be repeated
    #[arg(
        long,
        short = 'p',
        value_name = "NAME=VALUE",
        requires = "template",
        allow_hyphen_values = true
    )]
    var: Vec<String>,
    /// A parameter for the vendor as it stands, merged into its request. May be repeated
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    param: Vec<String>,
    /// Print the HTTP request that would be sent, and send nothing. Keys are shown as ${VARIABLE}, and none is needed
    #[arg(long, conflicts_with_all = ["extract", "extract_last", "out", "strict"])]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  multillm query \"Hello!\"
  multillm query \"Hello!\" --model claude/claude-sonnet-5-5
  multillm query \"And in French?\" --continue
  multillm query \"What differs?\" --file old.rs --file new.rs
  multillm query \"A script that renames *.jpeg to *.jpg\" --extract --out rename.sh
  cat main.rs | multillm query \"Find the bug\" --system \"Be brief.\"
  multillm query \"What is on it?\" --image cat.png --image https://example.org/dog.png
  multillm query \"Weather in Paris?\" --tools tools.json --json
  multillm query \"And now?\" --messages conversation.json
  multillm query \"What is new in Rust?\" --web-search --model claude/claude-sonnet-5-5
  multillm query --template translation -p to=French \"Good morning\"
  multillm query \"Hello!\" --param service_tier='\"flex\"' --dry-run";

/// How much to think.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Max,
}

impl From<Effort> for ReasoningEffort {
    fn from(effort: Effort) -> Self {
        match effort {
            Effort::None => Self::None,
            Effort::Minimal => Self::Minimal,
            Effort::Low => Self::Low,
            Effort::Medium => Self::Medium,
            Effort::High => Self::High,
            Effort::Max => Self::Max,
        }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anything is loaded.
    let early = args
        .template
        .is_none()
        .then(|| input::reading(context, || args.asked(None, context)))
        .transpose()?;
    let service = context.service().await?;
    let template = match &args.template {
        Some(name) => Some(template::load(&service.config(), name)?),
        None => None,
    };
    let asked = match early {
        Some(asked) => asked,
        None => input::reading(context, || args.asked(template.as_ref(), context))?,
    };
    let preferred = template.and_then(|template| template.model);
    let model = args.model.clone().or(preferred);
    let model = asked.model(model, &service, context);
    let mut dialogue = args.going.dialogue(model, &service, context).await?;
    let left_out = asked.put_to(&mut dialogue, &args, &service).await?;
    if args.dry_run {
        let streamed = args.manner.streams(context, &service, &dialogue.model);
        let asked = service.dry_run(dialogue.request(), &dialogue.model, streamed);
        return dry_run::print(&asked.await?, context);
    }
    let given = Given::open(&args, context)?;
    let said = dialogue.messages().len();
    let done = ask(&args, context, &service, &mut dialogue, (given, left_out)).await;
    let keep = async {
        match dialogue.messages().len() > said {
            true => dialogue.store(&service).await,
            // A question that was not answered changes nothing.
            false => Ok(()),
        }
    };
    let (kept, ()) = tokio::join!(keep, service.close());
    match kept {
        Err(error) if args.going.goes_on() => context.printer.note(&format!(
            "note: the conversation is not kept: {}",
            error.message
        )),
        // What is wrong with the history was said by whoever records.
        Err(error) => tracing::debug!(%error, "the conversation is not kept"),
        Ok(()) => {}
    }
    done
}

async fn ask(
    args: &Args,
    context: &Context,
    service: &MultiLlmService,
    dialogue: &mut Dialogue,
    (given, left_out): (Given, Vec<String>),
) -> Result<(), Failure> {
    let request = dialogue.request();
    let is_plain = args.manner.wants_stream() || !given.is_special();
    match is_plain && args.manner.streams(context, service, &dialogue.model) {
        true => {
            let answer = stream(args, context, service, dialogue, &left_out).await?;
            judge(args, context, &request, &answer)
        }
        false => {
            let model = dialogue.model.clone();
            let asking = service.chat(request.clone(), &model);
            let mut answer =
                progress::waiting(context, format!("waiting for {model}"), asking).await?;
            answer.warnings.splice(0..0, left_out);
            let kept = accept(service, dialogue, &answer);
            let judged = || judge(args, context, &request, &answer);
            // A file that is there is one that is right.
            let early = given.is_special().then(judged).transpose()?;
            given.whole(&answer, kept, args, context, service)?;
            early.map_or_else(judged, Ok)
        }
    }
}

/// Takes an answer into its conversation. Gives the id where it is kept.
fn accept<'a>(
    service: &MultiLlmService,
    dialogue: &'a mut Dialogue,
    answer: &ChatResponse,
) -> Option<&'a str> {
    let said = dialogue.answered(answer);
    (said && Dialogue::is_kept_by(service)).then(|| dialogue.id())
}

/// Says in what the answer falls short of what was asked; an error where that is wanted.
fn judge(
    args: &Args,
    context: &Context,
    asked: &ChatRequest,
    answer: &ChatResponse,
) -> Result<(), Failure> {
    let found = shortfall(asked, answer);
    let found = found.or(match (args.strict, answer.finish_reason) {
        (true, FinishReason::Length) => Some(Shortfall::Cut),
        (true, FinishReason::ContentFilter) => Some(Shortfall::Withheld),
        _ => None,
    });
    match found {
        None => Ok(()),
        Some(found) if args.strict => {
            let kind = match found {
                Shortfall::Cut => ErrorKind::Truncated,
                Shortfall::Withheld => ErrorKind::ContentFiltered,
                _ => ErrorKind::MalformedResponse,
            };
            let mut error = Error::new(kind, found.to_string());
            error.model = Some(answer.model.clone());
            error.provider = Some(answer.provider.clone());
            Err(error.into())
        }
        // That was said with the answer.
        Some(Shortfall::Cut | Shortfall::Withheld) if !context.json => Ok(()),
        Some(found) => {
            context.printer.note(&format!("note: {found}"));
            Ok(())
        }
    }
}

/// Whether a person has something to see of it.
fn is_shown(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::Text { .. }
            | ChatEvent::ServerToolCall(_)
            | ChatEvent::ServerToolResult(_)
            | ChatEvent::Done(_)
    )
}

/// Shows the answer while it comes.
async fn stream(
    args: &Args,
    context: &Context,
    service: &MultiLlmService,
    dialogue: &mut Dialogue,
    left_out: &[String],
) -> Result<ChatResponse, Failure> {
    let model = dialogue.model.clone();
    // There is something to wait for until there is something to see.
    let opening = async {
        let mut events = service.stream(dialogue.request(), &model).await?;
        while let Some(event) = events.next().await {
            let event = event?;
            if context.json || is_shown(&event) {
                return Ok((Some(event), events));
            }
        }
        Ok::<_, Error>((None, events))
    };
    let (first, mut events) =
        progress::waiting(context, format!("waiting for {model}"), opening).await?;
    let mut show = args.manner.show(context, service);
    let mut citing = Citing::default();
    let cites = args.manner.shows_sources(context);
    let mut next = first.map(Ok);
    while let Some(event) = next {
        let mut event = event?;
        if cites {
            show.mark(&citing.before(&event))?;
        }
        match (&mut event, context.json) {
            (ChatEvent::Done(answer), json) => {
                show.end()?;
                answer.warnings.splice(0..0, left_out.iter().cloned());
                let kept = accept(service, dialogue, answer);
                if json {
                    answer::event_json(context, &event, kept)?;
                } else {
                    if cites {
                        citing.sources.print(context)?;
                    }
                    answer::print_calls(context, answer)?;
                    let shown = (context, service.config().terminal.pictures);
                    made::save(&made::all(answer), 1, &made::Beside::Here, shown)?;
                    answer::note_end(context, answer);
                }
            }
            (event, true) => answer::event_json(context, event, None)?,
            (ChatEvent::Text { text }, false) => show.text(text)?,
            (ChatEvent::ServerToolCall(call), false) => {
                context.printer.dim_note(&server_tools::call(call));
            }
            (ChatEvent::ServerToolResult(result), false) => {
                context.printer.dim_note(&server_tools::result(result));
            }
            // Thoughts, calls (they come whole with the end), and what a later library adds.
            (_, false) => {}
        }
        if let ChatEvent::Done(answer) = event {
            return Ok(*answer);
        }
        next = events.next().await;
    }
    Err(Error::new(ErrorKind::Truncated, "the stream ended without an answer").into())
}
