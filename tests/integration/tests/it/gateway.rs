//! The gateway, as callers meet it: two lanes, doors, limits, and its end. See `gateway/`.

#[path = "gateway/caller.rs"]
pub(crate) mod caller;
#[path = "gateway/doors.rs"]
mod doors;
#[path = "gateway/lanes.rs"]
mod lanes;
#[path = "gateway/load.rs"]
mod load;
#[path = "gateway/own_keys.rs"]
mod own_keys;
#[path = "gateway/running.rs"]
mod running;
#[path = "gateway/storm.rs"]
mod storm;
#[path = "gateway/strangers.rs"]
mod strangers;
#[path = "gateway/traces.rs"]
mod traces;

use std::net::SocketAddr;

use multillm::MultiLlmService;
use multillm_gateway::{KeyEntry, KeyStore, Options, serve};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::stage::Stage;

/// A gateway of the test's own.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) service: MultiLlmService,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<usize>,
}

impl Gateway {
    /// Serves by the stage's configuration, with those keys that it has.
    pub(crate) async fn open(stage: &mut Stage) -> Self {
        stage.config["gateway"]["listen"] = "127.0.0.1:0".into();
        Gateway::of(stage.service(), keys(stage)).await
    }

    /// Serves what this service has.
    pub(crate) async fn of(service: MultiLlmService, keys: KeyStore) -> Self {
        let options = Options::with_keys(keys);
        let serving = serve(service.clone(), options).await.unwrap();
        let address = serving.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serving.until(async {
            let _ = stopped.await;
        }));
        Gateway {
            address,
            service,
            stop: Some(stop),
            serving,
        }
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops it and gives how many connections were cut.
    pub(crate) async fn stop(mut self) -> usize {
        self.tell_to_stop();
        let cut = self.serving.await.unwrap();
        self.service.close().await;
        cut
    }
}

/// The stage's keys.
pub(crate) fn keys(stage: &Stage) -> KeyStore {
    KeyStore::at(Some(stage.folder.path().join("keys.json")), None).unwrap()
}

/// Makes a key that the test may show nowhere.
pub(crate) fn key(stage: &mut Stage, entry: KeyEntry) -> String {
    let name = format!("GATEWAY_KEY_{}", entry.name.to_uppercase());
    let key = keys(stage).create(entry).unwrap().reveal().to_owned();
    stage.variables.push((name, key.clone()));
    key
}

/// An entry of this name that allows everything.
pub(crate) fn named(name: &str) -> KeyEntry {
    KeyEntry {
        name: name.to_owned(),
        ..KeyEntry::default()
    }
}

/// A question on OpenAI's wire.
pub(crate) fn question(model: &str, text: &str, stream: bool) -> Value {
    json!({
        "model": model,
        "messages": [{ "role": "user", "content": text }],
        "stream": stream,
    })
}
