use super::*;

fn store() -> (tempfile::TempDir, TrustStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = TrustStore::in_dir(&dir.path().join("data"));
    (dir, store)
}

#[test]
fn consent_is_for_a_place_and_a_content() {
    let (dir, store) = store();
    let (file, other) = (dir.path().join("a.json"), dir.path().join("b.json"));
    assert!(!store.allows(&file, "1"));
    store.allow(&file, "1").unwrap();
    assert!(store.allows(&file, "1"));
    assert!(!store.allows(&file, "2"));
    assert!(!store.allows(&other, "1"));
    store.allow(&file, "2").unwrap();
    assert!(store.allows(&file, "2"));
    assert!(
        !store.allows(&file, "1"),
        "what was replaced is allowed no longer"
    );
    assert!(store.remove(file.to_str().unwrap()).unwrap());
    assert!(!store.allows(&file, "2"));
    assert!(!store.remove(file.to_str().unwrap()).unwrap());
}

#[test]
fn a_plugin_is_allowed_what_was_shown() {
    let (_dir, store) = store();
    let grant = PluginGrant {
        sha256: "ab".to_owned(),
        name: "acme".to_owned(),
        base_url: Some("https://acme.example".to_owned()),
        base_url_env: vec![],
        secrets: [("api_key".to_owned(), vec!["ACME_KEY".to_owned()])].into(),
    };
    store.allow_plugin(grant.clone()).unwrap();
    assert_eq!(store.plugin("ab"), Some(grant));
    assert_eq!(store.plugin("cd"), None);
    assert!(store.remove("acme").unwrap());
    assert_eq!(store.plugin("ab"), None);
}

#[test]
fn without_a_place_nothing_is_allowed() {
    let store = TrustStore::default();
    assert!(!store.allows(Path::new("/a"), "1"));
    assert!(store.allow(Path::new("/a"), "1").is_err());
}

#[test]
fn writers_lose_nothing_of_each_other() {
    let (dir, store) = store();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (store, dir) = (&store, dir.path());
            scope.spawn(move || store.allow(&dir.join(number.to_string()), "1").unwrap());
        }
    });
    assert_eq!(store.list().unwrap().0.len(), 8);
    let left: Vec<_> = std::fs::read_dir(dir.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".trust"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(unix)]
mod on_unix {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn the_file_is_the_users_alone() {
        let (dir, store) = store();
        let file = dir.path().join("a.json");
        store.allow(&file, "1").unwrap();
        let kept = dir.path().join("data/trust.json");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&kept), 0o600);
        assert_eq!(mode(&dir.path().join("data")), 0o700);
        std::fs::set_permissions(&kept, Permissions::from_mode(0o622)).unwrap();
        assert!(!store.allows(&file, "1"), "others could have written it");
        assert!(store.allow(&file, "1").is_err());
        std::fs::set_permissions(&kept, Permissions::from_mode(0o600)).unwrap();
        assert!(store.allows(&file, "1"));
        std::fs::set_permissions(dir.path().join("data"), Permissions::from_mode(0o777)).unwrap();
        assert!(!store.allows(&file, "1"), "others could have replaced it");
    }

    #[test]
    fn neither_a_link_nor_nonsense_is_believed() {
        let (dir, store) = store();
        let file = dir.path().join("a.json");
        store.allow(&file, "1").unwrap();
        let kept = dir.path().join("data/trust.json");
        let elsewhere = dir.path().join("elsewhere.json");
        std::fs::rename(&kept, &elsewhere).unwrap();
        symlink(&elsewhere, &kept).unwrap();
        assert!(!store.allows(&file, "1"));
        std::fs::remove_file(&kept).unwrap();
        std::fs::write(&kept, "{ \"files\": 1 }").unwrap();
        assert!(!store.allows(&file, "1"));
        let error = store.allow(&file, "1").unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
    }

    #[test]
    fn a_link_to_an_allowed_file_is_another_place() {
        let (dir, store) = store();
        let mine = dir.path().join("mine");
        let evil = dir.path().join("evil");
        std::fs::create_dir_all(&mine).unwrap();
        std::fs::create_dir_all(&evil).unwrap();
        std::fs::write(mine.join("c.json"), "{}").unwrap();
        store.allow(&mine.join("c.json"), "1").unwrap();
        symlink(mine.join("c.json"), evil.join("c.json")).unwrap();
        assert!(!store.allows(&evil.join("c.json"), "1"));
        // By another way to the same directory it is the same file among the same others.
        symlink(&mine, dir.path().join("link")).unwrap();
        assert!(store.allows(&dir.path().join("link/c.json"), "1"));
    }
}
