//! Plugins in registries: put there and fetched again, in every layout that is met, by everybody who may; and what a
//! registry that lies, or a tag that moved, comes to. Against a strict registry of the test's own; see `real_registry` for
//! one that others wrote.

use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::plugin;
use serde_json::{Value, json};

use crate::person::{Person, pair, signed};
use crate::registry::{Door, Lie, MANIFEST, Registry, USER, digest};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";

/// Lets a person log in to a registry.
fn log_in(person: &mut Person, host: &str, user: &str) {
    let folder = person.stage.folder.path().join("docker");
    fs::create_dir_all(&folder).unwrap();
    let content = json!({ "auths": { host: { "auth": STANDARD.encode(user) } } });
    fs::write(folder.join("config.json"), content.to_string()).unwrap();
    let variable = ("DOCKER_CONFIG".to_owned(), folder.display().to_string());
    person
        .stage
        .variables
        .retain(|(name, _)| name != "DOCKER_CONFIG");
    person.stage.variables.push(variable);
}

#[test]
fn what_is_pushed_is_added_as_it_is_by_everybody_who_may() {
    for door in [Door::Open, Door::Basic, Door::Bearer] {
        let mut person = Person::new();
        let registry = Registry::new(door);
        let component = person.component("1.0");
        let file = person.stage.file("acme.wasm", &component);
        let name = registry.name("team/acme:1");
        let push = ["plugin", "push", &file, &name];
        if door != Door::Open {
            person
                .run(&push)
                .fails(1, &["docker login", "gives that to those it knows only"]);
            log_in(&mut person, &registry.host, "me:wrong-password-5512");
            let done = person.run(&push);
            assert!(
                done.code == Some(1) && !done.stderr.contains("5512"),
                "{done:?}"
            );
            log_in(&mut person, &registry.host, USER);
        }
        let pinned = person.run(&push).answer();
        // As the package tools of WebAssembly write it: one layer, a configuration with the component's world.
        let manifest = registry.meaning("team/acme", "1");
        assert_eq!(manifest["mediaType"], MANIFEST);
        assert_eq!(
            manifest["config"]["mediaType"],
            "application/vnd.wasm.config.v0+json"
        );
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(
            (layers.len(), &layers[0]["mediaType"]),
            (1, &json!("application/wasm"))
        );
        assert_eq!(layers[0]["digest"], digest(&component));
        assert_eq!(
            manifest["annotations"]["org.opencontainers.image.licenses"],
            "MIT"
        );
        let config: Value = serde_json::from_slice(
            &registry.bytes_of(manifest["config"]["digest"].as_str().unwrap()),
        )
        .unwrap();
        assert_eq!(
            (&config["architecture"], &config["os"]),
            (&json!("wasm"), &json!("wasip2"))
        );
        assert_eq!(config["layerDigests"], json!([digest(&component)]));
        let exports = config["component"]["exports"].as_array().unwrap();
        assert!(
            exports.contains(&json!("multillm:provider/chat@0.2.0")),
            "{config}"
        );
        for (name, as_name) in [(&*name, "one"), (pinned.trim(), "two")] {
            let done = person.run(&["plugin", "add", name, "--yes", "--name", as_name]);
            assert!(
                done.stdout.contains("an artifact with one layer"),
                "{door:?}: {done:?}"
            );
            assert_eq!(
                person.listed(as_name).unwrap()["sha256"],
                plugin::digest(&component)
            );
        }
        person.run(&["query", "hi", "--model", "one/m"]).answer();
        // What was there already is not sent again.
        person.run(&push).answer();
        let puts = |it: &&String| it.starts_with("PUT") && it.contains("/blobs/");
        let puts = registry.heard().iter().filter(puts).count();
        assert!(
            (2..=3).contains(&puts),
            "the component once: {:?}",
            registry.heard()
        );
    }
}

