//! The models that are pulled. <https://ollama.com/library>

use serde_json::{Value, json};

use crate::seal;

use super::Trouble;

/// A model and what it can do.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// As it was asked for.
    pub(super) name: String,
    pub(super) tools: bool,
    pub(super) vision: bool,
    pub(super) thinks: bool,
    /// Behaves as servers before 0.12: calls have no ids and come on the last line.
    pub(super) is_old: bool,
}

/// Name with tag; tools, vision, thinking.
const MODELS: [(&str, bool, bool, bool); 16] = [
    ("codellama:7b", false, false, false),
    ("deepseek-r1:latest", false, false, true),
    ("gemma3:latest", false, true, false),
    ("gpt-oss:20b", true, false, true),
    ("llama2:13b", false, false, false),
    ("llama2:7b", false, false, false),
    ("llama2:latest", false, false, false),
    ("llama3:latest", false, false, false),
    ("llama3.1:latest", true, false, false),
    ("llama3.2:1b", true, false, false),
    ("llama3.2:latest", true, false, false),
    ("llava:latest", false, true, false),
    ("mistral:latest", true, false, false),
    ("mistral:old", true, false, false),
    ("qwen2.5vl:7b", true, true, false),
    ("qwen3:4b", true, false, true),
];

impl Model {
    pub(super) fn capabilities(&self) -> Vec<&'static str> {
        let named = [
            ("completion", true),
            ("tools", self.tools),
            ("vision", self.vision),
            ("thinking", self.thinks),
        ];
        named
            .into_iter()
            .filter_map(|(name, has)| has.then_some(name))
            .collect()
    }
}

/// Finds a model; without a tag, `latest` is meant.
pub(super) fn find(name: &str, added: &[String]) -> Result<Model, Trouble> {
    if name.is_empty() {
        return Err(Trouble::invalid("model is required"));
    }
    let full = if name.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    };
    let is_old = name.contains("old");
    if let Some((_, tools, vision, thinks)) = MODELS.iter().find(|(known, ..)| *known == full) {
        return Ok(Model {
            name: name.to_owned(),
            tools: *tools,
            vision: *vision,
            thinks: *thinks,
            is_old,
        });
    }
    if added.iter().any(|model| model == name) {
        return Ok(Model {
            name: name.to_owned(),
            tools: true,
            vision: true,
            thinks: false,
            is_old,
        });
    }
    Err(Trouble::new(404, format!("model '{name}' not found")))
}

/// What is pulled, without paging.
pub(super) fn listing(added: &[String]) -> Value {
    let names = MODELS
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .chain(added.iter().cloned());
    let entry = |name: String| {
        let digest = format!("{:016x}", seal::digest(&["model", &name])).repeat(4);
        json!({"name": name, "model": name, "modified_at": "2026-09-01T10:00:00.123456789+02:00", "size": 2_019_393_189_u64,
            "digest": digest, "details": {"format": "gguf", "family": "simulated", "parameter_size": "1B", "quantization_level": "Q4_K_M"}})
    };
    json!({"models": names.map(entry).collect::<Vec<_>>()})
}
