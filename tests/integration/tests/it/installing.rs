//! A plugin by somebody else, installed from a file or a URL: what is shown, what is kept, who vouches for it, and what
//! is refused. From registries: see `registries`.

use std::fs;
use std::time::{Duration, Instant};

use multillm::plugin::digest;
use serde_json::{Value, json};

use crate::compiling::attackers;
use crate::component::{Description, Guest};
use crate::person::{Person, VARIABLE, pair, signed};
use crate::raw_server::RawServer;
use crate::stage::Done;

/// Nothing of an answer is lost between a stranger's file and a question, and nothing happens unasked.
#[test]
fn a_file_is_shown_agreed_to_once_and_answers() {
    let person = Person::new();
    let component = person.component("1.0");
    let sha256 = digest(&component);
    let file = person.stage.file("acme.wasm", &component);
    person
        .run(&["query", "hi", "--model", "acme/acme-1"])
        .fails(2, &["no provider \"acme\""]);
    let shown = person.run(&["plugin", "add", &file]);
    assert_eq!(shown.code, Some(2), "nobody could be asked: {shown:?}");
    assert!(shown.stderr.contains("--yes agrees"), "{shown:?}");
    let address = format!(
        "send requests and their key to \"{}/v1\"",
        person.vendor.origin
    );
    for words in [
        &*sha256,
        &*address,
        VARIABLE,
        "author: Ann of Acme",
        "licence: MIT",
        "version: 1.0",
        "imports no function",
        "openai-chat",
        "tools: some models",
        "none: nobody vouches",
        "it calls itself \"openai\"",
        "0 do not,",
    ] {
        assert!(shown.stdout.contains(words), "no {words:?} in {shown:?}");
    }
    assert!(!person.own().exists(), "nothing was kept");
    let sha_wrong = "0".repeat(64);
    person
        .run(&["plugin", "add", &file, "--yes", "--sha256", &sha_wrong])
        .fails(2, &["was demanded", &sha256]);
    person
        .run(&["plugin", "add", &file, "--yes", "--sha256", "abc"])
        .fails(2, &["is no SHA-256"]);
    assert!(!person.own().exists(), "nothing was kept");
    person
        .run(&["plugin", "add", &file, "--yes", "--sha256", &sha256])
        .answer();
    assert_eq!(
        person
            .run(&["query", "hi", "--model", "acme/acme-1"])
            .answer(),
        "from acme\n"
    );
    let all = person.run(&["list", "--all", "--json"]).json();
    let all = all.as_array().unwrap();
    let asked = all.iter().find(|it| it["name"] == "acme/MODEL").unwrap();
    assert_eq!(
        (&asked["dropped_in"], &asked["ready"]),
        (&json!(true), &json!(true))
    );
    let listed = person.listed("acme").unwrap();
    assert_eq!(
        (&listed["from"], &listed["sha256"], &listed["source"]),
        (&json!("installed"), &json!(sha256), &json!(file))
    );
    // Not twice, and never another one over it.
    let again = person.run(&["plugin", "add", &file, "--yes"]);
    assert!(
        again.code == Some(0) && again.stderr.contains("installed already"),
        "{again:?}"
    );
    let other = person.stage.file("other.wasm", person.component("2.0"));
    person
        .run(&["plugin", "add", &other, "--yes", "--name", "acme"])
        .fails(2, &["acme is installed already", "plugin update acme"]);
    assert_eq!(person.listed("acme").unwrap()["sha256"], listed["sha256"]);
    person.run(&["plugin", "verify"]).answer();
    person.run(&["plugin", "remove", "acme"]).answer();
    assert_eq!((person.listed("acme"), person.kept()), (None, 0));
    person
        .run(&["query", "hi", "--model", "acme/acme-1"])
        .fails(2, &["no provider \"acme\""]);
    person
        .run(&["plugin", "remove", "acme"])
        .fails(2, &["no plugin \"acme\" was installed"]);
    let allowed = person.run(&["config", "trust", "--list", "--json"]).json();
    assert_eq!(
        allowed["plugins"],
        json!([]),
        "what it was allowed went with it"
    );
}

