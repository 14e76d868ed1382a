//! `multillm prices`: what models cost, where that is known from, and keeping it fresh.

use std::path::{Path, PathBuf};

use multillm::config::{Config, Model, Prices};
use multillm::files;
use multillm::service::fetch_text;
use multillm::stats::{Changes, Imported, PriceTable};
use serde::Serialize;
use serde_json::value::RawValue;

use super::sheet::Sheet;
use super::{Context, Failure, foreign, progress, trust};
use multillm::chat::exact_number;

/// The largest list, in bytes. LiteLLM's has two million.
const LARGEST: u64 = 64 << 20;
/// Changes that are shown one by one.
const SHOWN: usize = 20;

/// Subcommands of `prices`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the prices that are known: the configuration's table before the user's before the program's own
    List {
        /// Only models whose name holds this
        text: Option<String>,
    },
    /// What a model costs, and where that is known from
    Show {
        /// A model of the configuration, or provider/model
        model: String,
    },
    /// Take the prices of a list over into the user's own table
    Update {
        /// A file or an https address: a price table, or a list in LiteLLM's form
        list: String,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List { text } => list(text.as_deref(), context),
        Command::Show { model } => show(&model, context),
        Command::Update { list, dry_run } => update(&list, dry_run, context).await,
    }
}

/// The tables that hold, the first before the others, with where they are from.
fn tables(config: &Config) -> Result<Vec<(&'static str, PriceTable)>, Failure> {
    let mut tables = vec![];
    let user = config.user_prices.as_deref().filter(|path| path.exists());
    let files = [("configuration", config.prices.as_deref()), ("user", user)];
    for (from, path) in files {
        if let Some(path) = path {
            tables.push((from, load(path)?.table));
        }
    }
    tables.push(("program", PriceTable::built_in().clone()));
    Ok(tables)
}

fn load(path: &Path) -> Result<Imported, Failure> {
    PriceTable::load(path).map_err(|error| Failure::Usage(error.to_string()))
}

/// A model's prices as they are listed.
#[derive(Serialize)]
struct Listed<'a> {
    model: &'a str,
    /// `configuration`, `user` or `program`.
    from: &'static str,
    as_of: Option<&'a str>,
    input_per_1m: Option<Box<RawValue>>,
    output_per_1m: Option<Box<RawValue>>,
    cached_input_per_1m: Option<Box<RawValue>>,
}

fn list(text: Option<&str>, context: &Context) -> Result<(), Failure> {
    let config = trust::configuration(context)?;
    let tables = tables(&config)?;
    let mut known = std::collections::BTreeMap::new();
    for (from, table) in tables.iter().rev() {
        for (name, prices) in table.iter() {
            known.insert(name, (*from, table.as_of.as_deref(), prices));
        }
    }
    let wanted = |name: &str| text.is_none_or(|text| name.contains(text));
    known.retain(|name, _| wanted(name));
    if context.json {
        let number = |amount: Option<_>| amount.and_then(exact_number);
        let listed = known.iter().map(|(model, (from, as_of, prices))| Listed {
            model,
            from,
            as_of: *as_of,
            input_per_1m: number(prices.input_per_1m),
            output_per_1m: number(prices.output_per_1m),
            cached_input_per_1m: number(prices.cached_input_per_1m),
        });
        context.printer.json(&listed.collect::<Vec<_>>())?;
        return Ok(());
    }
    if known.is_empty() {
        return Err(Failure::Usage(match text {
            Some(text) => format!("no model whose name holds {text:?} has a price"),
            None => "no model has a price".to_owned(),
        }));
    }
    let mut table = Sheet::new(&["MODEL", "INPUT", "OUTPUT", "CACHED", "FROM"]).texts(&[0]);
    for (name, (from, as_of, prices)) in known {
        let shown = |amount: Option<rust_decimal::Decimal>| {
            amount.map_or_else(|| "-".to_owned(), |amount| amount.normalize().to_string())
        };
        table.row([
            foreign::line(name),
            shown(prices.input_per_1m),
            shown(prices.output_per_1m),
            shown(prices.cached_input_per_1m),
            match as_of {
                Some(day) => format!("{from}, {}", foreign::line(day)),
                None => from.to_owned(),
            },
        ]);
    }
    context.printer.table(&table)?;
    context.printer.note("US dollars for a million tokens");
    Ok(())
}

/// A model's prices in full.
#[derive(Serialize)]
struct Shown<'a> {
    model: &'a str,
    vendor_model: &'a str,
    /// Where they are from; absent where there are none.
    from: Option<&'static str>,
    as_of: Option<&'a str>,
    prices: Option<Box<RawValue>>,
}

fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let config = trust::configuration(context)?;
    let name = config.unaliased(name);
    let model = config.model(name);
    let model = model.ok_or_else(|| Failure::Usage(config.unknown_model(name)))?;
    let tables = tables(&config)?;
    let (from, as_of, prices) = match &model.prices {
        Some(prices) => (Some("configuration"), None, Some(prices.clone())),
        None => of_tables(&model, &tables),
    };
    let written = prices.as_ref().map(PriceTable::prices_as_json);
    let shown = Shown {
        model: &model.name,
        vendor_model: &model.model_name,
        from,
        as_of,
        prices: written
            .clone()
            .and_then(|text| RawValue::from_string(text).ok()),
    };
    if context.json {
        context.printer.json(&shown)?;
        return Ok(());
    }
    let Some(prices) = prices else {
        return Err(Failure::Usage(format!(
            "no price is known for {} ({}): write \"cost\" into its entry, or try \"multillm prices update\"",
            model.name, model.model_name
        )));
    };
    let row = |name: &str, value: &str| {
        context
            .printer
            .line(&format!("{name:<24}{}", foreign::line(value)))
    };
    row("model", &format!("{} ({})", model.name, model.model_name))?;
    let day = as_of.map_or_else(String::new, |day| format!(", {day}"));
    row("from", &format!("{}{day}", from.unwrap_or_default()))?;
    lines("", &prices, &row)?;
    Ok(())
}

