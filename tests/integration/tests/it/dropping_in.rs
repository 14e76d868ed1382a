//! A plugin's file that is put into a directory counts at once, also in a program that runs; and no longer when it is
//! gone. Who put it there decides where that holds.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use multillm::config::{Config, Env};
use multillm::{ChatMessage, ErrorKind, MultiLlmService};
use serde_json::json;

use crate::gateway::caller::post;
use crate::gateway::{Gateway, keys, question};
use crate::person::{KEY, Person, VARIABLE};
use crate::stage::Stage;
use crate::thief::{Checkout, Thief};

/// Puts a file there as people do: whole, by another name first.
fn put(folder: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let next = folder.join(format!("{name}.next"));
    fs::write(&next, bytes).unwrap();
    fs::rename(next, folder.join(format!("{name}.wasm"))).unwrap();
}

/// A service whose plugins lie in a folder of its own. What was shown of any of these is allowed.
fn service(person: &Person, folder: &Path) -> MultiLlmService {
    let data = person.stage.folder.path().join("data");
    let env = Env::fixed(person.stage.folder.path(), [(VARIABLE, KEY)])
        .with_trust_in(&data)
        .with_installed_in(&data.join("plugins"));
    let config = json!({
        "plugin_dir": folder, "history": { "enabled": false }, "retry": { "max_attempts": 1 },
        "gateway": { "listen": "127.0.0.1:0" },
    });
    let path = person.stage.file("service.json", config.to_string());
    let config = Config::load(Path::new(&path), &env).unwrap();
    MultiLlmService::new(config, env)
}

fn allow(person: &Person, bytes: &[u8]) {
    let data = person.stage.folder.path().join("data");
    let grant = multillm::config::PluginGrant {
        sha256: multillm::plugin::digest(bytes),
        name: "acme".to_owned(),
        base_url: Some(format!("{}/v1", person.vendor.origin)),
        base_url_env: vec![],
        secrets: [("api_key".to_owned(), vec![VARIABLE.to_owned()])].into(),
    };
    multillm::config::TrustStore::in_dir(&data)
        .allow_plugin(grant)
        .unwrap();
}

async fn ask(service: &MultiLlmService, model: &str) -> multillm::Result<String> {
    let answer = service
        .chat_completion(&[ChatMessage::user("hi")], model)
        .await;
    answer.map(|answer| answer.content().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_counts_in_a_running_service_from_when_it_is_there_until_it_is_gone() {
    let person = Person::new();
    let folder = person.stage.folder.path().join("dropped");
    let own = person.stage.folder.path().join("data/plugins");
    let service = service(&person, &folder);
    for (place, name) in [(&folder, "acme"), (&own, "mine")] {
        let model = format!("{name}/m");
        let error = ask(&service, &model).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert!(
            error.message.contains(&format!("no provider {name:?}")),
            "{error}"
        );
        let first = person.component(&format!("{name} 1"));
        allow(&person, &first);
        put(place, name, &first);
        #[cfg(unix)]
        fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(ask(&service, &model).await.unwrap(), "from acme");
        assert_eq!(
            service.config().dropped_in_providers().len(),
            if name == "acme" { 1 } else { 2 }
        );
        let loaded = service.plugin_of(name).await.unwrap();
        assert_eq!(loaded.digest(), multillm::plugin::digest(&first));
        // It is loaded once, however often it is asked.
        let again = service.plugin_of(name).await.unwrap();
        assert!(
            std::ptr::eq(loaded.info(), again.info()),
            "it was loaded again"
        );
        // Another one in its place is another one: it counts, and what the former was allowed does not.
        let second = person.component(&format!("{name} 2"));
        put(place, name, &second);
        let error = ask(&service, &model).await.unwrap_err();
        assert!(
            error.message.contains("none of the program's own"),
            "{error}"
        );
        allow(&person, &second);
        assert_eq!(ask(&service, &model).await.unwrap(), "from acme");
        assert_eq!(
            service.plugin_of(name).await.unwrap().digest(),
            multillm::plugin::digest(&second)
        );
        // A configuration that is read again changes nothing of it.
        service.reload().await.unwrap();
        assert_eq!(ask(&service, &model).await.unwrap(), "from acme");
        let broken = b"not a component";
        put(place, name, broken);
        let error = ask(&service, &model).await.unwrap_err();
        assert!(
            error.message.contains("is no WebAssembly component"),
            "{error}"
        );
        put(place, name, &second);
        assert_eq!(ask(&service, &model).await.unwrap(), "from acme");
    }
    for (place, name) in [(&folder, "acme"), (&own, "mine")] {
        fs::remove_file(place.join(format!("{name}.wasm"))).unwrap();
        let error = ask(&service, &format!("{name}/m")).await.unwrap_err();
        assert!(error.message.contains("no provider"), "{error}");
    }
    for odd in ["../acme", "a b", "", ".", "acme.wasm", "/etc/passwd"] {
        let error = ask(&service, &format!("{odd}/m")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Configuration, "{odd}");
    }
}

#[tokio::test]
async fn a_vendors_name_is_no_name_of_a_file_in_the_users_own_directory() {
    let person = Person::new();
    let own = person.stage.folder.path().join("data/plugins");
    let service = service(&person, &person.stage.folder.path().join("empty"));
    for name in ["openai", "anthropic", "groq", "ollama"] {
        put(&own, name, b"nothing that could be loaded");
        if let Some(model) = service.config().model(&format!("{name}/m")) {
            assert!(!model.provider.plugin.path.starts_with(&own), "{name}");
        }
    }
    assert_eq!(service.config().dropped_in_providers().len(), 0);
}

/// Other programs find it too, without a word to the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_has_it_too() {
    let person = Person::new();
    let folder = person.stage.folder.path().join("dropped");
    let gateway = Gateway::of(service(&person, &folder), keys(&person.stage)).await;
    let asked = async || {
        let body = question("acme/m", "hi", false);
        post(gateway.address, "/v1/chat/completions", &[], &body).await
    };
    let reply = asked().await;
    assert_eq!(reply.status, 404, "{reply:?}");
    let component = person.component("1.0");
    allow(&person, &component);
    put(&folder, "acme", &component);
    let reply = asked().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        reply.json()["choices"][0]["message"]["content"],
        "from acme"
    );
    // Nobody allowed this one: it gets no key, and the caller an error and not the answer of the one before.
    put(&folder, "acme", &person.component("2.0"));
    let reply = asked().await;
    assert!(reply.status >= 400, "{reply:?}");
    fs::remove_file(folder.join("acme.wasm")).unwrap();
    let reply = asked().await;
    assert_eq!(reply.status, 404, "{reply:?}");
    gateway.stop().await;
}

