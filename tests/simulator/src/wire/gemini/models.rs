//! Gemini's models and their listing in pages. <https://ai.google.dev/gemini-api/docs/models>

use serde_json::{Value, json};

use crate::server::http1::Request;
use crate::wire::{page, page_start, page_token};

use super::Trouble;

/// However many a client asks for, a page has no more.
const PAGE: usize = 4;

/// A model and what it takes.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) traits: Traits,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// 1, 2, 3: the family's number. Gemma counts as 0.
    pub(super) generation: u8,
    pub(super) thinks: bool,
    /// `thinkingBudget: 0` is taken.
    pub(super) can_rest: bool,
    pub(super) tools: bool,
    pub(super) system: bool,
    pub(super) embeds: bool,
    pub(super) max_output: u64,
}

const PLAIN: Traits = Traits {
    generation: 2,
    thinks: false,
    can_rest: true,
    tools: true,
    system: true,
    embeds: false,
    max_output: 8_192,
};
const THINKS: Traits = Traits {
    thinks: true,
    max_output: 65_536,
    ..PLAIN
};
const THIRD: Traits = Traits {
    generation: 3,
    can_rest: false,
    ..THINKS
};
const GEMMA: Traits = Traits {
    generation: 0,
    tools: false,
    system: false,
    ..PLAIN
};
const EMBEDS: Traits = Traits {
    embeds: true,
    ..PLAIN
};

const MODELS: [(&str, Traits); 20] = [
    (
        "gemini-1.5-flash",
        Traits {
            generation: 1,
            ..PLAIN
        },
    ),
    (
        "gemini-1.5-pro",
        Traits {
            generation: 1,
            ..PLAIN
        },
    ),
    ("gemini-2.0-flash", PLAIN),
    ("gemini-2.0-flash-001", PLAIN),
    ("gemini-2.0-flash-lite", PLAIN),
    ("gemini-2.5-flash", THINKS),
    (
        "gemini-2.5-flash-lite",
        Traits {
            thinks: false,
            max_output: 65_536,
            ..PLAIN
        },
    ),
    (
        "gemini-2.5-pro",
        Traits {
            can_rest: false,
            ..THINKS
        },
    ),
    ("gemini-3-flash-preview", THIRD),
    ("gemini-3-pro-preview", THIRD),
    ("gemini-3.1-pro-preview", THIRD),
    ("gemini-3.5-flash", THIRD),
    ("gemini-3.5-flash-lite", THIRD),
    ("gemini-3.8-flash", THIRD),
    ("gemini-flash-latest", THINKS),
    (
        "gemini-pro",
        Traits {
            generation: 1,
            ..PLAIN
        },
    ),
    (
        "gemini-pro-vision",
        Traits {
            generation: 1,
            ..PLAIN
        },
    ),
    ("gemma-3-27b-it", GEMMA),
    ("gemini-embedding-001", EMBEDS),
    ("text-embedding-004", EMBEDS),
];

/// Finds the model of a path for a method.
pub(super) fn find(name: &str, verb: &str, added: &[String]) -> Result<Model, Trouble> {
    let known = MODELS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, traits)| *traits);
    let traits = known.or_else(|| added.iter().any(|model| model == name).then_some(THINKS));
    let embeds = verb == "embedContent" || verb == "batchEmbedContents";
    match traits.filter(|traits| traits.embeds == embeds) {
        Some(traits) => Ok(Model {
            name: name.to_owned(),
            traits,
        }),
        None => {
            let message = format!(
                "models/{name} is not found for API version v1beta, or is not supported for {verb}. Call ListModels to see the list of available models and their supported methods."
            );
            Err(Trouble::new(404, "NOT_FOUND", message))
        }
    }
}

/// One model of the listing.
pub(super) fn entry(model: &Model) -> Value {
    let methods = if model.traits.embeds {
        json!(["embedContent"])
    } else {
        json!(["generateContent", "countTokens"])
    };
    json!({
        "name": format!("models/{}", model.name),
        "version": "001",
        "displayName": model.name.replace('-', " "),
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": model.traits.max_output,
        "supportedGenerationMethods": methods,
        "thinking": model.traits.thinks,
    })
}

/// A page of the listing; the token is the number of models before it.
pub(super) fn listing(request: &Request, added: &[String]) -> Result<Value, Trouble> {
    let own = MODELS.iter().map(|(name, traits)| Model {
        name: (*name).to_owned(),
        traits: *traits,
    });
    let more = added.iter().map(|name| Model {
        name: name.clone(),
        traits: THINKS,
    });
    let models: Vec<Model> = own.chain(more).collect();
    let start = page_start(request, "pageToken")
        .ok_or_else(|| Trouble::invalid("Page token is invalid."))?;
    let size = match request.param("pageSize").map(|size| size.parse::<usize>()) {
        None => 50,
        Some(Ok(size)) => size,
        Some(Err(_)) => {
            return Err(Trouble::invalid(
                "Invalid value at 'page_size' (TYPE_INT32)",
            ));
        }
    };
    let (shown, has_more) = page(&models, start, size.clamp(1, PAGE));
    let entries: Vec<Value> = shown.iter().map(entry).collect();
    Ok(match has_more {
        true => {
            json!({"models": entries, "nextPageToken": page_token(start + shown.len())})
        }
        false => json!({"models": entries}),
    })
}
