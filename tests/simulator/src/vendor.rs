//! The vendors that are simulated: their names, where they are mounted and the key each accepts.
//! What they speak stands under `wire`.

use serde::{Deserialize, Serialize};

/// A vendor whose wire is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// OpenAI, chat completions.
    OpenAi,
    /// Azure OpenAI, dated and v1 interfaces.
    Azure,
    /// The Hugging Face router.
    HuggingFace,
    /// Anthropic, messages.
    Anthropic,
    /// Google Gemini, generateContent.
    Gemini,
    /// Cohere, v2 chat.
    Cohere,
    /// Ollama, native interface.
    Ollama,
}

impl Vendor {
    /// Every vendor, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::OpenAi,
        Self::Azure,
        Self::HuggingFace,
        Self::Anthropic,
        Self::Gemini,
        Self::Cohere,
        Self::Ollama,
    ];

    /// The name used in paths, keys and the control endpoint.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::HuggingFace => "huggingface",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
        }
    }

    /// What stands between the address and the vendor's own path, as users of the vendor write a base URL.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::OpenAi => "/openai/v1",
            Self::Azure => "/azure",
            Self::HuggingFace => "/huggingface/v1",
            Self::Anthropic => "/anthropic",
            Self::Gemini => "/gemini",
            Self::Cohere => "/cohere",
            Self::Ollama => "/ollama",
        }
    }

    /// The key that is always accepted, e.g. `sk-sim-openai`.
    #[must_use]
    pub fn key(self) -> String {
        format!("sk-sim-{}", self.name())
    }

    /// The vendor mounted at the first segment of a path.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }
}
