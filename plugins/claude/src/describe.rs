//! What the plugin says of itself.

use multillm_plugin_sdk::{Capabilities, Info, Secret, Support};

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
        capabilities: Capabilities {
            streaming: Support::Yes,
            system: Support::Yes,
            tools: Support::Yes,
            parallel_tools: Support::Yes,
            tool_choice_required: Support::Yes,
            tool_choice_named: Support::Yes,
            image_blob: Support::Yes,
            image_url: Support::Yes,
            json: Support::Emulated,
            json_schema: Support::SomeModels,
            reasoning: Support::SomeModels,
            reasoning_effort: Support::SomeModels,
            seed: Support::No,
            stop: Support::Yes,
            top_k: Support::SomeModels,
            penalties: Support::No,
            list_models: Support::Yes,
            cached_tokens: Support::Yes,
        },
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
