//! What the plugin says of itself.

use multillm_plugin_sdk::{Capability, Info, Secret, Support, words};

use crate::settings;

/// The description; always the same.
pub(crate) fn info() -> Info {
    Info {
        name: "claude".to_owned(),
        title: "Anthropic Claude".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        documentation: "https://platform.claude.com/docs/en/api/messages".to_owned(),
        default_base_url: Some("https://api.anthropic.com".to_owned()),
        base_url_env: vec!["ANTHROPIC_BASE_URL".to_owned()],
        secrets: vec![Secret {
            name: "api_key".to_owned(),
            env: vec!["ANTHROPIC_API_KEY".to_owned()],
            required: true,
        }],
        settings: settings::described(),
        capabilities: Capability::list(&[
            (
                Support::Yes,
                &[
                    "streaming",
                    "system",
                    "tools",
                    "parallel-tools",
                    "tool-choice-required",
                    "tool-choice-named",
                    "image-file",
                    "image-url",
                    "document-file",
                    "document-url",
                    "citations",
                    "prompt-cache",
                    "count-tokens",
                    "stop",
                    "list-models",
                    "cached-tokens",
                ],
            ),
            (
                Support::SomeModels,
                &[
                    "json-schema",
                    "reasoning",
                    "reasoning-effort",
                    "top-k",
                    "web-search",
                    "web-fetch",
                    "code-execution",
                    "mcp",
                ],
            ),
            (Support::Emulated, &["json"]),
            (Support::No, &["seed", "penalties"]),
        ]),
        wires: words(&["anthropic-messages"]),
        passes: words(&[
            "anthropic-beta",
            "anthropic-version",
            "anthropic-workspace-id",
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::info;

    #[test]
    fn every_settings_schema_is_json() {
        for setting in info().settings {
            let schema: serde_json::Value = serde_json::from_str(&setting.schema).unwrap();
            assert!(schema.is_object(), "{}", setting.name);
        }
    }
}
