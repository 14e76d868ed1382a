//! The built-in table, LiteLLM's form, and which entry is whose.

use std::path::Path;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::*;
use crate::config::{Config, Env};

fn dollars(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn model(entry: &str) -> Arc<Model> {
    let text = format!(
        r#"{{"providers": {{"mine": {{"plugin": "openai", "base_url": "https://example.com/v1"}}}},
            "models": {{"m": {entry}}}}}"#
    );
    let config = Config::from_json_str(&text, Path::new("."), &Env::fixed("", [("A", "b")]));
    config.unwrap().models["m"].clone()
}

fn table(models: &str) -> PriceTable {
    let text = format!(r#"{{"as_of": "2026-11-01", "models": {models}}}"#);
    PriceTable::from_json(&text).unwrap().table
}

#[test]
fn the_built_in_table_is_dated_and_complete() {
    let table = PriceTable::built_in();
    assert!(table.len() > 40);
    assert!(table.as_of.as_deref().is_some_and(|day| day.len() == 10));
    for (name, listed) in &table.models {
        assert!(name.contains('/'), "{name}");
        let prices = &listed.prices;
        let (input, output) = (prices.input_per_1m.unwrap(), prices.output_per_1m.unwrap());
        assert!(input <= output, "{name}");
        assert!(
            prices.cached_input_per_1m.is_none_or(|price| price < input),
            "{name}"
        );
        assert!(
            prices.cache_write_per_1m.is_none_or(|price| price >= input),
            "{name}"
        );
    }
}

#[test]
fn dated_names_have_the_price_of_the_plain_one() {
    let cases = [
        ("gpt-4o-2024-08-06", Some("gpt-4o")),
        ("gpt-4-0613", Some("gpt-4")),
        ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
        ("claude-3-5-sonnet@20240620", Some("claude-3-5-sonnet")),
        ("claude-3-5-haiku-latest", Some("claude-3-5-haiku")),
        ("command-a-03-2025", Some("command-a")),
        ("gemini-2.0-flash-001", Some("gemini-2.0-flash")),
        ("gpt-4o-mini", None),
        ("gpt-4-turbo", None),
        ("llama-3.3-70b", None),
        ("-2024-08-06", None),
        ("模型-4o", None),
    ];
    for (name, plain) in cases {
        assert_eq!(undated(name), plain, "{name}");
    }
    let table = table(
        r#"{"openai/gpt-4o": {"input_per_1m": 2.50, "output_per_1m": 10},
            "openai/gpt-4o-2024-05-13": {"input_per_1m": 5, "output_per_1m": 15}}"#,
    );
    let gpt = model(r#"{"provider": "openai", "model_name": "gpt-4o"}"#);
    let input = |answered: Option<&str>| table.of(&gpt, answered, None).unwrap().input_per_1m;
    assert_eq!(input(None), dollars("2.5"));
    assert_eq!(input(Some("gpt-4o-2024-08-06")), dollars("2.5"));
    assert_eq!(input(Some("gpt-4o-2024-05-13")), dollars("5"));
    assert_eq!(input(Some("something-else")), dollars("2.5"));
    let mini = model(r#"{"provider": "openai", "model_name": "gpt-4o-mini"}"#);
    assert_eq!(table.of(&mini, Some("gpt-4o-mini-2024-07-18"), None), None);
}

#[test]
fn somebody_elses_server_has_its_own_prices() {
    let mine = model(r#"{"provider": "mine", "model_name": "gpt-4o"}"#);
    let mut table = table(r#"{"openai/gpt-4o": {"input_per_1m": 2.50, "output_per_1m": 10}}"#);
    assert_eq!(table.of(&mine, None, None), None);
    let own = table.models["openai/gpt-4o"].clone();
    table.models.insert("mine/gpt-4o".into(), own);
    assert!(table.of(&mine, None, None).is_some());
}

#[test]
fn beyond_the_listed_length_the_price_is_unknown() {
    let table =
        table(r#"{"claude/c": {"input_per_1m": 3, "output_per_1m": 15, "prompt_up_to": 200000}}"#);
    let claude = model(r#"{"provider": "anthropic", "model_name": "c"}"#);
    assert!(table.of(&claude, None, Some(200_000)).is_some());
    assert!(table.of(&claude, None, Some(200_001)).is_none());
}

#[test]
fn litellms_list_is_read_to_the_last_digit() {
    let text = r#"{
      "sample_spec": {"mode": "one of: chat, embedding", "input_cost_per_token": 0.0},
      "gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-08, "max_tokens": 16384},
      "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 0.000003,
        "output_cost_per_token": 1.5E-5, "cache_creation_input_token_cost": 3.75e-06,
        "input_cost_per_token_above_200k_tokens": 6e-06},
      "gemini/gemini-y": {"litellm_provider": "gemini", "input_cost_per_token": 2.9999999999999997e-07,
        "output_cost_per_token": "2.5e-06", "output_cost_per_reasoning_token": 3.5e-06},
      "groq/llama": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
      "text-embedding-3": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-07, "output_cost_per_token": 0},
      "gpt-unknown": {"litellm_provider": "openai", "mode": "chat"},
      "odd": {"litellm_provider": "openai", "input_cost_per_token": -1, "output_cost_per_token": 1},
      "odder": 7
    }"#;
    let imported = PriceTable::from_json(text).unwrap();
    assert_eq!(imported.without_price, 2);
    assert_eq!(imported.skipped.len(), 2, "{:?}", imported.skipped);
    assert!(imported.skipped[0].contains("negative"));
    let table = imported.table;
    let prices = |key: &str| table.models[key].prices.clone();
    let mini = prices("openai/gpt-4o-mini");
    assert_eq!(mini.input_per_1m, dollars("0.15"));
    assert_eq!(mini.output_per_1m, dollars("0.6"));
    assert_eq!(mini.cached_input_per_1m, dollars("0.075"));
    assert_eq!(
        prices("claude/claude-x").cache_write_per_1m,
        dollars("3.75")
    );
    assert_eq!(table.models["claude/claude-x"].prompt_up_to, Some(200_000));
    let gemini = prices("gemini/gemini-y");
    assert_eq!(gemini.input_per_1m, dollars("0.29999999999999997"));
    assert_eq!(gemini.reasoning_per_1m, dollars("3.5"));
    assert!(prices("groq/llama").is_free());
    // Written and read again it is the same.
    assert_eq!(
        PriceTable::from_json(&table.to_json()).unwrap().table,
        table
    );
}

#[test]
fn what_is_no_table_says_so() {
    let refused = |text: &str| PriceTable::from_json(text).unwrap_err().to_string();
    assert!(refused("[]").starts_with("no price table"));
    assert!(refused(r#"{"a": {"b": 1}}"#).contains("litellm_provider"));
    assert!(refused(r#"{"models": {"a/b": {"input_per_1k": 1}}}"#).contains("input_per_1k"));
    assert!(refused(r#"{"models": {"a/b": {"input_per_1m": -1}}}"#).contains("negative"));
    let missing = PriceTable::load(Path::new("/nowhere/prices.json")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/prices.json"));
}

#[test]
fn litellms_levels_lengths_and_calls_are_read() {
    let text = r#"{
      "claude-y": {"litellm_provider": "anthropic", "mode": "chat",
        "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
        "cache_read_input_token_cost": 3e-07, "cache_creation_input_token_cost": 3.75e-06,
        "cache_creation_input_token_cost_above_1hr": 6e-06,
        "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
        "cache_read_input_token_cost_above_200k_tokens": 6e-07,
        "input_cost_per_token_batches": 1.5e-06, "output_cost_per_token_batches": 7.5e-06,
        "search_context_cost_per_query": {"search_context_size_high": 0.01, "search_context_size_low": 0.01,
          "search_context_size_medium": 0.01}},
      "gpt-y": {"litellm_provider": "openai", "mode": "responses",
        "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.5e-05,
        "input_cost_per_token_priority": 5e-06, "output_cost_per_token_priority": 3e-05,
        "input_cost_per_token_flex": 1.25e-06, "file_search_cost_per_1k_calls": 2.5,
        "input_cost_per_token_above_128k_tokens": 4e-06, "input_cost_per_token_above_272k_tokens": 5e-06,
        "search_context_cost_per_query": {"search_context_size_high": 0.05, "search_context_size_low": 0.03}},
      "gemini/gemini-old": {"litellm_provider": "gemini", "mode": "chat",
        "input_cost_per_token": 3e-07, "output_cost_per_token": 2.5e-06, "input_cost_per_audio_token": 1e-06,
        "search_context_cost_per_query": {"search_context_size_low": 0.035, "search_context_size_high": 0.035}},
      "gemini/gemini-new": {"litellm_provider": "gemini", "mode": "chat",
        "input_cost_per_token": 3e-07, "output_cost_per_token": 2.5e-06, "web_search_billing_unit": "per_query",
        "search_context_cost_per_query": {"search_context_size_low": 0.014, "search_context_size_high": 0.014}}
    }"#;
    let table = PriceTable::from_json(text).unwrap().table;
    let of = |name: &str| table.models[name].clone();
    let claude = of("claude/claude-y");
    assert_eq!(claude.prices.cache_write_1h_per_1m, dollars("6"));
    assert_eq!(claude.prices.per_web_search, dollars("0.01"));
    assert_eq!(claude.prices.tiers["batch"].output_per_1m, dollars("7.5"));
    let (tokens, longer) = claude.prices.above.as_deref().unwrap();
    assert_eq!((*tokens, longer.output_per_1m), (200_000, dollars("22.5")));
    assert_eq!(longer.cached_input_per_1m, dollars("0.6"));
    assert_eq!(
        longer.per_web_search,
        dollars("0.01"),
        "a search costs the same"
    );
    assert_eq!(claude.prompt_up_to, None);
    let gpt = of("openai/gpt-y");
    assert_eq!(gpt.prices.tiers["priority"].input_per_1m, dollars("5"));
    assert!(
        !gpt.prices.tiers.contains_key("flex"),
        "half of its prices are unknown"
    );
    assert_eq!(gpt.prices.per_file_search, dollars("0.0025"));
    assert_eq!(
        gpt.prices.per_web_search, None,
        "which of the two nobody says"
    );
    assert_eq!((gpt.prompt_up_to, gpt.prices.above), (Some(128_000), None));
    assert_eq!(
        of("gemini/gemini-old").prices.per_searched_request,
        dollars("0.035")
    );
    assert_eq!(
        of("gemini/gemini-old").prices.audio_input_per_1m,
        dollars("1")
    );
    assert_eq!(
        of("gemini/gemini-new").prices.per_web_search,
        dollars("0.014")
    );
    // What is written is read again.
    let again = PriceTable::from_json(&table.to_json()).unwrap().table;
    assert_eq!(again, table);
}
