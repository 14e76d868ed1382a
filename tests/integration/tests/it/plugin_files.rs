//! Pinned files, compiled code on disk, and the files of the product itself.

use std::fs;

use multillm::plugin::{LoadOptions, PluginError};

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

#[test]
fn the_products_components_import_no_function() {
    let stage = Stage::new();
    for line in &crate::vendors::LINES {
        let file = plugin_dir().join(format!("{}.wasm", line.plugin));
        let limit = if line.plugin == "openai" {
            240_000
        } else {
            300_000
        };
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
            report["size"].as_u64().unwrap() <= limit,
            "{}",
            report["size"]
        );
    }
}
