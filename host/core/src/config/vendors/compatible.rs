//! Vendors and servers that speak OpenAI's wire, each with its address, its key's variable and what
//! differs in its dialect: data, and nothing that acts on it.
//!
//! A model stands here only by a name that its vendor keeps pointing at what it offers.

use super::Vendor;

/// Whether requests carry a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Key {
    /// Always.
    Required,
    /// Where its variable is set: a server of one's own may have been started with one.
    Optional,
    /// Never.
    None,
}

/// What is known of a vendor or a server whose wire is OpenAI's.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) struct Compatible {
    /// Its name as a provider, its address and its key's variable.
    pub(in crate::config) vendor: Vendor,
    /// Its name for people.
    pub(in crate::config) title: &'static str,
    /// Other names of it, folded.
    pub(in crate::config) aliases: &'static [&'static str],
    pub(in crate::config) key: Key,
    /// Settings of the plugin, as a JSON object.
    pub(in crate::config) settings: &'static str,
    /// How long it may be silent before it answers, where that is longer than usual.
    pub(in crate::config) first_byte_ms: Option<u64>,
    /// Most requests at one time.
    pub(in crate::config) max_concurrency: Option<u32>,
    /// It runs on the user's own machine, and costs nothing.
    pub(in crate::config) local: bool,
    /// The model that is asked where none is named.
    pub(in crate::config) model: Option<&'static str>,
}

impl Compatible {
    /// The plugin that speaks its wire.
    pub(in crate::config) const PLUGIN: &'static str = "openai";
}

/// The one of this name, or of another name for it.
pub(in crate::config) fn compatible(name: &str) -> Option<&'static Compatible> {
    let name = crate::config::diagnose::folded(name);
    COMPATIBLE
        .iter()
        .find(|known| known.vendor.name == name || known.aliases.contains(&name.as_str()))
}

