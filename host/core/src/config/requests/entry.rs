//! What a provider or a model asks for.

use url::Url;

use super::super::base_url;
use super::super::document::{Node, Place, Value};
use super::super::names::canonical;
use super::super::provenance::shown;
use super::super::resolve::reference;
use super::super::vendors::{Vendor, vendor};
use super::{Reader, members, text_of, written};
use crate::chat::Json;

/// Keys of timeouts.
pub(super) const TIMEOUTS: [&str; 4] = ["connect_ms", "first_byte_ms", "idle_ms", "total_ms"];

/// Keys of a provider or a model that choose a model, or how it answers and what that costs.
const HARMLESS: [&str; 19] = [
    "model_name",
    "context_window",
    "enabled",
    "description",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "stop",
    "seed",
    "system",
    "reasoning_effort",
    "unsupported",
    "cost_per_1k_tokens",
    "cost_source",
    "max_concurrency",
    "lane",
];

/// Longer words are something else.
const LONGEST_WORD: usize = 128;

impl<'a> Reader<'a> {
    /// `providers` or `models`.
    pub(super) fn entries(&mut self, place: &Place, node: &'a Node, section: &str) {
        if !matches!(node.value, Value::Object(_)) {
            return self.other(place, node);
        }
        for (place, member) in members(node, place) {
            let named = match section {
                "models" => text_of(&member.node, "provider").map(|name| name.trim()),
                _ => Some(member.key.as_str()),
            };
            let plugin = named.map(|name| self.plugin_of(name));
            if section == "providers" && text_of(&member.node, "plugin").is_none() {
                self.plugin(&place, &member.node, plugin);
            }
            let foundation = named.and_then(|name| self.foundation(name));
            let vendor = match foundation {
                Some(known) => Some(&known.vendor),
                None => plugin.and_then(vendor),
            };
            self.entry(&place, &member.node, vendor);
        }
    }

    /// One of the vendors' plugins is the usual; another is named with its file's name.
    fn plugin(&mut self, place: &Place, node: &Node, plugin: Option<&str>) {
        match plugin.map(canonical) {
            Some(plugin) if vendor(plugin).is_none() => {
                let message = format!("use the plugin {}", shown(plugin));
                self.ask(place, node, message);
            }
            _ => {}
        }
    }

    fn entry(&mut self, place: &Place, node: &'a Node, vendor: Option<&Vendor>) {
        if !matches!(node.value, Value::Object(_)) {
            return self.other(place, node);
        }
        for (place, member) in members(node, place) {
            let node = &member.node;
            let text = match &node.value {
                Value::Text(text) => Some(text.trim()),
                _ => None,
            };
            match (member.key.as_str(), text) {
                (key, _) if HARMLESS.contains(&key) => {}
                ("plugin", Some(plugin)) => self.plugin(&place, node, Some(plugin)),
                // A provider that is written down is looked at there.
                ("provider", Some(provider)) => {
                    if !self.lists_provider(provider) && self.foundation(provider).is_none() {
                        self.plugin(&place, node, Some(provider));
                    }
                }
                ("capabilities", _) => {
                    let keys = ["streaming", "tools", "images", "json_schema", "reasoning"];
                    self.only(&place, node, &keys);
                }
                ("cost", _) => {
                    let keys = [
                        "input_per_1m",
                        "output_per_1m",
                        "cached_input_per_1m",
                        "cache_write_per_1m",
                        "reasoning_per_1m",
                        "per_request",
                        "cache_write_1h_per_1m",
                        "audio_input_per_1m",
                        "audio_output_per_1m",
                        "image_output_per_1m",
                        "per_web_search",
                        "per_searched_request",
                        "per_web_fetch",
                        "per_file_search",
                    ];
                    self.only(&place, node, &keys);
                }
                ("limits", _) => {
                    let keys = ["requests_per_minute", "tokens_per_minute", "cost_per_day"];
                    self.only(&place, node, &keys);
                }
                ("timeouts", _) => self.only(&place, node, &TIMEOUTS),
                ("filters", _) => {
                    let message = format!(
                        "let filters see and change what is asked and answered: {}",
                        written(node)
                    );
                    self.ask(&place, node, message);
                }
                ("settings" | "extra", _) => self.words(&place, node),
                ("base_url", Some(url)) => self.address(&place, node, url, vendor),
                ("api_key_env", Some(name)) => self.variable(&place, node, name, vendor),
                ("api_key", _) => self.direct(&place, node, vendor),
                ("api_key_command", _) => {
                    self.ask(&place, node, format!("run the program {}", written(node)));
                }
                ("api_key_file", Some(path)) => {
                    let message = format!("read a key from the file {}", self.place_of(path));
                    self.ask(&place, node, message);
                }
                ("secret_env" | "headers", _) => {
                    let what = match member.key.as_str() {
                        "headers" => "send a header",
                        _ => "read a secret from the variable",
                    };
                    self.each(&place, node, |reader, place, node| {
                        reader.ask(place, node, format!("{what} {}", written(node)));
                    });
                }
                ("proxy", _) if matches!(node.value, Value::Bool(true)) => {}
                ("proxy", _) => {
                    let message = match node.value {
                        Value::Bool(false) => "go by no proxy".to_owned(),
                        _ => format!("go by the proxy {}", written(node)),
                    };
                    self.ask(&place, node, message);
                }
                ("ca_file", Some(path)) => {
                    let message = format!("trust the certificates in {}", self.place_of(path));
                    self.ask(&place, node, message);
                }
                _ => self.other(&place, node),
            }
        }
    }