#[test]
fn every_layout_that_is_met_is_read() {
    let person = Person::new();
    let registry = Registry::new(Door::Open);
    let component = person.component("1.0");
    let config = registry.blob("application/vnd.oci.image.config.v1+json", b"{}");
    let blob = |kind: &str| registry.blob(kind, &component);
    let titled = |kind: &str, title: &str, bytes: &[u8]| {
        let mut blob = registry.blob(kind, bytes);
        blob["annotations"] = json!({ "org.opencontainers.image.title": title });
        blob
    };
    let image = |layers: Value| json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let put =
        |tag: &str, kind: &str, manifest: &Value| registry.manifest("acme", tag, kind, manifest);
    for kind in [
        "application/wasm",
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.module.wasm.content.layer.v1+wasm",
        "application/vnd.wasm.v1.layer+wasm",
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    ] {
        let tag = kind.rsplit('/').next().unwrap().replace('+', "-");
        put(&tag, MANIFEST, &image(json!([blob(kind)])));
    }
    let tar = archive("plugin.wasm", &component);
    let gzip = packed(&tar);
    let other = packed(&archive("etc/motd", b"hello"));
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let oci = "application/vnd.oci.image.layer.v1.tar";
    put(
        "docker",
        DOCKER,
        &image(json!([
            registry.blob(docker, &other),
            registry.blob(docker, &gzip)
        ])),
    );
    put(
        "oci-gzip",
        MANIFEST,
        &image(json!([registry.blob(&format!("{oci}+gzip"), &gzip)])),
    );
    let plain = put(
        "oci-tar",
        MANIFEST,
        &image(json!([registry.blob(oci, &tar)])),
    );
    let zstd = zstd::bulk::compress(&tar, 1).unwrap();
    put(
        "oci-zstd",
        MANIFEST,
        &image(json!([registry.blob(&format!("{oci}+zstd"), &zstd)])),
    );
    put(
        "oras",
        MANIFEST,
        &image(json!([titled(
            "application/octet-stream",
            "acme.wasm",
            &component
        )])),
    );
    put(
        "oras-artifact",
        ARTIFACT,
        &json!({ "mediaType": ARTIFACT, "blobs": [titled("application/octet-stream", "acme.wasm", &component)] }),
    );
    let of = |os: &str, architecture: &str, descriptor: &Value| {
        let mut descriptor = descriptor.clone();
        descriptor["platform"] = json!({ "os": os, "architecture": architecture });
        descriptor
    };
    let empty = put("empty", MANIFEST, &image(json!([])));
    let index = json!([of("linux", "amd64", &empty), of("wasi", "wasm", &plain)]);
    put(
        "index",
        INDEX,
        &json!({ "schemaVersion": 2, "manifests": index }),
    );
    let built = json!([
        of("linux", "amd64", &plain),
        of("unknown", "unknown", &empty)
    ]);
    put(
        "docker-list",
        DOCKER_LIST,
        &json!({ "schemaVersion": 2, "manifests": built }),
    );
    for tag in [
        "wasm",
        "vnd.wasm.content.layer.v1-wasm",
        "vnd.module.wasm.content.layer.v1-wasm",
        "vnd.wasm.v1.layer-wasm",
        "vnd.bytecodealliance.wasm.component.layer.v0-wasm",
        "docker",
        "oci-gzip",
        "oci-tar",
        "oci-zstd",
        "oras",
        "oras-artifact",
        "index",
        "docker-list",
    ] {
        let name = tag.replace('.', "-");
        let source = registry.name(&format!("acme:{tag}"));
        let done = person.run(&["plugin", "add", &source, "--yes", "--name", &name]);
        assert_eq!(done.code, Some(0), "{tag}: {done:?}");
        assert_eq!(
            person.listed(&name).unwrap()["sha256"],
            plugin::digest(&component),
            "{tag}"
        );
    }
    // A signature may lie beside the component, as `oras push acme.wasm acme.wasm.minisig` puts it.
    let own = pair();
    let minisig = signed(&own, &component);
    person
        .run(&[
            "plugin",
            "trust",
            "--key",
            &own.pk.to_base64(),
            "--for",
            &registry.name("acme"),
        ])
        .answer();
    put(
        "signed",
        MANIFEST,
        &image(json!([
            titled("application/octet-stream", "acme.wasm", &component),
            titled("text/plain", "acme.wasm.minisig", minisig.as_bytes()),
        ])),
    );
    let done = person.run(&[
        "plugin",
        "add",
        &registry.name("acme:signed"),
        "--yes",
        "--name",
        "signed",
    ]);
    assert!(done.stdout.contains("good, by the key"), "{done:?}");
    // And what is no plugin says what it is.
    let several = json!([of("linux", "amd64", &plain), of("linux", "arm64", &plain)]);
    put(
        "several",
        INDEX,
        &json!({ "schemaVersion": 2, "manifests": several }),
    );
    let indexes = registry.manifest(
        "acme",
        "several",
        INDEX,
        &json!({ "schemaVersion": 2, "manifests": several }),
    );
    put(
        "deep",
        INDEX,
        &json!({ "schemaVersion": 2, "manifests": [indexes] }),
    );
    put(
        "two",
        MANIFEST,
        &image(json!([
            blob("application/wasm"),
            registry.blob("application/wasm", b"x")
        ])),
    );
    put(
        "text",
        MANIFEST,
        &image(json!([registry.blob("text/plain", b"x")])),
    );
    put(
        "files",
        MANIFEST,
        &image(json!([registry.blob(oci, &archive("readme", b"x"))])),
    );
    put(
        "broken",
        MANIFEST,
        &image(json!([registry.blob(oci, &gzip[..100])])),
    );
    put(
        "huge",
        MANIFEST,
        &image(
            json!([{ "mediaType": "application/wasm", "digest": digest(b"x"), "size": 1_u64 << 40 }]),
        ),
    );
    put(
        "odd",
        MANIFEST,
        &image(json!([{ "mediaType": "application/wasm", "digest": "md5:1", "size": 1 }])),
    );
    for (tag, words) in [
        ("several", "linux/amd64"),
        ("deep", "an index of indexes"),
        ("two", "2 WebAssembly files"),
        ("text", "no WebAssembly, but text/plain"),
        ("files", "no file of the image"),
        ("broken", "cannot be unpacked"),
        ("huge", "is larger than"),
        ("odd", "is no SHA-256"),
        ("empty", "but nothing"),
        ("absent", "no such thing in the registry"),
    ] {
        let source = registry.name(&format!("acme:{tag}"));
        person
            .run(&["plugin", "add", &source, "--yes", "--name", "bad"])
            .fails(1, &[words]);
        assert_eq!(person.listed("bad"), None, "{tag}");
    }
}

