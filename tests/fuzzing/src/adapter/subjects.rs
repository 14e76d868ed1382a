//! The seven plugins of the project. The ends of streams are the vendors' own.

use std::sync::OnceLock;

use multillm::transport::Framing;
use multillm_plugin_azure::Azure;
use multillm_plugin_claude::Claude;
use multillm_plugin_cohere::Cohere;
use multillm_plugin_gemini::Gemini;
use multillm_plugin_huggingface::HuggingFace;
use multillm_plugin_ollama::Ollama;
use multillm_plugin_openai::OpenAi;

use super::native::Native;
use super::{Settings, Subject};

/// Chat completions, and Responses, which any server of theirs may answer by.
const MARKER: &[&str] = &["[DONE]", "response.completed", "response.incomplete"];
const MARKER_OR_REASON: &[&str] = &[
    "[DONE]",
    "response.completed",
    "response.incomplete",
    "finish_reason",
];
/// Hugging Face ends generated texts in a way of its own.
const GENERATED: &[&str] = &["[DONE]", "generated_text", "details"];
const GENERATED_OR_REASON: &[&str] = &["[DONE]", "generated_text", "details", "finish_reason"];

const fn settings(json: &'static str, ends: &'static [&'static str]) -> Settings {
    Settings { json, ends }
}

pub(crate) static OPENAI: Subject = Subject {
    name: "openai",
    model: "gpt-4o-mini",
    framing: Framing::Sse,
    settings: &[
        settings("{}", MARKER),
        settings(r#"{"done_marker":"optional"}"#, MARKER_OR_REASON),
        settings(r#"{"auth":7}"#, MARKER),
        settings(r#"{"short_call_ids":true,"stream_usage":false}"#, MARKER),
        settings(r#"{"api":"responses"}"#, MARKER),
    ],
    native: Native::of::<OpenAi>(),
    component: OnceLock::new(),
};

pub(crate) static AZURE: Subject = Subject {
    name: "azure",
    model: "gpt-4o",
    framing: Framing::Sse,
    settings: &[
        settings("{}", MARKER),
        settings(r#"{"api_version":"2024-10-21"}"#, MARKER),
        settings(r#"{"api":"models"}"#, MARKER),
        settings(r#"{"done_marker":"optional"}"#, MARKER_OR_REASON),
    ],
    native: Native::of::<Azure>(),
    component: OnceLock::new(),
};

pub(crate) static HUGGINGFACE: Subject = Subject {
    name: "huggingface",
    model: "meta-llama/Llama-3.3-70B-Instruct",
    framing: Framing::Sse,
    settings: &[
        settings("{}", GENERATED_OR_REASON),
        settings(r#"{"done_marker":"required"}"#, GENERATED),
        settings(r#"{"bill_to":7}"#, GENERATED_OR_REASON),
    ],
    native: Native::of::<HuggingFace>(),
    component: OnceLock::new(),
};

pub(crate) static GEMINI: Subject = Subject {
    name: "gemini",
    model: "gemini-2.5-flash",
    framing: Framing::Sse,
    settings: &[
        settings("{}", &["finishReason", "blockReason"]),
        settings(r#"{"api":"vertex"}"#, &["finishReason", "blockReason"]),
    ],
    native: Native::of::<Gemini>(),
    component: OnceLock::new(),
};

pub(crate) static CLAUDE: Subject = Subject {
    name: "claude",
    model: "claude-sonnet-4-5",
    framing: Framing::Sse,
    settings: &[
        settings("{}", &["message_stop"]),
        settings(r#"{"api_version":"2026-10-21"}"#, &["message_stop"]),
    ],
    native: Native::of::<Claude>(),
    component: OnceLock::new(),
};

pub(crate) static OLLAMA: Subject = Subject {
    name: "ollama",
    model: "llama3.2",
    framing: Framing::Ndjson,
    settings: &[
        settings("{}", &[r#""done":true"#]),
        settings(r#"{"think":true}"#, &[r#""done":true"#]),
    ],
    native: Native::of::<Ollama>(),
    component: OnceLock::new(),
};

pub(crate) static COHERE: Subject = Subject {
    name: "cohere",
    model: "command-a-03-2025",
    framing: Framing::Sse,
    settings: &[
        settings("{}", &["message-end"]),
        settings(r#"{"citation_mode":"OFF"}"#, &["message-end"]),
    ],
    native: Native::of::<Cohere>(),
    component: OnceLock::new(),
};
