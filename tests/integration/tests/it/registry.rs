//! A registry of the test's own, by the OCI distribution specification and stricter than most: what is put there must be
//! whole and named right, who asks must be allowed exactly that. It can be told to lie.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::plugin;
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Whom it lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// By name and password.
    Basic,
    /// By a token for exactly what is asked.
    Bearer,
}

/// The name and password that it knows.
pub(crate) const USER: &str = "me:rosebud-7391-kane";

/// What it says instead of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Blobs have another byte at their end.
    Blob,
    /// Blobs go on after their end.
    Longer,
    /// Manifests have a blank at their end.
    Manifest,
    /// The header with a manifest's digest names another.
    Digest,
}

pub(crate) struct Registry {
    /// Host and port.
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    door: Option<Door>,
    lie: Option<Lie>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By digest: type and text.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// By repository and tag.
    tags: BTreeMap<(String, String), String>,
    uploads: BTreeSet<String>,
    heard: Vec<String>,
}

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", plugin::digest(bytes))
}

impl Registry {
    pub(crate) fn new(door: Door) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State {
            door: Some(door),
            ..State::default()
        }));
        let (own, served) = (host.clone(), state.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (host, state) = (own.clone(), served.clone());
                std::thread::spawn(move || serve(stream, &host, &state));
            }
        });
        Registry { host, state }
    }

    pub(crate) fn lie(&self, lie: Option<Lie>) {
        self.state.lock().unwrap().lie = lie;
    }

    /// A name in it.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.host)
    }

    /// Puts a blob there and gives its descriptor.
    pub(crate) fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = digest(bytes);
        let mut state = self.state.lock().unwrap();
        state.blobs.insert(digest.clone(), bytes.to_vec());
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    }

    /// Puts a manifest there and lets a tag mean it. Gives its descriptor.
    pub(crate) fn manifest(
        &self,
        repository: &str,
        tag: &str,
        kind: &str,
        manifest: &Value,
    ) -> Value {
        let text = manifest.to_string().into_bytes();
        let digest = digest(&text);
        let size = text.len();
        let mut state = self.state.lock().unwrap();
        state
            .manifests
            .insert(digest.clone(), (kind.to_owned(), text));
        state
            .tags
            .insert((repository.to_owned(), tag.to_owned()), digest.clone());
        json!({ "mediaType": kind, "digest": digest, "size": size })
    }

    /// What a tag means.
    pub(crate) fn meaning(&self, repository: &str, tag: &str) -> Value {
        let state = self.state.lock().unwrap();
        let digest = &state.tags[&(repository.to_owned(), tag.to_owned())];
        serde_json::from_slice(&state.manifests[digest].1).unwrap()
    }

    pub(crate) fn bytes_of(&self, digest: &str) -> Vec<u8> {
        self.state.lock().unwrap().blobs[digest].clone()
    }

    /// Method and path of each request.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }
}

fn serve(mut stream: TcpStream, host: &str, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        let mut state = state.lock().unwrap();
        state.heard.push(format!("{} {}", asked.method, asked.path));
        let said = answer(&asked, host, &mut state);
        drop(state);
        let mut head = format!("HTTP/1.1 {} X\r\n", said.status);
        for (name, value) in &said.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", said.body.len()));
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
        if asked.method != "HEAD" && stream.write_all(&said.body).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |it: &String| it.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Asked {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
    })
}

fn said(status: u16, body: impl Into<Vec<u8>>) -> Said {
    Said {
        status,
        headers: vec![],
        body: body.into(),
    }
}

fn wrong(status: u16, code: &str) -> Said {
    let text = json!({ "errors": [{ "code": code, "message": format!("{code} it is") }] });
    said(status, text.to_string())
}

