//! `multillm stats`: what the recorded exchanges add up to.

use super::numbers::{bar, millis, number, partial_dollars, rate, sparkline};
use super::sheet::Sheet;
use super::{Context, Failure, filter, sheet};
use multillm::stats::{Grouping, Summary, Totals};

/// Columns of the chart.
const BAR: u64 = 10;

/// Arguments of `stats`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to add up by
    #[arg(long, value_enum, default_value = "model")]
    by: By,
    #[command(flatten)]
    filter: filter::Args,
}

/// What exchanges are added up by.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum By {
    /// The configured model
    Model,
    /// The provider
    Provider,
    /// The day (UTC)
    Day,
    /// The caller of the gateway
    Caller,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let filter = args.filter.filter(context)?;
    let (grouping, title) = match args.by {
        By::Model => (Grouping::Model, "MODEL"),
        By::Provider => (Grouping::Provider, "PROVIDER"),
        By::Day => (Grouping::Day, "DAY"),
        By::Caller => (Grouping::Caller, "CALLER"),
    };
    let service = context.service().await?;
    let summary = service.stats(&filter, grouping).await?;
    match context.json {
        true => context.printer.json(&summary)?,
        false if summary.groups.is_empty() => {
            context.printer.note("no such exchange is recorded");
        }
        false => {
            let width = context.printer.width().map(usize::from);
            context
                .printer
                .line(&text(&summary, title, grouping, width))?;
        }
    }
    Ok(())
}

/// Use and cost, then speed and failures, then the failures by kind.
fn text(
    summary: &Summary,
    title: &'static str,
    grouping: Grouping,
    width: Option<usize>,
) -> String {
    let mut rows: Vec<(&str, &Totals)> = summary
        .groups
        .iter()
        .map(|(name, totals)| (name.as_str(), totals))
        .collect();
    if rows.len() > 1 {
        rows.push(("total", &summary.total));
    }
    let mut sections = vec![
        use_of(&rows, summary, title).text(width),
        speed_of(&rows, title).text(width),
    ];
    if grouping == Grouping::Day && summary.groups.len() > 1 {
        let requests: Vec<u64> = summary
            .groups
            .values()
            .map(|totals| totals.total_requests)
            .collect();
        sections.push(format!("requests by day  {}", sparkline(&requests)));
    }
    let errors = &summary.total.errors;
    if !errors.is_empty() {
        let kinds: Vec<String> = errors
            .iter()
            .map(|(kind, count)| format!("{kind} {}", number(Some(*count))))
            .collect();
        let kinds = format!("errors by kind: {}", kinds.join(", "));
        sections.push(sheet::wrapped(&kinds, width.unwrap_or(usize::MAX)).join("\n"));
    }
    sections.join("\n\n")
}

fn use_of(rows: &[(&str, &Totals)], summary: &Summary, title: &'static str) -> Sheet {
    let groups = summary.groups.values();
    let largest = groups.map(|totals| totals.total_requests).max();
    let mut table = Sheet::new(&[
        title, "REQUESTS", "", "PROMPT", "CACHED", "WRITTEN", "OUTPUT", "THOUGHT", "COST",
    ])
    .texts(&[8])
    .figures();
    for (name, totals) in rows {
        let chart = match summary.groups.contains_key(*name) {
            true => bar(totals.total_requests, largest.unwrap_or(0), BAR),
            false => String::new(),
        };
        table.row([
            (*name).to_owned(),
            number(Some(totals.total_requests)),
            chart,
            number(totals.prompt_tokens),
            number(totals.cached_tokens),
            number(totals.cache_write_tokens),
            number(totals.completion_tokens),
            number(totals.reasoning_tokens),
            partial_dollars(
                totals.total_cost,
                totals.priced_requests,
                totals.total_requests,
            ),
        ]);
    }
    table
}

fn speed_of(rows: &[(&str, &Totals)], title: &'static str) -> Sheet {
    let mut table = Sheet::new(&[
        title,
        "AVERAGE",
        "P50",
        "P95",
        "P99",
        "TTFT",
        "TOKENS/S",
        "ERRORS",
        "CANCELLED",
        "RETRIES",
        "KEPT",
    ])
    .figures();
    for (name, totals) in rows {
        let share = totals.error_rate.map(|rate| rate * 100.0);
        let errors = match totals.error_count {
            0 => "0".to_owned(),
            count => format!("{} ({})", number(Some(count)), rate(share, "%")),
        };
        table.row([
            (*name).to_owned(),
            millis(totals.average_latency),
            millis(totals.p50_ms),
            millis(totals.p95_ms),
            millis(totals.p99_ms),
            millis(totals.average_ttft_ms),
            rate(totals.tokens_per_second, ""),
            errors,
            number(Some(totals.cancellations)),
            number(Some(totals.retries)),
            number(Some(totals.cache_hits)),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_shown_so() {
        let totals = Totals {
            total_requests: 2,
            error_count: 1,
            error_rate: Some(0.5),
            errors: [("server".to_owned(), 1)].into(),
            prompt_tokens: Some(1234),
            total_cost: Some("0.25".parse().unwrap()),
            priced_requests: 1,
            average_latency: Some(12.0),
            ..Totals::default()
        };
        let summary = Summary {
            groups: [("模型".to_owned(), totals.clone())].into(),
            total: totals,
        };
        let text = text(&summary, "MODEL", Grouping::Model, None);
        assert!(text.contains("$0.25 (1 of 2 priced)"), "{text}");
        assert!(text.contains("1,234"), "{text}");
        assert!(text.contains("1 (50.0%)"), "{text}");
        assert!(text.ends_with("errors by kind: server 1"), "{text}");
        assert!(!text.contains("total"), "one group needs no sum: {text}");
    }

    #[test]
    fn at_eighty_columns_no_word_is_broken() {
        let totals = Totals {
            total_requests: 12_345,
            error_count: 7,
            error_rate: Some(0.000_567),
            prompt_tokens: Some(12_345_678),
            cached_tokens: Some(1_234_567),
            cache_write_tokens: Some(123_456),
            completion_tokens: Some(9_876_543),
            reasoning_tokens: Some(8_765_432),
            total_cost: Some("123.456789".parse().unwrap()),
            priced_requests: 12_000,
            average_latency: Some(1234.0),
            p50_ms: Some(1000.0),
            p95_ms: Some(2000.0),
            p99_ms: Some(61_000.0),
            average_ttft_ms: Some(321.0),
            tokens_per_second: Some(56.7),
            ..Totals::default()
        };
        let groups = ["claude-sonnet-4-5-20250929", "gpt-4o-mini"];
        let summary = Summary {
            groups: groups.map(|name| (name.to_owned(), totals.clone())).into(),
            total: totals,
        };
        let text = text(&summary, "MODEL", Grouping::Model, Some(80));
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{text}");
        insta::assert_snapshot!(text);
    }
}
