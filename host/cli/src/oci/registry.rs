//! A registry, by the OCI distribution specification: manifests and blobs, fetched and put.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use multillm::transport::{HttpClient, Transfer, Transferred, Verb};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::access::{Access, Known};
use super::challenge::Challenge;
use super::layer::Files;
use super::manifest::{ACCEPTED, CONFIG, Descriptor, Found, MANIFEST, Manifest, WASM};
use super::reference::is_digest;
use super::{
    MAX_COMPONENT, MAX_MANIFEST, MAX_SIGNATURE, Pulled, Push, Reference, SIGNATURE, digest, limits,
    told,
};

/// Bytes of an answer that gives a token, or says why not.
const SHORT: u64 = 1 << 20;

/// One repository of a registry.
pub(crate) struct Registry<'a> {
    client: &'a HttpClient,
    reference: &'a Reference,
    address: Url,
    plain_http: bool,
    known: Known,
    /// What proves who asks, once it was asked for.
    proof: Mutex<Option<SecretString>>,
}

/// What was put.
#[derive(Debug)]
pub(crate) struct Published {
    /// The manifest's digest.
    pub(crate) manifest: String,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    errors: Vec<Reason>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reason {
    code: String,
    message: String,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(
        client: &'a HttpClient,
        reference: &'a Reference,
        access: &Access,
        plain_http: bool,
    ) -> Result<Self, String> {
        Ok(Registry {
            client,
            reference,
            address: reference.address(plain_http)?,
            plain_http,
            known: access.to(&reference.registry)?,
            proof: Mutex::default(),
        })
    }

    /// The component that the name means.
    pub(crate) async fn pull(&self) -> Result<Pulled, String> {
        let (text, named) = self.manifest(self.reference.pointer()).await?;
        let mut manifest = read(&text)?;
        if manifest.is_index() {
            let digest = manifest.of_index()?.digest.clone();
            manifest = read(&self.manifest(&digest).await?.0)?;
            if manifest.is_index() {
                return Err("it is an index of indexes".to_owned());
            }
        }
        let (component, layout) = match manifest.component()? {
            Found::Blob(blob) => {
                let layout = match blob.media_type == WASM {
                    true => "an artifact with one layer",
                    false => "an artifact in an older layout",
                };
                (self.blob(&blob, MAX_COMPONENT).await?.to_vec(), layout)
            }
            Found::Archives(layers) => {
                let mut files = Files::default();
                for layer in &layers {
                    let bytes = self.blob(layer, 2 * MAX_COMPONENT).await?;
                    files.lay(&bytes)?;
                }
                (files.component()?, "a file in a container image")
            }
        };
        let signature = match manifest.annotation(SIGNATURE) {
            Some(text) if text.len() as u64 > MAX_SIGNATURE => {
                return Err("its signature is far too long to be one".to_owned());
            }
            Some(text) => Some(text.clone()),
            None => match manifest.signature()? {
                Some(blob) => {
                    let bytes = self.blob(blob, MAX_SIGNATURE).await?;
                    Some(String::from_utf8_lossy(&bytes).into_owned())
                }
                None => None,
            },
        };
        Ok(Pulled {
            component,
            signature,
            manifest: named,
            layout,
        })
    }

    /// The digest that the name means now.
    pub(crate) async fn resolve(&self) -> Result<String, String> {
        Ok(self.manifest(self.reference.pointer()).await?.1)
    }

    /// Puts a component there and lets the tag mean it.
    pub(crate) async fn push(&self, push: &Push<'_>) -> Result<Published, String> {
        let tag = self.reference.tag.as_deref();
        let tag = tag
            .ok_or_else(|| format!("{}: a tag is needed to put something there", self.reference))?;
        let layer = self.put_blob(WASM, push.component).await?;
        // As the package tools of WebAssembly write it.
        let config = json!({
            "created": push.created,
            "author": push.author,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": { "exports": push.exports, "imports": push.imports, "target": null },
        });
        let config = self.put_blob(CONFIG, config.to_string().as_bytes()).await?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
            "annotations": push.annotations,
        });
        let text = Bytes::from(manifest.to_string());
        let mut transfer = self.asking(Verb::Put, &["manifests", tag])?;
        transfer.content_type = Some(MANIFEST);
        transfer.body = text.clone();
        let mut done = self.send(transfer, SHORT).await?;
        self.expect(&mut done, 201, "does not take the manifest")
            .await?;
        let own = digest(&text);
        match done.header("docker-content-digest") {
            Some(other) if other != own => Err(format!(
                "the registry made {other} of what was sent as {own}"
            )),
            _ => Ok(Published { manifest: own }),
        }
    }

    /// A manifest's text and digest. A digest that was asked for is held against what came.
    async fn manifest(&self, pointer: &str) -> Result<(Bytes, String), String> {
        let mut transfer = self.asking(Verb::Get, &["manifests", pointer])?;
        ACCEPTED.clone_into(&mut transfer.accept);
        let mut done = self.send(transfer, MAX_MANIFEST).await?;
        if done.status == 404 {
            return Err(format!(
                "{}: there is no such thing in the registry",
                self.reference
            ));
        }
        self.expect(&mut done, 200, "does not give it").await?;
        let told = done.header("docker-content-digest");
        let text = self.bytes(&mut done).await?;
        let own = digest(&text);
        let wanted = is_digest(pointer).then(|| pointer.to_owned());
        for other in wanted
            .into_iter()
            .chain(told.filter(|told| is_digest(told)))
        {
            if other != own {
                return Err(format!(
                    "the manifest is {own}, and {other} was asked for or told: refused"
                ));
            }
        }
        Ok((text, own))
    }

    async fn blob(&self, blob: &Descriptor, most: u64) -> Result<Bytes, String> {
        if !is_digest(&blob.digest) {
            return Err(format!(
                "it names a blob by {:?}, which is no SHA-256",
                blob.digest
            ));
        }
        if blob.size > most {
            return Err(format!(
                "its blob of {} bytes is larger than the {most} that are read",
                blob.size
            ));
        }
        let transfer = self.asking(Verb::Get, &["blobs", &blob.digest])?;
        let mut done = self.send(transfer, blob.size).await?;
        self.expect(&mut done, 200, "does not give a blob").await?;
        let bytes = self.bytes(&mut done).await?;
        let own = digest(&bytes);
        if own != blob.digest || bytes.len() as u64 != blob.size {
            return Err(format!(
                "a blob has {} bytes and is {own}, where its manifest says {} bytes and {}: refused",
                bytes.len(),
                blob.size,
                blob.digest
            ));
        }
        Ok(bytes)
    }

    async fn put_blob(&self, kind: &str, bytes: &[u8]) -> Result<Descriptor, String> {
        let blob = Descriptor {
            media_type: kind.to_owned(),
            digest: digest(bytes),
            size: bytes.len() as u64,
            ..Descriptor::default()
        };
        let asked = self.asking(Verb::Head, &["blobs", &blob.digest])?;
        if self.send(asked, SHORT).await?.status == 200 {
            return Ok(blob);
        }
        let begun = self.asking(Verb::Post, &["blobs", "uploads", ""])?;
        let mut begun = self.send(begun, SHORT).await?;
        self.expect(&mut begun, 202, "does not take uploads")
            .await?;
        let mut place = begun
            .location
            .ok_or("the registry does not say where to put a blob")?;
        place.query_pairs_mut().append_pair("digest", &blob.digest);
        let mut transfer = self.at(Verb::Put, place);
        transfer.content_type = Some("application/octet-stream");
        transfer.body = Bytes::copy_from_slice(bytes);
        let mut done = self.send(transfer, SHORT).await?;
        self.expect(&mut done, 201, "does not take a blob").await?;
        Ok(blob)
    }

    fn asking(&self, verb: Verb, path: &[&str]) -> Result<Transfer, String> {
        let mut url = self.address.clone();
        let repository = self.reference.path();
        let segments = ["v2"].into_iter().chain(repository.split('/'));
        match url.path_segments_mut() {
            Ok(mut place) => place.clear().extend(segments.chain(path.iter().copied())),
            Err(()) => return Err(format!("{}: no such address", self.reference)),
        };
        Ok(self.at(verb, url))
    }

    fn at(&self, verb: Verb, url: Url) -> Transfer {
        Transfer {
            verb,
            plain_http: self.plain_http,
            ..Transfer::get(url)
        }
    }

    /// Sends, and proves who asks if that is wanted.
    async fn send(&self, mut transfer: Transfer, most: u64) -> Result<Transferred, String> {
        // What a registry names elsewhere learns nothing of who asks.
        let own = transfer.url.origin() == self.address.origin();
        transfer.authorization = self.proof().filter(|_| own);
        let done = self.transfer(&transfer, most).await?;
        if done.status != 401 || !own {
            return Ok(done);
        }
        let challenge = done.header("www-authenticate").unwrap_or_default();
        let proof = match Challenge::of(&challenge) {
            Some(Challenge::Basic) => self.known.basic.clone().ok_or_else(|| self.locked())?,
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                self.token(&realm, service.as_deref(), scope.as_deref(), transfer.verb)
                    .await?
            }
            None => return Err(self.locked()),
        };
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof.clone());
        transfer.authorization = Some(proof);
        let done = self.transfer(&transfer, most).await?;
        match done.status {
            401 => Err(self.locked()),
            _ => Ok(done),
        }
    }

    async fn transfer(&self, transfer: &Transfer, most: u64) -> Result<Transferred, String> {
        let sent = self.client.transfer(transfer, &limits(most)).await;
        sent.map_err(|error| told(&error))
    }

    fn proof(&self) -> Option<SecretString> {
        self.proof
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A token of whom the registry names, who is told the user's name and password for this registry if there is one.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        verb: Verb,
    ) -> Result<SecretString, String> {
        let wrong = || {
            format!(
                "{} names no place that gives tokens",
                self.reference.registry
            )
        };
        let mut url = Url::parse(realm).map_err(|_| wrong())?;
        if self.address.scheme() == "https" && url.scheme() != "https" {
            return Err(format!("{}: not over https", wrong()));
        }
        let rights = match verb {
            Verb::Get | Verb::Head => "pull",
            Verb::Post | Verb::Put => "pull,push",
        };
        let usual = format!("repository:{}:{rights}", self.reference.path());
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            query.append_pair("scope", scope.unwrap_or(&usual));
        }
        let mut transfer = self.at(Verb::Get, url);
        transfer.authorization = self.known.basic.clone();
        let mut done = self.transfer(&transfer, SHORT).await?;
        if done.status == 401 || done.status == 403 {
            return Err(self.locked());
        }
        self.expect(&mut done, 200, "gives no token").await?;
        let text = self.bytes(&mut done).await?;
        let token: Token = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let token = token.token.or(token.access_token).ok_or_else(wrong)?;
        Ok(SecretString::from(format!("Bearer {token}")))
    }

    fn locked(&self) -> String {
        let lacks = match (&self.known.lacks, &self.known.basic) {
            (Some(lacks), _) => lacks.clone(),
            (None, Some(_)) => {
                "it does not take the name and password that are kept for it".to_owned()
            }
            (None, None) => format!(
                "no name and password are kept for it: \"docker login {0}\" or \"podman login {0}\" keeps them",
                self.reference.registry
            ),
        };
        format!(
            "{} gives that to those it knows only, or there is no such thing: {lacks}",
            self.reference.registry
        )
    }

    async fn bytes(&self, done: &mut Transferred) -> Result<Bytes, String> {
        done.body.read_to_end().await.map_err(|error| told(&error))
    }

    async fn expect(&self, done: &mut Transferred, status: u16, what: &str) -> Result<(), String> {
        if done.status == status {
            return Ok(());
        }
        let body = done.body.read_partial(4096).await.bytes;
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let reasons = refusal
            .errors
            .iter()
            .map(|it| format!(" {} {}", it.code, it.message));
        let reasons: String = reasons.take(3).collect();
        Err(format!(
            "{} {what}: HTTP {}{reasons}",
            done.url.origin().ascii_serialization(),
            done.status
        ))
    }
}

fn read(text: &[u8]) -> Result<Manifest, String> {
    serde_json::from_slice(text).map_err(|error| format!("its manifest cannot be read: {error}"))
}
