//! Plugins and providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::diagnose::{advice, quoted};
use super::super::document::Place;
use super::super::model::{Plugin, Provider};
use super::super::names::{VENDORS, canonical, is_plugin_name};
use super::super::schema::{self, File};
use super::super::vendors::Compatible;
use super::Resolver;
use super::entry::{Parts, endpoint};

const NAME_RULE: &str = "such a name is not allowed: use letters, digits, '-', '_' and '.'";

impl Resolver<'_> {
    pub(super) fn read_plugins(&mut self, raw: &File) {
        let place = Place::default().key("plugins");
        let empty = BTreeMap::new();
        for (key, entry) in raw.plugins.as_ref().unwrap_or(&empty) {
            let name = canonical(key);
            let at = place.key(key);
            if !is_plugin_name(name) {
                self.fault_of_key(&at, NAME_RULE);
                continue;
            }
            if self.plugins.contains_key(name) {
                self.doubled(&place, key, name);
                continue;
            }
            let plugin = match entry {
                schema::Plugin::Path(path) => self.plugin(name, &at, Some(path), None),
                schema::Plugin::Entry(entry) => {
                    let path = self.filled(&at.key("path"), entry.path.as_deref());
                    self.plugin(name, &at, path, Some(entry))
                }
            };
            self.need_plugin(&plugin, &at);
            self.plugins.insert(name.to_owned(), Arc::new(plugin));
        }
    }

    fn plugin(
        &mut self,
        name: &str,
        place: &Place,
        path: Option<&str>,
        entry: Option<&schema::PluginEntry>,
    ) -> Plugin {
        let unlisted = self.unlisted_plugin(name);
        let named = self.path(path);
        Plugin {
            // Who names a file means it.
            embedded: unlisted.embedded.filter(|_| named.is_none()),
            sha256: self
                .digest(place, entry.and_then(|entry| entry.sha256.as_deref()))
                .or(unlisted.sha256.filter(|_| named.is_none())),
            wasi: entry
                .and_then(|entry| entry.wasi)
                .or(unlisted.wasi.filter(|_| named.is_none())),
            path: named.unwrap_or(unlisted.path),
            listed: true,
            enabled: entry.and_then(|entry| entry.enabled).unwrap_or(true),
            name: unlisted.name,
            mark: None,
        }
    }

    /// The plugin of this name of which nothing is said.
    pub(super) fn unlisted_plugin(&self, name: &str) -> Plugin {
        let path = self.plugin_dir.join(format!("{name}.wasm"));
        let own = match path.is_file() {
            true => None,
            false => self.env.installed().find(name),
        };
        let plugin = Plugin::unlisted(name, path);
        Plugin {
            embedded: self.env.embedded(name),
            ..match own {
                Some(own) => plugin.installed(own),
                None => plugin,
            }
        }
    }

    /// Its file must be there, unless the program brings the plugin along.
    fn need_plugin(&mut self, plugin: &Plugin, place: &Place) {
        if plugin.embedded.is_none() {
            let message = format!("no file {}: {}", plugin.path.display(), plugin.fix());
            self.need(plugin.path.clone(), place, message);
        }
    }

    fn digest(&mut self, place: &Place, digest: Option<&str>) -> Option<String> {
        let digest = digest?.trim().to_ascii_lowercase();
        let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
        if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(digest.to_owned());
        }
        self.fault(
            &place.key("sha256"),
            "is no SHA-256: write the 64 hexadecimal digits that sha256sum prints",
        );
        None
    }

    pub(super) fn read_providers(&mut self, raw: &File) {
        let place = Place::default().key("providers");
        let empty = BTreeMap::new();
        let listed = raw.providers.as_ref().unwrap_or(&empty);
        for key in self.document.keys(&place) {
            // What is not in the raw map was reported when it was left out.
            let Some(entry) = listed.get(key) else {
                continue;
            };
            let name = canonical(key);
            let at = place.key(key);
            if !is_plugin_name(name) {
                self.fault_of_key(&at, NAME_RULE);
                continue;
            }
            if self.providers.contains_key(name) {
                self.doubled(&place, key, name);
                continue;
            }
            let mut parts = self.parts(&at, entry);
            let plugin_at = at.key("plugin");
            let foundation = self.foundation(name, entry);
            let plugin = match self.filled(&plugin_at, entry.plugin.as_deref()) {
                Some(plugin) => self.named_plugin(&plugin_at, plugin),
                None if self.is_faulty(&plugin_at) => None,
                None => match foundation {
                    Some(known) => {
                        parts = self.laid_over(&parts, known);
                        self.named_plugin(&at, Compatible::PLUGIN)
                    }
                    None => self.named_plugin(&at, name),
                },
            };
            if let Some(plugin) = plugin {
                let provider = self.provider(name, &at, plugin, entry, &parts);
                self.providers.insert(name.to_owned(), (provider, parts));
            }
        }
    }

    /// The plugin of this name: listed, or one of the vendors', or in the plugin directory.
    pub(super) fn named_plugin(&mut self, place: &Place, name: &str) -> Option<Arc<Plugin>> {
        if let Some(plugin) = self.existing_plugin(place, name) {
            return plugin;
        }
        let names = self.plugin_names();
        let message = format!(
            "no plugin {}: {}",
            quoted(name),
            advice(
                name,
                names.iter().map(String::as_str),
                &self.how_to_add(name)
            )
        );
        self.fault(place, message);
        None
    }

    /// The plugin of this name if it can be one. `Some(None)`: it is listed, and faulty.
    fn existing_plugin(&mut self, place: &Place, name: &str) -> Option<Option<Arc<Plugin>>> {
        let name = canonical(name);
        if let Some(plugin) = self.plugins.get(name) {
            return Some(Some(plugin.clone()));
        }
        if self.listed_names("plugins").any(|listed| listed == name) {
            return Some(None);
        }
        let plugin = Arc::new(self.unlisted_plugin(name));
        let known = VENDORS.contains(&name) || plugin.embedded.is_some();
        if !is_plugin_name(name) || !(known || plugin.path.is_file()) {
            return None;
        }
        self.need_plugin(&plugin, place);
        self.plugins.insert(name.to_owned(), plugin.clone());
        Some(Some(plugin))
    }

    /// The provider of this name and what it says for its models. One that is not listed is
    /// implied where there is a plugin of its name. `None` if there is none; it was reported.
    pub(super) fn named_provider(
        &mut self,
        place: &Place,
        name: &str,
    ) -> Option<(Arc<Provider>, Parts)> {
        let wanted = canonical(name);
        if let Some(found) = self.providers.get(wanted) {
            return Some(found.clone());
        }
        if self
            .listed_names("providers")
            .any(|listed| listed == wanted)
        {
            return None;
        }
        let raw = schema::Entry::default();
        if let Some(known) = self.foundation(wanted, &raw) {
            let name = known.vendor.name;
            if !self.providers.contains_key(name) {
                let found = self.built_in_provider(place, known)?;
                self.providers.insert(name.to_owned(), found);
            }
            return self.providers.get(name).cloned();
        }
        if let Some(plugin) = self.existing_plugin(place, wanted) {
            let parts = Parts::default();
            let entry = schema::Provider::default();
            let provider = self.provider(wanted, place, plugin?, &entry, &parts);
            let found = (provider, parts);
            self.providers.insert(wanted.to_owned(), found.clone());
            return Some(found);
        }
        let mut names: Vec<String> = self.listed_names("providers").map(str::to_owned).collect();
        names.extend(self.plugin_names());
        let otherwise = if is_plugin_name(wanted) {
            format!("list it under providers, or {}", self.how_to_add(wanted))
        } else {
            NAME_RULE.to_owned()
        };
        let message = format!(
            "no provider {}: {}",
            quoted(name),
            advice(name, names.iter().map(String::as_str), &otherwise)
        );
        self.fault(place, message);
        None
    }

    fn provider(
        &mut self,
        name: &str,
        place: &Place,
        plugin: Arc<Plugin>,
        entry: &schema::Provider,
        parts: &Parts,
    ) -> Arc<Provider> {
        let owner = format!("provider {}", quoted(name));
        let endpoint = endpoint(&self.timeouts, owner, name, &plugin.name, parts);
        let remote = endpoint
            .base_url
            .as_ref()
            .is_some_and(|url| !super::super::base_url::is_loopback(url));
        if !endpoint.customary && remote && parts.key.is_none() {
            self.warn(
                place,
                "no key is configured: name its variable with api_key_env, or write \
                 \"api_key\": false if it needs none",
            );
        }
        Arc::new(Provider {
            name: name.to_owned(),
            enabled: entry.enabled.unwrap_or(true)
                && plugin.enabled
                && parts.filters.iter().all(|filter| filter.plugin.enabled),
            plugin,
            endpoint,
            limits: entry.limits.as_ref().into(),
            max_concurrency: entry.max_concurrency.map(std::num::NonZeroU32::get),
            filters: parts.filters.clone(),
            lane: entry.lane,
            description: entry.description.clone(),
        })
    }

    fn listed_names(&self, section: &str) -> impl Iterator<Item = &str> {
        self.document
            .keys(&Place::default().key(section))
            .into_iter()
            .map(canonical)
    }

    fn plugin_names(&self) -> Vec<String> {
        let listed = self.listed_names("plugins").map(str::to_owned);
        VENDORS
            .iter()
            .map(ToString::to_string)
            .chain(listed)
            .collect()
    }

    fn how_to_add(&self, name: &str) -> String {
        if is_plugin_name(name) {
            let path = self.plugin_dir.join(format!("{name}.wasm"));
            format!("put the plugin's file to {}", path.display())
        } else {
            NAME_RULE.to_owned()
        }
    }
}
