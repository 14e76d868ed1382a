//! `multillm compare`: the same question to several models.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Context, Failure, answer, figures, foreign, input, picture, progress, value};
use multillm::chat::{ChatMessage, ChatRequest, media_summary};
use multillm::config::{Config, nearest};
use multillm::service::Comparison;

/// The narrowest column that is worth reading.
const COLUMN: usize = 34;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  multillm compare \"What is a monad?\" --models openai/gpt-5-mini claude/claude-sonnet-5-5
  multillm compare --models openai/gpt-5-mini ollama/llama3.2 \"What is a monad?\"
  git diff | multillm compare \"Write a commit message\" --models openai/gpt-5-mini,gemini/gemini-3.8-flash --json")]
pub(super) struct Args {
    /// The question. What is piped in stands before it; `-` or nothing: standard input alone
    prompt: Option<String>,
    /// Do not read standard input
    #[arg(long)]
    no_stdin: bool,
    /// Models or routes of the configuration, two or more
    #[arg(long, short, required = true, num_args = 1.., value_name = "MODEL")]
    models: Vec<String>,
    /// Instructions for the models
    #[arg(long, short, allow_hyphen_values = true)]
    system: Option<String>,
    /// A picture: a file, a data: URL, a URL that the vendor fetches, - for standard input. May be repeated
    #[arg(long, short, value_name = "FILE|URL")]
    image: Vec<String>,
    /// The most tokens to produce, each
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::tokens())]
    max_tokens: Option<u32>,
    /// 0 is greedy; up to 1 or 2, by vendor
    #[arg(long, short, value_name = "X", allow_hyphen_values = true, value_parser = value::temperature)]
    temperature: Option<f64>,
}

#[derive(Serialize)]
struct Report<'a> {
    prompt: &'a str,
    results: &'a [Comparison],
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let images = input::reading(context, || picture::all(&args.image, context))?;
    let piped = !picture::takes_stdin(&args.image);
    let no_stdin = args.no_stdin;
    let read = |argument: Option<&str>| match piped {
        true => input::reading(context, || input::prompt(argument, no_stdin)),
        false => input::alone(argument),
    };
    // What is wrong with the question is told before anything is loaded, if it stands where it should.
    let early = args.prompt.as_deref().map(|prompt| read(Some(prompt)));
    let early = early.transpose()?;
    let service = context.service().await?;
    let config = service.config();
    let mut words = args.models;
    let names = |name: &str| config.model(name).is_some() || config.routes.contains_key(name);
    let prompt = match early {
        Some(prompt) => prompt,
        None => match (last(&words, &config), piped) {
            (Last::Model, _) => {
                for name in apart(&words, names) {
                    service.knows(&name)?;
                }
                read(None)?
            }
            (Last::Question, _) | (Last::Perhaps, false) => read(words.pop().as_deref())?,
            (Last::Perhaps, true) => {
                match input::reading(context, || input::optional_prompt(None, no_stdin))? {
                    Some(piped) => piped,
                    None => words.pop().unwrap_or_default(),
                }
            }
        },
    };
    let models = apart(&words, names);
    let mut question = ChatMessage::user(&prompt);
    for image in images {
        question = question.with_media(image);
    }
    let mut messages: Vec<_> = args.system.iter().map(ChatMessage::system).collect();
    messages.push(question);
    let mut request = ChatRequest::new(messages);
    request.sampling.max_tokens = args.max_tokens;
    request.sampling.temperature = args.temperature;

    let lines = progress::Lines::new(context, &models);
    let outcome = service
        .compare_with(&request, &models, |place, news| lines.tell(place, &news))
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

/// The models, each once; several may stand in one word with commas between.
fn apart(words: &[String], knows: impl Fn(&str) -> bool) -> Vec<String> {
    let mut models: Vec<String> = vec![];
    for word in words {
        let names: Vec<&str> = match knows(word) {
            true => vec![word],
            false => word.split(',').map(str::trim).collect(),
        };
        for name in names {
            if !name.is_empty() && !models.iter().any(|known| known == name) {
                models.push(name.to_owned());
            }
        }
    }
    models
}

/// What a word behind the models is.
#[derive(Debug, PartialEq, Eq)]
enum Last {
    /// One more model, rightly named or not.
    Model,
    /// The question.
    Question,
    /// The question, unless another is piped in.
    Perhaps,
}

/// What the last of the words behind `--models` is, where no question stands elsewhere.
fn last(words: &[String], config: &Config) -> Last {
    let names = || config.models.keys().chain(config.routes.keys());
    let knows = |name: &str| config.model(name).is_some() || config.routes.contains_key(name);
    let Some((last, before)) = words.split_last() else {
        return Last::Model;
    };
    let known = apart(before, knows)
        .iter()
        .filter(|name| knows(name))
        .count();
    let models = apart(std::slice::from_ref(last), knows);
    if known == 0 || models.iter().any(|name| knows(name)) {
        return Last::Model;
    }
    match last.contains(char::is_whitespace) {
        true => Last::Question,
        false if known < 2 || nearest(last, names().map(String::as_str)).is_some() => Last::Model,
        false => Last::Perhaps,
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
            let media = media_summary(&answer.media());
            let texts = (!content.is_empty())
                .then(|| content.to_owned())
                .into_iter()
                .chain(calls)
                .chain(media.map(|media| format!("[{media}, not shown here: --json prints it]")));
            texts.collect::<Vec<_>>().join("\n").replace('\t', "    ")
        }
        Err(error) => foreign::line(&format!("failed: {error}")),
    }
}

fn took(result: &Comparison) -> String {
    match &result.outcome {
        Ok(answer) => {
            let left_out = answer::warnings(answer);
            let figures = std::iter::once(figures::of_answer(answer));
            figures.chain(left_out).collect::<Vec<_>>().join("; ")
        }
        Err(_) => format!("after {}", figures::time(result.elapsed)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use multillm::config::Env;

    fn judge(words: &[&str]) -> Last {
        let text = r#"{ "models": { "gpt-4": { "provider": "openai" }, "big model": { "provider": "openai" } },
                        "routes": { "any": { "models": ["gpt-4"] } } }"#;
        let env = Env::fixed("", [("A", "")]);
        let config = Config::from_json_str(text, Path::new("."), &env).unwrap();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        last(&words, &config)
    }

    #[test]
    fn a_question_behind_the_models_is_no_model() {
        assert_eq!(
            judge(&["gpt-4", "any", "What is this, exactly?"]),
            Last::Question
        );
        assert_eq!(judge(&["gpt-4,any", "What is it?"]), Last::Question);
        assert_eq!(judge(&["gpt-4", "any", "hello"]), Last::Perhaps);
        for models in [
            &["gpt-4", "any"][..],
            &["gpt-4", "any,gtp-4"],
            &["gpt-4", "any", "gtp-4"],
            &["gpt-4", "big model"],
            &["gpt-4", "hello"],
            &["What is it?"],
        ] {
            assert_eq!(judge(models), Last::Model, "{models:?}");
        }
    }

    #[test]
    fn models_stand_apart_or_with_commas_each_once() {
        let words = ["a,b", "c", "d, e", "a", "f,g"].map(str::to_owned);
        let models = apart(&words, |name| name == "f,g");
        assert_eq!(models, ["a", "b", "c", "d", "e", "f,g"]);
    }
}
