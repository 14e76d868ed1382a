//! `multillm query`: ask a model once.

use std::path::PathBuf;

use clap::ValueEnum;
use futures_util::StreamExt as _;

use super::{Context, Failure, answer, input, picture, place, progress, template, value};
use crate::chat::{
    ChatEvent, ChatMessage, ChatRequest, ChatResponse, FinishReason, ReasoningEffort,
    ResponseFormat, ToolChoice,
};
use crate::error::{Error, ErrorKind};
use crate::service::{MultiLlmService, Shortfall, shortfall};
use crate::template::Template;

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The question. What is piped in stands before it; `-` or nothing: standard input alone
    prompt: Option<String>,
    /// Do not read standard input
    #[arg(long)]
    no_stdin: bool,
    /// Model or route of the configuration [default: its default_model]
    #[arg(long, short)]
    model: Option<String>,
    /// Instructions for the model
    #[arg(long, short, allow_hyphen_values = true)]
    system: Option<String>,
    /// Print the answer while it is produced
    #[arg(long)]
    stream: bool,
    /// A picture: a file, a data: URL, a URL that the vendor fetches, - for standard input. May be repeated
    #[arg(long, short, value_name = "FILE|URL")]
    image: Vec<String>,
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
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    schema: Option<PathBuf>,
    /// Answer with JSON of any form
    #[arg(long, conflicts_with = "schema")]
    json_mode: bool,
    /// Tools the model may call: a JSON list of {name, description, parameters}, or OpenAI's form
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    tools: Option<PathBuf>,
    /// auto, none, required, or the name of a tool
    #[arg(long, value_name = "CHOICE", requires = "tools")]
    tool_choice: Option<String>,
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
}

const EXAMPLES: &str = "\
Examples:
  multillm query \"Hello!\"
  multillm query \"Hello!\" --model claude-3-haiku --stream
  cat main.rs | multillm query \"Find the bug\" --system \"Be brief.\"
  multillm query \"What is on it?\" --image cat.png --image https://example.org/dog.png
  multillm query \"Weather in Paris?\" --tools tools.json --json
  multillm query --template translation -p to=French \"Good morning\"
  multillm query \"Hello!\" --param service_tier='\"flex\"'";

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

impl Args {
    fn request(
        &self,
        template: Option<&Template>,
        context: &Context,
    ) -> Result<ChatRequest, Failure> {
        let mut system = self.system.clone();
        let images = picture::all(&self.image, context)?;
        let piped = !picture::takes_stdin(&self.image);
        let prompt = match template {
            None if !piped => input::alone(self.prompt.as_deref())?,
            None => input::prompt(self.prompt.as_deref(), self.no_stdin)?,
            Some(template) => {
                let free = match !piped || self.var.iter().any(|word| word.starts_with("input=")) {
                    true => self.prompt.clone(),
                    false => input::optional_prompt(self.prompt.as_deref(), self.no_stdin)?,
                };
                let filled = input::fill(template, &self.var, free)?;
                system = system.or(filled.system);
                filled.prompt
            }
        };
        let mut question = ChatMessage::user(prompt);
        for image in images {
            question = question.with_image(image);
        }
        let mut messages: Vec<_> = system.iter().map(ChatMessage::system).collect();
        messages.push(question);
        let mut request = ChatRequest::new(messages);
        request.sampling.max_tokens = self.max_tokens;
        request.sampling.temperature = self.temperature;
        request.sampling.top_p = self.top_p;
        request.sampling.top_k = self.top_k;
        request.sampling.seed = self.seed;
        request.sampling.stop.clone_from(&self.stop);
        request.reasoning_effort = self.reasoning_effort.map(Into::into);
        request.extra = input::parameters(&self.param)?;
        if let Some(path) = &self.schema {
            request.response_format = input::schema(path)?;
        } else if self.json_mode {
            request.response_format = ResponseFormat::Json;
        }
        if let Some(path) = &self.tools {
            request.tools = input::tools(path)?;
        }
        if let Some(template) = template {
            template.complete(&mut request);
        }
        request.tool_choice = match self.tool_choice.as_deref() {
            None | Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            Some(name) if request.tools.iter().any(|tool| tool.name == name) => {
                ToolChoice::Named(name.to_owned())
            }
            Some(name) => {
                return Err(Failure::Usage(format!(
                    "--tool-choice {name}: the tools file has no tool of that name"
                )));
            }
        };
        Ok(request)
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anything is loaded.
    let early = args
        .template
        .is_none()
        .then(|| input::reading(context, || args.request(None, context)))
        .transpose()?;
    let service = context.service().await?;
    let template = match &args.template {
        Some(name) => Some(template::load(&service.config(), name)?),
        None => None,
    };
    let request = match early {
        Some(request) => request,
        None => input::reading(context, || args.request(template.as_ref(), context))?,
    };
    let preferred = template.and_then(|template| template.model);
    let model = match args.model.clone().or(preferred) {
        Some(model) => model,
        None => service.default_model()?,
    };
    let done = ask(&args, context, &service, request, &model).await;
    service.close().await;
    done
}

async fn ask(
    args: &Args,
    context: &Context,
    service: &MultiLlmService,
    request: ChatRequest,
    model: &str,
) -> Result<(), Failure> {
    let asked = request.clone();
    let answer = match args.stream {
        true => stream(context, service, request, model).await?,
        false => {
            let asking = service.chat(request, model);
            let answer = progress::waiting(context, format!("waiting for {model}"), asking).await?;
            match context.json {
                true => context.printer.json(&answer)?,
                false => print_whole(context, &answer)?,
            }
            Some(answer)
        }
    };
    answer.map_or(Ok(()), |answer| judge(args, context, &asked, &answer))
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

fn print_whole(context: &Context, answer: &ChatResponse) -> Result<(), Failure> {
    let content = answer.content();
    if !content.is_empty() {
        context.printer.data(&format!("{content}\n"))?;
    }
    answer::print_calls(context, answer)?;
    answer::note_end(context, answer);
    Ok(())
}

async fn stream(
    context: &Context,
    service: &MultiLlmService,
    request: ChatRequest,
    model: &str,
) -> Result<Option<ChatResponse>, Failure> {
    let opening = service.stream(request, model);
    let mut events = progress::waiting(context, format!("waiting for {model}"), opening).await?;
    let mut ends_line = true;
    let mut answer = None;
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                if !ends_line && !context.json {
                    context.printer.data("\n")?;
                }
                return Err(error.into());
            }
        };
        match (&event, context.json) {
            (event, true) => answer::event_json(context, event)?,
            (ChatEvent::ToolCallDelta { .. }, _) => {}
            (ChatEvent::Text { text }, false) => {
                ends_line = text.ends_with('\n');
                context.printer.data(text)?;
            }
            (ChatEvent::Done(done), false) => {
                if !ends_line {
                    context.printer.data("\n")?;
                }
                answer::print_calls(context, done)?;
                answer::note_end(context, done);
            }
            (ChatEvent::Reasoning { .. } | ChatEvent::ToolCall(_), false) => {}
        }
        if let ChatEvent::Done(done) = event {
            answer = Some(*done);
        }
    }
    Ok(answer)
}
