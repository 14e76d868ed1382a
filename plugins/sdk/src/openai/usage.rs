//! What an answer took: the counts under the names that are in use, and what the plain price of
//! a token does not cover.

use crate::Usage;
use crate::json::Json;
use crate::usage::count_name;

/// The service levels that cost the plain price.
const STANDARD: [&str; 6] = [
    "default",
    "auto",
    "standard",
    "on_demand",
    "standard_only",
    "unspecified",
];

/// The usage in a chunk, wherever in it it stands; nothing if there is none.
pub(super) fn report<'v, 'a>(chunk: &'v Json<'a>) -> Option<&'v Json<'a>> {
    chunk
        .get("usage")
        .or_else(|| chunk.at(&["x_groq", "usage"]))
        .filter(|usage| matches!(usage, Json::Object(_)))
}

/// The counts of a report.
///
/// Where thoughts are counted beside the output (xAI, Azure's Grok, Perplexity), the output is
/// the sum: that it is beside shows in the total, or in that it is the greater. Zero for
/// everything is what gateways write who do not know.
pub(super) fn counts(usage: &Json<'_>) -> Usage {
    let count = |paths: &[&[&str]]| count(usage, paths);
    let mut counts = Usage {
        prompt_tokens: count(&[&["prompt_tokens"], &["input_tokens"]]),
        completion_tokens: count(&[&["completion_tokens"], &["output_tokens"]]),
        total_tokens: count(&[&["total_tokens"]]),
        cached_tokens: count(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["prompt_token_details", "cached_tokens"],
            &["input_tokens_details", "cached_tokens"],
            &["prompt_cache_hit_tokens"],
            &["num_cached_tokens"],
            &["cached_tokens"],
            &["prompt_cached_tokens"],
            &["cached_prompt_tokens"],
            &["cache_read_input_tokens"],
        ]),
        cache_write_tokens: count(&[
            &["prompt_tokens_details", "cache_write_tokens"],
            &["input_tokens_details", "cache_write_tokens"],
            &["prompt_tokens_details", "cache_creation_tokens"],
            &["prompt_tokens_details", "cache_creation_input_tokens"],
            &["cache_creation_input_tokens"],
        ]),
        reasoning_tokens: count(&[
            &["completion_tokens_details", "reasoning_tokens"],
            &["output_tokens_details", "reasoning_tokens"],
            &["reasoning_tokens"],
        ]),
        ..Usage::UNKNOWN
    };
    let reported = counts.counts();
    let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
    let (prompt, output) = (counts.prompt_tokens, counts.completion_tokens);
    let all = sum(output, counts.reasoning_tokens);
    if counts.reasoning_tokens > output && output.is_some() {
        counts.completion_tokens = all;
        counts.total_tokens = sum(prompt, all).max(counts.total_tokens);
    } else if counts.reasoning_tokens > Some(0) && sum(prompt, all) == counts.total_tokens {
        counts.completion_tokens = all.or(output);
    }
    if reported.iter().all(|count| count.unwrap_or(0) == 0) {
        return Usage::UNKNOWN;
    }
    counts
}

/// The count at one of these places: of several the one that says something.
#[inline(never)]
fn count(usage: &Json<'_>, paths: &[&[&str]]) -> Option<u64> {
    let found = paths.iter().filter_map(|path| usage.at(path)?.count());
    found.fold(None, |known, count| {
        known.filter(|known| *known > 0).or(Some(count))
    })
}

/// The counts of a later report over those of an earlier one. A zero does not erase what was known.
pub(super) fn over(later: Usage, earlier: Usage) -> Usage {
    let over = |later: Option<u64>, earlier: Option<u64>| {
        later.filter(|count| *count > 0).or(earlier).or(later)
    };
    Usage {
        prompt_tokens: over(later.prompt_tokens, earlier.prompt_tokens),
        completion_tokens: over(later.completion_tokens, earlier.completion_tokens),
        total_tokens: over(later.total_tokens, earlier.total_tokens),
        cached_tokens: over(later.cached_tokens, earlier.cached_tokens),
        cache_write_tokens: over(later.cache_write_tokens, earlier.cache_write_tokens),
        reasoning_tokens: over(later.reasoning_tokens, earlier.reasoning_tokens),
        ..earlier
    }
}

