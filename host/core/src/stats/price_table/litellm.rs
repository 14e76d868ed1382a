//! The price list that LiteLLM keeps and others share: `model_prices_and_context_window.json`.
//!
//! One object; a key is a model, often with the provider before a slash; prices are dollars for
//! one token, mostly in scientific notation. They are moved by six places as decimals, so that
//! 1.5e-07 is exactly 0.15 for a million. The form: <https://docs.litellm.ai/docs/provider_registration/add_model_pricing>.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::{Imported, Listed, PriceTableError};
use crate::config::{Amount, Prices};

/// An entry that describes the others.
const SPECIMEN: &str = "sample_spec";
/// What a model must be for to be asked in a conversation.
const MODES: [&str; 3] = ["chat", "completion", "responses"];
/// Providers whose names are others here.
const PROVIDERS: [(&str, &str); 5] = [
    ("anthropic", "claude"),
    ("cohere_chat", "cohere"),
    ("ollama_chat", "ollama"),
    ("text-completion-openai", "openai"),
    ("azure_text", "azure"),
];

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the list.
pub(super) fn read(text: &str) -> Result<Imported, PriceTableError> {
    let entries: IndexMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| PriceTableError::Invalid(error.to_string()))?;
    let mut imported = Imported::default();
    let mut recognised = false;
    for (key, entry) in &entries {
        if key == SPECIMEN {
            recognised = true;
            continue;
        }
        let Ok(fields) = serde_json::from_str::<Fields<'_>>(entry.get()) else {
            imported.skipped.push(format!("{key}: is no object"));
            continue;
        };
        recognised |= fields.contains_key("litellm_provider");
        match listed(&fields) {
            Ok(Some(listed)) => {
                // The first of two entries for one model counts.
                let models = &mut imported.table.models;
                models.entry(name(key, &fields)).or_insert(listed);
            }
            Ok(None) => imported.without_price += 1,
            Err(reason) => imported.skipped.push(format!("{key}: {reason}")),
        }
    }
    if !recognised {
        return Err(PriceTableError::Invalid(
            "it has neither \"models\" nor entries with \"litellm_provider\"".to_owned(),
        ));
    }
    Ok(imported)
}

/// `provider/model` in the names that are used here.
fn name(key: &str, fields: &Fields<'_>) -> String {
    let provider = text(fields, "litellm_provider").unwrap_or_default();
    let own = PROVIDERS
        .iter()
        .find(|(theirs, _)| *theirs == provider)
        .map_or(provider.as_str(), |(_, own)| own);
    let prefixes = [provider.as_str(), own];
    let model = prefixes
        .into_iter()
        .find_map(|prefix| key.strip_prefix(prefix)?.strip_prefix('/'))
        .unwrap_or(key);
    match own {
        "" => model.to_owned(),
        own => format!("{own}/{model}"),
    }
}

fn text(fields: &Fields<'_>, key: &str) -> Option<String> {
    serde_json::from_str(fields.get(key)?.get()).ok()
}

/// Service levels, and what the names of their prices end with.
const LEVELS: [(&str, &str); 3] = [
    ("priority", "_priority"),
    ("flex", "_flex"),
    ("batch", "_batches"),
];

/// The prices of an entry; nothing if it has none, or is for something else than conversations.
fn listed(fields: &Fields<'_>) -> Result<Option<Listed>, String> {
    let chats = match text(fields, "mode") {
        Some(mode) => MODES.contains(&mode.as_str()),
        None => true,
    };
    let mut prices = Prices {
        per_request: amount(fields, "input_cost_per_request", 0)?,
        ..calls(fields)?
    };
    tokens(fields, "", "", &mut prices)?;
    if !chats || !is_complete(&prices) {
        return Ok(None);
    }
    let mut lengths: Vec<u64> = fields.keys().filter_map(|key| length(key)).collect();
    lengths.sort_unstable();
    let above = longer(fields, &lengths, "", &calls(fields)?)?;
    for (level, ending) in LEVELS {
        let mut own = Prices::default();
        tokens(fields, "", ending, &mut own)?;
        if is_complete(&own) {
            own.above = longer(fields, &lengths, ending, &Prices::default())?;
            prices.tiers.insert(level.to_owned(), own);
        }
    }
    // Beyond the plain prices there are others that could not be read.
    let prompt_up_to = lengths.first().copied().filter(|_| above.is_none());
    prices.above = above;
    Ok(Some(Listed {
        prices,
        prompt_up_to,
    }))
}

