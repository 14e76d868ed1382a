use std::fs;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;
use crate::config::{Config, Env, KeyPlace};

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn kept(store: &KeyStore, name: &str) -> Option<String> {
    let found = store.get(name).unwrap();
    found.map(|(key, _)| key.expose_secret().to_owned())
}

#[test]
fn keys_are_kept_replaced_listed_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(&dir.path().join("new/folder"));
    assert_eq!(kept(&store, "A_KEY"), None);
    assert_eq!(store.list().unwrap(), []);
    assert!(!store.path().exists(), "looking makes nothing");
    for (name, key) in [("A_KEY", "sk-1"), ("B_KEY", "sk-2"), ("A_KEY", "sk-3")] {
        store.set(name, &secret(key), Vault::File).unwrap();
    }
    assert_eq!(kept(&store, "A_KEY").as_deref(), Some("sk-3"));
    let names = [("A_KEY", Vault::File), ("B_KEY", Vault::File)];
    let names = names.map(|(name, vault)| (name.to_owned(), vault));
    assert_eq!(store.list().unwrap(), names);
    assert!(store.remove("A_KEY").unwrap());
    assert!(!store.remove("A_KEY").unwrap());
    assert_eq!(kept(&store, "A_KEY"), None);
    assert_eq!(kept(&store, "B_KEY").as_deref(), Some("sk-2"));
    let shown = format!("{store:?}");
    assert!(!shown.contains("sk-"), "{shown}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_users_alone_or_is_refused() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(dir.path());
    store.set("A_KEY", &secret("sk-1"), Vault::File).unwrap();
    let path = store.path().to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!(mode(&path), 0o600);
    let refused = |words: &str| {
        let told = [
            store.get("A_KEY").err(),
            store.list().err(),
            // Neither is it overwritten, which would make what was not believed the user's own.
            store.set("B_KEY", &secret("sk-2"), Vault::File).err(),
            store.remove("A_KEY").err(),
        ];
        for error in told {
            let error = error
                .unwrap_or_else(|| panic!("{words}: accepted"))
                .to_string();
            assert!(error.contains(words) && !error.contains("sk-"), "{error}");
        }
    };
    for open in [0o644, 0o640, 0o660, 0o604] {
        set(&path, open);
        refused(&format!("chmod 600 {}", path.display()));
    }
    set(&path, 0o600);
    let away = dir.path().join("away");
    fs::rename(&path, &away).unwrap();
    symlink(&away, &path).unwrap();
    refused("is a link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("is no file");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "{ \"keys\": { \"A_KEY\": { \"key\": \"sk-").unwrap();
    set(&path, 0o600);
    refused("is damaged");
    fs::rename(&away, &path).unwrap();
    // Only root may give files away.
    if chown(&path, Some(65_534), None).is_ok() {
        refused("belongs to another user");
        chown(&path, Some(0), None).unwrap();
    }
    // Who may write the folder could put another file there.
    set(dir.path(), 0o777);
    let error = store
        .set("B_KEY", &secret("sk-2"), Vault::File)
        .unwrap_err();
    assert!(error.reason.contains("may be written by others"), "{error}");
    set(dir.path(), 0o700);
    assert_eq!(kept(&store, "A_KEY").as_deref(), Some("sk-1"));
}

#[test]
fn many_may_set_keys_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(dir.path());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                let name = format!("KEY_{number}");
                store.set(&name, &secret("sk-1"), Vault::File).unwrap();
            });
        }
    });
    assert_eq!(store.list().unwrap().len(), 8);
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_keyring_that_is_not_there_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(dir.path());
    let refused = store.set("A_KEY", &secret("sk-1"), Vault::Keyring);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("--features keyring"), "{refused}");
    assert_eq!(
        store.list().unwrap(),
        [],
        "nothing is kept that is not there"
    );
    // A file that another build wrote.
    let text = "{ \"keys\": { \"A_KEY\": { \"keyring\": true } } }";
    crate::files::write_private(store.path(), text.as_bytes()).unwrap();
    assert_eq!(
        store.list().unwrap(),
        [("A_KEY".to_owned(), Vault::Keyring)]
    );
    let refused = store.get("A_KEY").unwrap_err().to_string();
    assert!(refused.contains("A_KEY") && refused.contains("--features keyring"));
}

