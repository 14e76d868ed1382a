//! `multillm embed`: texts as vectors.

mod rows;

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Context, Failure, dry_run, foreign, input, place, progress};
use multillm::bounded;
use multillm::chat::{EmbedRequest, Embeddings};
use multillm::service::MultiLlmService;
use rows::{Row, Rows};

/// Texts that go to the library at a time: what is there is written, and need not be asked again.
const BATCH: usize = 96;

/// Arguments of `embed`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Texts. Without any, and without --file, each line of standard input is one
    texts: Vec<String>,
    /// A model of the configuration that makes vectors [default: its default_model]
    #[arg(long, short)]
    model: Option<String>,
    /// A file that is one text. May be repeated
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    file: Vec<PathBuf>,
    /// Each line of a --file is a text
    #[arg(long, requires = "file")]
    lines: bool,
    /// How long the vectors should be, where the model lets one choose
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    dimensions: Option<u32>,
    /// What they are for: query, document, classification, clustering, similarity, or the vendor's word
    #[arg(long, value_name = "WORD")]
    purpose: Option<String>,
    /// How the vectors are written
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    out: Option<PathBuf>,
    /// Go on with what stands in --out, and ask only for the rest
    #[arg(long, requires = "out")]
    resume: bool,
    /// Texts asked for at a time; what came of them is written before the next are asked for
    #[arg(long, value_name = "N", default_value_t = BATCH as u32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
    /// A parameter for the vendor as it stands, merged into its request. May be repeated
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    param: Vec<String>,
    /// Print the first HTTP request that would be sent, and send nothing
    #[arg(long, conflicts_with = "out")]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  multillm embed \"the sea\" \"ships\" --model text-embedding-3-small
  multillm embed --file notes.txt --lines --model embed-v4.0 --purpose document --out notes.jsonl
  multillm embed --file notes.txt --lines --model embed-v4.0 --purpose document --out notes.jsonl --resume";

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line of JSON for each text: its place, the digest of the text, the vector.
    Jsonl,
    /// Place, digest of the text, and a column for each number.
    Csv,
    /// The numbers alone, four bytes each (IEEE 754, little endian), one vector after the other.
    Binary,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let texts = input::reading(context, || args.texts())?;
    let service = context.service().await?;
    let done = embed(args, texts, &service, context).await;
    // What it took is in the history, whether or not all of it was done.
    service.close().await;
    done
}

async fn embed(
    args: Args,
    texts: Vec<String>,
    service: &MultiLlmService,
    context: &Context,
) -> Result<(), Failure> {
    let model = match &args.model {
        Some(model) => model.clone(),
        None => service.default_model()?,
    };
    let request = EmbedRequest {
        inputs: vec![],
        dimensions: args.dimensions,
        purpose: args.purpose.clone(),
        extra: input::parameters(&args.param)?,
    };
    if args.dry_run {
        let request = EmbedRequest {
            inputs: texts,
            ..request
        };
        let told = service.dry_run_embed(&request, &model).await?;
        return dry_run::print(&told, context);
    }
    if context.json && args.out.is_none() {
        let request = EmbedRequest {
            inputs: texts,
            ..request
        };
        let asked = service.embed(&request, &model);
        let found = progress::waiting(context, "asking for vectors", asked).await?;
        context.printer.json(&found)?;
        return Ok(());
    }
    if args.format == Format::Binary && args.out.is_none() && context.printer.is_terminal() {
        return Err(Failure::Usage(
            "binary vectors are nothing for a terminal: name a file with --out".to_owned(),
        ));
    }
    let mut rows = match &args.out {
        None => Rows::printed(args.format),
        Some(path) => Rows::of_file(path, args.format, args.resume)?,
    };
    let done = rows.check(&texts)?;
    if done > 0 {
        let word = if done == 1 { "text is" } else { "texts are" };
        context.printer.note(&format!(
            "{done} {word} there already, {} to do",
            texts.len() - done
        ));
    }
    let mut sum: Option<Embeddings> = None;
    let mut place = done;
    let todo = texts.get(done..).unwrap_or_default();
    for inputs in todo.chunks(args.batch as usize) {
        let request = EmbedRequest {
            inputs: inputs.to_vec(),
            ..request.clone()
        };
        let what = format!("{place} of {} texts are done", texts.len());
        let asked = service.embed(&request, &model);
        let found = progress::waiting(context, what, asked).await?;
        for (text, vector) in inputs.iter().zip(&found.vectors) {
            rows.write(&Row::new(place, text, vector), &context.printer)?;
            place += 1;
        }
        rows.flush()?;
        sum = Some(match sum {
            None => found,
            Some(before) => before.and(found),
        });
    }
    if let Some(sum) = sum {
        tell(&sum, context);
    }
    Ok(())
}

/// Says on standard error what was made and what it took.
fn tell(sum: &Embeddings, context: &Context) {
    let length = sum.vectors.first().map_or(0, Vec::len);
    let tokens = sum.usage.prompt_tokens;
    let tokens = tokens.map_or("tokens unknown".to_owned(), |n| format!("{n} tokens"));
    let cost = super::figures::money(sum.cost);
    let model = foreign::line(sum.vendor_model.as_deref().unwrap_or(&sum.model));
    context.printer.dim_note(&format!(
        "{length} numbers each · {model} · {tokens} · {cost}"
    ));
}

impl Args {
    /// The texts, in order.
    fn texts(&self) -> Result<Vec<String>, Failure> {
        let usage = |message: String| Failure::Usage(message);
        let mut texts: Vec<String> = self.texts.clone();
        for path in &self.file {
            input::now_reading(path.display().to_string());
            let text = bounded::text(path, input::MAX_TEXT)
                .map_err(|error| usage(format!("cannot read {}: {error}", path.display())))?;
            match self.lines {
                true => texts.extend(lines(&text)),
                false => texts.push(text),
            }
        }
        if texts.is_empty() {
            let piped = input::optional_prompt(None, false)?;
            texts.extend(lines(&piped.unwrap_or_default()));
        }
        if texts.is_empty() {
            return Err(usage(
                "nothing to embed: give texts as arguments, files with --file, or lines on standard input"
                    .to_owned(),
            ));
        }
        Ok(texts)
    }
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
}