fn is_complete(prices: &Prices) -> bool {
    prices.input_per_1m.is_some() && prices.output_per_1m.is_some()
}

/// Prices of tokens: of prompts of a length, at a service level, by how the names of both end.
fn tokens(
    fields: &Fields<'_>,
    length: &str,
    level: &str,
    prices: &mut Prices,
) -> Result<(), String> {
    for (key, price) in [
        ("input_cost_per_token", &mut prices.input_per_1m),
        ("output_cost_per_token", &mut prices.output_per_1m),
        (
            "cache_read_input_token_cost",
            &mut prices.cached_input_per_1m,
        ),
        (
            "cache_creation_input_token_cost",
            &mut prices.cache_write_per_1m,
        ),
        (
            "cache_creation_input_token_cost_above_1hr",
            &mut prices.cache_write_1h_per_1m,
        ),
        (
            "output_cost_per_reasoning_token",
            &mut prices.reasoning_per_1m,
        ),
        ("input_cost_per_audio_token", &mut prices.audio_input_per_1m),
        (
            "output_cost_per_audio_token",
            &mut prices.audio_output_per_1m,
        ),
        (
            "output_cost_per_image_token",
            &mut prices.image_output_per_1m,
        ),
    ] {
        *price = amount(fields, &format!("{key}{length}{level}"), 6)?;
    }
    Ok(())
}

/// The prices of longer prompts, where there is one such length and all of them are there.
fn longer(
    fields: &Fields<'_>,
    lengths: &[u64],
    level: &str,
    calls: &Prices,
) -> Result<Option<Box<(u64, Prices)>>, String> {
    let [thousands] = lengths else {
        return Ok(None);
    };
    let mut prices = calls.clone();
    let length = format!("_above_{}k_tokens", thousands / 1000);
    tokens(fields, &length, level, &mut prices)?;
    Ok(is_complete(&prices).then(|| Box::new((*thousands, prices))))
}

/// `input_cost_per_token_above_200k_tokens` says that the plain price holds up to 200,000.
fn length(key: &str) -> Option<u64> {
    let thousands = key
        .strip_prefix("input_cost_per_token_above_")?
        .strip_suffix("k_tokens")?;
    thousands.parse::<u64>().ok()?.checked_mul(1000)
}

/// What is paid by the call. A search may cost by how much of what was found is read, which no answer tells: then
/// its price is unknown, unless all of them are the same.
fn calls(fields: &Fields<'_>) -> Result<Prices, String> {
    let mut prices = Prices::default();
    let files = amount(fields, "file_search_cost_per_1k_calls", 0)?;
    prices.per_file_search = files.and_then(|price| price.checked_div(Decimal::ONE_THOUSAND));
    let Some(search) = fields.get("search_context_cost_per_query") else {
        return Ok(prices);
    };
    let Ok(sizes) = serde_json::from_str::<Fields<'_>>(search.get()) else {
        return Ok(prices);
    };
    let mut all = vec![];
    for key in sizes.keys() {
        all.extend(amount(&sizes, key, 0)?);
    }
    let price = all.first().copied();
    if all.iter().any(|other| Some(*other) != price) {
        return Ok(prices);
    }
    // Google's older models are paid by the request that is grounded, the newer by the query.
    let provider = text(fields, "litellm_provider").unwrap_or_default();
    let by_request = (provider == "gemini" || provider.starts_with("vertex_ai"))
        && text(fields, "web_search_billing_unit").as_deref() != Some("per_query");
    match by_request {
        true => prices.per_searched_request = price,
        false => prices.per_web_search = price,
    }
    Ok(prices)
}

fn amount(fields: &Fields<'_>, key: &str, places: u32) -> Result<Option<Decimal>, String> {
    let raw = match fields.get(key).map(|raw| raw.get()) {
        None | Some("null") => return Ok(None),
        Some(raw) => raw,
    };
    // Some prices stand in quotation marks.
    let raw = raw.trim_matches('"');
    let unreadable = |reason: &str| format!("{key}: {reason}");
    let Amount(amount) = Amount::parse(raw).map_err(|reason| unreadable(&reason))?;
    let scaled = amount.checked_mul(Decimal::from(10_u64.pow(places)));
    scaled
        .map(|amount| Some(amount.normalize()))
        .ok_or_else(|| unreadable("is too large"))
}
