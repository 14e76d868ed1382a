//! What a configuration asks for beyond choosing models: programs, files, variables, addresses,
//! proxies, certificates, headers, plugins, the history.
//!
//! Looks at what is written before anything of it is done: no file is touched, no name looked up.
//! The list below says what is harmless. Whatever is not in it, because it is new, is asked about.

mod entry;

pub use entry::only_words;

use std::path::{Component, Path, PathBuf};

use super::diagnose::Problem;
use super::document::{Aim, Document, Member, Node, Place, Value};
use super::env::Env;
use super::names::canonical;
use super::provenance::{shown, visible};
use super::vendors::{Compatible, compatible};

/// Everything that a configuration asks for, in the order of the text.
pub(super) fn requests(document: &Document, dir: &Path, env: &Env) -> Vec<Problem> {
    let mut reader = Reader {
        document,
        dir,
        env,
        found: Vec::new(),
    };
    reader.root();
    reader.found
}

struct Reader<'a> {
    document: &'a Document,
    dir: &'a Path,
    env: &'a Env,
    found: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn root(&mut self) {
        let root = Place::default();
        for (place, member) in members(self.document.root(), &root) {
            let node = &member.node;
            match member.key.as_str() {
                "$schema" | "default_model" => {}
                "models" | "providers" => self.entries(&place, node, &member.key),
                "plugins" => self.plugins(&place, node),
                "routes" => {
                    let keys = ["strategy", "models", "description", "enabled"];
                    self.each(&place, node, |reader, place, node| {
                        reader.only(place, node, &keys);
                    });
                }
                "retry" => {
                    let keys = ["max_attempts", "base_ms", "max_ms", "max_total_ms"];
                    self.only(&place, node, &keys);
                }
                "timeouts" => self.only(&place, node, &entry::TIMEOUTS),
                "limits" => {
                    let keys = [
                        "plugin_memory_mb",
                        "plugin_cpu_ms",
                        "plugin_output_mb",
                        "request_mb",
                        "response_mb",
                        "max_concurrency",
                    ];
                    self.only(&place, node, &keys);
                }
                "breaker" => {
                    let keys = ["enabled", "failures", "open_ms", "probes"];
                    self.only(&place, node, &keys);
                }
                "health" => self.only(&place, node, &["timeout_ms"]),
                "terminal" => self.only(&place, node, &["stream", "markdown", "pictures"]),
                "cache" => self.cache(&place, node),
                "history" => self.history(&place, node),
                "prices" => {
                    let message = format!("read prices from {}", self.shown_path(node));
                    self.ask(&place, node, message);
                }
                "plugin_dir" => self.path(&place, node, "plugins", "load plugins from"),
                "templates_dir" => self.path(&place, node, "templates", "read templates from"),
                _ => self.other(&place, node),
            }
        }
    }

    /// Every member of an object, as `look` sees it.
    fn each(&mut self, place: &Place, node: &Node, look: impl Fn(&mut Self, &Place, &Node)) {
        match &node.value {
            Value::Object(_) => {
                for (place, member) in members(node, place) {
                    look(self, &place, &member.node);
                }
            }
            _ => self.other(place, node),
        }
    }

    /// An object of which these keys are harmless.
    fn only(&mut self, place: &Place, node: &Node, harmless: &[&str]) {
        self.each(place, node, |reader, place, node| {
            if !place.last_key().is_some_and(|key| harmless.contains(&key)) {
                reader.other(place, node);
            }
        });
    }

    fn plugins(&mut self, place: &Place, node: &Node) {
        self.each(place, node, |reader, place, node| {
            let path = match &node.value {
                Value::Text(path) => Some(path),
                _ => text_of(node, "path"),
            };
            let message = match path {
                Some(path) => format!("load the plugin in {}", reader.place_of(path)),
                None => format!("load a plugin as {}", written(node)),
            };
            reader.ask(place, node, message);
        });
    }

    fn cache(&mut self, place: &Place, node: &Node) {
        self.each(place, node, |reader, place, node| match place.last_key() {
            Some("enabled" | "ttl_seconds" | "max_entries") => {}
            Some("path") => {
                let message = format!("keep answers in {}", reader.shown_path(node));
                reader.ask(place, node, message);
            }
            _ => reader.other(place, node),
        });
    }

    /// That exchanges are recorded is the user's to say.
    fn history(&mut self, place: &Place, node: &Node) {
        self.each(place, node, |reader, place, node| {
            let usual = matches!(node.value, Value::Bool(true));
            match place.last_key() {
                Some("enabled" | "content") if usual => {}
                Some("path") => {
                    let message = format!("keep the history in {}", reader.shown_path(node));
                    reader.ask(place, node, message);
                }
                _ => {
                    let message = format!("change what is recorded to {}", written(node));
                    reader.ask(place, node, message);
                }
            }
        });
    }

    /// A path that is harmless where it is what it would be without being written.
    fn path(&mut self, place: &Place, node: &Node, usual: &str, what: &str) {
        if let Value::Text(path) = &node.value
            && plain(&self.env.path(self.dir, path)) == plain(&self.dir.join(usual))
        {
            return;
        }
        let message = format!("{what} {}", self.shown_path(node));
        self.ask(place, node, message);
    }

    /// What is not known to be harmless.
    fn other(&mut self, place: &Place, node: &Node) {
        let message = format!("use {}", written(node));
        self.ask(place, node, message);
    }

    fn ask(&mut self, place: &Place, node: &Node, message: String) {
        if matches!(node.value, Value::Null) {
            return;
        }
        let mut problem = self.document.problem(place, Aim::Value, message);
        // A key of the file is a text of others too.
        problem.path = visible(&problem.path);
        self.found.push(problem);
    }

    fn shown_path(&self, node: &Node) -> String {
        match &node.value {
            Value::Text(path) => self.place_of(path),
            _ => written(node),
        }
    }

    fn place_of(&self, path: &str) -> String {
        shown(&self.env.path(self.dir, path).to_string_lossy())
    }

    /// The name of the plugin that a provider of this name uses.
    fn plugin_of(&self, provider: &'a str) -> &'a str {
        let wanted = canonical(provider);
        let place = Place::default().key("providers");
        let listed = self.document.node(&place).map(|node| members(node, &place));
        listed
            .into_iter()
            .flatten()
            .find(|(_, member)| canonical(&member.key) == wanted)
            .and_then(|(_, member)| text_of(&member.node, "plugin"))
            .map_or_else(
                || match self.foundation(wanted) {
                    Some(_) => Compatible::PLUGIN,
                    None => wanted,
                },
                |plugin| canonical(plugin.trim()),
            )
    }

    /// The provider that comes with the program under this name, where what is written of it leaves
    /// its plugin open: then its own address and its own key are the usual ones.
    fn foundation(&self, provider: &str) -> Option<&'static Compatible> {
        let wanted = canonical(provider);
        let root = Place::default();
        let plugins = self.document.keys(&root.key("plugins"));
        let place = root.key("providers");
        let mut listed = self
            .document
            .node(&place)
            .into_iter()
            .flat_map(|node| members(node, &place));
        let has_plugin = listed.any(|(_, member)| {
            canonical(&member.key) == wanted
                && members(&member.node, &root).any(|(_, member)| member.key == "plugin")
        });
        let stands_alone = has_plugin || plugins.into_iter().any(|key| canonical(key) == wanted);
        compatible(provider).filter(|_| !stands_alone)
    }

    /// Is a provider of this name written down.
    fn lists_provider(&self, name: &str) -> bool {
        let keys = self.document.keys(&Place::default().key("providers"));
        keys.into_iter()
            .any(|key| canonical(key) == canonical(name))
    }
}

/// The members of an object with their places; nothing else has any.
fn members<'a>(node: &'a Node, place: &Place) -> impl Iterator<Item = (Place, &'a Member)> {
    let members = match &node.value {
        Value::Object(members) => members.as_slice(),
        _ => &[],
    };
    let place = place.clone();
    members
        .iter()
        .map(move |member| (place.key(&member.key), member))
}

/// A member that is a text.
fn text_of<'a>(node: &'a Node, key: &str) -> Option<&'a String> {
    members(node, &Place::default()).find_map(|(_, member)| match &member.node.value {
        Value::Text(text) if member.key == key => Some(text),
        _ => None,
    })
}

/// A value as it is written, in a form that hides nothing.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.clone(),
        Value::Text(text) => shown(text),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(written).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| format!("{}: {}", shown(&member.key), written(&member.node)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// A path without `.`; one with `..` is nobody's default.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .collect()
}

#[cfg(test)]
mod tests;
