//! Whatever the text, the reader answers and never panics; whatever is reported has a message.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{config, read};

/// Words of the configuration, so that values land where they mean something.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec![
            "default_model", "plugins", "providers", "models", "routes", "retry", "timeouts",
            "cache", "limits", "history", "cost", "headers", "settings", "api_key", "api_key_env",
            "api_key_command", "base_url", "provider", "plugin", "stop", "temperature",
            "cost_per_1k_tokens", "strategy", "weight", "model", "sha256", "openai", "google",
            "gemini", "m", "proxy", "enabled", "max_tokens", "connect_ms", "path",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word(), inner), 0..8)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn answers(text: &str) {
    if let Err(error) = read(text) {
        assert!(!error.problems().is_empty());
        for problem in error.problems() {
            assert!(!problem.message.is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        answers(&text);
    }

    #[test]
    fn any_json_is_answered(value in value()) {
        answers(&value.to_string());
    }

    #[test]
    fn any_sections_are_answered(models in value(), providers in value(), plugins in value(), routes in value()) {
        let text = json!({
            "models": { "m": models }, "providers": { "openai": providers },
            "plugins": { "acme": plugins }, "routes": { "r": routes },
        });
        answers(&text.to_string());
    }

    #[test]
    fn any_damage_is_answered(at in 0usize..400, byte in 0u8..128) {
        let mut bytes = super::examples::EXAMPLE.as_bytes().to_vec();
        let at = at * bytes.len() / 400;
        bytes[at] = byte;
        answers(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_price_is_what_was_written(whole in 0u64..1_000_000, part in "[0-9]{1,18}") {
        let text = format!("{whole}.{part}");
        let config = config(&format!(
            r#"{{ "models": {{ "m": {{ "provider": "openai", "cost": {{
                "input_per_1m": {text}, "output_per_1m": 0 }} }} }} }}"#
        ));
        let price = config.models["m"].prices.clone().unwrap().input_per_1m.unwrap();
        prop_assert_eq!(price.to_string(), text);
    }
}
