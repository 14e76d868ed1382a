//! Names: the vendors that come with the program, their aliases, and which names are allowed.

use super::diagnose::folded;

/// The plugins that come with the program.
pub(super) const VENDORS: [&str; 7] = [
    "openai",
    "azure",
    "claude",
    "gemini",
    "cohere",
    "huggingface",
    "ollama",
];

/// Other names of vendors, folded.
pub(super) const ALIASES: [(&str, &str); 6] = [
    ("anthropic", "claude"),
    ("google", "gemini"),
    ("googleai", "gemini"),
    ("azureopenai", "azure"),
    ("cohereai", "cohere"),
    ("hf", "huggingface"),
];

/// The name that is used inside: `google` is `gemini`, `hugging_face` is `huggingface`. Any other
/// name is its own.
pub(super) fn canonical(name: &str) -> &str {
    let folded = folded(name);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == folded);
    VENDORS
        .into_iter()
        .find(|vendor| *vendor == folded)
        .or_else(|| alias.map(|(_, vendor)| *vendor))
        .unwrap_or(name)
}

/// A name that may become a file name: letters, digits, `-`, `_` and `.`, a letter or digit first.
#[must_use]
pub fn is_plugin_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A name that can be typed and shown: not empty, no space at its ends, no control characters.
pub(super) fn is_model_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_lead_to_the_vendor() {
        let cases = [
            ("google", "gemini"),
            ("anthropic", "claude"),
            ("azure_openai", "azure"),
            ("azure-openai", "azure"),
            ("hugging_face", "huggingface"),
            ("HuggingFace", "huggingface"),
            ("OpenAI", "openai"),
            ("openai", "openai"),
            ("groq", "groq"),
            ("my-openai", "my-openai"),
        ];
        for (name, expected) in cases {
            assert_eq!(canonical(name), expected);
        }
    }

    #[test]
    fn plugin_names_cannot_leave_their_directory() {
        for good in ["openai", "acme-2", "a.b_c"] {
            assert!(is_plugin_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", "-x", "a b", "C:x"] {
            assert!(!is_plugin_name(bad), "{bad}");
        }
    }
}
