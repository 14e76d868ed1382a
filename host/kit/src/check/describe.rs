//! What a plugin says of itself: names, address, secrets, settings, capabilities.

use std::collections::BTreeSet;

use multillm::config::Starter;
use multillm::plugin::{Plugin, wire};
use serde_json::Value;
use url::Url;

use super::report::Report;

/// Words of the contract; later ones are admitted, misspelt ones are not.
const WORDS: [&str; 18] = [
    "streaming",
    "system",
    "tools",
    "parallel-tools",
    "tool-choice-required",
    "tool-choice-named",
    "image-file",
    "image-url",
    "json",
    "json-schema",
    "reasoning",
    "reasoning-effort",
    "seed",
    "stop",
    "top-k",
    "penalties",
    "list-models",
    "cached-tokens",
];
/// How like a known word an unknown one must be to be its misspelling.
const LIKE: f64 = 0.92;

pub(super) fn check(plugin: &Plugin, report: &mut Report) {
    let info = plugin.info();
    name(plugin.name(), info, report);
    address(info, report);
    secrets(info, report);
    settings(info, report);
    capabilities(info, report);
    wires(info, plugin.contract(), report);
}

fn name(file: &str, info: &wire::Info, report: &mut Report) {
    const CODE: &str = "describe-name";
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = &info.name;
    report.judge(CODE, !name.is_empty() && name.chars().all(plain), || {
        format!("{name:?} holds more than a-z, 0-9 and -")
    });
    report.judge(CODE, name == file, || {
        format!(
            "the file is called {file:?} and the plugin {name:?}: users ask for the file's name"
        )
    });
    report.judge(CODE, !info.title.trim().is_empty(), || {
        "there is no title".to_owned()
    });
    let parts: Vec<_> = info
        .version
        .split(['-', '+'])
        .take(1)
        .flat_map(|core| core.split('.'))
        .collect();
    let semver = parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok());
    report.judge(CODE, semver, || {
        format!("the version {:?} is none of semver", info.version)
    });
}

fn address(info: &wire::Info, report: &mut Report) {
    const CODE: &str = "describe-address";
    if let Some(text) = &info.default_base_url {
        let url = Url::parse(text);
        let loopback =
            |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let good = |url: &Url| url.scheme() == "https" || url.scheme() == "http" && loopback(url);
        report.judge(CODE, url.as_ref().is_ok_and(good), || match &url {
            Err(error) => format!("{text:?} is no URL: {error}"),
            Ok(_) => format!("{text:?} is neither https nor on this machine"),
        });
        if let Ok(url) = url {
            let plain =
                url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            report.judge(CODE, plain, || format!("{text:?} has more than a path"));
        }
    }
    for variable in &info.base_url_env {
        report.judge(CODE, is_variable(variable), || {
            format!("{variable:?} is no name of a variable")
        });
    }
    if info.default_base_url.is_none() && info.base_url_env.is_empty() {
        report.passed(CODE);
    }
}

fn secrets(info: &wire::Info, report: &mut Report) {
    const CODE: &str = "describe-secrets";
    let mut names = BTreeSet::new();
    for secret in &info.secrets {
        let name = &secret.name;
        report.judge(CODE, names.insert(name), || {
            format!("{name:?} stands twice")
        });
        for variable in &secret.env {
            report.judge(CODE, is_variable(variable), || {
                format!("{variable:?} is no name of a variable")
            });
            let owner = Starter::VENDORS.iter().find(|vendor| {
                let upper = vendor.to_ascii_uppercase();
                variable.starts_with(&format!("{upper}_")) && **vendor != info.name
            });
            report.judge(CODE, owner.is_none(), || {
                format!(
                    "{variable:?} is the variable of {}",
                    owner.copied().unwrap_or_default()
                )
            });
        }
    }
    if info.secrets.is_empty() {
        report.passed(CODE);
    }
}

fn is_variable(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(plain)
}

fn settings(info: &wire::Info, report: &mut Report) {
    const CODE: &str = "describe-settings";
    let mut names = BTreeSet::new();
    for setting in &info.settings {
        let name = &setting.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        report.judge(CODE, !name.is_empty() && name.chars().all(plain), || {
            format!("the setting {name:?} holds more than a-z, 0-9 and _")
        });
        report.judge(CODE, names.insert(name), || {
            format!("the setting {name:?} stands twice")
        });
        report.judge(CODE, !setting.description.trim().is_empty(), || {
            format!("the setting {name:?} is not described")
        });
        let schema = is_schema(&setting.schema);
        report.judge(CODE, schema, || {
            format!("the schema of {name:?} is none: {}", setting.schema)
        });
    }
    if info.settings.is_empty() {
        report.passed(CODE);
    }
}

/// Whether a value has the form of a JSON Schema: the keywords that say most are of the right kind.
fn is_schema(schema: &Value) -> bool {
    const TYPES: [&str; 7] = [
        "string", "number", "integer", "boolean", "object", "array", "null",
    ];
    let is_type = |word: &Value| word.as_str().is_some_and(|word| TYPES.contains(&word));
    let inner = |value: &Value| value.is_boolean() || is_schema(value);
    let Some(members) = schema.as_object() else {
        return false;
    };
    members
        .iter()
        .all(|(keyword, value)| match keyword.as_str() {
            "type" => match value {
                Value::Array(types) => types.iter().all(is_type),
                one => is_type(one),
            },
            "enum" => value.as_array().is_some_and(|values| !values.is_empty()),
            "items" | "additionalProperties" | "not" => inner(value),
            "properties" => value
                .as_object()
                .is_some_and(|members| members.values().all(inner)),
            "anyOf" | "oneOf" | "allOf" => value
                .as_array()
                .is_some_and(|schemas| schemas.iter().all(inner)),
            _ => true,
        })
}

fn capabilities(info: &wire::Info, report: &mut Report) {
    const CODE: &str = "describe-capabilities";
    let mut names = BTreeSet::new();
    report.passed(CODE);
    for (name, _) in &info.capabilities {
        // The host writes the contract's words with underscores.
        let name = name.replace('_', "-");
        report.judge(CODE, names.insert(name.clone()), || {
            format!("{name:?} stands twice")
        });
        if WORDS.contains(&name.as_str()) {
            continue;
        }
        let meant = WORDS
            .iter()
            .find(|word| strsim::jaro_winkler(word, &name) > LIKE && name.len() <= word.len() + 1);
        report.judge(CODE, meant.is_none(), || {
            format!(
                "{name:?} is unknown: is {:?} meant",
                meant.copied().unwrap_or_default()
            )
        });
    }
}

fn wires(info: &wire::Info, contract: &str, report: &mut Report) {
    const CODE: &str = "describe-wires";
    // The first contract had no word for them.
    if contract.starts_with("0.1") {
        return;
    }
    report.judge(CODE, !info.wires.is_empty(), || {
        "no wire is named".to_owned()
    });
    for wire in &info.wires {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        report.judge(CODE, !wire.is_empty() && wire.chars().all(plain), || {
            format!("{wire:?} holds more than a-z, 0-9 and -")
        });
    }
    for header in &info.passes {
        let lower = *header == header.to_ascii_lowercase();
        report.judge(CODE, lower, || {
            format!("the header {header:?} is not in lower case")
        });
        let keys = [
            "authorization",
            "x-api-key",
            "api-key",
            "cookie",
            "x-goog-api-key",
        ];
        report.judge(CODE, !keys.contains(&header.as_str()), || {
            format!("the header {header:?} holds a key, which never travels from caller to vendor")
        });
    }
}
