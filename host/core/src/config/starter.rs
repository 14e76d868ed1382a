//! A first configuration for the vendors that somebody uses.
//!
//! Text only: nothing here writes a file.

use serde_json::Value;

use super::diagnose::advice;
use super::names::{VENDORS, canonical};

/// What a first configuration consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// The configuration file.
    pub config: String,
    /// The file that says which keys belong into `.env`.
    pub env_example: String,
}

/// A vendor as it stands in a first configuration.
struct Vendor {
    name: &'static str,
    title: &'static str,
    /// Lines of `.env`.
    env: &'static [&'static str],
    /// Where a key is had.
    keys: &'static str,
    key: Option<&'static str>,
    /// Name here, vendor's name.
    models: &'static [(&'static str, &'static str)],
}

const KNOWN: [Vendor; 7] = [
    Vendor {
        name: "openai",
        title: "OpenAI",
        env: &["OPENAI_API_KEY="],
        keys: "https://platform.openai.com/api-keys",
        key: Some("OPENAI_API_KEY"),
        models: &[
            ("gpt-6.1-terra", "gpt-6.1-terra"),
            ("gpt-6-luna", "gpt-6-luna"),
        ],
    },
    Vendor {
        name: "azure",
        title: "Azure OpenAI: model_name is the name of your deployment",
        env: &["AZURE_OPENAI_ENDPOINT=", "AZURE_OPENAI_API_KEY="],
        keys: "the resource's endpoint, such as https://NAME.openai.azure.com, and one of its keys",
        key: Some("AZURE_OPENAI_API_KEY"),
        models: &[("azure-gpt-4o", "gpt-4o")],
    },
    Vendor {
        name: "claude",
        title: "Anthropic Claude",
        env: &["ANTHROPIC_API_KEY="],
        keys: "https://platform.claude.com/settings/keys",
        key: Some("ANTHROPIC_API_KEY"),
        models: &[
            ("claude-sonnet-5-5", "claude-sonnet-5-5"),
            ("claude-haiku-5-5", "claude-haiku-5-5"),
        ],
    },
    Vendor {
        name: "gemini",
        title: "Google Gemini",
        env: &["GEMINI_API_KEY="],
        keys: "https://aistudio.google.com/apikey",
        key: Some("GEMINI_API_KEY"),
        models: &[
            ("gemini-3.8-flash", "gemini-3.8-flash"),
            ("gemini-2.5-pro", "gemini-2.5-pro"),
        ],
    },
    Vendor {
        name: "cohere",
        title: "Cohere",
        env: &["COHERE_API_KEY="],
        keys: "https://dashboard.cohere.com/api-keys",
        key: Some("COHERE_API_KEY"),
        models: &[("command-a", "command-a-03-2025")],
    },
    Vendor {
        name: "huggingface",
        title: "Hugging Face",
        env: &["HF_TOKEN="],
        keys: "a token that may call inference providers, https://huggingface.co/settings/tokens",
        key: Some("HF_TOKEN"),
        models: &[("huggingface-gpt-oss", "openai/gpt-oss-120b")],
    },
    Vendor {
        name: "ollama",
        title: "Ollama, on this machine or on one nearby",
        env: &["#OLLAMA_HOST=localhost:11434"],
        keys: "needs no key; where it runs, if not at http://localhost:11434",
        key: None,
        models: &[("llama3.2", "llama3.2")],
    },
];