#[test]
fn what_cannot_be_a_key_is_refused_without_being_shown() {
    for (text, told) in [
        ("", "no key was given"),
        (" \n", "no key was given"),
        ("sk-secret\nsk-other", "more than one line"),
        ("sk-\u{1b}[31msecret", "more than one line"),
        ("sk-sécret", "no header can carry"),
        ("\"sk-secret\"", "quotes around it"),
        ("Bearer sk-secret", "begins with \"Bearer\""),
        ("OPENAI_API_KEY=sk-secret", "behind the ="),
        ("sk-secret sk-other", "a blank in it"),
        (&"sk-secret".repeat(5000), "too long"),
    ] {
        let fault = typed_key(text).map(drop).unwrap_err();
        assert!(fault.contains(told), "{text}: {fault}");
        assert!(!fault.contains("sk-"), "{fault}");
    }
    for (text, key) in [
        ("sk-secret\r\n", "sk-secret"),
        ("\u{feff} sk-secret ", "sk-secret"),
        ("c2VjcmV0==", "c2VjcmV0=="),
        ("A=b", "A=b"),
    ] {
        assert_eq!(typed_key(text).unwrap().expose_secret(), key);
    }
}

#[test]
fn of_a_key_four_characters_are_shown_at_most() {
    let ending = |key: &str| key_ending(&secret(key));
    assert_eq!(ending("sk-proj-0123456789abcdef"), Some("cdef".to_owned()));
    for short in ["", "abc", "sk-0123456789abcde"] {
        assert_eq!(ending(short), None, "{short}");
    }
}

fn named(name: &str, config: Option<&Config>) -> Result<(Option<String>, Vec<String>), String> {
    key_named(name, config).map(|found| (found.provider, found.variables))
}

#[test]
fn a_key_is_called_by_its_provider_or_by_its_variable() {
    let of = |provider: Option<&str>, variables: &[&str]| {
        let variables = variables.iter().map(ToString::to_string).collect();
        Ok((provider.map(str::to_owned), variables))
    };
    for (name, provider, variables) in [
        ("openai", Some("openai"), &["OPENAI_API_KEY"][..]),
        ("Anthropic", Some("claude"), &["ANTHROPIC_API_KEY"]),
        (
            "google",
            Some("gemini"),
            &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        ),
        ("GOOGLE_API_KEY", Some("gemini"), &["GOOGLE_API_KEY"]),
        ("ACME_API_KEY", None, &["ACME_API_KEY"]),
    ] {
        assert_eq!(named(name, None), of(provider, variables), "{name}");
    }
    for (name, told) in [
        ("opnai", "did you mean \"openai\"?"),
        ("acme", "ACME_API_KEY"),
        ("OPENAI_BASE_URL", "is no key"),
        ("MULTILLM_CONFIG", "is no key"),
        ("HTTPS_PROXY", "is no key"),
    ] {
        let fault = named(name, None).unwrap_err();
        assert!(fault.contains(told), "{name}: {fault}");
    }
    for key in [
        "sk-proj-0123",
        "hf_abcdefghijklmnopqr",
        "",
        "a b",
        "AIzaSyA1b2C3d4E5f6A1b2C3d4E5f6_AbC",
    ] {
        let fault = named(key, None).unwrap_err();
        assert!(fault.contains("type the key"), "{fault}");
        assert!(key.is_empty() || !fault.contains(key), "{fault}");
    }
}

