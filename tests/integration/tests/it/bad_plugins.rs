//! Files that are no plugins, and components of another kind: each is refused by name before it is
//! ever run. What they do once they run is `lying_plugins`'s.

use std::fs;
use std::path::{Path, PathBuf};

use multillm::plugin::{EngineOptions, LoadOptions, Plugin, PluginEngine, PluginError};
use tempfile::TempDir;

use crate::component::{Description, Guest};
use crate::stage::Stage;

/// A folder with an engine that caches compiled code in it.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) engine: PluginEngine,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Bench {
            engine: engine(Some(folder.path().join("cache"))),
            folder,
        }
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) async fn load(&self, bytes: &[u8]) -> Result<Plugin, PluginError> {
        self.load_as(bytes, &LoadOptions::default()).await
    }

    pub(crate) async fn load_as(
        &self,
        bytes: &[u8],
        options: &LoadOptions,
    ) -> Result<Plugin, PluginError> {
        let path = self.file("guest.wasm", bytes);
        self.engine.load("guest", &path, options).await
    }
}

pub(crate) fn engine(cache_dir: Option<PathBuf>) -> PluginEngine {
    PluginEngine::new(EngineOptions {
        max_instances: 4,
        cache_dir,
        ..EngineOptions::default()
    })
    .unwrap()
}

fn importing_a_function() -> Vec<u8> {
    Guest::describing(&Description::default())
        .package("package evil:clock@1.0.0; interface time { now: func() -> u64; }")
        .world("world w { import evil:clock/time@1.0.0; include provider; }")
        .import("evil:clock/time@1.0.0", "now", "(result i64)")
        .build()
}

fn importing_wasi() -> Vec<u8> {
    Guest::describing(&Description::default())
        .package("package wasi:random@0.2.0; interface random { get-random-u64: func() -> u64; }")
        .world("world w { import wasi:random/random@0.2.0; include provider; }")
        .import("wasi:random/random@0.2.0", "get-random-u64", "(result i64)")
        .build()
}

#[tokio::test]
async fn a_handmade_component_can_be_good() {
    let bench = Bench::new();
    let plugin = bench
        .load(&Guest::describing(&Description::default()).build())
        .await
        .unwrap();
    assert_eq!(plugin.info().name, "handmade");
    assert!(!plugin.has_wasi() && !plugin.lists_models());
}

#[tokio::test]
async fn an_imported_function_is_refused_by_name() {
    let bench = Bench::new();
    let guest = importing_a_function();
    for wasi_deny_all in [false, true] {
        let options = LoadOptions {
            wasi_deny_all,
            ..LoadOptions::default()
        };
        let error = bench.load_as(&guest, &options).await.unwrap_err();
        let PluginError::Imports { imports, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(imports, &["evil:clock/time@1.0.0#now"]);
    }
    let stage = Stage::new();
    let file = stage.file("clock.wasm", guest);
    let done = stage.run_bare(&["plugin", "inspect", &file], b"");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.stderr.contains("evil:clock/time@1.0.0#now"),
        "{done:?}"
    );
    assert!(
        done.stdout
            .contains("function imports  evil:clock/time@1.0.0#now"),
        "{done:?}"
    );
}

#[tokio::test]
async fn wasi_is_refused_unless_it_is_denied_everything() {
    let bench = Bench::new();
    let guest = importing_wasi();
    let error = bench.load(&guest).await.unwrap_err().to_string();
    assert!(
        error.contains("wasi:random/random@0.2.0#get-random-u64"),
        "{error}"
    );
    assert!(error.contains("deny-all"), "{error}");
    let options = LoadOptions {
        wasi_deny_all: true,
        ..LoadOptions::default()
    };
    let plugin = bench.load_as(&guest, &options).await.unwrap();
    assert!(plugin.has_wasi(), "and is marked");
    let pure = Guest::describing(&Description::default()).build();
    let plugin = bench.load_as(&pure, &options).await.unwrap();
    assert!(!plugin.has_wasi(), "who needs none gets none");
}

