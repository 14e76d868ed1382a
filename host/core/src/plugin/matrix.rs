//! What plugins can do, side by side, as they say themselves.

use super::Plugin;
use super::wire::{Info, Support};

fn has(info: &Info, name: &str) -> bool {
    info.capabilities.iter().any(|(known, _)| known == name)
}

/// What a capability means, in a few words.
const MEANINGS: [(&str, &str); 34] = [
    ("streaming", "answers piece by piece"),
    ("system", "instructions"),
    ("tools", "tool calls"),
    ("parallel_tools", "several calls in one answer"),
    ("tool_choice_required", "a call may be required"),
    ("tool_choice_named", "a certain tool may be required"),
    ("image_file", "pictures from files"),
    ("image_url", "pictures that the vendor fetches"),
    ("document_file", "documents from files"),
    ("document_url", "documents that the vendor fetches"),
    ("audio_file", "recordings from files"),
    ("video_file", "films from files"),
    ("image_output", "pictures in answers"),
    ("audio_output", "sound in answers"),
    ("citations", "what an answer rests on"),
    ("web_search", "searches that the vendor makes"),
    ("web_fetch", "pages that the vendor reads"),
    ("code_execution", "programs that the vendor runs"),
    ("file_search", "searches in files that the vendor keeps"),
    (
        "image_generation",
        "pictures that a tool of the vendor's draws",
    ),
    ("mcp", "MCP servers that the vendor asks"),
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
    ("prompt_cache", "what is kept of a prompt can be said"),
    ("embeddings", "vectors of texts"),
    ("count_tokens", "tokens counted without an answer"),
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
    // Those that are known in their order, then what else a plugin names.
    let mut names: Vec<&str> = MEANINGS.iter().map(|(name, _)| *name).collect();
    names.retain(|name| infos.iter().any(|info| has(info, name)));
    for info in &infos {
        for (name, _) in &info.capabilities {
            if !names.contains(&name.as_str()) {
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
                .find_map(|(known, support)| (known == name).then_some(*support));
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

    fn info(title: &str, capabilities: Vec<(&str, Support)>) -> Info {
        let named = |(name, support): (&str, Support)| (name.to_owned(), support);
        Info {
            name: title.to_lowercase(),
            title: title.to_owned(),
            version: "1.0.0".to_owned(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: vec![],
            capabilities: capabilities.into_iter().map(named).collect(),
            wires: vec![],
            passes: vec![],
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
