//! Cohere's models and their listing in pages. <https://docs.cohere.com/docs/models>

use serde_json::{Value, json};

use crate::server::http1::Request;
use crate::wire::{page, page_start, page_token};

use super::Trouble;

/// However many a client asks for, a page has no more.
const PAGE: usize = 4;

/// What a model takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    pub(super) reasoning: bool,
    pub(super) vision: bool,
    pub(super) tools: bool,
    endpoint: &'static str,
}

const CHAT: Traits = Traits {
    reasoning: false,
    vision: false,
    tools: true,
    endpoint: "chat",
};
const EMBED: Traits = Traits {
    endpoint: "embed",
    ..CHAT
};

const MODELS: [(&str, Traits); 15] = [
    (
        "c4ai-aya-expanse-32b",
        Traits {
            tools: false,
            ..CHAT
        },
    ),
    (
        "c4ai-aya-vision-32b",
        Traits {
            vision: true,
            tools: false,
            ..CHAT
        },
    ),
    (
        "command",
        Traits {
            tools: false,
            ..CHAT
        },
    ),
    ("command-a-03-2025", CHAT),
    (
        "command-a-reasoning-08-2025",
        Traits {
            reasoning: true,
            ..CHAT
        },
    ),
    (
        "command-a-vision-07-2025",
        Traits {
            vision: true,
            tools: false,
            ..CHAT
        },
    ),
    ("command-r", CHAT),
    ("command-r-08-2024", CHAT),
    ("command-r-plus", CHAT),
    ("command-r-plus-08-2024", CHAT),
    ("command-r7b-12-2024", CHAT),
    ("embed-english-v3.0", EMBED),
    ("embed-multilingual-v3.0", EMBED),
    ("embed-v4.0", EMBED),
    (
        "rerank-v3.5",
        Traits {
            endpoint: "rerank",
            ..CHAT
        },
    ),
];

fn unknown(name: &str) -> Trouble {
    Trouble::new(
        404,
        format!(
            "model '{name}' not found, make sure the correct model ID was used and that you have access to the model."
        ),
    )
}

/// Finds a chat model.
pub(super) fn find(name: &str, added: &[String]) -> Result<Traits, Trouble> {
    let known = MODELS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, traits)| *traits);
    match known.or_else(|| added.iter().any(|model| model == name).then_some(CHAT)) {
        Some(traits) if traits.endpoint == "chat" => Ok(traits),
        Some(_) => Err(Trouble::invalid(format!(
            "model '{name}' is not supported by the chat API"
        ))),
        None => Err(unknown(name)),
    }
}

/// Whether this is an embedding model.
pub(super) fn embeds(name: &str) -> Result<(), Trouble> {
    let known = MODELS
        .iter()
        .any(|(known, traits)| *known == name && traits.endpoint == "embed");
    if known { Ok(()) } else { Err(unknown(name)) }
}

/// A page of the listing, for one endpoint or all; the token is the number of models before it.
pub(super) fn listing(request: &Request, added: &[String]) -> Result<Value, Trouble> {
    let wanted = request.param("endpoint").unwrap_or_default();
    let own = MODELS
        .iter()
        .map(|(name, traits)| ((*name).to_owned(), *traits));
    let all = own.chain(added.iter().map(|name| (name.clone(), CHAT)));
    let models: Vec<(String, Traits)> = all
        .filter(|(_, traits)| wanted.is_empty() || traits.endpoint == wanted)
        .collect();
    let start = page_start(request, "page_token")
        .ok_or_else(|| Trouble::invalid("page_token is invalid"))?;
    let size = match request.param("page_size").map(|size| size.parse::<usize>()) {
        None => 20,
        Some(Ok(size)) if (1..=1000).contains(&size) => size,
        Some(_) => return Err(Trouble::invalid("page_size must be between 1 and 1000")),
    };
    let (shown, has_more) = page(&models, start, size.min(PAGE));
    let entry = |(name, traits): &(String, Traits)| {
        json!({"name": name, "endpoints": [traits.endpoint], "finetuned": false, "context_length": 128_000,
            "features": if traits.tools { json!(["tools", "strict_tools", "json_mode"]) } else { Value::Null }})
    };
    let entries: Vec<Value> = shown.iter().map(entry).collect();
    Ok(match has_more {
        true => {
            json!({"models": entries, "next_page_token": page_token(start + shown.len())})
        }
        false => json!({"models": entries}),
    })
}
