//! What plugins can do, side by side, as they say themselves.

use super::Plugin;
use super::wire::{Info, Support};

/// What a capability means, in a few words.
const MEANINGS: [(&str, &str); 18] = [
    ("streaming", "answers piece by piece"),
    ("system", "instructions"),
    ("tools", "tool calls"),
    ("parallel_tools", "several calls in one answer"),
    ("tool_choice_required", "a call may be required"),
    ("tool_choice_named", "a certain tool may be required"),
    ("image_file", "pictures from files"),
    ("image_url", "pictures that the vendor fetches"),
    ("json", "JSON of any form"),
    ("json_schema", "JSON by a schema"),
    ("reasoning", "thoughts as text"),
    ("reasoning_effort", "how much to think"),
    ("seed", "seed"),
    ("stop", "stop texts"),
    ("top_k", "top-k sampling"),
    ("penalties", "frequency and presence penalty"),
    ("list_models", "`list --provider`"),
    ("cached_tokens", "cached tokens are reported"),
];
/// The plugins that come with the program stand first, those that share a wire together.
const FIRST: [&str; 7] = [
    "openai",
    "azure",
    "huggingface",
    "gemini",
    "claude",
    "cohere",
    "ollama",
];

/// A Markdown table of capabilities by plugin. The same plugins give the same text, in whichever
/// order they come.
#[must_use]
pub fn capability_matrix(plugins: &[Plugin]) -> String {
    matrix(plugins.iter().map(Plugin::info).collect())
}

fn matrix(mut infos: Vec<&Info>) -> String {
    infos.sort_by_key(|info| {
        let place = FIRST.iter().position(|first| *first == info.name);
        (place.unwrap_or(FIRST.len()), info.name.clone())
    });
    let mut names: Vec<&str> = vec![];
    for info in &infos {
        for (name, _) in &info.capabilities {
            if !names.contains(name) {
                names.push(name);
            }
        }
    }
    let mut text = String::from("| capability |");
    for info in &infos {
        text.push_str(&format!(" {} |", cell(&info.title)));
    }
    text.push_str(" |\n|---|");
    text.push_str(&"---|".repeat(infos.len() + 1));
    text.push('\n');
    for name in names {
        text.push_str(&format!("| `{name}` |"));
        for info in &infos {
            let support = info
                .capabilities
                .iter()
                .find_map(|(known, support)| (*known == name).then_some(*support));
            text.push_str(&format!(" {} |", word(support)));
        }
        let meaning = MEANINGS
            .iter()
            .find_map(|(known, meaning)| (*known == name).then_some(*meaning));
        text.push_str(&format!(" {} |\n", meaning.unwrap_or_default()));
    }
    text
}

fn word(support: Option<Support>) -> &'static str {
    match support {
        None | Some(Support::No) => "–",
        Some(Support::Yes) => "yes",
        Some(Support::SomeModels) => "some",
        Some(Support::Emulated) => "emulated",
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(title: &str, capabilities: Vec<(&'static str, Support)>) -> Info {
        Info {
            name: title.to_lowercase(),
            title: title.to_owned(),
            version: "1.0.0".to_owned(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: vec![],
            capabilities,
        }
    }

    #[test]
    fn a_row_for_each_capability_and_a_column_for_each_plugin() {
        let one = info(
            "One",
            vec![("tools", Support::Yes), ("json_schema", Support::Emulated)],
        );
        let two = info(
            "T|wo",
            vec![("tools", Support::SomeModels), ("seed", Support::No)],
        );
        let text = matrix(vec![&two, &one]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "| capability | One | T\\|wo | |",
                "|---|---|---|---|",
                "| `tools` | yes | some | tool calls |",
                "| `json_schema` | emulated | – | JSON by a schema |",
                "| `seed` | – | – | seed |",
            ]
        );
    }
}
