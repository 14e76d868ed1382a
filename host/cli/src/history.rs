//! `multillm history`: what was asked and answered.

mod export;
mod talks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::numbers::{dollars, millis, number};
use super::sheet::Sheet;
use super::{Context, Failure, clock, filter, foreign, place, progress};
use multillm::error::Error;
use multillm::service::MultiLlmService;
use multillm::stats::{Entry, Filter, StatsError};

/// How many entries are shown where no number is given.
const SHOWN: u32 = 20;
/// How long a search goes on to bring rows into the text index, once it has shown what it found.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// Counting what a search finds ends here: it would take longer than to find what is shown.
const COUNTED: u64 = 1_000;
/// The most columns of a terminal that a prompt takes in a list.
const PROMPT_WIDTH: usize = 40;

/// Subcommands of `history`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List exchanges, the newest first
    List {
        #[command(flatten)]
        filter: filter::Args,
        /// At most so many
        #[arg(long, short = 'n', default_value_t = SHOWN, allow_hyphen_values = true)]
        limit: u32,
    },
    /// List the conversations that are kept, the last one first
    Conversations {
        /// At most so many
        #[arg(long, short = 'n', default_value_t = SHOWN, allow_hyphen_values = true)]
        limit: u32,
    },
    /// Read a conversation, or show one exchange with everything that is known of it
    Show {
        /// "last" or the beginning of a conversation's id; or the number of an exchange in the list
        #[arg(allow_negative_numbers = true)]
        id: String,
        /// Show a conversation as it was written instead of drawing its Markdown
        #[arg(long)]
        raw: bool,
    },
    /// Find exchanges by what was asked or answered, in any script
    Search {
        /// The text to find; case does not count
        text: String,
        #[command(flatten)]
        filter: filter::Args,
        /// At most so many
        #[arg(long, short = 'n', default_value_t = SHOWN, allow_hyphen_values = true)]
        limit: u32,
    },
    /// Write exchanges out for other programs
    Export {
        #[command(flatten)]
        filter: filter::Args,
        /// Only those whose text contains this
        #[arg(long, allow_hyphen_values = true)]
        text: Option<String>,
        /// At most so many, the newest first [default: all]
        #[arg(long, short = 'n', allow_hyphen_values = true)]
        limit: Option<u32>,
        /// The form
        #[arg(long, value_enum, default_value = "json")]
        format: Format,
        /// The file to write [default: standard output]
        #[arg(long, short, value_name = "FILE", value_parser = place::path())]
        output: Option<PathBuf>,
    },
    /// Remove exchanges; without a filter all of them, stored conversations and typed lines too
    Clear {
        #[command(flatten)]
        filter: filter::Args,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Forms of an export.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    /// A list of objects
    Json,
    /// A table with a header
    Csv,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    let service = context.service().await?;
    match command {
        Command::List { filter, limit } => {
            let filter = Filter {
                limit: Some(limit),
                ..filter.filter(context)?
            };
            list(&service, &filter, context).await
        }
        Command::Search {
            text,
            filter,
            limit,
        } => {
            if text.trim().is_empty() {
                return Err(Failure::Usage("nothing to search for: give a text".into()));
            }
            let filter = Filter {
                text: Some(text),
                limit: Some(limit),
                ..filter.filter(context)?
            };
            list(&service, &filter, context).await
        }
        Command::Conversations { limit } => talks::list(&service, limit, context).await,
        Command::Show { id, raw } => show(&service, &id, raw, context).await,
        Command::Export {
            filter,
            text,
            limit,
            format,
            output,
        } => {
            let filter = Filter {
                text,
                limit,
                ..filter.filter(context)?
            };
            export::run(&service, &filter, (format, output), context).await
        }
        Command::Clear { filter, yes } => {
            clear(&service, &filter.filter(context)?, yes, context).await
        }
    }
}

async fn list(
    service: &MultiLlmService,
    filter: &Filter,
    context: &Context,
) -> Result<(), Failure> {
    let mut history = service.history().await?;
    let searching = async {
        let entries = history.list(filter).await?;
        // How many there are is worth saying only if some are not shown.
        let full = filter
            .limit
            .is_some_and(|limit| entries.len() >= limit as usize);
        let all = match full {
            true => history.count(filter, COUNTED).await?,
            false => entries.len() as u64,
        };
        Ok::<_, StatsError>((entries, all))
    };
    let found = progress::waiting(context, "searching the history", searching).await;
    let shown = found
        .map_err(Failure::from)
        .and_then(|(entries, all)| print_list(&entries, all, context));
    if filter.text.is_some() {
        history.index_for(AFTERWARDS).await;
    }
    history.close().await;
    shown
}

fn print_list(entries: &[Entry], all: u64, context: &Context) -> Result<(), Failure> {
    if context.json {
        context.printer.json(&entries)?;
        return Ok(());
    }
    if entries.is_empty() {
        context.printer.note("no such exchange is recorded");
        return Ok(());
    }
    let mut table = Sheet::new(&[
        "ID", "TIME", "MODEL", "OUTCOME", "TOKENS", "COST", "LATENCY", "PROMPT",
    ])
    .texts(&[3, 7]);
    let zone = clock::zone(context);
    for entry in entries {
        table.row([
            entry.id.to_string(),
            local_time(entry.at_ms, &zone),
            entry.model.clone(),
            outcome(entry),
            number(entry.total_tokens),
            dollars(entry.cost),
            millis(Some(entry.latency_ms)),
            beginning(entry.prompt.as_deref().unwrap_or("-")),
        ]);
    }
    context.printer.table(&table)?;
    let shown = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    if shown < all {
        let more = if all < COUNTED { "" } else { "more than " };
        context
            .printer
            .note(&format!("{shown} of {more}{all}; --limit shows more"));
    }
    Ok(())
}