#[test]
fn a_registry_that_lies_is_refused() {
    let person = Person::new();
    let registry = Registry::new(Door::Open);
    let file = person.stage.file("acme.wasm", person.component("1.0"));
    let pinned = person
        .run(&["plugin", "push", &file, &registry.name("acme:1")])
        .answer();
    for (lie, source, words) in [
        (Lie::Blob, registry.name("acme:1"), "a blob has"),
        (Lie::Longer, registry.name("acme:1"), "more than"),
        (
            Lie::Manifest,
            registry.name("acme:1"),
            "was asked for or told: refused",
        ),
        (
            Lie::Manifest,
            pinned.trim().to_owned(),
            "was asked for or told: refused",
        ),
        (
            Lie::Digest,
            registry.name("acme:1"),
            "was asked for or told: refused",
        ),
    ] {
        registry.lie(Some(lie));
        person
            .run(&["plugin", "add", &source, "--yes"])
            .fails(1, &[words]);
        assert!(!person.own().exists(), "{lie:?}: nothing was kept");
    }
    registry.lie(None);
    person
        .run(&["plugin", "add", pinned.trim(), "--yes"])
        .answer();
    // It is what it is for ever: there is nothing to ask for again.
    let done = person.run(&["plugin", "update", "acme"]);
    assert!(
        done.stderr.contains("the component is the same"),
        "{done:?}"
    );
    let other = format!("oci://{}/acme@sha256:{}", registry.host, "0".repeat(64));
    person
        .run(&["plugin", "add", &other, "--yes", "--name", "other"])
        .fails(1, &["no such thing"]);
}

