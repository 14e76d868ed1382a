//! `multillm compare`: the same question to several models.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Context, Failure, figures, foreign, input, progress};
use crate::chat::{ChatMessage, ChatRequest};
use crate::service::Comparison;

/// The narrowest column that is worth reading.
const COLUMN: usize = 34;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  multillm compare \"What is a monad?\" --models gpt-4 claude-3-haiku
  git diff | multillm compare \"Write a commit message\" --models gpt-4,gemini-pro --json")]
pub(super) struct Args {
    /// The question. What is piped in stands before it; `-` or nothing: standard input alone
    prompt: Option<String>,
    /// Do not read standard input
    #[arg(long)]
    no_stdin: bool,
    /// Models or routes of the configuration, two or more
    #[arg(long, short, required = true, num_args = 1.., value_delimiter = ',', value_name = "MODEL")]
    models: Vec<String>,
    /// Instructions for the models
    #[arg(long, short)]
    system: Option<String>,
    /// A picture: a file, or a URL that the vendor fetches. May be repeated
    #[arg(long, short, value_name = "FILE|URL")]
    image: Vec<String>,
    /// The most tokens to produce, each
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// 0 is greedy; up to 1 or 2, by vendor
    #[arg(long, short, value_name = "X")]
    temperature: Option<f64>,
}

#[derive(Serialize)]
struct Report<'a> {
    prompt: &'a str,
    results: &'a [Comparison],
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    args.models.retain(|model| seen.insert(model.clone()));
    let piped = || input::prompt(args.prompt.as_deref(), args.no_stdin);
    let prompt = input::reading(context, piped)?;
    let mut question = ChatMessage::user(&prompt);
    for place in &args.image {
        question = question.with_image(input::image(place)?);
    }
    let mut messages: Vec<_> = args.system.iter().map(ChatMessage::system).collect();
    messages.push(question);
    let mut request = ChatRequest::new(messages);
    request.sampling.max_tokens = args.max_tokens;
    request.sampling.temperature = args.temperature;

    let service = context.service().await?;
    let lines = progress::Lines::new(context, &args.models);
    let outcome = service
        .compare_with(&request, &args.models, |place, news| {
            lines.tell(place, &news)
        })
        .await;
    lines.clear();
    service.close().await;
    let results = outcome?;
    match context.json {
        true => context.printer.json(&Report {
            prompt: &prompt,
            results: &results,
        })?,
        false => print(&results, context)?,
    }
    match results.iter().any(|result| result.outcome.is_ok()) {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}

fn print(results: &[Comparison], context: &Context) -> Result<(), Failure> {
    let width = context.printer.width();
    let side_by_side = context.printer.is_terminal()
        && results.len() > 1
        && width.is_some_and(|width| usize::from(width) >= results.len() * COLUMN);
    match (side_by_side, width) {
        (true, Some(width)) => {
            let text = columns(results, width);
            context.printer.line(&text)?;
        }
        _ => {
            for (place, result) in results.iter().enumerate() {
                let gap = if place == 0 { "" } else { "\n" };
                context
                    .printer
                    .line(&format!("{gap}=== {}", result.model))?;
                context.printer.line(&unlike_ours(&said(result)))?;
                context.printer.line(&format!("--- {}", took(result)))?;
            }
        }
    }
    Ok(())
}

/// The answers side by side.
fn columns(results: &[Comparison], width: u16) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::DynamicFullWidth)
        .set_width(width)
        .set_header(results.iter().map(|result| result.model.clone()))
        .add_row(results.iter().map(|result| foreign::text(&said(result))))
        .add_row(results.iter().map(took));
    let share = u16::try_from(results.len()).map_or(0, |count| 100 / count.max(1));
    let width = comfy_table::ColumnConstraint::Absolute(comfy_table::Width::Percentage(share));
    table.set_constraints(vec![width; results.len()]);
    table.trim_fmt()
}

/// An answer none of whose lines looks like one of those that stand between answers.
fn unlike_ours(answer: &str) -> String {
    let lines = foreign::text(answer);
    let lines = lines.split('\n').map(|line| match line {
        forged if forged.starts_with("=== ") || forged.starts_with("--- ") => format!(" {line}"),
        line => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn said(result: &Comparison) -> String {
    match &result.outcome {
        Ok(answer) => {
            let calls = answer
                .tool_calls()
                .map(|call| format!("{}({})", call.name, call.arguments));
            let content = answer.content();
            let content = content.trim_end();
            let texts = (!content.is_empty())
                .then(|| content.to_owned())
                .into_iter()
                .chain(calls);
            texts.collect::<Vec<_>>().join("\n").replace('\t', "    ")
        }
        Err(error) => foreign::line(&format!("failed: {error}")),
    }
}

fn took(result: &Comparison) -> String {
    match &result.outcome {
        Ok(answer) => figures::of_answer(answer),
        Err(_) => format!("after {}", figures::time(result.elapsed)),
    }
}
