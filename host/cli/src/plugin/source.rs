//! Where a component is fetched from: a file, a URL, a registry.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use multillm::bounded;
use multillm::transport::{ClientOptions, HttpClient, Transfer, Transferred};
use url::Url;

use crate::oci::{Access, MAX_COMPONENT, MAX_SIGNATURE, Reference, Registry, limits, told};
use crate::{Context, place};

/// How every signature of minisign begins.
const SIGNED: &[u8] = b"untrusted comment:";

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    Url(Url),
    Oci(Reference),
}

/// A component that was fetched, and is nothing yet.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) component: Vec<u8>,
    /// The text of a signature that lay beside it.
    pub(super) signature: Option<String>,
    /// The digest of what the name in a registry meant.
    pub(super) manifest: Option<String>,
    /// How it lay there, if that is worth a word.
    pub(super) layout: Option<&'static str>,
}

/// How things are fetched.
pub(super) struct Way {
    client: HttpClient,
    access: Access,
    plain_http: bool,
}

impl Way {
    pub(super) fn new(plain_http: bool, context: &Context) -> Self {
        Way {
            client: HttpClient::new(ClientOptions::default()),
            access: Access::of_user(&context.env),
            plain_http,
        }
    }

    pub(super) fn registry<'a>(&'a self, reference: &'a Reference) -> Result<Registry<'a>, String> {
        Registry::new(&self.client, reference, &self.access, self.plain_http)
    }
}

impl Source {
    /// Reads what a person wrote.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("oci://") {
            return Ok(Source::Oci(text.parse()?));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            let mut url =
                Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
            url.set_fragment(None);
            if !url.username().is_empty() || url.password().is_some() {
                return Err(
                    "the URL holds a user name or password, and would be kept: take it out"
                        .to_owned(),
                );
            }
            return Ok(Source::Url(url));
        }
        let path = place::file(text)?;
        // What is read again later does not depend on the directory of then.
        let path = std::path::absolute(&path).unwrap_or(path);
        Ok(Source::File(path))
    }

    /// What it would be called where nobody says.
    pub(super) fn name(&self) -> String {
        let file = |name: &str| {
            let name = name.rsplit('/').next().unwrap_or(name);
            name.strip_suffix(".wasm").unwrap_or(name).to_owned()
        };
        match self {
            Source::File(path) => file(&path.file_name().unwrap_or_default().to_string_lossy()),
            Source::Url(url) => file(url.path()),
            Source::Oci(reference) => reference.name().to_owned(),
        }
    }

    /// Where it is as far as that says who gives it: what keys are trusted for.
    pub(super) fn place(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Url(url) => {
                let port = url
                    .port()
                    .map_or_else(String::new, |port| format!(":{port}"));
                format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
            }
            Source::Oci(reference) => reference.place(),
        }
    }

    /// As it is kept, so that it can be asked again.
    pub(super) fn kept(&self) -> String {
        match self {
            Source::Oci(reference) => reference.moving().to_string(),
            other => other.to_string(),
        }
    }

    /// What stands there now.
    pub(super) async fn fetch(&self, way: &Way) -> Result<Fetched, String> {
        let fetched = match self {
            Source::File(path) => of_file(path),
            Source::Url(url) => of_url(url, way).await,
            Source::Oci(reference) => {
                let pulled = way.registry(reference)?.pull().await;
                pulled.map(|pulled| Fetched {
                    component: pulled.component,
                    signature: pulled.signature,
                    manifest: Some(pulled.manifest),
                    layout: Some(pulled.layout),
                })
            }
        };
        fetched.map_err(|reason| format!("{self}: {reason}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Url(url) => write!(f, "{url}"),
            Source::Oci(reference) => write!(f, "{reference}"),
        }
    }
}

/// The file of a signature beside another.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

fn of_file(path: &Path) -> Result<Fetched, String> {
    let told = |error: std::io::Error| error.to_string();
    let component = bounded::file(path, MAX_COMPONENT).map_err(told)?;
    let signature = match bounded::text(&beside(path), MAX_SIGNATURE) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(format!("its signature: {error}")),
    };
    Ok(Fetched {
        component,
        signature,
        manifest: None,
        layout: None,
    })
}

async fn of_url(url: &Url, way: &Way) -> Result<Fetched, String> {
    let mut done = ask(url, MAX_COMPONENT, way).await?;
    if done.status != 200 {
        return Err(format!("it answers with HTTP {}", done.status));
    }
    let component = done
        .body
        .read_to_end()
        .await
        .map_err(|error| told(&error))?
        .to_vec();
    let mut beside = url.clone();
    beside.set_path(&format!("{}.minisig", url.path()));
    let signature = signature(&beside, way)
        .await
        .map_err(|reason| format!("its signature: {reason}"))?;
    Ok(Fetched {
        component,
        signature,
        manifest: None,
        layout: None,
    })
}

async fn ask(url: &Url, most: u64, way: &Way) -> Result<Transferred, String> {
    let transfer = Transfer {
        plain_http: way.plain_http,
        ..Transfer::get(url.clone())
    };
    let asked = way.client.transfer(&transfer, &limits(most)).await;
    asked.map_err(|error| told(&error))
}

/// What stands there, if there is something. Some servers have a page for whatever there is not.
async fn signature(url: &Url, way: &Way) -> Result<Option<String>, String> {
    let mut done = ask(url, MAX_COMPONENT, way).await?;
    match done.status {
        200 => {}
        400..500 => return Ok(None),
        status => return Err(format!("it answers with HTTP {status}")),
    }
    let read = done.body.read_partial(MAX_SIGNATURE as usize).await;
    match (read.bytes.starts_with(SIGNED), read.complete) {
        (true, true) => Ok(Some(String::from_utf8_lossy(&read.bytes).into_owned())),
        (true, false) => Err("it is too long, or was cut".to_owned()),
        (false, false) if read.bytes.len() < SIGNED.len() => Err("it was cut".to_owned()),
        (false, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_name_and_a_place() {
        for (text, name, place) in [
            ("/tmp/acme.wasm", "acme", "/tmp/acme.wasm"),
            (
                "https://acme.example/dl/acme-1.wasm?x=1#y",
                "acme-1",
                "acme.example/dl/acme-1.wasm",
            ),
            ("https://acme.example:8443/p", "p", "acme.example:8443/p"),
            (
                "oci://r.example:5000/a/acme:2",
                "acme",
                "r.example:5000/a/acme",
            ),
        ] {
            let source = Source::of(text).unwrap();
            assert_eq!(
                (source.name().as_str(), source.place().as_str()),
                (name, place)
            );
            assert_eq!(Source::of(&source.kept()).unwrap(), source.clone());
        }
        assert!(
            matches!(Source::of("acme.wasm").unwrap(), Source::File(path) if path.is_absolute())
        );
        for wrong in ["https://me:secret@acme.example/x", "oci://acme", "https://"] {
            let error = Source::of(wrong).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