/// What a chunk says of the price beside its usage.
pub(super) fn bill(usage: &mut Usage, chunk: &Json<'_>) {
    tier(usage, chunk.text("service_tier"));
    for key in ["search_results", "citations", "web_search"] {
        if !chunk.get(key).map_or(&[][..], Json::list).is_empty() {
            usage.unpriced("web search");
        }
    }
}

fn tier(usage: &mut Usage, word: Option<&str>) {
    if let Some(word) = word
        && !STANDARD
            .iter()
            .any(|standard| word.eq_ignore_ascii_case(standard))
    {
        usage.tier = Some(word.to_owned());
    }
}

/// What a message says of the price: what was searched or run on the way to it.
pub(super) fn bill_message(usage: &mut Usage, message: &Json<'_>) {
    let some = |key: &str| !message.get(key).map_or(&[][..], Json::list).is_empty();
    if some("annotations") {
        usage.unpriced("web search");
    }
    if some("executed_tools") {
        usage.unpriced("tools that the vendor ran");
    }
}

/// What a report of usage says of the price.
pub(super) fn bill_usage(usage: &mut Usage, report: &Json<'_>) {
    tier(usage, report.text("service_tier"));
    let traffic = report.at(&["extra_properties", "google", "traffic_type"]);
    tier(usage, traffic.and_then(Json::str));
    if let Some(cost) = cost(report) {
        usage.cost = Some(cost);
    }
    for (path, name) in [
        (&["num_search_queries"][..], "web-searches"),
        (&["num_sources_used"], "sources-searched"),
        (&["server_tool_use", "web_search_requests"], "web-searches"),
        (
            &["completion_tokens_details", "audio_tokens"],
            "completion-audio-tokens",
        ),
        (
            &["prompt_tokens_details", "audio_tokens"],
            "prompt-audio-tokens",
        ),
        (&["prompt_audio_seconds"], "prompt-audio-seconds"),
        (
            &["completion_tokens_details", "image_tokens"],
            "completion-image-tokens",
        ),
        (
            &["output_tokens_details", "image_tokens"],
            "completion-image-tokens",
        ),
        (
            &["completion_tokens_details", "video_tokens"],
            "completion-video-tokens",
        ),
        (
            &["cache_creation", "ephemeral_1h_input_tokens"],
            "cache-write-1h-tokens",
        ),
        (
            &[
                "prompt_tokens_details",
                "cache_creation_token_details",
                "ephemeral_1h_input_tokens",
            ],
            "cache-write-1h-tokens",
        ),
    ] {
        some(usage, report.at(path), name);
    }
    if let Some(Json::Object(tools)) = report.get("server_side_tool_usage_details") {
        for (tool, count) in tools {
            some(usage, Some(count), &count_name(tool));
        }
    }
}

/// Something that was counted, if there was any of it.
fn some(usage: &mut Usage, count: Option<&Json<'_>>, name: &str) {
    if let Some(count) = count.and_then(Json::count) {
        usage.count(name, count);
    }
}

/// What the vendor took, in US dollars as decimal text.
fn cost(usage: &Json<'_>) -> Option<String> {
    // Paid to another with the caller's own key: what is reported is the broker's share alone.
    if usage.get("is_byok").and_then(Json::bool) == Some(true) {
        return None;
    }
    if let Some(ticks) = usage.get("cost_in_usd_ticks").and_then(Json::count) {
        // https://docs.x.ai/developers/cost-tracking
        return Some(shift(&ticks.to_string(), -10));
    }
    [
        &["cost"][..],
        &["cost", "total_cost"],
        &["estimated_cost"],
        &["total_cost"],
    ]
    .into_iter()
    .find_map(|path| decimal(usage.at(path)?))
}

/// A number that is not negative, without an exponent.
fn decimal(number: &Json<'_>) -> Option<String> {
    let text = match number {
        Json::Unsigned(number) => return Some(number.to_string()),
        Json::Number(text) if !text.starts_with('-') => text,
        _ => return None,
    };
    match text.split_once(['e', 'E']) {
        None => Some(text.to_string()),
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().ok()?;
            (-40..=20)
                .contains(&exponent)
                .then(|| shift(digits, exponent))
        }
    }
}

/// A decimal number times a power of ten.
fn shift(number: &str, power: i32) -> String {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = format!("{whole}{fraction}");
    let length = |digits: &str| i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let mut point = length(whole) + power;
    while point < 1 {
        digits.insert(0, '0');
        point += 1;
    }
    while length(&digits) < point {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests;