/// Those that are asked for a model where none is named stand in the order in which they are.
pub(in crate::config) static COMPATIBLE: [Compatible; 17] = [
    // https://docs.mistral.ai/api: calls the limit max_tokens and refuses stream_options
    Compatible {
        vendor: Vendor {
            name: "mistral",
            base_url: Some("https://api.mistral.ai/v1"),
            keys: &["MISTRAL_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["MISTRAL_"],
        },
        title: "Mistral",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","stream_usage":false,"system_role":"system","seed_field":"random_seed","short_call_ids":true}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: Some("mistral-small-latest"),
    },
    // https://api-docs.deepseek.com: thinking models are silent for long before the first byte
    Compatible {
        vendor: Vendor {
            name: "deepseek",
            base_url: Some("https://api.deepseek.com"),
            keys: &["DEEPSEEK_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["DEEPSEEK_"],
        },
        title: "DeepSeek",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","flat_content":true,"reasoning_field":"reasoning_content","reasoning_history":"tool_calls"}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: Some("deepseek-chat"),
    },
    // https://console.groq.com/docs/openai
    Compatible {
        vendor: Vendor {
            name: "groq",
            base_url: Some("https://api.groq.com/openai/v1"),
            keys: &["GROQ_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["GROQ_"],
        },
        title: "Groq",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"reasoning_field":"reasoning"}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: Some("openai/gpt-oss-120b"),
    },
    // https://docs.x.ai: its models think for long
    Compatible {
        vendor: Vendor {
            name: "xai",
            base_url: Some("https://api.x.ai/v1"),
            keys: &["XAI_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["XAI_"],
        },
        title: "xAI",
        aliases: &["x.ai", "grok"],
        key: Key::Required,
        settings: r#"{"reasoning_field":"reasoning_content"}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://openrouter.ai/docs
    Compatible {
        vendor: Vendor {
            name: "openrouter",
            base_url: Some("https://openrouter.ai/api/v1"),
            keys: &["OPENROUTER_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["OPENROUTER_"],
        },
        title: "OpenRouter",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","reasoning_field":"reasoning","top_k":true}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: Some("openrouter/auto"),
    },
    // https://docs.together.ai/docs/openai-api-compatibility
    Compatible {
        vendor: Vendor {
            name: "together",
            base_url: Some("https://api.together.xyz/v1"),
            keys: &["TOGETHER_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["TOGETHER_"],
        },
        title: "Together AI",
        aliases: &["togetherai"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://docs.fireworks.ai/tools-sdks/openai-compatibility
    Compatible {
        vendor: Vendor {
            name: "fireworks",
            base_url: Some("https://api.fireworks.ai/inference/v1"),
            keys: &["FIREWORKS_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["FIREWORKS_"],
        },
        title: "Fireworks AI",
        aliases: &["fireworksai"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://inference-docs.cerebras.ai: ends streams without [DONE]
    Compatible {
        vendor: Vendor {
            name: "cerebras",
            base_url: Some("https://api.cerebras.ai/v1"),
            keys: &["CEREBRAS_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["CEREBRAS_"],
        },
        title: "Cerebras",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"done_marker":"optional","reasoning_field":"reasoning"}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://docs.sambanova.ai
    Compatible {
        vendor: Vendor {
            name: "sambanova",
            base_url: Some("https://api.sambanova.ai/v1"),
            keys: &["SAMBANOVA_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["SAMBANOVA_"],
        },
        title: "SambaNova",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: None,
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://platform.moonshot.ai/docs; in China the address is api.moonshot.cn
    Compatible {
        vendor: Vendor {
            name: "moonshot",
            base_url: Some("https://api.moonshot.ai/v1"),
            keys: &["MOONSHOT_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["MOONSHOT_"],
        },
        title: "Moonshot AI",
        aliases: &["moonshotai", "kimi"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","reasoning_field":"reasoning_content"}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://docs.z.ai; in China the address is open.bigmodel.cn
    Compatible {
        vendor: Vendor {
            name: "zai",
            base_url: Some("https://api.z.ai/api/paas/v4"),
            keys: &["ZAI_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["ZAI_"],
        },
        title: "Z.ai",
        aliases: &["z.ai", "zhipu", "glm"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","reasoning_field":"reasoning_content"}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://www.alibabacloud.com/help/en/model-studio; in China the address is dashscope.aliyuncs.com
    Compatible {
        vendor: Vendor {
            name: "dashscope",
            base_url: Some("https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
            keys: &["DASHSCOPE_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["DASHSCOPE_"],
        },
        title: "DashScope (Qwen)",
        aliases: &["qwen", "alibaba"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","reasoning_field":"reasoning_content","top_k":true}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: Some("qwen-plus"),
    },
    // https://platform.minimax.io/docs; in China the address is api.minimaxi.com
    Compatible {
        vendor: Vendor {
            name: "minimax",
            base_url: Some("https://api.minimax.io/v1"),
            keys: &["MINIMAX_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["MINIMAX_"],
        },
        title: "MiniMax",
        aliases: &[],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens"}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: None,
    },
    // https://docs.perplexity.ai: searches before it answers, and ends streams without [DONE]
    Compatible {
        vendor: Vendor {
            name: "perplexity",
            base_url: Some("https://api.perplexity.ai"),
            keys: &["PERPLEXITY_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["PERPLEXITY_"],
        },
        title: "Perplexity",
        aliases: &["pplx"],
        key: Key::Required,
        settings: r#"{"max_tokens_field":"max_tokens","stream_usage":false,"done_marker":"optional","top_k":true}"#,
        first_byte_ms: Some(180_000),
        max_concurrency: None,
        local: false,
        model: Some("sonar"),
    },
    // https://lmstudio.ai/docs
    Compatible {
        vendor: Vendor {
            name: "lmstudio",
            base_url: Some("http://localhost:1234/v1"),
            keys: &[],
            addresses: &[],
            wire: None,
            prefixes: &["LMSTUDIO_"],
        },
        title: "LM Studio",
        aliases: &[],
        key: Key::None,
        settings: r#"{"auth":"none","max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: Some(300_000),
        max_concurrency: None,
        local: true,
        model: None,
    },
    // https://github.com/ggml-org/llama.cpp, llama-server: one model and a few slots
    Compatible {
        vendor: Vendor {
            name: "llamacpp",
            base_url: Some("http://localhost:8080/v1"),
            keys: &["LLAMA_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["LLAMA_"],
        },
        title: "llama.cpp",
        aliases: &["llama.cpp", "llamaserver"],
        key: Key::Optional,
        settings: r#"{"max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: Some(300_000),
        max_concurrency: Some(4),
        local: true,
        model: None,
    },
    // https://docs.vllm.ai: VLLM_API_KEY is its own variable for --api-key
    Compatible {
        vendor: Vendor {
            name: "vllm",
            base_url: Some("http://localhost:8000/v1"),
            keys: &["VLLM_API_KEY"],
            addresses: &[],
            wire: None,
            prefixes: &["VLLM_"],
        },
        title: "vLLM",
        aliases: &[],
        key: Key::Optional,
        settings: r#"{"max_tokens_field":"max_tokens","top_k":true}"#,
        first_byte_ms: Some(300_000),
        max_concurrency: None,
        local: true,
        model: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnose::folded;
    use crate::config::names;

    #[test]
    fn names_are_their_own_and_settings_are_objects() {
        let mut seen: Vec<&str> = names::VENDORS.to_vec();
        for known in &COMPATIBLE {
            for name in [&known.vendor.name].into_iter().chain(known.aliases) {
                assert_eq!(folded(name), **name, "written as it is compared");
                assert!(!seen.contains(name), "{name} stands twice");
                assert_eq!(names::canonical(name), *name, "{name} is a vendor's alias");
                seen.push(name);
                assert_eq!(compatible(name), Some(known));
            }
            let settings: serde_json::Value = serde_json::from_str(known.settings).unwrap();
            assert!(settings.is_object(), "{}", known.vendor.name);
            assert_eq!(known.key == Key::None, known.vendor.keys.is_empty());
        }
        assert_eq!(compatible("LM Studio"), compatible("lm-studio"));
        assert_eq!(compatible("openai"), None);
    }
}
