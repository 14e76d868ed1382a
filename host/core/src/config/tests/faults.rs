//! What is said of wrong configurations: every fault, in the order of the text, each with its fix.

use std::path::Path;

use super::super::{Config, ConfigError, Env};
use super::{config, faults};

#[test]
fn all_faults_are_reported_at_once_with_place_and_fix() {
    let text = r#"// comments count as lines
{
  "defualt_model": "x",
  "default_model": "gpt4",
  "plugin_dir": 7,
  "providers": {
    "groq": { "plugin": "opena", "base_url": "api.groq.com/openai/v1", "model_name": "x" }
  },
  "models": {
    "gpt-4": {
      "provider": "opnai", "model": "gpt-4", "max_tokens": 0, "temperature": "0.7",
      "top_p": 1.5, "cost_per_1k_tokens": -1, "seed": 1.5, "enabled": "true",
      "reasoning_effort": "hihg"
    },
    "gpt-3.5-turbo": { "provider": "openai", "max_tokens": 1, "max_tokens": 2 },
    "nobody": { "base_url": "https://u:p@x.org" },
    "list": []
  },
  "routes": { "r": { "strategy": "fastest", "models": ["gtp-4", "r"] } },
  "cache": true
}"#;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.json"), text).unwrap();
    let env = Env::fixed(dir.path(), [("A", "b")]);
    let error = Config::load(Path::new("x.json"), &env).unwrap_err();
    assert!(matches!(error, ConfigError::Invalid { .. }));
    let expected = r#"
x.json:3:3: defualt_model: unknown key: did you mean "default_model"?
x.json:4:20: default_model: no model "gpt4": did you mean "gpt-4"?
x.json:5:17: plugin_dir: expected a string, found a number: put it in quotes
x.json:7:25: providers.groq.plugin: no plugin "opena": did you mean "openai"?
x.json:7:46: providers.groq.base_url: needs a scheme: write "https://api.groq.com/openai/v1"
x.json:7:72: providers.groq.model_name: unknown key here: it belongs to a model
x.json:11:19: models.gpt-4.provider: no provider "opnai": did you mean "openai"?
x.json:11:28: models.gpt-4.model: unknown key: did you mean "model_name"?
x.json:11:60: models.gpt-4.max_tokens: must be at least 1
x.json:11:78: models.gpt-4.temperature: expected a number, found a string: remove the quotes
x.json:12:16: models.gpt-4.top_p: must be from 0 to 1
x.json:12:43: models.gpt-4.cost_per_1k_tokens: must be at least 0
x.json:12:55: models.gpt-4.seed: expected a whole number, found 1.5
x.json:12:71: models.gpt-4.enabled: expected true or false, found a string: remove the quotes
x.json:13:27: models.gpt-4.reasoning_effort: no such choice "hihg": did you mean "high"?
x.json:15:63: models."gpt-3.5-turbo".max_tokens: duplicate key: it stands on line 15 already, remove one of them
x.json:16:5: models.nobody: names no provider: add one, such as "provider": "openai"
x.json:16:29: models.nobody.base_url: holds a user name or password: remove it and use api_key_env or headers
x.json:17:13: models.list: expected an object, found an array
x.json:19:34: routes.r.strategy: no such choice "fastest": it can be "fallback", "weighted", "latency"
x.json:19:56: routes.r.models[0]: no model "gtp-4": did you mean "gpt-4"?
x.json:19:65: routes.r.models[1]: "r" is a route: a route holds models only
x.json:20:12: cache: expected an object, found a boolean"#;
    assert_eq!(error.to_string(), expected.trim_start());
}

#[test]
fn faults_of_a_text_that_a_program_gives_have_places_and_their_order() {
    let text = "{ \"models\": { \"m\": { \"provider\": \"nix\", \"seed\": 1e999 } },\n  \"retry\": 7, \"x\": 1 }";
    let error = Config::from_json_str(text, Path::new("/etc"), &Env::default()).unwrap_err();
    let places: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| (problem.path.as_str(), problem.position))
        .map(|(path, position)| (path, position.map(|at| (at.line, at.column))))
        .collect();
    let expected = [
        ("models.m.provider", Some((1, 34))),
        ("models.m.seed", Some((1, 49))),
        ("retry", Some((2, 12))),
        ("x", Some((2, 15))),
    ];
    assert_eq!(places, expected);
}

