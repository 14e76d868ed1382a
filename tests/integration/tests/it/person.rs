//! A person who installs a stranger's plugin, the stranger's vendor, and what is put together for both.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use memchr::memmem;
use minisign::KeyPair;
use serde_json::{Value, json};

use crate::raw_server::{RawServer, http};
use crate::stage::{Done, Stage, plugin_dir};

/// As long as the variable and the address of the component that it takes the place in.
pub(crate) const VARIABLE: &str = "ACMEEE_API_KEY";
pub(crate) const KEY: &str = "acme-7f3a91c5d2e84b60-key";

/// A person with an empty home, and a vendor that answers.
pub(crate) struct Person {
    pub(crate) stage: Stage,
    pub(crate) vendor: RawServer,
}

impl Person {
    pub(crate) fn new() -> Self {
        let answer = json!({
            "id": "1", "object": "chat.completion", "model": "acme-1",
            "choices": [{ "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": "from acme" } }],
            "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 },
        });
        let answer = http(200, "application/json", "", &answer.to_string());
        let vendor = loop {
            let vendor = RawServer::always(answer.clone());
            // The address takes the place of one of this length.
            if vendor.origin.len() == "http://127.0.0.1:12345".len() {
                break vendor;
            }
        };
        let mut stage = Stage::new();
        stage.variables.push((VARIABLE.to_owned(), KEY.to_owned()));
        Person { stage, vendor }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.stage.run_bare(arguments, b"")
    }

    /// A plugin that somebody made, with an address and a variable of its own. `mark` makes it another one.
    pub(crate) fn component(&self, mark: &str) -> Vec<u8> {
        self.asking_for(VARIABLE, mark)
    }

    pub(crate) fn asking_for(&self, variable: &str, mark: &str) -> Vec<u8> {
        let mut component = fs::read(plugin_dir().join("openai.wasm")).unwrap();
        let address = format!("{}/v1", self.vendor.origin);
        for (old, new) in [
            ("https://api.openai.com/v1", address.as_str()),
            ("OPENAI_API_KEY", variable),
            ("OPENAI_BASE_URL", "ACMEEE_BASE_URL"),
        ] {
            assert_eq!(old.len(), new.len(), "{new} does not fit");
            let found: Vec<usize> = memmem::find_iter(&component, old).collect();
            for at in found {
                component[at..at + old.len()].copy_from_slice(new.as_bytes());
            }
        }
        component.extend(section("authors", "Ann of Acme"));
        component.extend(section("licenses", "MIT"));
        component.extend(section("version", mark));
        component
    }

    /// The user's own plugin directory.
    pub(crate) fn own(&self) -> PathBuf {
        self.stage
            .folder
            .path()
            .join(".local/share/multillm/plugins")
    }

    pub(crate) fn listed(&self, name: &str) -> Option<Value> {
        let all = self.run(&["plugin", "list", "--json"]).json();
        let all = all.as_array().unwrap().clone();
        all.into_iter().find(|it| it["name"] == name)
    }

    /// The files that are kept.
    pub(crate) fn kept(&self) -> usize {
        let store = self.own().join("store");
        fs::read_dir(store).map_or(0, Iterator::count)
    }
}

/// A custom section of a component.
pub(crate) fn section(name: &str, text: &str) -> Vec<u8> {
    let length = u8::try_from(1 + name.len() + text.len()).unwrap();
    assert!(length < 128);
    let head = [0, length, u8::try_from(name.len()).unwrap()];
    [&head[..], name.as_bytes(), text.as_bytes()].concat()
}

pub(crate) fn signed(pair: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(
        Some(&pair.pk),
        &pair.sk,
        Cursor::new(bytes),
        Some("acme 1"),
        None,
    )
    .unwrap()
    .into_string()
}

pub(crate) fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}
