//! The seven vendors as the tests ask them: plugin, simulated wire, models.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Map, Value, json};

use crate::stage::Stage;

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

/// The Responses API of those that have it, as providers of their own: see [`admit_responses`].
pub(crate) const RESPONSES: [Line; 2] = [
    Line {
        plugin: "openai-responses",
        vendor: Vendor::OpenAi,
        chat: "gpt-4o-mini",
        sees: "gpt-4o-mini",
        thinks: "o4-mini",
    },
    Line {
        plugin: "azure-responses",
        vendor: Vendor::Azure,
        chat: "gpt-4o",
        sees: "gpt-4o",
        thinks: "o4-mini",
    },
];

impl Line {
    /// The component that speaks its wire.
    pub(crate) fn component(&self) -> &'static str {
        self.plugin
            .strip_suffix("-responses")
            .unwrap_or(self.plugin)
    }

    /// Whether it is asked by the Responses API.
    pub(crate) fn is_responses(&self) -> bool {
        self.component() != self.plugin
    }

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
        let name = self.plugin.to_uppercase().replace('-', "_");
        (self.vendor != Vendor::Ollama).then(|| format!("TEST_{name}_KEY"))
    }

    fn provider(&self, simulator: &Simulator) -> Value {
        let mut provider = json!({ "base_url": simulator.base_url(self.vendor) });
        if let Some(variable) = self.key_variable() {
            provider["api_key_env"] = variable.into();
        }
        match (self.vendor, self.is_responses()) {
            (_, true) => {
                provider["plugin"] = self.component().into();
                provider["settings"] = json!({ "api": "responses" });
            }
            (Vendor::Azure, false) => {
                provider["settings"] = json!({ "api_version": "2024-10-21" });
            }
            _ => {}
        }
        provider
    }
}

/// Providers for all of them, and three models of each.
pub(crate) fn entries(simulator: &Simulator) -> (Map<String, Value>, Map<String, Value>) {
    let mut providers = Map::new();
    let mut models = Map::new();
    for line in &LINES {
        add(line, simulator, &mut providers, &mut models);
    }
    (providers, models)
}

/// Puts the Responses APIs beside them.
pub(crate) fn admit_responses(stage: &mut Stage) {
    let (mut providers, mut models) = (Map::new(), Map::new());
    for line in &RESPONSES {
        add(line, &stage.simulator, &mut providers, &mut models);
        let variable = line.key_variable().expect("both have keys");
        stage.variables.push((variable, line.vendor.key()));
    }
    for (section, entries) in [("providers", providers), ("models", models)] {
        for (name, entry) in entries {
            stage.config[section][name] = entry;
        }
    }
}

fn add(
    line: &Line,
    simulator: &Simulator,
    providers: &mut Map<String, Value>,
    models: &mut Map<String, Value>,
) {
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