/// The program, while somebody talks.
#[test]
fn a_running_chat_takes_what_was_installed_meanwhile() {
    let person = Person::new();
    let file = person.stage.file("acme.wasm", person.component("1.0"));
    let config = person.stage.config_file().display().to_string();
    let arguments = ["chat", "--config", &config, "--model", "openai"];
    let mut chat = person.stage.command(&arguments).spawn().unwrap();
    let mut stdin = chat.stdin.take().unwrap();
    let mut said = BufReader::new(chat.stdout.take().unwrap());
    let mut line = String::new();
    writeln!(stdin, "one").unwrap();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("You said: one"), "{line}");
    person.run(&["plugin", "add", &file, "--yes"]).answer();
    writeln!(stdin, "/model acme/m\ntwo").unwrap();
    line.clear();
    while !line.contains("from acme") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the chat ended");
    }
    // Another version takes its place between two questions.
    person.stage.file("acme.wasm", person.component("2.0"));
    person.run(&["plugin", "update", "acme", "--yes"]).answer();
    writeln!(stdin, "three").unwrap();
    line.clear();
    said.read_line(&mut line).unwrap();
    while !line.contains("from acme") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the chat ended");
    }
    person.run(&["plugin", "remove", "acme"]).answer();
    drop(stdin);
    assert!(chat.wait().unwrap().success());
}

/// What lies in a directory that somebody else made is no provider by lying there.
#[test]
fn a_file_in_a_checkout_is_no_provider_until_it_is_named_and_allowed() {
    let (thief, person) = (Thief::new(), Person::new());
    let checkout = Checkout::new();
    checkout.write("configs/multi_llm_config.json", "{}");
    let component = person.component("1.0");
    checkout.write("configs/plugins/acme.wasm", &component);
    checkout
        .run(&["query", "hi", "--model", "acme/m"])
        .fails(2, &["no provider \"acme\""]);
    checkout
        .run(&[
            "query",
            "hi",
            "--model",
            "acme/m",
            "--config",
            "configs/multi_llm_config.json",
        ])
        .fails(2, &["none of the program's own"]);
    assert_eq!((thief.heard().len(), person.vendor.requests()), (0, 0));
    // What its user installed is theirs there too, whatever lies in the checkout under that name.
    let mine = checkout.write("mine.wasm", person.component("2.0"));
    checkout
        .run(&[
            "plugin",
            "add",
            &mine.display().to_string(),
            "--name",
            "acme",
            "--yes",
        ])
        .answer();
    let inspected = checkout.run(&["query", "hi", "--model", "acme/m", "-vv"]);
    inspected.fails(2, &["needs ACMEEE_API_KEY"]);
    assert_eq!(person.vendor.requests(), 0);
}

/// A configuration's word goes before a file, a file in its directory before an installed one, any before the program's.
#[tokio::test]
async fn who_goes_before_whom() {
    let stage = Stage::new();
    let folder = stage.folder.path().join("dropped");
    let own = stage.folder.path().join("own");
    let listed = stage.folder.path().join("listed.wasm");
    for place in [&folder, &own] {
        put(place, "acme", b"x");
        put(place, "openai", b"x");
    }
    fs::write(&listed, b"x").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let env = Env::fixed(stage.folder.path(), [("A", "b")]).with_installed_in(&own);
    let path_of = |config: serde_json::Value, model: &str| {
        let config = Config::from_json_str(&config.to_string(), stage.folder.path(), &env).unwrap();
        config
            .model(model)
            .map(|model| model.provider.plugin.path.clone())
    };
    let with = json!({ "plugin_dir": folder, "plugins": { "acme": listed } });
    assert_eq!(path_of(with, "acme/m"), Some(listed));
    let without = json!({ "plugin_dir": folder });
    assert_eq!(
        path_of(without.clone(), "acme/m"),
        Some(folder.join("acme.wasm"))
    );
    assert_eq!(
        path_of(without, "openai/m"),
        Some(folder.join("openai.wasm"))
    );
    let nowhere = json!({ "plugin_dir": "nowhere" });
    assert_eq!(
        path_of(nowhere.clone(), "acme/m"),
        Some(own.join("acme.wasm"))
    );
    assert_eq!(path_of(nowhere.clone(), "other/m"), None);
    let own_vendor = path_of(nowhere, "openai/m").unwrap();
    assert!(!own_vendor.starts_with(&own), "{own_vendor:?}");
    // A model of the configuration by a provider that nobody wrote down.
    let entry = json!({ "plugin_dir": "nowhere", "models": { "m": { "provider": "acme" } } });
    assert_eq!(path_of(entry, "m"), Some(own.join("acme.wasm")));
}