impl Starter {
    /// The vendors that come with the program, by the names that [`Starter::new`] takes.
    pub const VENDORS: [&'static str; 7] = VENDORS;

    /// A first configuration for these vendors, by name or alias (`anthropic`, `google`); the first
    /// model of the first one is the default. `plugin_dir` is where the plugins stand, as seen from
    /// the file, or absolute; nothing where the program brings them along.
    ///
    /// # Errors
    ///
    /// No vendor is named, or one is unknown: what could be meant.
    pub fn new(vendors: &[String], plugin_dir: Option<&str>) -> Result<Self, String> {
        let mut chosen: Vec<&Vendor> = vec![];
        for name in vendors {
            let own = canonical(name.trim());
            let vendor = KNOWN
                .iter()
                .find(|vendor| vendor.name == own)
                .ok_or_else(|| format!("no vendor {name:?}: {}", advice(own, VENDORS, "")))?;
            if !chosen.iter().any(|known| known.name == vendor.name) {
                chosen.push(vendor);
            }
        }
        let default = chosen
            .first()
            .and_then(|vendor| vendor.models.first())
            .ok_or_else(|| {
                let known = VENDORS.join(", ");
                format!("no vendor is named: choose from {known}")
            })?;
        Ok(Starter {
            config: config(&chosen, default.0, plugin_dir),
            env_example: env_example(&chosen),
        })
    }
}

fn config(vendors: &[&Vendor], default: &str, plugin_dir: Option<&str>) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let mut out = String::from(
        "// Keys come from the environment or from a .env file: see .env.example.\n\
         // Models that stand nowhere here are asked as provider/model, such as groq/openai/gpt-oss-120b.\n\
         // Comments are allowed here, and paths are relative to this file.\n{\n",
    );
    out.push_str("  \"$schema\": \"multi_llm_config.schema.json\",\n");
    out.push_str(&format!("  \"default_model\": {},\n", text(default)));
    if let Some(plugin_dir) = plugin_dir {
        out.push_str(&format!("  \"plugin_dir\": {},\n", text(plugin_dir)));
    }
    out.push_str("  \"models\": {");
    let mut first = true;
    for vendor in vendors {
        for (index, (name, vendors_name)) in vendor.models.iter().enumerate() {
            out.push_str(if first { "\n" } else { ",\n" });
            first = false;
            if index == 0 {
                out.push_str(&format!("    // {}\n", vendor.title));
            }
            let key = vendor
                .key
                .map(|key| format!(", \"api_key_env\": {}", text(key)))
                .unwrap_or_default();
            out.push_str(&format!(
                "    {}: {{ \"provider\": {}, \"model_name\": {}{key} }}",
                text(name),
                text(vendor.name),
                text(vendors_name),
            ));
        }
    }
    out.push_str("\n  }\n}\n");
    out
}

fn env_example(vendors: &[&Vendor]) -> String {
    let mut out = String::from(
        "# Copy this file to .env and fill in the keys. .env is read from the directory in which\n\
         # multillm is started; what is set in the environment wins over it. Never commit .env.\n",
    );
    for vendor in vendors {
        let title = vendor.title.split([':', ',']).next().unwrap_or_default();
        out.push_str(&format!("\n# {title}: {}\n", vendor.keys));
        for line in vendor.env {
            out.push_str(&format!("{line}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Env};

    #[test]
    fn every_choice_makes_a_configuration_that_loads() {
        let env = Env::fixed(
            "",
            [("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com")],
        );
        let all: Vec<String> = VENDORS.into_iter().map(str::to_owned).collect();
        let mut choices: Vec<Vec<String>> = all.iter().map(|one| vec![one.clone()]).collect();
        choices.push(all);
        for vendors in choices {
            let starter = Starter::new(&vendors, Some("plu\"gins")).unwrap();
            let config = Config::from_json_str(&starter.config, Path::new("."), &env).unwrap();
            assert!(config.default_model.is_some());
            assert_eq!(config.warnings, []);
            let named = config.models.values().all(|model| {
                let canonical = &model.provider.name;
                vendors.contains(canonical)
            });
            assert!(named);
            assert!(
                Env::fixed("", [("A", "")])
                    .with_dotenv(&starter.env_example)
                    .warnings()
                    .is_empty()
            );
        }
    }

    #[test]
    fn vendors_may_be_called_by_other_names_and_only_once() {
        let choice = [
            "anthropic".to_owned(),
            "claude".to_owned(),
            "google".to_owned(),
        ];
        let starter = Starter::new(&choice, None).unwrap();
        assert!(
            starter
                .config
                .contains("\"default_model\": \"claude-sonnet-5-5\"")
        );
        assert!(!starter.config.contains("plugin_dir"));
        assert_eq!(starter.env_example.matches("ANTHROPIC_API_KEY").count(), 1);
        assert!(starter.env_example.contains("GEMINI_API_KEY="));
        let error = Starter::new(&["opnai".to_owned()], None).unwrap_err();
        assert_eq!(error, "no vendor \"opnai\": did you mean \"openai\"?");
        assert!(Starter::new(&[], None).is_err());
    }
}
