//! The whole way of a plugin through Debian's `docker-registry` as a process of its own, with `wkg` as the other side too.
//! Skipped, with a word, where they are not installed; [`registries`](crate::registries) asks a registry of the tests' own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use multillm::plugin;

use crate::person::{Person, pair, signed};
use crate::registry::digest;

/// Debian's registry as a process of its own, which ends with this.
struct Real {
    child: Child,
    host: String,
    folder: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn real() -> Option<Real> {
    let places = ["/usr/bin/docker-registry", "/usr/local/bin/registry"].map(PathBuf::from);
    let Some(program) = places.iter().find(|place| place.is_file()) else {
        eprintln!("skipped: docker-registry is not installed (apt-get install docker-registry)");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let host = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let config = folder.path().join("config.yml");
    let stored = folder.path().join("stored");
    let text = format!(
        "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\nhttp: {{ addr: \"{host}\" }}\n",
        stored.display()
    );
    fs::write(&config, text).unwrap();
    let child = spawned(program, &config);
    let real = Real {
        child,
        host,
        folder,
    };
    let begun = Instant::now();
    while TcpStream::connect(&real.host).is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the registry does not start"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(real)
}

fn spawned(program: &Path, config: &Path) -> Child {
    Command::new(program)
        .arg("serve")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// `wkg` in a folder of its own, with what it needs and nothing of the user's.
fn wkg(real: &Real, arguments: &[&str]) -> Output {
    let home = real.folder.path().join("home");
    fs::create_dir_all(&home).unwrap();
    Command::new("wkg")
        .args(arguments)
        .env("WKG_OCI_INSECURE", &real.host)
        .env("HOME", &home)
        .env("DOCKER_CONFIG", &home)
        .current_dir(&home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// WebAssembly's own package tool as the other side, each way.
#[test]
fn wkg_gets_what_was_pushed_and_what_it_puts_is_added() {
    if !Command::new("wkg")
        .arg("--version")
        .output()
        .is_ok_and(|said| said.status.success())
    {
        eprintln!("skipped: wkg is not installed (cargo install wkg)");
        return;
    }
    let Some(real) = real() else {
        return;
    };
    let person = Person::new();
    let component = person.component("1.0");
    let file = person.stage.file("acme.wasm", &component);
    let ours = format!("{}/ours/acme:1", real.host);
    person
        .run(&["plugin", "push", &file, &format!("oci://{ours}")])
        .answer();
    let got = real.folder.path().join("got.wasm");
    let done = wkg(&real, &["oci", "pull", &ours, "-o", got.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(fs::read(&got).unwrap(), component);
    let theirs = format!("{}/theirs/acme:1", real.host);
    let done = wkg(&real, &["oci", "push", &theirs, &file]);
    assert!(done.status.success(), "{done:?}");
    let name = format!("oci://{theirs}");
    person.run(&["plugin", "add", &name, "--yes"]).answer();
    assert_eq!(
        person.listed("acme").unwrap()["sha256"],
        plugin::digest(&component)
    );
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
}

/// The whole way against a registry that others wrote: put, found moved, changed in its files, signed by another.
#[test]
fn a_real_registry_takes_and_gives_what_was_put() {
    let Some(real) = real() else {
        return;
    };
    let person = Person::new();
    let name = format!("oci://{}/team/acme:1", real.host);
    let component = person.component("1.0");
    let file = person.stage.file("acme.wasm", &component);
    let own = pair();
    person
        .stage
        .file("acme.wasm.minisig", signed(&own, &component));
    person
        .run(&[
            "plugin",
            "trust",
            "--key",
            &own.pk.to_base64(),
            "--for",
            &format!("{}/team", real.host),
        ])
        .answer();
    let pinned = person.run(&["plugin", "push", &file, &name]).answer();
    let done = person.run(&["plugin", "add", &name, "--yes"]);
    assert!(
        done.code == Some(0) && done.stdout.contains("good, by the key"),
        "{done:?}"
    );
    person.run(&["query", "hi", "--model", "acme/m"]).answer();
    person
        .run(&["plugin", "add", pinned.trim(), "--yes", "--name", "pinned"])
        .answer();
    // A moved tag.
    let second = person.component("2.0");
    person.stage.file("acme.wasm", &second);
    person
        .stage
        .file("acme.wasm.minisig", signed(&own, &second));
    person.run(&["plugin", "push", &file, &name]).answer();
    let listed = person.run(&["plugin", "list", "--moved", "--json"]).json();
    let acme = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "acme")
        .unwrap()
        .clone();
    assert_eq!(acme["moved"], true, "{listed}");
    person.run(&["plugin", "update", "acme", "--yes"]).answer();
    assert_eq!(
        person.listed("acme").unwrap()["sha256"],
        plugin::digest(&second)
    );
    // A wrong signer.
    let third = person.component("3.0");
    person.stage.file("evil.wasm", &third);
    person
        .stage
        .file("evil.wasm.minisig", signed(&pair(), &third));
    let stranger = Person::new();
    let evil = person
        .stage
        .folder
        .path()
        .join("evil.wasm")
        .display()
        .to_string();
    stranger.run(&["plugin", "push", &evil, &name]).answer();
    person
        .run(&["plugin", "update", "acme", "--yes"])
        .fails(2, &["what is installed was signed by"]);
    // Somebody who may write the registry's files changes the bytes under their name.
    let blob = digest(&component);
    let hex = blob.strip_prefix("sha256:").unwrap();
    let data = real.folder.path().join(format!(
        "stored/docker/registry/v2/blobs/sha256/{}/{hex}/data",
        &hex[..2]
    ));
    let mut bytes = fs::read(&data).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&data, bytes).unwrap();
    person
        .run(&["plugin", "add", pinned.trim(), "--yes", "--name", "changed"])
        .fails(1, &["refused"]);
    assert_eq!(person.listed("changed"), None);
}