#[test]
fn a_configuration_says_what_its_names_mean_unless_it_was_found() {
    let text = r#"{ "providers": {
        "openai": { "base_url": "https://gateway.example/v1", "api_key_env": "GATEWAY_KEY" },
        "acme": { "plugin": "openai", "base_url": "https://acme.example/v1", "api_key_env": "acme_key" },
        "claude": { "api_key_file": "/secret/key" },
        "local": { "plugin": "openai", "base_url": "http://localhost/v1", "api_key": false }
    } }"#;
    let env = Env::fixed("", [("A", "")]);
    let mut config = Config::from_json_str(text, Path::new("."), &env).unwrap();
    let variables = |name: &str, config: &Config| named(name, Some(config)).unwrap().1;
    assert_eq!(variables("openai", &config), ["GATEWAY_KEY"]);
    assert_eq!(variables("acme", &config), ["acme_key"]);
    assert_eq!(variables("acme_key", &config), ["acme_key"]);
    assert_eq!(variables("gemini", &config).len(), 2);
    let instead = |name: &str| key_named(name, Some(&config)).unwrap().instead;
    assert_eq!(instead("claude").as_deref(), Some("the file /secret/key"));
    assert_eq!(instead("local").as_deref(), Some("no key"));
    config.provenance = crate::config::Provenance::Found;
    assert_eq!(variables("openai", &config), ["OPENAI_API_KEY"]);
    assert_eq!(variables("acme", &config), ["acme_key"]);
}

/// The keys that are found, as `place: value`.
fn found(env: &Env, names: &[&str]) -> Vec<String> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let all = env.found_keys(&names, false).unwrap().into_iter();
    let place = |place: KeyPlace| match place {
        KeyPlace::Environment => "environment".to_owned(),
        KeyPlace::File { path } => path.file_name().unwrap().to_string_lossy().into_owned(),
        KeyPlace::Keys { .. } => "keys".to_owned(),
    };
    all.map(|found| format!("{}: {}", place(found.place), found.value.expose_secret()))
        .collect()
}

#[test]
fn the_environment_comes_first_then_named_files_the_users_keys_and_what_lies_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(dir.path());
    store
        .set("GEMINI_API_KEY", &secret("sk-kept"), Vault::File)
        .unwrap();
    store
        .set(
            "OPENAI_BASE_URL",
            &secret("https://evil.example"),
            Vault::File,
        )
        .unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(".env", "GEMINI_API_KEY=sk-lying\nOPENAI_API_KEY=sk-lying\n");
    write("named", "GEMINI_API_KEY=sk-named\n");
    let env = |variables: &[(&str, &str)]| {
        Env::fixed(dir.path(), variables.iter().copied())
            .with_usual_files()
            .with_keys(store.clone())
    };
    let both = ["GEMINI_API_KEY", "GOOGLE_API_KEY"];
    assert_eq!(found(&env(&[]), &both), ["keys: sk-kept", ".env: sk-lying"]);
    let named = env(&[("GOOGLE_API_KEY", "sk-set")]).with_env_file(Path::new("named"));
    let order = [
        "environment: sk-set",
        "named: sk-named",
        "keys: sk-kept",
        ".env: sk-lying",
    ];
    assert_eq!(found(&named.unwrap(), &both), order);
    // Set to nothing: it is not looked for.
    let emptied = env(&[("GEMINI_API_KEY", " ")]);
    assert_eq!(found(&emptied, &both), Vec::<String>::new());
    assert_eq!(found(&env(&[]), &["OPENAI_API_KEY"]), [".env: sk-lying"]);
    assert_eq!(env(&[]).var("OPENAI_BASE_URL"), None, "a place is no key");
    let has = |env: Env, name: &str| env.has_key(&[name.to_owned()], false);
    assert!(has(env(&[]), "GEMINI_API_KEY") && has(env(&[]), "OPENAI_API_KEY"));
    assert!(!has(env(&[("GEMINI_API_KEY", "")]), "GEMINI_API_KEY"));
    assert!(!has(env(&[]), "ANTHROPIC_API_KEY"));
    let key = env(&[]).key(&[both[0].to_owned()], false).unwrap().unwrap();
    assert!(!format!("{key:?}").contains("sk-"), "{key:?}");
}

#[test]
fn keys_that_others_may_read_stop_what_needs_them_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::in_dir(dir.path());
    fs::create_dir(store.path()).unwrap();
    let env = Env::fixed("", [("OPENAI_API_KEY", "sk-set")]).with_keys(store);
    let key = |name: &str| env.key(&[name.to_owned()], false);
    assert!(key("OPENAI_API_KEY").unwrap().is_some());
    assert!(key("GEMINI_API_KEY").is_err());
    let has = |name: &str| env.has_key(&[name.to_owned()], false);
    assert!(has("OPENAI_API_KEY") && !has("GEMINI_API_KEY"));
}
