//! The providers that come with the program, in the order in which they are asked where no model is
//! named: what is known of each, for people and programs that choose.

use super::names;
use super::vendors::{COMPATIBLE, Compatible, Key, vendor};

/// A provider that needs no entry in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltIn {
    /// Its name, such as `groq`. Its models are asked for as `groq/…`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The plugin that speaks its wire.
    pub plugin: &'static str,
    /// Where it is; absent where each customer has an address of their own.
    pub base_url: Option<&'static str>,
    /// Variables that hold its key, the best first.
    pub keys: &'static [&'static str],
    /// It is not asked without a key.
    pub needs_key: bool,
    /// It runs on the user's own machine.
    pub local: bool,
    /// The model that is asked where none is named; absent: the vendor's list says what there is.
    pub model: Option<&'static str>,
}

/// The vendors with wires of their own: name, title, the model that is asked where none is named.
const OWN: [(&str, &str, Option<&str>); 7] = [
    ("openai", "OpenAI", Some("gpt-6.1-terra")),
    ("claude", "Anthropic Claude", Some("claude-sonnet-5-5")),
    ("gemini", "Google Gemini", Some("gemini-3.8-flash")),
    ("cohere", "Cohere", Some("command-a-03-2025")),
    ("huggingface", "Hugging Face", Some("openai/gpt-oss-120b")),
    // A deployment has the name that its owner gave it.
    ("azure", "Azure OpenAI", None),
    ("ollama", "Ollama", None),
];

/// Every provider that comes with the program: vendors first, servers on this machine last.
#[must_use]
pub fn built_in() -> Vec<BuiltIn> {
    let [openai, claude, gemini, cohere, huggingface, azure, ollama] = OWN.map(own);
    let mut all = vec![openai, claude, gemini];
    all.extend(compatible(false));
    all.extend([cohere, huggingface, azure, ollama]);
    all.extend(compatible(true));
    all
}

/// Every name by which something is asked for that comes with the program, other names for it included.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    let own = names::VENDORS
        .into_iter()
        .chain(names::ALIASES.map(|(alias, _)| alias));
    let compatible = COMPATIBLE.iter().flat_map(|known| {
        [known.vendor.name]
            .into_iter()
            .chain(known.aliases.iter().copied())
    });
    own.chain(compatible)
}

/// The one of this name, or of another name for it.
#[must_use]
pub fn built_in_of(name: &str) -> Option<BuiltIn> {
    let known = super::vendors::compatible(name).map(|known| known.vendor.name);
    let name = known.unwrap_or_else(|| names::canonical(name));
    built_in().into_iter().find(|known| known.name == name)
}

fn own((name, title, model): (&'static str, &'static str, Option<&'static str>)) -> BuiltIn {
    let known = vendor(name);
    let local = name == "ollama";
    BuiltIn {
        name,
        title,
        plugin: name,
        base_url: known.and_then(|known| known.base_url),
        keys: known.map_or(&[], |known| known.keys),
        needs_key: !local,
        local,
        model,
    }
}

fn compatible(local: bool) -> impl Iterator<Item = BuiltIn> {
    let known = COMPATIBLE.iter().filter(move |known| known.local == local);
    known.map(move |known| BuiltIn {
        name: known.vendor.name,
        title: known.title,
        plugin: Compatible::PLUGIN,
        base_url: known.vendor.base_url,
        keys: known.vendor.keys,
        needs_key: known.key == Key::Required,
        local,
        model: known.model,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_stands_once_and_those_on_this_machine_last() {
        let all = built_in();
        assert_eq!(all.len(), names::VENDORS.len() + COMPATIBLE.len());
        for known in &all {
            assert_eq!(built_in_of(known.name), Some(*known));
            assert!(known.local || known.needs_key, "{}", known.name);
            assert!(!known.needs_key || !known.keys.is_empty(), "{}", known.name);
        }
        let first_local = all.iter().position(|known| known.local).unwrap();
        assert!(all.iter().skip(first_local).all(|known| known.local));
        assert_eq!(built_in_of("anthropic").unwrap().name, "claude");
        assert_eq!(built_in_of("llama.cpp").unwrap().name, "llamacpp");
        assert_eq!(built_in_of("acme"), None);
    }
}
