//! What the program itself knows of the vendors that come with it: their addresses, and the
//! variables that customarily hold their keys and lead elsewhere.
//!
//! A component says the same of itself, and is not asked: whoever writes a file `openai.wasm` may
//! write anything into it. A test compares this table with the components that are shipped. Those that
//! speak another vendor's wire stand in [`compatible`].

mod compatible;

use url::Url;

pub(super) use compatible::{COMPATIBLE, Compatible, Key, compatible};

/// What is known of a vendor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vendor {
    /// The plugin's name.
    pub(super) name: &'static str,
    /// Where its API is; absent where each customer has an address of their own.
    pub(super) base_url: Option<&'static str>,
    /// Variables that customarily hold its key, the best first.
    pub(super) keys: &'static [&'static str],
    /// Variables that customarily name another address, the best first.
    pub(super) addresses: &'static [&'static str],
    /// How its variables begin.
    prefixes: &'static [&'static str],
    /// The wire of its plugin that its own service is asked on, where it is not the plugin's first.
    pub(super) wire: Option<&'static str>,
}

const VENDORS: [Vendor; 7] = [
    Vendor {
        name: "openai",
        base_url: Some("https://api.openai.com/v1"),
        keys: &["OPENAI_API_KEY"],
        addresses: &["OPENAI_BASE_URL"],
        prefixes: &["OPENAI_"],
        wire: Some("openai-responses"),
    },
    Vendor {
        name: "azure",
        base_url: None,
        keys: &["AZURE_OPENAI_API_KEY"],
        addresses: &["AZURE_OPENAI_ENDPOINT"],
        prefixes: &["AZURE_"],
        wire: None,
    },
    Vendor {
        name: "claude",
        base_url: Some("https://api.anthropic.com"),
        keys: &["ANTHROPIC_API_KEY"],
        addresses: &["ANTHROPIC_BASE_URL"],
        prefixes: &["ANTHROPIC_", "CLAUDE_"],
        wire: None,
    },
    Vendor {
        name: "gemini",
        base_url: Some("https://generativelanguage.googleapis.com"),
        keys: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        addresses: &["GOOGLE_GEMINI_BASE_URL"],
        prefixes: &["GEMINI_", "GOOGLE_"],
        wire: None,
    },
    Vendor {
        name: "cohere",
        base_url: Some("https://api.cohere.com"),
        keys: &["COHERE_API_KEY", "CO_API_KEY"],
        addresses: &["CO_API_URL"],
        prefixes: &["COHERE_", "CO_"],
        wire: None,
    },
    Vendor {
        name: "huggingface",
        base_url: Some("https://router.huggingface.co/v1"),
        keys: &["HF_TOKEN", "HUGGINGFACE_API_KEY"],
        addresses: &[],
        prefixes: &["HF_", "HUGGINGFACE_", "HUGGING_FACE_", "HUGGINGFACEHUB_"],
        wire: None,
    },
    Vendor {
        name: "ollama",
        base_url: Some("http://localhost:11434"),
        keys: &["OLLAMA_API_KEY"],
        addresses: &["OLLAMA_BASE_URL", "OLLAMA_HOST"],
        prefixes: &["OLLAMA_"],
        wire: None,
    },
];

/// The vendor whose plugin has this name.
pub(super) fn vendor(plugin: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.name == plugin)
}

/// Every vendor that is known, whoever's wire it speaks.
fn all() -> impl Iterator<Item = &'static Vendor> {
    VENDORS
        .iter()
        .chain(COMPATIBLE.iter().map(|known| &known.vendor))
}

/// Does this variable customarily hold a vendor's key.
pub(super) fn is_key(variable: &str) -> bool {
    of_key(variable).is_some()
}

/// The vendor whose key this variable customarily holds.
pub(super) fn of_key(variable: &str) -> Option<&'static Vendor> {
    all().find(|vendor| vendor.keys.contains(&variable))
}

/// Does this variable customarily say where a vendor is.
pub(super) fn is_address(variable: &str) -> bool {
    all().any(|vendor| vendor.addresses.contains(&variable))
}

/// Is this variable a vendor's by its name, and so nobody else's.
pub(super) fn is_vendors(variable: &str) -> bool {
    // Systems exist on which names of variables have no case.
    let upper = variable.to_ascii_uppercase();
    let mut prefixes = all().flat_map(|vendor| vendor.prefixes);
    prefixes.any(|prefix| upper.starts_with(prefix))
}

impl Vendor {
    /// Where its API is.
    pub(super) fn default_url(&self) -> Option<Url> {
        super::base_url::parse(self.base_url?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_itself_and_the_names() {
        let names: Vec<&str> = VENDORS.iter().map(|vendor| vendor.name).collect();
        assert_eq!(names, super::super::names::VENDORS);
        for vendor in all() {
            assert_eq!(vendor.default_url().is_some(), vendor.base_url.is_some());
            for variable in vendor.keys.iter().chain(vendor.addresses) {
                assert!(is_vendors(variable), "{variable}");
                assert!(
                    vendor.prefixes.iter().any(|own| variable.starts_with(own)),
                    "{variable}"
                );
                assert_ne!(is_key(variable), is_address(variable), "{variable}");
            }
        }
        let at = |address: &str| {
            let url = Url::parse(address).unwrap();
            let env = crate::config::Env::default();
            crate::config::Standing::of(&env, "openai", "", None).wire(&url)
        };
        assert_eq!(at("https://api.openai.com/v1"), Some("openai-responses"));
        assert_eq!(at("https://api.openai.com.example/v1"), None);
        assert_eq!(at("http://127.0.0.1:8080/v1"), None);
        assert!(!is_vendors("GITHUB_TOKEN") && !is_vendors("COMPANY_KEY"));
        assert!(is_vendors("openai_admin_key"));
    }
}