/// It asks for what the process has plenty of, and traps if it gets any.
#[tokio::test]
async fn an_empty_wasi_holds_nothing() {
    let bench = Bench::new();
    let asks = |function: &str| {
        Guest::describing(&Description::default())
            .package(
                "package wasi:cli@0.2.0;
                 interface environment {
                     get-environment: func() -> list<tuple<string, string>>;
                     get-arguments: func() -> list<string>;
                 }",
            )
            .world("world w { import wasi:cli/environment@0.2.0; include provider; }")
            .import(
                "wasi:cli/environment@0.2.0",
                "get-environment",
                "(param i32)",
            )
            .import("wasi:cli/environment@0.2.0", "get-arguments", "(param i32)")
            .body(
                "multillm:provider/metadata@0.1.0#describe",
                &format!(
                    "(call {function} (i32.const 16))
                     (if (i32.load (i32.const 20)) (then unreachable))
                     (i32.const 1024)"
                ),
            )
            .build()
    };
    let options = LoadOptions {
        wasi_deny_all: true,
        ..LoadOptions::default()
    };
    assert!(std::env::vars().count() > 0 && std::env::args().count() > 0);
    for function in ["$import0", "$import1"] {
        let plugin = bench.load_as(&asks(function), &options).await;
        assert!(plugin.unwrap().has_wasi(), "{function}");
    }
}

#[tokio::test]
async fn a_foreign_contract_is_refused_with_all_versions() {
    let bench = Bench::new();
    let error = bench
        .load(&Guest::new().version("0.3.0").build())
        .await
        .unwrap_err();
    assert!(
        matches!(error, PluginError::ForeignContract { .. }),
        "{error}"
    );
    let error = error.to_string();
    assert!(error.contains("multillm:provider/chat@0.3.0"), "{error}");
    assert!(error.contains("contract 0.1.0 or 0.2.0"), "{error}");
}

#[tokio::test]
async fn functions_of_other_types_are_refused_before_any_is_called() {
    let bench = Bench::new();
    // All the names of 0.2.0, with the types that 0.1.0 gave them.
    let error = bench
        .load(&Guest::new().version("0.2.0").build())
        .await
        .unwrap_err();
    assert!(matches!(error, PluginError::WrongWorld { .. }), "{error}");
    assert!(
        error.to_string().contains("functions of other types"),
        "{error}"
    );
}

#[tokio::test]
async fn another_world_is_no_provider() {
    let bench = Bench::new();
    let worlds = [
        (
            "world w { export metadata; }",
            "multillm:provider/metadata@0.1.0",
        ),
        ("world w { export run: func(); }", "run"),
        ("world w { }", "nothing"),
    ];
    for (world, found) in worlds {
        let error = bench
            .load(&Guest::new().world(world).build())
            .await
            .unwrap_err();
        assert!(matches!(error, PluginError::WrongWorld { .. }), "{error}");
        let error = error.to_string();
        assert!(
            error.contains(found) && error.contains("contract 0.1.0 or 0.2.0"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn files_that_are_no_components_are_told_apart() {
    let bench = Bench::new();
    let whole = Guest::describing(&Description::default()).build();
    let core = wat::parse_str("(module)").unwrap();
    let cases: [(&str, &[u8], &str); 5] = [
        ("text", b"#!/bin/sh\n", "does not begin as WebAssembly does"),
        ("empty", b"", "does not begin as WebAssembly does"),
        ("core module", &core, "core module"),
        ("cut", &whole[..whole.len() / 2], "no WebAssembly component"),
        ("header", &whole[..8], "exports nothing"),
    ];
    for (what, bytes, word) in cases {
        let error = bench.load(bytes).await.unwrap_err().to_string();
        assert!(
            error.contains(word) && error.contains("guest"),
            "{what}: {error}"
        );
    }
    let nowhere = Path::new("nowhere.wasm");
    let options = LoadOptions::default();
    let error = bench
        .engine
        .load("guest", nowhere, &options)
        .await
        .unwrap_err();
    assert!(matches!(error, PluginError::Unreadable { .. }), "{error}");
    let error = bench
        .engine
        .load("guest", bench.folder.path(), &options)
        .await
        .unwrap_err();
    assert!(matches!(error, PluginError::Unreadable { .. }), "{error}");
}
