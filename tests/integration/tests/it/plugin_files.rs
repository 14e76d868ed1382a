//! Pinned files, compiled code on disk, and the files of the product itself.

use std::fs;

use multillm::config::EmbeddedPlugin;
use multillm::plugin::{EngineOptions, LoadOptions, PluginEngine, PluginError};

use crate::bad_plugins::{Bench, engine};
use crate::component::{Description, Guest};
use crate::stage::{Stage, plugin_dir};

#[tokio::test]
async fn a_pin_admits_one_file_only() {
    let bench = Bench::new();
    let guest = Guest::describing(&Description::default()).build();
    let digest = bench.load(&guest).await.unwrap().digest().to_owned();
    let pinned = |sha256: &str| LoadOptions {
        sha256: Some(sha256.to_owned()),
        ..LoadOptions::default()
    };
    bench
        .load_as(&guest, &pinned(&digest.to_uppercase()))
        .await
        .unwrap();
    let error = bench
        .load_as(&guest, &pinned(&"0".repeat(64)))
        .await
        .unwrap_err();
    assert!(matches!(error, PluginError::PinMismatch { .. }), "{error}");
    assert!(error.to_string().contains(&digest), "{error}");
    let other = Guest::new().build();
    let error = bench.load_as(&other, &pinned(&digest)).await.unwrap_err();
    assert!(matches!(error, PluginError::PinMismatch { .. }), "{error}");
}

#[tokio::test]
async fn damaged_compiled_code_is_rebuilt() {
    let bench = Bench::new();
    let guest = Guest::describing(&Description::default()).build();
    bench.load(&guest).await.unwrap();
    let cache = bench.folder.path().join("cache");
    let compiled = || {
        let files = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut code: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|kind| kind == "cwasm"))
            .collect();
        assert_eq!(code.len(), 1, "{code:?}");
        code.remove(0)
    };
    let file = compiled();
    let sound = fs::read(&file).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for damaged in [flipped, sound[..100].to_vec(), vec![], b"no code".to_vec()] {
        fs::write(&file, &damaged).unwrap();
        let again = engine(Some(cache.clone()));
        let path = bench.file("guest.wasm", &guest);
        again
            .load("guest", &path, &LoadOptions::default())
            .await
            .unwrap();
        assert_eq!(
            fs::read(compiled()).unwrap().len(),
            sound.len(),
            "it was rebuilt"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_cache_that_others_may_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("guest.wasm");
    fs::write(&path, Guest::describing(&Description::default()).build()).unwrap();
    let engine = engine(Some(cache.clone()));
    engine
        .load("guest", &path, &LoadOptions::default())
        .await
        .unwrap();
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}

/// Bytes of a component: a vocabulary of 60 records and variants takes a quarter of it, and each
/// adapter writes, reads and relays at least one wire; OpenAI's two.
const LARGEST: u64 = 490_000;

#[test]
fn the_products_components_are_small_and_import_no_function() {
    let stage = Stage::new();
    for line in &crate::vendors::LINES {
        let file = plugin_dir().join(format!("{}.wasm", line.plugin));
        let file = file.display().to_string();
        let report = stage
            .run_bare(&["plugin", "inspect", &file, "--json"], b"")
            .json();
        assert_eq!(
            report["function_imports"],
            serde_json::json!([]),
            "{report}"
        );
        assert_eq!(report["usable"], true);
        assert_eq!(report["info"]["name"], line.plugin);
        assert!(
            report["size"].as_u64().unwrap() <= LARGEST,
            "{}",
            report["size"]
        );
    }
}

/// A component like another one, with a digest of its own.
fn marked(component: &[u8], mark: &[u8; 4]) -> Vec<u8> {
    // A custom section: its number, its length, the length of its name, its name.
    [component, &[0, 5, 4], mark].concat()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn code_that_a_program_brings_along_is_not_compiled_again() {
    use multillm::plugin::{EmbeddedCode, about, bring_code, brings_code, digest, precompile};
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let component = fs::read(plugin_dir().join("openai.wasm")).unwrap();
    let brought: &'static [u8] = marked(&component, b"own1").leak();
    let foreign: &'static [u8] = marked(&component, b"own2").leak();
    let without: &'static [u8] = marked(&component, b"own3").leak();
    let packed = |bytes: &[u8]| -> &'static [u8] { zstd::bulk::compress(bytes, 1).unwrap().leak() };
    let code = |component: &[u8], code: &[u8]| EmbeddedCode {
        component: digest(component).leak(),
        code: packed(code),
        like: b"",
        about: about(component).unwrap().leak(),
    };
    let all = vec![
        code(brought, &precompile(brought, &target).unwrap()),
        code(foreign, b"\x7fELF and nothing that belongs behind it"),
    ];
    // SAFETY: the one is what the library compiled just now, the other is refused by its head.
    unsafe {
        bring_code(all.leak());
    }
    assert!(brings_code(&digest(brought)) && !brings_code(&digest(without)));
    let rows = [
        (brought, brought, "", false),
        // What is known of a component need not be found out: it is not even looked at.
        (brought, b"unread", digest(brought).leak(), false),
        (foreign, foreign, digest(foreign).leak(), true),
        (without, without, "", true),
    ];
    let mut known = vec![];
    for (of, component, named, compiled) in rows {
        let cache = tempfile::tempdir().unwrap();
        let engine = PluginEngine::new(EngineOptions {
            cache_dir: Some(cache.path().join("compiled")),
            ..EngineOptions::default()
        })
        .unwrap();
        let plugin = EmbeddedPlugin {
            name: "openai",
            component,
            like: b"",
            digest: named,
        };
        let loaded = engine.load_embedded(plugin, &LoadOptions::default()).await;
        let loaded = loaded.unwrap();
        assert_eq!(loaded.info().name, "openai");
        assert_eq!(loaded.digest(), digest(of));
        assert!(loaded.path().is_none() && loaded.is_current());
        assert_eq!(cache.path().join("compiled").exists(), compiled);
        known.push((loaded.size(), loaded.inspection().clone()));
        let pin = LoadOptions {
            sha256: Some("0".repeat(64)),
            wasi_deny_all: false,
        };
        let refused = engine.load_embedded(plugin, &pin).await.unwrap_err();
        assert!(
            refused.to_string().contains("in this program has sha256"),
            "{refused}"
        );
    }
    assert!(known.windows(2).all(|pair| pair.first() == pair.last()));
}
