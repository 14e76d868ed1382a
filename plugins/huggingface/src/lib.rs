//! Hugging Face: the router before many providers (`org/model`, `org/model:provider`),
//! and by base URL any text-generation server of one's own that speaks OpenAI's wire.
//!
//! Many engines answer, so much is tolerated here: a stream without its last
//! marker, and errors in half a dozen shapes, also inside an answer.
//!
//! Two tasks are asked for on paths and in words of their own: text generation ([`generation`]) and feature
//! extraction, which makes vectors ([`features`]).
#![forbid(unsafe_code)]

mod features;
mod generation;

use multillm_plugin_sdk::error::Sign;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::openai::{
    Dialect, DoneMarker, MaxTokensField, Place, Settings, Vendor, ask, capabilities, decode,
    decode_embed, encode_embed, segments,
};
use multillm_plugin_sdk::{
    ChatRequest, ChatResponse, EmbedRequest, Error, ErrorKind, Frame, Header, Info, Mode, Request,
    Response, Secret, Setting, Support, Target, Vectors, export_provider, words,
};

/// The plugin.
pub struct HuggingFace;

/// What the text-generation server calls its errors, by `error_type`.
const ERRORS: &[Sign] = &[
    Sign {
        statuses: &[],
        codes: &["generation", "incomplete_generation"],
        messages: &[],
        kind: ErrorKind::Server,
        retryable: true,
    },
    Sign {
        statuses: &[0],
        codes: &["template_error", "tool_error"],
        messages: &["template error"],
        kind: ErrorKind::InvalidRequest,
        retryable: false,
    },
    Sign {
        statuses: &[500, 503],
        codes: &[],
        messages: &["is currently loading", "overloaded"],
        kind: ErrorKind::Overloaded,
        retryable: true,
    },
];

impl Vendor for HuggingFace {
    fn info() -> Info {
        let bill_to = Setting::new(
            "bill_to",
            "The organization that is billed.",
            r#"{"type":"string"}"#,
        );
        let task = Setting::new(
            "task",
            "What the server does with a question: `chat`, or `text-generation`, which goes on with the text of the question at `models/<model>` below the base URL, such as `https://router.huggingface.co/hf-inference`. Default `chat`.",
            r#"{"enum":["chat","text-generation"]}"#,
        );
        let embeddings = Setting::new(
            "embeddings",
            "How vectors are asked for: by OpenAI's API (`openai`), or by the task `feature-extraction` at `models/<model>/pipeline/feature-extraction` below the base URL, such as `https://router.huggingface.co/hf-inference`. Default `openai`.",
            r#"{"enum":["openai","feature-extraction"]}"#,
        );
        Info {
            name: "huggingface".to_owned(),
            title: "Hugging Face".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://huggingface.co/docs/inference-providers/tasks/chat-completion"
                .to_owned(),
            default_base_url: Some("https://router.huggingface.co/v1".to_owned()),
            base_url_env: vec![],
            secrets: vec![Secret::api_key(&["HF_TOKEN", "HUGGINGFACE_API_KEY"])],
            settings: [bill_to, task, embeddings]
                .into_iter()
                .chain(Settings::describe())
                .collect(),
            capabilities: capabilities(&[(Support::SomeModels, &["seed", "top-k"])]),
            wires: words(&["openai-chat"]),
            passes: vec![],
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let settings = Settings::of(target)?;
        let billed = settings.text("bill_to")?;
        let headers = billed.map(|name| Header::plain("x-hf-bill-to", name));
        let dialect = Dialect {
            name: "huggingface",
            embeddings: Some(Place::new("embeddings")),
            additions: false,
            headers: headers.into_iter().collect(),
            max_tokens_field: MaxTokensField::MaxTokens,
            reasoning_models: &[],
            reasoning_system_role: "system".into(),
            top_k: true,
            done: DoneMarker::Optional,
            errors: ERRORS,
            ..Dialect::default()
        };
        dialect.with(&settings)
    }

    fn ask(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        let dialect = Self::dialect(target)?;
        let tasks = [("chat", false), ("text-generation", true)];
        match Settings::of(target)?.word("task", &tasks)? {
            Some(true) => generation::encode(&dialect, model(target, &[]), request, mode),
            _ => ask(&dialect, target, request, mode),
        }
    }

    fn answer(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        match generation::decode(&response.body) {
            Some(answer) => Ok(answer),
            None => decode(&Self::dialect(target)?, response),
        }
    }

    fn event(frame: &Frame, events: &mut Events) -> bool {
        generation::event(&frame.data, events)
    }

    fn batch(_: &Target) -> u32 {
        features::BATCH
    }

    fn ask_vectors(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        let dialect = Self::dialect(target)?;
        let ways = [("openai", false), ("feature-extraction", true)];
        match Settings::of(target)?.word("embeddings", &ways)? {
            Some(true) => {
                let path = model(target, &["pipeline", "feature-extraction"]);
                features::encode(&dialect, path, request)
            }
            _ => encode_embed(&dialect, target, request),
        }
    }

    fn read_vectors(target: &Target, response: &Response) -> Result<Vectors, Error> {
        match features::decode(&response.body)? {
            Some(vectors) => Ok(vectors),
            None => decode_embed(&Self::dialect(target)?, response),
        }
    }
}

/// The path of a model, and what follows it.
fn model(target: &Target, rest: &[&str]) -> Vec<String> {
    let mut path = segments("models");
    path.extend(segments(&target.model));
    path.extend(words(rest));
    path
}

export_provider!(HuggingFace, models, embeddings, relay);

#[cfg(test)]
mod tests;