#[test]
fn a_name_that_could_be_taken_for_a_vendors_is_no_default_and_its_own_never() {
    let person = Person::new();
    let component = person.component("1.0");
    for (file, words) in [
        (
            "openai.wasm",
            "comes with the program: no other plugin gets it",
        ),
        (
            "OpenAI.wasm",
            "comes with the program: no other plugin gets it",
        ),
        ("groq.wasm", "a name of groq"),
        ("0penai.wasm", "looks like openai"),
        ("op\u{435}nai.wasm", "looks like openai"),
        ("c1aude.wasm", "looks like claude"),
        ("opnai.wasm", "is nearly openai"),
    ] {
        let file = person.stage.file(file, &component);
        person
            .run(&["plugin", "add", &file, "--yes"])
            .fails(2, &[words, "--name"]);
    }
    let file = person.stage.file("x.wasm", &component);
    for name in ["openai", "anthropic", "Google", "groq"] {
        person
            .run(&["plugin", "add", &file, "--yes", "--name", name])
            .fails(2, &["comes with the program"]);
    }
    for name in ["../x", "a/b", "a b", "op\u{435}nai"] {
        person
            .run(&["plugin", "add", &file, "--yes", "--name", name])
            .fails(2, &["cannot be the name of a plugin"]);
    }
    assert!(!person.own().exists(), "nothing was kept");
    // Who means such a name may have it, and is told at each look.
    let done = person.run(&["plugin", "add", &file, "--yes", "--name", "0penai"]);
    assert!(
        done.stdout.contains("\"0penai\" looks like openai"),
        "{done:?}"
    );
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(person.listed("openai").unwrap()["from"], "program");
}

