use super::*;

fn installed(component: &[u8]) -> Installed {
    use sha2::Digest as _;
    Installed {
        source: "oci://registry.example/acme:1".to_owned(),
        sha256: hex::encode(sha2::Sha256::digest(component)),
        size: component.len() as u64,
        manifest: None,
        signer: None,
        contract: "0.2.0".to_owned(),
        wasi: None,
        added: "2026-11-27T14:00:00Z".to_owned(),
    }
}

fn store() -> (tempfile::TempDir, InstalledStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = InstalledStore::in_dir(&folder.path().join("plugins"));
    (folder, store)
}

#[test]
fn a_name_means_the_component_that_was_put_there() {
    let (_folder, store) = store();
    assert_eq!(store.find("acme"), None);
    let (one, two) = (installed(b"one"), installed(b"two"));
    store
        .put("acme", None, &one, b"one", Some("signed"))
        .unwrap();
    let found = store.find("acme").unwrap();
    assert_eq!(fs::read(&found.path).unwrap(), b"one");
    assert_eq!(found.installed, Some(one.clone()));
    let signature = store.signature(&one.sha256).unwrap();
    assert_eq!(fs::read(&signature).unwrap(), b"signed");
    // Nothing is overwritten that was not expected there.
    store.put("acme", None, &two, b"two", None).unwrap_err();
    store
        .put("acme", Some(&two), &two, b"two", None)
        .unwrap_err();
    assert_eq!(store.find("acme").unwrap().installed, Some(one.clone()));
    store.put("acme", Some(&one), &two, b"two", None).unwrap();
    store.tidy().unwrap();
    assert!(!found.path.exists() && !signature.exists());
    assert_eq!(store.names(), ["acme"]);
    assert_eq!(store.remove("acme").unwrap(), Some(two));
    assert_eq!(store.remove("acme").unwrap(), None);
    assert_eq!(store.find("acme"), None);
}

#[cfg(unix)]
#[test]
fn everything_in_it_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, store) = store();
    store
        .put("acme", None, &installed(b"one"), b"one", Some("s"))
        .unwrap();
    let dir = store.dir().unwrap().to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&dir.join("store"))), (0o700, 0o700));
    for folder in [&dir, &dir.join("store")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(&dir.join("plugins.json"), 0o622);
    assert_eq!(store.find("acme"), None, "others may write the list");
    open(&dir.join("plugins.json"), 0o600);
    assert!(store.find("acme").is_some());
    open(&dir, 0o777);
    assert_eq!(store.find("acme"), None, "others may write the directory");
}

#[test]
fn a_file_counts_under_a_name_of_its_own_only() {
    let (_folder, store) = store();
    let dir = store.dir().unwrap().to_owned();
    files::make_private_directory(&dir).unwrap();
    for name in [
        "acme",
        "openai",
        "claude",
        "groq",
        "anthropic",
        "a b",
        "lmstudio",
    ] {
        fs::write(dir.join(format!("{name}.wasm")), b"x").unwrap();
    }
    assert_eq!(store.names(), ["acme"]);
    for name in [
        "openai",
        "OpenAI",
        "anthropic",
        "google",
        "groq",
        "../acme",
        "a b",
        "",
        "acme.wasm",
    ] {
        assert_eq!(store.find(name), None, "{name}");
        assert!(
            store.put(name, None, &installed(b"x"), b"x", None).is_err() || name == "acme.wasm"
        );
    }
    let own = store.find("acme").unwrap();
    assert_eq!((own.installed, own.path), (None, dir.join("acme.wasm")));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.join("acme.wasm"), dir.join("link.wasm")).unwrap();
        assert_eq!(store.find("link"), None);
    }
}

#[test]
fn a_damaged_or_later_list_is_told_and_nothing_counts() {
    let (_folder, store) = store();
    store
        .put("acme", None, &installed(b"one"), b"one", None)
        .unwrap();
    let file = store.dir().unwrap().join("plugins.json");
    let good = fs::read_to_string(&file).unwrap();
    for (text, reason) in [
        (
            good.replace("\"version\": 1", "\"version\": 7"),
            "has format 7",
        ),
        (
            good.replace("acme", "../acme"),
            "a name or digest that is none",
        ),
        (
            good.replace(&installed(b"one").sha256, "../../x"),
            "a name or digest",
        ),
        ("{".to_owned(), "is damaged"),
    ] {
        fs::write(&file, text).unwrap();
        let error = store.list().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(store.find("acme"), None);
        store
            .put("b", None, &installed(b"two"), b"two", None)
            .unwrap_err();
    }
}

#[test]
fn several_at_once_lose_nothing() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                let bytes = [at; 9];
                let name = format!("plugin{at}");
                store
                    .put(&name, None, &installed(&bytes), &bytes, None)
                    .unwrap();
            });
        }
    });
    assert_eq!(store.names().len(), 8);
}
