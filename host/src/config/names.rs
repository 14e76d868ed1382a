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
const ALIASES: [(&str, &str); 6] = [
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
pub(super) fn is_plugin_name(name: &str) -> bool {
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

/// Does a variable belong to a plugin by its name: `OPENAI_API_KEY` to `openai`, `ACME_KEY` to `acme`.
///
/// A plugin says itself which variables customarily hold its key. It is not believed when it
/// names another vendor's: that key would be sent to the plugin's own server.
pub(super) fn owns_variable(plugin: &str, variable: &str) -> bool {
    let more: &[&str] = match plugin {
        "azure" => &["AZURE_OPENAI_", "AZURE_"],
        "claude" => &["ANTHROPIC_"],
        "gemini" => &["GOOGLE_"],
        "cohere" => &["CO_"],
        "huggingface" => &["HF_", "HUGGING_FACE_", "HUGGINGFACEHUB_"],
        _ => &[],
    };
    let own: String = plugin
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .chain(['_'])
        .collect();
    variable.starts_with(&own) || more.iter().any(|prefix| variable.starts_with(prefix))
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

    #[test]
    fn a_plugin_owns_its_own_variables_only() {
        assert!(owns_variable("openai", "OPENAI_API_KEY"));
        assert!(owns_variable("gemini", "GOOGLE_API_KEY"));
        assert!(owns_variable("claude", "ANTHROPIC_API_KEY"));
        assert!(owns_variable("my-acme", "MY_ACME_TOKEN"));
        assert!(!owns_variable("acme", "OPENAI_API_KEY"));
        assert!(!owns_variable("open", "OPENAI_API_KEY"));
        assert!(!owns_variable("acme", "PATH"));
    }
}