/// What it is called and what it asks for gives it neither a vendor's key nor a vendor's place, this way too.
#[test]
fn an_installed_impostor_gets_no_vendors_key() {
    let mut person = Person::new();
    for (name, key) in [
        ("OPENAI_API_KEY", "sk-user-0a1b2c3d4e5f6071"),
        ("COHERE_API_KEY", "co-user-8f7e6d5c4b3a2918"),
    ] {
        person.stage.variables.retain(|(known, _)| known != name);
        person
            .stage
            .variables
            .push((name.to_owned(), key.to_owned()));
    }
    for (name, variable) in [("helper", "OPENAI_API_KEY"), ("other", "COHERE_API_KEY")] {
        let file = person
            .stage
            .file(&format!("{name}.wasm"), person.asking_for(variable, "1"));
        let done = person.run(&["plugin", "add", &file, "--yes", "--accept-defects"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(
            done.stdout.contains("a vendor's, which it does not get"),
            "{done:?}"
        );
        let words = ["needs a key"];
        person
            .run(&["query", "hi", "--model", &format!("{name}/m")])
            .fails(2, &words);
    }
    // A file that somebody puts into the directory under a vendor's name is not even looked at.
    for name in ["openai", "claude", "groq"] {
        fs::write(
            person.own().join(format!("{name}.wasm")),
            b"not even a component",
        )
        .unwrap();
        assert_eq!(person.listed("openai").unwrap()["from"], "program");
    }
    assert_eq!(person.vendor.requests(), 0);
}

#[test]
fn what_was_changed_since_is_not_loaded_and_verify_says_so() {
    let person = Person::new();
    let component = person.component("1.0");
    let file = person.stage.file("acme.wasm", &component);
    person.run(&["plugin", "add", &file, "--yes"]).answer();
    person
        .run(&["query", "hi", "--model", "acme/acme-1"])
        .answer();
    let kept = person
        .own()
        .join("store")
        .join(format!("{}.wasm", digest(&component)));
    let asked = person.vendor.requests();
    // A good component too: what counts is that it is another one.
    for changed in [person.component("9.9"), component[..1000].to_vec(), vec![]] {
        fs::write(&kept, changed).unwrap();
        let query = person.run(&["query", "hi", "--model", "acme/acme-1"]);
        query.fails(
            2,
            &["but what was pinned in the configuration or agreed to when it was installed"],
        );
        let verified = person.run(&["plugin", "verify", "--json"]);
        assert_eq!(verified.code, Some(1), "{verified:?}");
        let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
        assert_eq!(verified[0]["ok"], false, "{verified}");
        let problem = person.listed("acme").unwrap()["problem"].clone();
        assert!(problem.is_string(), "{problem}");
        assert_eq!(person.run(&["plugin", "inspect", "acme"]).code, Some(2));
    }
    fs::remove_file(&kept).unwrap();
    assert_eq!(person.run(&["plugin", "verify"]).code, Some(1));
    assert_eq!(
        person.run(&["query", "hi", "--model", "acme/acme-1"]).code,
        Some(2)
    );
    assert_eq!(
        person.vendor.requests(),
        asked,
        "nothing was sent meanwhile"
    );
    fs::write(&kept, &component).unwrap();
    person.run(&["plugin", "verify"]).answer();
    person
        .run(&["query", "hi", "--model", "acme/acme-1"])
        .answer();
}

#[test]
fn signatures_count_by_keys_that_are_trusted_and_wrong_ones_are_refused() {
    let person = Person::new();
    let (own, other) = (pair(), pair());
    let component = person.component("1.0");
    let file = person.stage.file("acme.wasm", &component);
    let minisig = |text: &str| {
        person.stage.file("acme.wasm.minisig", text);
    };
    let add = |more: &[&str]| person.run(&[&["plugin", "add", &file], more].concat());
    let signature = |done: &Done| {
        let line = done
            .stdout
            .lines()
            .find(|line| line.starts_with("signature"))
            .unwrap();
        line.to_owned()
    };
    assert!(signature(&add(&[])).contains("none"));
    minisig(&signed(&own, &component));
    assert!(signature(&add(&[])).contains("which you do not trust"));
    minisig("nonsense");
    add(&["--yes"]).fails(2, &["none that minisign makes"]);
    // A key for this plugin: nothing else will do from now on.
    let key = own.pk.to_base64();
    person
        .run(&["plugin", "trust", "--key", &key, "--for", "acme"])
        .answer();
    fs::remove_file(person.stage.folder.path().join("acme.wasm.minisig")).unwrap();
    add(&["--yes"]).fails(2, &["is not signed, and you trust for it only"]);
    minisig(&signed(&other, &component));
    add(&["--yes"]).fails(2, &["signed by the key", "you trust for it only"]);
    minisig(&signed(&own, b"other bytes"));
    add(&["--yes"]).fails(2, &["is not over these bytes"]);
    assert!(!person.own().join("store").exists(), "nothing was kept");
    minisig(&signed(&own, &component));
    let done = add(&["--yes"]);
    assert!(
        signature(&done).contains("good, by the key") && signature(&done).contains("acme 1"),
        "{done:?}"
    );
    let id = person.listed("acme").unwrap()["signer"].clone();
    assert_eq!(id.as_str().unwrap().len(), 16, "{id}");
    person.run(&["plugin", "verify"]).answer();
    // Another signer takes over: refused, whoever is trusted for whatever.
    let public = person
        .stage
        .file("other.pub", other.pk.to_box().unwrap().to_string());
    person.run(&["plugin", "trust", "--key", &public]).answer();
    let next = person.component("2.0");
    person.stage.file("acme.wasm", &next);
    let update = || person.run(&["plugin", "update", "acme", "--yes"]);
    update().fails(2, &["is not over these bytes"]);
    minisig(&signed(&other, &next));
    update().fails(2, &["what is installed was signed by"]);
    fs::remove_file(person.stage.folder.path().join("acme.wasm.minisig")).unwrap();
    update().fails(2, &["is not signed, and what is installed was signed by"]);
    assert_eq!(person.listed("acme").unwrap()["sha256"], digest(&component));
    minisig(&signed(&own, &next));
    let done = update();
    assert!(done.stdout.contains("nothing but its code"), "{done:?}");
    assert_eq!(person.listed("acme").unwrap()["sha256"], digest(&next));
    // The signature is kept, and held against the bytes again.
    let kept = person
        .own()
        .join("store")
        .join(format!("{}.minisig", digest(&next)));
    let good = fs::read(&kept).unwrap();
    for changed in [
        signed(&other, &next).into_bytes(),
        signed(&own, &component).into_bytes(),
        vec![],
    ] {
        fs::write(&kept, changed).unwrap();
        assert_eq!(person.run(&["plugin", "verify"]).code, Some(1));
    }
    fs::write(&kept, good).unwrap();
    person.run(&["plugin", "verify"]).answer();
    // Nor does it count once its key is no longer trusted.
    person
        .run(&["config", "trust", "--remove", id.as_str().unwrap()])
        .answer();
    let done = person.run(&["plugin", "verify"]);
    assert!(
        done.code == Some(1) && done.stdout.contains("no longer one that you trust"),
        "{done:?}"
    );
}

#[test]
fn an_update_tells_what_would_change() {
    let person = Person::new();
    let file = person.stage.file("acme.wasm", person.component("1.0"));
    person.run(&["plugin", "add", &file, "--yes"]).answer();
    let same = person.run(&["plugin", "update", "--all"]);
    assert!(
        same.code == Some(0) && same.stderr.contains("the same"),
        "{same:?}"
    );
    let asking = person.asking_for("ACMEXX_API_KEY", "2.0");
    person.stage.file("acme.wasm", &asking);
    let shown = person.run(&["plugin", "update", "acme"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    for words in [
        "wants to newly: have its api_key from the variable",
        "ACMEXX_API_KEY",
        "wants to no longer: have its",
        "--yes",
    ] {
        let all = format!("{}{}", shown.stdout, shown.stderr).replace('"', "");
        assert!(all.contains(words), "no {words} in {shown:?}");
    }
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
    person.run(&["plugin", "update", "acme", "--yes"]).answer();
    assert_eq!(
        (
            person.listed("acme").unwrap()["sha256"].clone(),
            person.kept()
        ),
        (json!(digest(&asking)), 1)
    );
    // What the former one was allowed is not allowed to this one.
    person
        .run(&["query", "hi", "--model", "acme/m"])
        .fails(2, &["needs ACMEXX_API_KEY"]);
    // One that is not there hinders no other.
    person.stage.file("b.wasm", person.component("b"));
    person
        .run(&["plugin", "add", "b.wasm", "--yes", "--name", "beta"])
        .answer();
    fs::remove_file(&file).unwrap();
    let all = person.run(&["plugin", "update", "--all"]);
    assert!(
        all.code == Some(1) && all.stderr.contains("beta: the component is the same"),
        "{all:?}"
    );
}

/// Nothing that is no plugin is kept, and nobody waits for what was made to be waited for.
#[test]
fn what_is_no_plugin_or_made_to_be_slow_is_refused_in_time() {
    let person = Person::new();
    let others = [
        (
            "no component",
            b"#!/bin/sh".to_vec(),
            "is no WebAssembly component",
        ),
        ("nothing", vec![], "is no WebAssembly component"),
        (
            "a core module",
            b"\0asm\x01\0\0\0".to_vec(),
            "is no WebAssembly component",
        ),
    ];
    for (what, bytes, reason) in others.into_iter().chain(attackers()) {
        let file = person.stage.file("slow.wasm", bytes);
        let begun = Instant::now();
        person
            .run(&["plugin", "add", &file, "--yes"])
            .fails(2, &[reason]);
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{what} took {:?}",
            begun.elapsed()
        );
        assert!(!person.own().exists(), "{what} was kept");
    }
    // The endless one is not read to its end.
    #[cfg(unix)]
    person
        .run(&["plugin", "add", "/dev/zero", "--name", "zero", "--yes"])
        .fails(2, &["64 MiB"]);
}

#[test]
fn one_that_breaks_rules_is_installed_only_by_those_who_say_so() {
    let person = Person::new();
    // It describes itself, and traps whatever it is asked.
    let component = Guest::describing(&Description::default()).build();
    let file = person.stage.file("sloppy.wasm", component);
    let refused = person.run(&["plugin", "add", &file, "--yes"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--accept-defects"), "{refused:?}");
    assert_eq!(person.listed("sloppy"), None);
    person
        .run(&["plugin", "add", &file, "--yes", "--accept-defects"])
        .answer();
    assert_eq!(person.listed("sloppy").unwrap()["from"], "installed");
}

#[test]
fn a_url_leads_to_a_file_within_bounds() {
    let person = Person::new();
    let component = person.component("1.0");
    let own = pair();
    let text = signed(&own, &component);
    let serve = move |body: Vec<u8>, minisig: Option<String>| {
        RawServer::new(move |number| match (number % 2, &minisig) {
            (0, _) => bytes(200, &body),
            (_, Some(text)) => bytes(200, text.as_bytes()),
            (_, None) => bytes(404, b"no"),
        })
    };
    let plain = serve(component.clone(), None);
    let url = format!("{}/dl/acme.wasm?v=1", plain.origin);
    let done = person.run(&["plugin", "add", &url, "--yes"]);
    assert!(
        done.code == Some(0) && done.stdout.contains("none: nobody vouches"),
        "{done:?}"
    );
    assert_eq!(person.listed("acme").unwrap()["source"], json!(url));
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
    let with = serve(component.clone(), Some(text.clone()));
    let host = with.origin.strip_prefix("http://").unwrap();
    person
        .run(&[
            "plugin",
            "trust",
            "--key",
            &own.pk.to_base64(),
            "--for",
            host,
        ])
        .answer();
    let url = format!("{}/acme.wasm", with.origin);
    let done = person.run(&["plugin", "add", &url, "--yes", "--name", "signed"]);
    assert!(
        done.code == Some(0) && done.stdout.contains("good, by the key"),
        "{done:?}"
    );
    for (answer, code, words) in [
        (bytes(404, b"no"), 1, "HTTP 404"),
        (bytes(500, b"no"), 1, "HTTP 500"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec(),
            1,
            "more than",
        ),
        (
            b"HTTP/1.1 302 X\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n".to_vec(),
            1,
            "neither http nor https",
        ),
        (
            b"HTTP/1.1 302 X\r\nlocation: http://registry.example/x\r\ncontent-length: 0\r\n\r\n"
                .to_vec(),
            1,
            "plain http",
        ),
        (bytes(200, b"<html>"), 2, "is no WebAssembly component"),
    ] {
        let server = RawServer::always(answer);
        let url = format!("{}/bad.wasm", server.origin);
        person
            .run(&["plugin", "add", &url, "--yes"])
            .fails(code, &[words]);
        assert_eq!(person.listed("bad"), None);
    }
    let plain = ["plugin", "add", "http://registry.example/x.wasm", "--yes"];
    person
        .run(&plain)
        .fails(1, &["plain http may be read and changed by others"]);
}

pub(crate) fn bytes(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