/// An exchange by its number, or a conversation by its id.
async fn show(
    service: &MultiLlmService,
    id: &str,
    raw: bool,
    context: &Context,
) -> Result<(), Failure> {
    let Ok(number) = id.parse::<i64>() else {
        return talks::show(service, id, raw, context).await;
    };
    let mut history = service.history().await?;
    let entry = history.get(number).await.map_err(Error::from)?;
    history.close().await;
    match entry {
        Some(entry) => print_entry(&entry, context),
        // An id may begin with digits alone.
        None if id.len() >= talks::SHORT => talks::show(service, id, raw, context).await,
        None => Err(Failure::Usage(format!(
            "no exchange {id}: \"multillm history list\" shows the numbers"
        ))),
    }
}

fn print_entry(entry: &Entry, context: &Context) -> Result<(), Failure> {
    if context.json {
        context.printer.json(&entry)?;
        return Ok(());
    }
    let or_dash = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
    let digest = entry
        .plugin_digest
        .get(..12)
        .unwrap_or(&entry.plugin_digest);
    let tokens = format!(
        "{} in ({} cached, {} written to the cache), {} out ({} thoughts)",
        number(entry.prompt_tokens),
        number(entry.cached_tokens),
        number(entry.cache_write_tokens),
        number(entry.completion_tokens),
        number(entry.reasoning_tokens),
    );
    let zone = clock::zone(context);
    let rows = [
        ("id", entry.id.to_string()),
        (
            "time",
            format!("{} ({})", local_time(entry.at_ms, &zone), entry.at()),
        ),
        ("model", entry.model.clone()),
        ("vendor's model", or_dash(entry.vendor_model.as_ref())),
        ("provider", entry.provider.clone()),
        ("plugin", format!("{} ({digest})", entry.plugin)),
        ("route", or_dash(entry.route.as_ref())),
        ("request", entry.request_id.clone()),
        ("conversation", or_dash(entry.conversation_id.as_ref())),
        ("caller", or_dash(entry.caller.as_ref())),
        ("vendor's id", or_dash(entry.vendor_id.as_ref())),
        ("attempt", entry.attempt.to_string()),
        ("streamed", if entry.streamed { "yes" } else { "no" }.into()),
        ("outcome", outcome(entry)),
        ("finish reason", or_dash(entry.finish_reason.as_ref())),
        ("error", or_dash(entry.error_message.as_ref())),
        ("tokens", tokens),
        ("cost", dollars(entry.cost)),
        ("latency", millis(Some(entry.latency_ms))),
        ("first token", millis(entry.ttft_ms)),
    ];
    for (name, value) in rows {
        let value = foreign::line(&value);
        context.printer.line(&format!("{name:<16}{value}"))?;
    }
    for warning in &entry.warnings {
        let warning = foreign::line(warning);
        context
            .printer
            .line(&format!("{:<16}{warning}", "left out"))?;
    }
    for (title, text) in [("PROMPT", &entry.prompt), ("ANSWER", &entry.answer)] {
        if let Some(text) = text {
            context.printer.line(&format!("\n{title}\n{text}"))?;
        }
    }
    Ok(())
}

async fn clear(
    service: &MultiLlmService,
    filter: &Filter,
    yes: bool,
    context: &Context,
) -> Result<(), Failure> {
    let mut history = service.history().await?;
    let count = history.count(filter, u64::MAX).await?;
    if !yes {
        let what = match filter.is_open() {
            true => "and all stored conversations and typed lines ",
            false => "",
        };
        let question = format!("remove {count} exchanges {what}for good?");
        if !super::input::confirmed(&question, context)? {
            context.printer.note("nothing is removed");
            return Ok(());
        }
    }
    let clearing = history.clear(filter);
    let removed = progress::waiting(context, "removing exchanges", clearing).await?;
    history.close().await;
    if let (true, Some(history)) = (filter.is_open(), service.history_path()) {
        remove_lines(&super::chat::lines_beside(history))?;
    }
    match context.json {
        true => context
            .printer
            .json(&serde_json::json!({ "removed": removed }))?,
        false => context
            .printer
            .note(&format!("{removed} exchanges are removed")),
    }
    Ok(())
}

/// Removes the lines that were typed in chats.
fn remove_lines(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let path = path.display();
            Err(Failure::Usage(format!(
                "the exchanges are removed, but not the typed lines in {path}: {error}"
            )))
        }
        _ => Ok(()),
    }
}

fn outcome(entry: &Entry) -> String {
    let what = entry.error_kind.as_ref().unwrap_or(&entry.outcome);
    match (entry.cached, entry.last) {
        (true, _) => format!("{what} (kept answer)"),
        (false, false) => format!("{what} (tried again)"),
        (false, true) => what.clone(),
    }
}

fn local_time(at_ms: i64, zone: &jiff::tz::TimeZone) -> String {
    let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The beginning of a text on one line, no wider than a column may be.
fn beginning(text: &str) -> String {
    use unicode_width::UnicodeWidthChar as _;
    let mut shown = String::new();
    let mut width = 0;
    let words = text.split_whitespace();
    for c in foreign::text(&words.collect::<Vec<_>>().join(" ")).chars() {
        width += c.width().unwrap_or(0);
        if width > PROMPT_WIDTH {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(beginning("two\n lines"), "two lines");
        assert_eq!(beginning(&"x".repeat(40)).len(), 40);
        assert_eq!(beginning(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
        assert_eq!(beginning(&"天".repeat(30)), format!("{}…", "天".repeat(20)));
    }
}