/// The prices in the first table that has any.
fn of_tables<'a>(
    model: &Model,
    tables: &'a [(&'static str, PriceTable)],
) -> (Option<&'static str>, Option<&'a str>, Option<Prices>) {
    let mut found = tables
        .iter()
        .filter_map(|(from, table)| Some((from, table, table.of(model, None, None)?)));
    match found.next() {
        Some((from, table, prices)) => (Some(from), table.as_of.as_deref(), Some(prices)),
        None => (None, None, None),
    }
}

fn lines(
    before: &str,
    prices: &Prices,
    row: &impl Fn(&str, &str) -> std::io::Result<()>,
) -> std::io::Result<()> {
    for (key, amount) in PriceTable::amounts(prices) {
        if let Some(amount) = amount {
            row(&format!("{before}{key}"), &amount.normalize().to_string())?;
        }
    }
    for (tier, own) in &prices.tiers {
        lines(&format!("{before}{tier} "), own, row)?;
    }
    if let Some((tokens, own)) = prices.above.as_deref() {
        lines(&format!("{before}above {tokens} "), own, row)?;
    }
    Ok(())
}

/// What an update did.
#[derive(Serialize)]
struct Updated {
    file: PathBuf,
    written: bool,
    models: usize,
    without_price: usize,
    skipped: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
}

async fn update(list: &str, dry_run: bool, context: &Context) -> Result<(), Failure> {
    let file = context.env.user_prices().ok_or_else(|| {
        Failure::Usage(
            "there is no place for the user's own table: no home directory is known".to_owned(),
        )
    })?;
    let is_address = list.starts_with("https://") || list.starts_with("http://");
    let mut imported = match is_address {
        true => {
            let fetching = fetch_text(list, LARGEST);
            let text = progress::waiting(context, "fetching the prices", fetching).await?;
            PriceTable::from_json(&text)
                .map_err(|error| Failure::Usage(format!("{list}: {error}")))?
        }
        false => load(&context.env.working_dir().join(list))?,
    };
    if imported.table.is_empty() {
        return Err(Failure::Usage(format!(
            "{list} has no prices: nothing is changed"
        )));
    }
    if let Some(name) = imported.table.absurd().first() {
        return Err(Failure::Usage(format!(
            "{list} has prices that nobody asks, such as those of {}: nothing is changed",
            foreign::line(name)
        )));
    }
    let today = || {
        jiff::Zoned::now()
            .with_time_zone(jiff::tz::TimeZone::UTC)
            .date()
    };
    imported
        .table
        .as_of
        .get_or_insert_with(|| today().to_string());
    let changes = match file.exists() {
        true => imported.table.changes_since(&load(&file)?.table),
        // The program's own table stays behind it: nothing is gone.
        false => Changes {
            removed: vec![],
            ..imported.table.changes_since(PriceTable::built_in())
        },
    };
    if !dry_run {
        let written = file
            .parent()
            .map_or(Ok(()), files::make_private_directory)
            .and_then(|()| files::write_private(&file, imported.table.to_json().as_bytes()));
        written
            .map_err(|error| Failure::Usage(format!("cannot write {}: {error}", file.display())))?;
    }
    tell(imported, &changes, file, dry_run, context)
}

fn tell(
    imported: Imported,
    changes: &Changes,
    file: PathBuf,
    dry_run: bool,
    context: &Context,
) -> Result<(), Failure> {
    if context.json {
        let changed = changes.changed.iter().map(|change| change.model.clone());
        context.printer.json(&Updated {
            written: !dry_run,
            models: imported.table.len(),
            without_price: imported.without_price,
            skipped: imported.skipped,
            added: changes.added.clone(),
            removed: changes.removed.clone(),
            changed: changed.collect(),
            file,
        })?;
        return Ok(());
    }
    for skipped in imported.skipped.iter().take(SHOWN) {
        context
            .printer
            .note(&format!("left out: {}", foreign::line(skipped)));
    }
    let shown = |amount: &Option<rust_decimal::Decimal>| match amount {
        Some(amount) => amount.normalize().to_string(),
        None => "unknown".to_owned(),
    };
    for change in changes.changed.iter().take(SHOWN) {
        let prices = change.prices.iter();
        let mut prices: Vec<String> = prices
            .map(|(key, before, now)| format!("{key} {} -> {}", shown(before), shown(now)))
            .collect();
        prices.extend(
            change
                .others
                .then(|| "prices of levels or long prompts".to_owned()),
        );
        let line = format!("{}: {}", foreign::line(&change.model), prices.join(", "));
        context.printer.line(&line)?;
    }
    if changes.changed.len() > SHOWN {
        let more = changes.changed.len() - SHOWN;
        context.printer.line(&format!("and {more} more"))?;
    }
    let did = if dry_run { "would have" } else { "has" };
    context.printer.line(&format!(
        "{} {did} {} models: {} new, {} changed, {} gone",
        file.display(),
        imported.table.len(),
        changes.added.len(),
        changes.changed.len(),
        changes.removed.len()
    ))?;
    Ok(())
}