#[test]
fn keys_do_not_belong_into_the_file_and_are_never_repeated() {
    let secret = "sk-ant-1234567890abcdef";
    for entry in [
        format!(r#""api_key": "{secret}""#),
        format!(r#""api_key_env": "{secret}""#),
        format!(r#""api_key": "${secret}""#),
        format!(r#""headers": {{ "Authorization": "Bearer {secret}" }}"#),
        format!(r#""headers": {{ "X-Api-Key": "{secret}" }}"#),
        format!(r#""secret_env": {{ "org": "{secret}" }}"#),
        format!(r#""api_key_env": "OPENAI_API_KEY", "api_key": "{secret}""#),
    ] {
        let text = format!(r#"{{ "models": {{ "m": {{ "provider": "openai", {entry} }} }} }}"#);
        let faults = faults(&text).join("\n");
        assert!(faults.contains("put"), "{entry}: {faults}");
        assert!(!faults.contains("1234"), "{faults}");
    }
    let hugging =
        r#"{ "models": { "m": { "provider": "hf", "api_key_env": "hf_abcdefghijklmnopqrst" } } }"#;
    let faults = faults(hugging).join("\n");
    assert!(faults.contains("looks like a key itself"), "{faults}");
    assert!(!faults.contains("abcdef"), "{faults}");
}

#[test]
fn one_fault_is_one_line() {
    let cases = [
        (
            r#"{ "models": { "m": 1 }, "default_model": "m" }"#,
            "models.m: expected an object, found a number",
        ),
        (
            r#"{ "models": { "m": { "provider": 1 } } }"#,
            "models.m.provider: expected a string, found a number: put it in quotes",
        ),
        (
            r#"{ "models": { "m": { "provider": "" } } }"#,
            "models.m.provider: is empty: fill it in or write null",
        ),
        (
            r#"{ "models": { "m": { "provider": "nix" } } }"#,
            "models.m.provider: no provider \"nix\": list it under providers, or put the plugin's file to /etc/multillm/plugins/nix.wasm",
        ),
        (
            r#"{ "models": { "m": { "provider": "../x" } } }"#,
            "models.m.provider: no provider \"../x\": such a name is not allowed: use letters, digits, '-', '_' and '.'",
        ),
        (
            r#"{ "models": { "": { "provider": "openai" } } }"#,
            "models.\"\": is no name for a model: write one without spaces at its ends",
        ),
        (
            r#"{ "plugins": { "a/b": "x" } }"#,
            "plugins.\"a/b\": such a name is not allowed: use letters, digits, '-', '_' and '.'",
        ),
        (
            r#"{ "plugins": { "openai": { "sha256": "abc" } } }"#,
            "plugins.openai.sha256: is no SHA-256: write the 64 hexadecimal digits that sha256sum prints",
        ),
        (
            r#"{ "plugins": { "openai": { "wasi": "allow" } } }"#,
            "plugins.openai.wasi: no such choice \"allow\": it can be \"deny-all\"",
        ),
        (
            r#"{ "plugins": { "google": "a", "gemini": "b" } }"#,
            "plugins.google: names \"gemini\" a second time: put both into one entry",
        ),
        (
            r#"{ "providers": { "google": {}, "gemini": {} } }"#,
            "providers.gemini: names \"gemini\" a second time: put both into one entry",
        ),
        (
            r#"{ "providers": { "x": { "plugin": "claude", "proxy": "nowhere" } } }"#,
            "providers.x.proxy: is no proxy: write one such as \"http://proxy:3128\"",
        ),
        (
            r#"{ "retry": { "base_ms": 9000 } }"#,
            "retry.base_ms: the first pause (9000 ms) is longer than the longest (8000 ms): make max_ms at least base_ms",
        ),
        (
            r#"{ "retry": { "max_attempts": 0 } }"#,
            "retry.max_attempts: must be at least 1",
        ),
        (
            r#"{ "limits": { "plugin_memory_mb": 100000 } }"#,
            "limits.plugin_memory_mb: must be from 1 to 4096",
        ),
        (
            r#"{ "timeouts": { "connect_ms": 99999999999999999999 } }"#,
            "timeouts.connect_ms: 99999999999999999999 is too large or too small: write a sensible number",
        ),
        (
            r#"{ "breaker": { "failures": 99999999999 } }"#,
            "breaker.failures: 99999999999 is too large or too small: write a sensible number",
        ),
        (
            r#"{ "colour": 1 }"#,
            "colour: unknown key: it can be \"$schema\", \"breaker\", \"cache\", \"default_model\", \"gateway\", \"health\", \"history\", \"limits\", \"models\", \"plugin_dir\", \"plugins\", \"prices\", \"providers\", \"retry\", \"routes\", \"templates_dir\", \"terminal\", \"timeouts\"",
        ),
        ("[]", "expected an object, found an array"),
        ("", "the file is empty: expected an object, such as {}"),
        (
            "{ \"models\": {,} }",
            "expected a comma or the closing brace or bracket",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn faults_within_a_model() {
    let cases = [
        (
            r#""api_key_env": "A-B""#,
            "api_key_env: is no name of an environment variable: write the variable's name here and put the key itself into the environment or .env",
        ),
        (
            r#""api_key_env": "A", "api_key_file": "f""#,
            "api_key_file: the key is given by api_key_env already: remove one of them",
        ),
        (
            r#""api_key_command": """#,
            "api_key_command: names no program: write it and its arguments",
        ),
        (
            r#""api_key_command": []"#,
            "api_key_command: names no program: write it and its arguments",
        ),
        (
            r#""api_key_command": "a 'b""#,
            "api_key_command: has a quote that is not closed: close it",
        ),
        (
            r#""api_key": true"#,
            "api_key: is no key: name its variable with api_key_env",
        ),
        (
            r#""secret_env": { "api_key": "A" }"#,
            "secret_env.api_key: has a key of its own: use api_key_env",
        ),
        (
            r#""base_url": "ftp://x""#,
            "base_url: cannot be reached by \"ftp\": write http or https",
        ),
        (
            r#""stop": ["a", ""]"#,
            "stop: holds an empty text, which would end every answer: remove it",
        ),
        (
            r#""stop": 1"#,
            "stop: expected a string or an array, found a number",
        ),
        (r#""temperature": 2.1"#, "temperature: must be from 0 to 2"),
        (
            r#""headers": { "Host": "x" }"#,
            "headers.Host: is set by the program itself: remove it",
        ),
        (
            r#""headers": { "a b": "x" }"#,
            "headers.\"a b\": is no name of a header: use letters, digits and '-'",
        ),
        (
            r#""headers": { "a": "x\ny" }"#,
            "headers.a: holds characters that no header can carry: remove them",
        ),
        (
            r#""headers": { "a": "${B} c" }"#,
            "headers.a: a variable stands at the end, as in \"Bearer ${NAME}\": move it there",
        ),
        (
            r#""headers": { "A": "1", "a": "2" }"#,
            "headers.a: is the same as \"a\": remove one",
        ),
        (
            r#""cost": { "per_request": "1" }"#,
            "cost.per_request: expected a number, found a string: remove the quotes",
        ),
        (
            r#""cost": { "input": 1 }"#,
            "cost.input: unknown key: did you mean \"input_per_1m\"?",
        ),
        (
            r#""cost_per_1k_tokens": 0.12345678901234567890123456789012"#,
            "cost_per_1k_tokens: has more digits than can be kept: write at most 28",
        ),
        (
            r#""cost_per_1k_tokens": 79228162514264337593543950335"#,
            "cost_per_1k_tokens: is more than can be reckoned with: write a sensible price",
        ),
        (
            r#""capabilities": { "tools": 1 }"#,
            "capabilities.tools: expected true or false, found a number",
        ),
        (
            r#""plugin": "x""#,
            "plugin: unknown key here: it belongs to a provider",
        ),
        (
            r#""limits": { "requests_per_minute": -1 }"#,
            "limits.requests_per_minute: must be at least 1",
        ),
        (
            r#""settings": []"#,
            "settings: expected an object, found an array",
        ),
        (
            r#""model_name": " ""#,
            "model_name: is empty: fill it in or write null",
        ),
        (
            r#""seed": 9223372036854775808"#,
            "seed: 9223372036854775808 is too large or too small: write a sensible number",
        ),
        (
            r#""colour": 1"#,
            "colour: unknown key: remove it, \"multillm config schema\" prints all there are",
        ),
    ];
    for (entry, expected) in cases {
        let text = format!(r#"{{ "models": {{ "m": {{ "provider": "openai", {entry} }} }} }}"#);
        assert_eq!(faults(&text), [format!("models.m.{expected}")], "{entry}");
    }
}

#[test]
fn a_caller_s_key_is_shown_to_one_vendor_of_a_route() {
    let text = |claude: bool| {
        format!(
            r#"{{ "providers": {{ "openai": {{ "caller_key": true }}, "claude": {{ "caller_key": {claude} }} }},
                  "models": {{ "o": {{ "provider": "openai" }}, "p": {{ "provider": "openai" }}, "c": {{ "provider": "claude" }} }},
                  "routes": {{ "r": {{ "models": ["o", "p", "c"] }} }} }}"#
        )
    };
    let expected = "routes.r.models: a caller's key for one of \"openai\" and \"claude\" would be sent to the other: of a \
                    route's providers one may have caller_key";
    assert_eq!(faults(&text(true)), [expected]);
    let config = config(&text(false));
    assert!(config.models["p"].endpoint.caller_key);
    assert!(!config.models["c"].endpoint.caller_key);
    assert_eq!(
        faults(r#"{ "models": { "m": { "provider": "openai", "caller_key": true } } }"#),
        ["models.m.caller_key: unknown key here: it belongs to a provider"]
    );
}

#[test]
fn faults_within_a_route() {
    let cases = [
        (
            r#""m": { "models": ["m"] }"#,
            "m: is the name of a model too: give the route another name",
        ),
        (r#""r": {}"#, "r: names no models: add \"models\": [\"…\"]"),
        (
            r#""r": { "models": [] }"#,
            "r: names no models: add \"models\": [\"…\"]",
        ),
        (
            r#""r": { "models": "m" }"#,
            "r.models: expected an array, found a string: put it in brackets",
        ),
        (
            r#""r": { "models": [7] }"#,
            "r.models[0]: expected a string or an object, found a number",
        ),
        (
            r#""r": { "models": ["m", "m"] }"#,
            "r.models[1]: \"m\" stands here already: remove it",
        ),
        (
            r#""r": { "models": ["zzz"] }"#,
            "r.models[0]: no model \"zzz\": add it under models",
        ),
        (
            r#""r": { "models": [{ "weight": 1 }], "strategy": "weighted" }"#,
            "r.models[0]: names no model: add \"model\": \"…\"",
        ),
        (
            r#""r": { "models": [{ "model": "m", "weight": 0 }] }"#,
            "r.models[0].weight: must be at least 1",
        ),
        (
            r#""r": { "models": [{ "model": "m", "weight": 2 }] }"#,
            "r.models[0].weight: has a meaning for the strategy \"weighted\" only: remove it",
        ),
    ];
    for (route, expected) in cases {
        let text = format!(
            r#"{{ "models": {{ "m": {{ "provider": "openai" }} }}, "routes": {{ {route} }} }}"#
        );
        assert_eq!(faults(&text), [format!("routes.{expected}")], "{route}");
    }
}

#[test]
fn a_default_that_is_switched_off_is_a_fault() {
    for text in [
        r#"{ "default_model": "m", "models": { "m": { "provider": "openai", "enabled": false } } }"#,
        r#"{ "default_model": "m", "plugins": { "openai": { "enabled": false } }, "models": { "m": { "provider": "openai" } } }"#,
    ] {
        assert_eq!(
            faults(text),
            ["default_model: \"m\" is switched off: enable it or name another"]
        );
    }
}

#[test]
fn what_looks_like_a_mistake_is_a_warning() {
    let warnings = |model: &str| -> Vec<String> {
        let text = format!(r#"{{ "models": {{ "m": {{ "provider": "openai", {model} }} }} }}"#);
        let warnings = config(&text).warnings;
        warnings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        warnings(r#""base_url": "https://x.org/v1/chat/completions""#),
        [
            "models.m.base_url: ends with \"/chat/completions\", which the plugin adds itself: remove it"
        ]
    );
    assert_eq!(
        warnings(r#""base_url": "http://x.org", "api_key_env": "K""#),
        ["models.m.base_url: the key is sent over http, where others can read it: write https"]
    );
    assert_eq!(
        warnings(r#""cost": { "input_per_1m": 1 }"#),
        [
            "models.m.cost: only one of input_per_1m and output_per_1m is known, and so no cost will be: add the other"
        ]
    );
    assert!(warnings(r#""base_url": "http://localhost:1", "api_key_env": "K""#).is_empty());
}

#[test]
fn a_key_of_a_certificate_needs_one() {
    let text = r#"{ "models": { "m": { "provider": "openai", "client_key": "k.pem" } } }"#;
    let said = faults(text);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("m.client_key: belongs to a client_cert"),
        "{said:?}"
    );
}

#[test]
fn no_name_makes_a_line_of_its_own() {
    let error = super::read("{ \"x\\nerror: forged\": 1, \"y\": 2 }").unwrap_err();
    assert_eq!(error.to_string().lines().count(), 2, "{error}");
}