impl Said {
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A token is its own right.
fn token(right: &str) -> String {
    STANDARD.encode(right)
}

fn answer(asked: &Asked, host: &str, state: &mut State) -> Said {
    let given = asked
        .headers
        .get("authorization")
        .cloned()
        .unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(USER));
    if asked.path == "/token" {
        let scope = asked
            .query
            .split('&')
            .find_map(|pair| pair.strip_prefix("scope="));
        let scope = scope
            .unwrap_or_default()
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%2F", "/");
        return match given == basic {
            true => said(200, json!({ "token": token(&scope) }).to_string()),
            false => wrong(401, "UNAUTHORIZED"),
        };
    }
    let Some(rest) = asked.path.strip_prefix("/v2/") else {
        return wrong(404, "UNKNOWN");
    };
    let kinds = ["/manifests/", "/blobs/"];
    let Some((repository, kind, name)) = kinds.iter().find_map(|kind| {
        let (repository, name) = rest.split_once(kind)?;
        Some((repository, *kind, name))
    }) else {
        return wrong(404, "UNKNOWN");
    };
    let right = match asked.method.as_str() {
        "GET" | "HEAD" => "pull",
        _ => "pull,push",
    };
    let scope = format!("repository:{repository}:{right}");
    let may = match state.door.unwrap() {
        Door::Open => given.is_empty(),
        Door::Basic => given == basic,
        // A token for more is one for less.
        Door::Bearer => [right, "pull,push"].iter().any(|right| {
            given
                == format!(
                    "Bearer {}",
                    token(&format!("repository:{repository}:{right}"))
                )
        }),
    };
    if !may {
        let challenge = match state.door.unwrap() {
            Door::Open => return wrong(400, "WHO_ARE_YOU"),
            Door::Basic => "Basic realm=\"Registry\"".to_owned(),
            Door::Bearer => {
                format!("Bearer realm=\"http://{host}/token\",service=\"{host}\",scope=\"{scope}\"")
            }
        };
        return wrong(401, "UNAUTHORIZED").with("www-authenticate", challenge);
    }
    match (asked.method.as_str(), kind) {
        ("GET" | "HEAD", "/manifests/") => give_manifest(asked, repository, name, state),
        ("PUT", "/manifests/") => take_manifest(asked, repository, name, state),
        ("GET" | "HEAD", "/blobs/") => give_blob(asked, name, state),
        ("POST", "/blobs/") if name == "uploads/" => {
            let place = format!(
                "/v2/{repository}/blobs/uploads/{}?state=x",
                state.heard.len()
            );
            state
                .uploads
                .insert(place.split('?').next().unwrap().to_owned());
            said(202, "").with("location", place)
        }
        ("PUT", "/blobs/") => take_blob(asked, state),
        _ => wrong(405, "UNSUPPORTED"),
    }
}

fn give_manifest(asked: &Asked, repository: &str, name: &str, state: &State) -> Said {
    let of_tag = state.tags.get(&(repository.to_owned(), name.to_owned()));
    let digest = of_tag.map_or(name, String::as_str);
    let Some((kind, text)) = state.manifests.get(digest) else {
        return wrong(404, "MANIFEST_UNKNOWN");
    };
    let accept = asked.headers.get("accept").cloned().unwrap_or_default();
    if !accept.split(',').any(|it| it.trim() == kind) {
        return wrong(404, "MANIFEST_UNKNOWN");
    }
    let mut text = text.clone();
    if state.lie == Some(Lie::Manifest) {
        text.push(b' ');
    }
    let told = match state.lie {
        Some(Lie::Digest) => format!("sha256:{}", "0".repeat(64)),
        _ => digest.to_owned(),
    };
    said(200, text)
        .with("content-type", kind.clone())
        .with("docker-content-digest", told)
}

fn take_manifest(asked: &Asked, repository: &str, name: &str, state: &mut State) -> Said {
    let Ok(manifest) = serde_json::from_slice::<Value>(&asked.body) else {
        return wrong(400, "MANIFEST_INVALID");
    };
    let kind = asked
        .headers
        .get("content-type")
        .cloned()
        .unwrap_or_default();
    if manifest["schemaVersion"] != 2 || manifest["mediaType"] != json!(kind) {
        return wrong(400, "MANIFEST_INVALID");
    }
    let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
    for blob in layers.iter().chain([&manifest["config"]]) {
        let known = state.blobs.get(blob["digest"].as_str().unwrap_or_default());
        if known.map(|bytes| json!(bytes.len())) != Some(blob["size"].clone()) {
            return wrong(400, "MANIFEST_BLOB_UNKNOWN");
        }
    }
    let digest = digest(&asked.body);
    state
        .manifests
        .insert(digest.clone(), (kind, asked.body.clone()));
    state
        .tags
        .insert((repository.to_owned(), name.to_owned()), digest.clone());
    said(201, "").with("docker-content-digest", digest)
}

fn give_blob(asked: &Asked, name: &str, state: &State) -> Said {
    let Some(bytes) = state.blobs.get(name) else {
        return wrong(404, "BLOB_UNKNOWN");
    };
    let mut bytes = bytes.clone();
    match state.lie {
        Some(Lie::Blob) => *bytes.last_mut().unwrap() ^= 1,
        Some(Lie::Longer) => bytes.push(0),
        _ => {}
    }
    // Where large ones stand nobody is asked who they are.
    match asked.method == "GET" && !asked.query.contains("moved") && bytes.len() % 2 == 0 {
        true => said(307, "").with("location", format!("{}?moved", asked.path)),
        false => said(200, bytes),
    }
}

fn take_blob(asked: &Asked, state: &mut State) -> Said {
    if !state.uploads.remove(&asked.path) || !asked.query.starts_with("state=x&") {
        return wrong(404, "BLOB_UPLOAD_UNKNOWN");
    }
    let own = digest(&asked.body);
    let wanted = asked
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("digest="));
    if wanted.map(|wanted| wanted.replace("%3A", ":")) != Some(own.clone()) {
        return wrong(400, "DIGEST_INVALID");
    }
    state.blobs.insert(own, asked.body.clone());
    said(201, "")
}
