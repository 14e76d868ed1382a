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

/// The prices of an entry; nothing if it has none, or is for something else than conversations.
fn listed(fields: &Fields<'_>) -> Result<Option<Listed>, String> {
    let chats = match text(fields, "mode") {
        Some(mode) => MODES.contains(&mode.as_str()),
        None => true,
    };
    let price = |key: &str, places: u32| amount(fields, key, places);
    let prices = Prices {
        input_per_1m: price("input_cost_per_token", 6)?,
        output_per_1m: price("output_cost_per_token", 6)?,
        cached_input_per_1m: price("cache_read_input_token_cost", 6)?,
        cache_write_per_1m: price("cache_creation_input_token_cost", 6)?,
        reasoning_per_1m: price("output_cost_per_reasoning_token", 6)?,
        per_request: price("input_cost_per_request", 0)?,
    };
    if !chats || prices.input_per_1m.is_none() || prices.output_per_1m.is_none() {
        return Ok(None);
    }
    Ok(Some(Listed {
        prices,
        prompt_up_to: fields.keys().filter_map(|key| tier(key)).min(),
    }))
}

/// `input_cost_per_token_above_200k_tokens` says that the plain price holds up to 200,000.
fn tier(key: &str) -> Option<u64> {
    let thousands = key
        .strip_prefix("input_cost_per_token_above_")?
        .strip_suffix("k_tokens")?;
    thousands.parse::<u64>().ok()?.checked_mul(1000)
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