    /// The vendor's own address is the usual.
    fn address(&mut self, place: &Place, node: &Node, text: &str, vendor: Option<&Vendor>) {
        let url = base_url::parse(text).ok();
        let usual = vendor.and_then(Vendor::default_url);
        if url.is_some() && url == usual {
            return;
        }
        // As it is connected to: a host in another script shows what it is.
        let address = url.as_ref().map_or(text, Url::as_str);
        let message = format!("send requests and their key to {}", shown(address));
        self.ask(place, node, message);
    }

    /// A variable that customarily holds this vendor's key is the usual.
    fn variable(&mut self, place: &Place, node: &Node, name: &str, vendor: Option<&Vendor>) {
        if vendor.is_some_and(|vendor| vendor.keys.contains(&name)) {
            return;
        }
        let message = format!("read a key from the variable {}", shown(name));
        self.ask(place, node, message);
    }

    fn direct(&mut self, place: &Place, node: &Node, vendor: Option<&Vendor>) {
        match &node.value {
            Value::Bool(false) => {}
            Value::Text(text) => match reference(text.trim()) {
                Some(name) => self.variable(place, node, name, vendor),
                // A key itself, which is refused in its own words and not repeated.
                None => self.ask(place, node, "send a key that stands in it".to_owned()),
            },
            _ => self.other(place, node),
        }
    }

    /// Values that a plugin or a vendor gets as they stand. Numbers and words choose; anything longer
    /// may be the address of somebody's server, which a vendor or a gateway would call.
    fn words(&mut self, place: &Place, node: &Node) {
        if !are_words(node) {
            let message = format!("send {} as it stands", written(node));
            self.ask(place, node, message);
        }
    }
}

fn are_words(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Text(text) => is_word(text),
        Value::Array(elements) => elements.iter().all(are_words),
        Value::Object(members) => members.iter().all(|member| are_words(&member.node)),
    }
}

/// Whether a value that a vendor gets as it stands holds nothing but numbers and plain words.
pub fn only_words(value: &Json) -> bool {
    value.texts(&mut is_word)
}

/// Letters, digits, `-` and `_`, and one point between digits, as in `gpt-4.1`.
fn is_word(text: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let points: Vec<usize> = text.match_indices('.').map(|(at, _)| at).collect();
    let between_digits = |at: &usize| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(*at + 1..).and_then(|text| text.chars().next());
        digit(before) && digit(after)
    };
    text.len() <= LONGEST_WORD
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && points.len() <= 1
        && points.iter().all(between_digits)
}

#[cfg(test)]
mod tests {
    use super::is_word;

    #[test]
    fn an_address_is_no_word() {
        for word in [
            "",
            "flex",
            "gpt-4.1",
            "2024-10-21",
            "max_tokens",
            "org-ab_1",
        ] {
            assert!(is_word(word), "{word}");
        }
        for other in [
            "evil.example",
            "https://evil",
            "evil:80",
            "10.0.0.1",
            "a/b",
            "a b",
            "${KEY}",
            "x@y",
            "4.1.example",
            "4.1.2",
        ] {
            assert!(!is_word(other), "{other}");
        }
    }
}