#[test]
fn a_tag_that_moved_is_told_and_followed_by_consent_only() {
    let person = Person::new();
    let registry = Registry::new(Door::Open);
    let push = |mark: &str| {
        let component = person.component(mark);
        let file = person.stage.file("acme.wasm", &component);
        person
            .run(&["plugin", "push", &file, &registry.name("acme:stable")])
            .answer();
        plugin::digest(&component)
    };
    let first = push("1.0");
    person
        .run(&["plugin", "add", &registry.name("acme:stable"), "--yes"])
        .answer();
    let moved = || {
        let listed = person.run(&["plugin", "list", "--moved", "--json"]).json();
        let listed = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == "acme")
            .cloned();
        listed.unwrap()["moved"].clone()
    };
    assert_eq!(moved(), false);
    let second = push("2.0");
    assert_eq!(moved(), true);
    let asked = registry.heard().len();
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
    assert_eq!(
        (
            person.listed("acme").unwrap()["sha256"].clone(),
            registry.heard().len()
        ),
        (json!(first), asked)
    );
    let shown = person.run(&["plugin", "update", "acme"]);
    assert!(
        shown.code == Some(2) && shown.stderr.contains("means another manifest now"),
        "{shown:?}"
    );
    assert_eq!(person.listed("acme").unwrap()["sha256"], first);
    person.run(&["plugin", "update", "acme", "--yes"]).answer();
    assert_eq!(
        (
            person.listed("acme").unwrap()["sha256"].clone(),
            moved(),
            person.kept()
        ),
        (json!(second), json!(false), 1)
    );
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
}

/// Signatures travel in the manifest; a wrong signer is refused at `add`, at `update` and at `push`.
#[test]
fn a_wrong_signer_is_refused_by_way_of_a_registry_too() {
    let person = Person::new();
    let registry = Registry::new(Door::Open);
    let (own, other) = (pair(), pair());
    let push = |mark: &str, by: Option<&minisign::KeyPair>| {
        let component = person.component(mark);
        let file = person.stage.file("acme.wasm", &component);
        let minisig = person.stage.folder.path().join("acme.wasm.minisig");
        match by {
            Some(pair) => fs::write(&minisig, signed(pair, &component)).unwrap(),
            None => drop(fs::remove_file(&minisig)),
        }
        person.run(&["plugin", "push", &file, &registry.name("acme:1")])
    };
    push("1.0", Some(&other)).answer();
    let scope = format!("{}/acme", registry.host);
    person
        .run(&[
            "plugin",
            "trust",
            "--key",
            &own.pk.to_base64(),
            "--for",
            &scope,
        ])
        .answer();
    let add = || person.run(&["plugin", "add", &registry.name("acme:1"), "--yes"]);
    add().fails(2, &["is signed by the key", "you trust for it only"]);
    push("1.0", Some(&other)).fails(2, &["is signed by the key"]);
    push("1.0", Some(&own)).answer();
    let text = registry.meaning("acme", "1")["annotations"]["multillm.plugin.minisig"].clone();
    assert!(
        text.as_str().unwrap().contains("trusted comment: acme 1"),
        "{text}"
    );
    add().answer();
    // The key is forgotten, and another takes the name over in the registry.
    let id = person.listed("acme").unwrap()["signer"]
        .as_str()
        .unwrap()
        .to_owned();
    person.run(&["config", "trust", "--remove", &id]).answer();
    for by in [Some(&other), None] {
        push("2.0", by).answer();
        person
            .run(&["plugin", "update", "acme", "--yes"])
            .fails(2, &["what is installed was signed by"]);
    }
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
}

fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
    builder.into_inner().unwrap()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}
