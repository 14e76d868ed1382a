//! A project in Rust: the SDK's sources beside the adapter, so that nothing but widely used crates is fetched.

use super::{Kind, renamed, sources};

/// Every file but the contract and the recordings.
pub(super) fn files(name: &str, kind: Kind) -> Vec<(String, String)> {
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest(name)),
        ("README.md".to_owned(), readme(name)),
        ("plugin.json".to_owned(), project(name, kind)),
        (
            "vendor/multillm-plugin-sdk/Cargo.toml".to_owned(),
            sdk_manifest(),
        ),
    ];
    for (place, content) in sources::SDK.files() {
        let place = format!("vendor/multillm-plugin-sdk/src/{place}");
        files.push((place, content.to_owned()));
    }
    match kind {
        Kind::OwnWire => {
            for (place, content) in sources::TEMPLATE.files() {
                files.push((format!("src/{place}"), renamed(content, name)));
            }
        }
        Kind::OpenAiCompatible => {
            files.push(("src/lib.rs".to_owned(), renamed(COMPATIBLE, name)));
        }
    }
    files
}

fn project(name: &str, kind: Kind) -> String {
    let snake = name.replace('-', "_");
    let recordings = match kind {
        Kind::OwnWire => "\n  \"recordings\": \"recordings\",",
        Kind::OpenAiCompatible => "",
    };
    format!(
        r#"{{
  "name": "{name}",
  "build": ["cargo rustc --release --target wasm32-unknown-unknown --crate-type cdylib"],
  "module": "target/wasm32-unknown-unknown/release/multillm_plugin_{snake}.wasm",
  "test": ["cargo test"],
  "watch": ["src", "Cargo.toml", "plugin.json"],{recordings}
  "model": "{name}-2",
  "origin": {{ "version": "0.1.0", "description": "{name} for multillm" }}
}}
"#
    )
}

fn manifest(name: &str) -> String {
    format!(
        r#"[package]
name = "multillm-plugin-{name}"
description = "{name} for multillm"
version = "0.1.0"
edition = "2024"

[lib]
# A component is made of the first; tests run with the second.
crate-type = ["cdylib", "rlib"]

[dependencies]
multillm-plugin-sdk = {{ path = "vendor/multillm-plugin-sdk" }}
serde = {{ version = "1", features = ["derive"] }}
serde_json = {{ version = "1", features = ["float_roundtrip", "raw_value"] }}

# Small, no unwinding tables, one unit.
[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"

[workspace]
members = ["vendor/multillm-plugin-sdk"]
"#
    )
}

pub(super) fn sdk_manifest() -> String {
    format!(
        r#"[package]
name = "multillm-plugin-sdk"
description = "what an author of a multillm plugin needs"
version = "{}"
edition = "2024"
license = "MIT OR Apache-2.0"

[dependencies]
base64 = "0.22"
serde = {{ version = "1", features = ["derive"] }}
serde_json = {{ version = "1", features = ["float_roundtrip", "raw_value"] }}
wit-bindgen = {{ version = "=0.61.1", default-features = false, features = ["realloc", "std"] }}

[target.'cfg(target_family = "wasm")'.dependencies]
talc = {{ version = "5.1", default-features = false }}
"#,
        env!("CARGO_PKG_VERSION")
    )
}

fn readme(name: &str) -> String {
    let snake = name.replace('-', "_");
    format!(
        "# {name} for multillm\n\n\
         ```sh\n\
         rustup target add wasm32-unknown-unknown\n\
         cargo test\n\
         multillm plugin dev\n\
         ```\n\n\
         `plugin dev` builds the component whenever a file changes, packs and checks it, and serves it with the recorded\n\
         answers behind it; it says how to talk with it. By hand:\n\n\
         ```sh\n\
         cargo rustc --release --target wasm32-unknown-unknown --crate-type cdylib\n\
         multillm plugin pack target/wasm32-unknown-unknown/release/multillm_plugin_{snake}.wasm --out {name}.wasm\n\
         multillm plugin check {name}.wasm\n\
         ```\n\n\
         `src/` is the adapter: `lib.rs` says what it is, `encode.rs` builds requests, `decode.rs` and `stream.rs` read\n\
         answers, `wire.rs` holds the vendor's JSON, `tests.rs` tries all of it natively. `vendor/` and `wit/` are the SDK\n\
         and the contract as the program held them that made this project: leave them as they are.\n"
    )
}

/// An adapter for a server that speaks OpenAI's chat completions.
const COMPATIBLE: &str = include_str!("compatible.rs.txt");
