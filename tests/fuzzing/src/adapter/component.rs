//! An adapter as a component, in the host's own sandbox, with a fresh instance for every call.

use std::path::Path;
use std::sync::OnceLock;

use multillm::error::{Error, Result};
use multillm::plugin::{EngineOptions, Limits, LoadOptions, Plugin, PluginEngine, wire};
use tokio::runtime::{Builder, Runtime};

static ENGINE: OnceLock<PluginEngine> = OnceLock::new();

/// A loaded component.
pub(super) struct Component {
    runtime: Runtime,
    plugin: Plugin,
}

impl Component {
    /// Loads a plugin of the project.
    pub(super) fn load(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/plugins");
        let engine = ENGINE.get_or_init(|| {
            PluginEngine::new(EngineOptions {
                limits: Limits {
                    // A busy machine is no finding; a loop still is.
                    cpu_ms: 10_000,
                    ..Limits::default()
                },
                max_instances: 16,
                cache_dir: None,
            })
            .expect("an engine")
        });
        let runtime = Builder::new_current_thread()
            .build()
            .expect("a runtime without input and output");
        let file = folder.join(format!("{name}.wasm"));
        let plugin = runtime
            .block_on(engine.load(name, &file, &LoadOptions::default()))
            .expect("a plugin, built with `cargo xtask plugins`");
        Component { runtime, plugin }
    }

    pub(super) fn whole(
        &self,
        target: &wire::Target,
        response: wire::Response,
    ) -> Result<wire::Answer> {
        self.runtime.block_on(async {
            let mut session = self.plugin.session().await.expect("an instance");
            let decoded = session.decode(target, response).await;
            decoded.expect("no trap in decode")
        })
    }

    pub(super) fn failure(&self, target: &wire::Target, response: wire::Response) -> Error {
        self.runtime.block_on(async {
            let mut session = self.plugin.session().await.expect("an instance");
            let decoded = session.decode_error(target, response).await;
            decoded.expect("no trap in decode-error")
        })
    }

    pub(super) fn page(
        &self,
        target: &wire::Target,
        response: wire::Response,
    ) -> Result<wire::ModelPage> {
        self.runtime.block_on(async {
            let mut session = self.plugin.session().await.expect("an instance");
            let decoded = session.decode_list(target, response).await;
            decoded.expect("no trap in decode-list")
        })
    }

    /// All batches, whether or not the stream has ended, and the end of the body.
    pub(super) fn stream(
        &self,
        target: &wire::Target,
        batches: Vec<Vec<wire::Frame>>,
    ) -> Vec<wire::Event> {
        self.runtime.block_on(async {
            let session = self.plugin.session().await.expect("an instance");
            let decoder = session.into_decoder(target).await;
            let mut decoder = decoder.expect("no trap in decoder");
            let mut events = vec![];
            for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
                let read = decoder.push(batch).await;
                events.extend(read.expect("no trap in push"));
            }
            let read = decoder.finish().await;
            events.extend(read.expect("no trap in finish"));
            events
        })
    }
}
