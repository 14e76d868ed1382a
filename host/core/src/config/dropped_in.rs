//! Providers that nobody wrote down: a component of their name lies in a plugin directory, or was installed. They are
//! looked for when they are asked for, so that a file counts at once and no longer when it is gone.
//!
//! They are strangers whatever they are called: what comes with the program is never looked for here, and who gets a
//! key is [`endpoint`](super::endpoint)'s to say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::built_in::built_in_of;
use super::implied::Base;
use super::installed::{InstalledStore, components_in};
use super::mark::Mark;
use super::model::Plugin;
use super::names::is_plugin_name;
use super::policy::Timeouts;
use super::resolve::{Parts, plain_provider};

/// Where they are looked for, the first that has one counts.
#[derive(Debug, Default)]
pub(super) struct DroppedIn {
    /// What the configuration lists under `plugins`.
    pub(super) listed: BTreeMap<String, Arc<Plugin>>,
    /// The configuration's directory; none where whoever made the working directory could have put something there.
    pub(super) dir: Option<PathBuf>,
    /// The user's own.
    pub(super) own: InstalledStore,
}

impl DroppedIn {
    /// The provider of this name.
    pub(super) fn base(&self, name: &str, timeouts: &Timeouts) -> Option<Base> {
        let plugin = self.plugin(name)?;
        let parts = Parts::default();
        let provider = Arc::new(plain_provider(timeouts, name, plugin, &parts));
        Some(Base {
            provider,
            parts,
            built_in: false,
        })
    }

    fn plugin(&self, name: &str) -> Option<Arc<Plugin>> {
        // A caller's word becomes a file's name.
        if !is_plugin_name(name) || built_in_of(name).is_some() {
            return None;
        }
        if let Some(plugin) = self.listed.get(name) {
            return Some(plugin.clone());
        }
        let in_dir = self
            .dir
            .as_ref()
            .map(|dir| dir.join(format!("{name}.wasm")));
        if let Some(path) = in_dir.filter(|path| path.is_file()) {
            return Some(Arc::new(Plugin {
                mark: Mark::of(&path),
                ..Plugin::unlisted(name, path)
            }));
        }
        let own = self.own.find(name)?;
        Some(Arc::new(Plugin {
            mark: own.mark(),
            ..Plugin::unlisted(name, own.path.clone()).installed(own)
        }))
    }

    /// The names that there are.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.listed.keys().cloned().collect();
        names.extend(self.dir.iter().flat_map(|dir| components_in(dir)));
        names.extend(self.own.names());
        names.retain(|name| built_in_of(name).is_none());
        names.sort();
        names.dedup();
        names
    }
}
