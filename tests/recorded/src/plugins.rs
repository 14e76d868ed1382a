//! The components that recorded requests are given to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use multillm::plugin::{EngineOptions, LoadOptions, Plugin, PluginEngine};

/// Loads components when they are first asked for.
pub(crate) struct Plugins {
    engine: PluginEngine,
    folder: PathBuf,
    loaded: BTreeMap<String, Plugin>,
}

impl Plugins {
    /// Those of the project.
    ///
    /// # Errors
    ///
    /// The sandbox cannot be set up.
    pub(crate) fn new() -> Result<Self> {
        let options = EngineOptions {
            max_instances: 16,
            cache_dir: None,
            ..EngineOptions::default()
        };
        Ok(Plugins {
            engine: PluginEngine::new(options).context("the sandbox")?,
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/plugins"),
            loaded: BTreeMap::new(),
        })
    }

    /// The component of this name.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be loaded.
    pub(crate) async fn get(&mut self, name: &str) -> Result<Plugin> {
        if let Some(plugin) = self.loaded.get(name) {
            return Ok(plugin.clone());
        }
        let file = self.folder.join(format!("{name}.wasm"));
        let plugin = self
            .engine
            .load(name, &file, &LoadOptions::default())
            .await
            .with_context(|| format!("{}: `cargo xtask plugins` builds it", file.display()))?;
        self.loaded.insert(name.to_owned(), plugin.clone());
        Ok(plugin)
    }
}
