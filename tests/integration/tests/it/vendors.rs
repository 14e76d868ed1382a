//! The seven vendors as the tests ask them: plugin, simulated wire, models.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Map, Value, json};

/// One vendor.
pub(crate) struct Line {
    /// The plugin, and the provider's name in the configuration.
    pub(crate) plugin: &'static str,
    pub(crate) vendor: Vendor,
    /// A model that chats and calls tools; configured under the plugin's name.
    chat: &'static str,
    /// A model that sees; `PLUGIN-sees`.
    sees: &'static str,
    /// A model that thinks; `PLUGIN-thinks`.
    thinks: &'static str,
}

pub(crate) const LINES: [Line; 7] = [
    Line {
        plugin: "openai",
        vendor: Vendor::OpenAi,
        chat: "gpt-4o-mini",
        sees: "gpt-4o-mini",
        thinks: "o4-mini",
    },
    Line {
        plugin: "azure",
        vendor: Vendor::Azure,
        chat: "gpt-4o",
        sees: "gpt-4o",
        thinks: "o4-mini",
    },
    Line {
        plugin: "huggingface",
        vendor: Vendor::HuggingFace,
        chat: "meta-llama/Llama-3.3-70B-Instruct",
        sees: "Qwen/Qwen2.5-VL-72B-Instruct",
        thinks: "deepseek-ai/DeepSeek-R1",
    },
    Line {
        plugin: "claude",
        vendor: Vendor::Anthropic,
        chat: "claude-sonnet-4-5",
        sees: "claude-sonnet-4-5",
        thinks: "claude-sonnet-4-5",
    },
    Line {
        plugin: "gemini",
        vendor: Vendor::Gemini,
        chat: "gemini-2.0-flash",
        sees: "gemini-2.0-flash",
        thinks: "gemini-2.5-flash",
    },
    Line {
        plugin: "cohere",
        vendor: Vendor::Cohere,
        chat: "command-a-03-2025",
        sees: "command-a-vision-07-2025",
        thinks: "command-a-reasoning-08-2025",
    },
    Line {
        plugin: "ollama",
        vendor: Vendor::Ollama,
        chat: "llama3.2",
        sees: "qwen2.5vl:7b",
        thinks: "qwen3:4b",
    },
];

impl Line {
    /// The model that sees, as it is configured.
    pub(crate) fn sees(&self) -> String {
        format!("{}-sees", self.plugin)
    }

    /// The model that thinks, as it is configured.
    pub(crate) fn thinks(&self) -> String {
        format!("{}-thinks", self.plugin)
    }

    /// Further models whose wire differs from that of the others.
    fn more(&self) -> Vec<(String, &'static str)> {
        match self.vendor {
            Vendor::Gemini => vec![("gemini-signs".to_owned(), "gemini-3-pro-preview")],
            _ => vec![],
        }
    }

    /// The environment variable that holds its key; a local Ollama has none.
    pub(crate) fn key_variable(&self) -> Option<String> {
        let name = self.plugin.to_uppercase();
        (self.vendor != Vendor::Ollama).then(|| format!("TEST_{name}_KEY"))
    }

    fn provider(&self, simulator: &Simulator) -> Value {
        let mut provider = json!({ "base_url": simulator.base_url(self.vendor) });
        if let Some(variable) = self.key_variable() {
            provider["api_key_env"] = variable.into();
        }
        if self.vendor == Vendor::Azure {
            provider["settings"] = json!({ "api_version": "2024-10-21" });
        }
        provider
    }
}

/// Providers for all of them, and three models of each.
pub(crate) fn entries(simulator: &Simulator) -> (Map<String, Value>, Map<String, Value>) {
    let mut providers = Map::new();
    let mut models = Map::new();
    for line in &LINES {
        providers.insert(line.plugin.into(), line.provider(simulator));
        let names = [
            (line.plugin.to_owned(), line.chat),
            (line.sees(), line.sees),
            (line.thinks(), line.thinks),
        ];
        for (name, model) in names.into_iter().chain(line.more()) {
            let model = json!({ "provider": line.plugin, "model_name": model });
            models.insert(name, model);
        }
    }
    (providers, models)
}
