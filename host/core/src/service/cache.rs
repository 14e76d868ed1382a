//! Answers kept for identical requests.
//!
//! The key is a digest of everything that decides the answer: the plugin's digest, the address, the
//! vendor's model, the settings and the request with all defaults filled in. Identical requests
//! at one time wait for the first: see `flight`. Off unless the configuration turns it on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache as Memory;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::flight::{Boarded, Flights, Leading};
use super::recording::now_ms;
use super::relay::{RelayRequest, Verbatim};
use crate::chat::{Billing, ChatRequest, ChatResponse, Extra, FinishReason, Part};
use crate::config;
use crate::files;

/// The most bytes of a kept answer that are read; answers are bounded by `limits.response_mb`.
const MOST: u64 = 256 << 20;

/// What is kept of an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    at_ms: i64,
    pub(super) id: Option<String>,
    pub(super) vendor_model: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) finish: FinishReason,
    pub(super) raw_finish: Option<String>,
    /// The service level that gave it.
    #[serde(default)]
    tier: Option<String>,
    #[serde(default)]
    pub(super) extra: Extra,
    /// What was left out of the request.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    /// As the vendor wrote it, where the caller wrote the request.
    #[serde(default)]
    pub(super) verbatim: Option<Text>,
}

/// A vendor's answer that is handed on whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Text {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Text {
    /// Nothing if it is no text.
    fn of(answer: &Verbatim) -> Option<Self> {
        Some(Text {
            status: answer.status,
            // What the vendor said of that one exchange is not said again.
            headers: answer
                .headers
                .iter()
                .filter(|(name, _)| name == "content-type")
                .cloned()
                .collect(),
            body: std::str::from_utf8(&answer.body).ok()?.to_owned(),
        })
    }
}

impl From<&Text> for Verbatim {
    fn from(text: &Text) -> Self {
        Verbatim {
            status: text.status,
            headers: text.headers.clone(),
            body: text.body.clone().into(),
        }
    }
}

impl Kept {
    /// Handing it out costs nothing; what remains to be said is how it was made.
    pub(super) fn billing(&self) -> Billing {
        Billing {
            tier: self.tier.clone(),
            ..Billing::default()
        }
    }
}

/// The answers of one configuration.
pub(super) struct Cache {
    memory: Memory<String, Arc<Kept>>,
    flights: Arc<Flights>,
    directory: Option<PathBuf>,
    ttl: Duration,
}

/// A request that is not answered yet.
pub(super) struct Miss {
    key: String,
    flight: Leading,
}

impl Miss {
    /// Whether anybody reads the answer, now that it has begun to come.
    pub(super) fn attended(&self, is_read: bool) {
        self.flight.attended(is_read);
    }
}

impl Cache {
    /// The cache that a configuration asks for, if it does.
    pub(super) fn new(policy: &config::Cache) -> Option<Self> {
        policy.enabled.then(|| Cache {
            memory: Memory::builder()
                .max_capacity(policy.max_entries)
                .time_to_live(policy.ttl)
                .build(),
            flights: Arc::default(),
            directory: policy.path.clone(),
            ttl: policy.ttl,
        })
    }

    /// The kept answer, or the right to make one. Waits for somebody who asks the same already, but
    /// no longer than `patience`: as long as its own request would have to be answered.
    pub(super) async fn look_up(&self, key: String, patience: Duration) -> Result<Arc<Kept>, Miss> {
        if let Some(kept) = self.get(&key).await {
            return Ok(kept);
        }
        let boarded = Flights::board(&self.flights, &key);
        let flight = match boarded {
            Boarded::First(flight) => {
                let miss = Miss { key, flight };
                // It may have been kept since.
                return match self.get(&miss.key).await {
                    Some(kept) => Ok(kept),
                    None => Err(miss),
                };
            }
            Boarded::Behind(flight) => flight,
        };
        match tokio::time::timeout(patience, flight.landed()).await {
            Ok(Some(kept)) => Ok(kept),
            // Whoever waited once does not wait again, however many they are.
            Ok(None) | Err(_) => Err(Miss {
                flight: Flights::leave(&self.flights, &key, &flight),
                key,
            }),
        }
    }

    /// Keeps an answer, if it is one that the same request would get again.
    pub(super) async fn keep(
        &self,
        miss: &Miss,
        answer: &ChatResponse,
        verbatim: Option<Verbatim>,
    ) {
        if !matches!(
            answer.finish_reason,
            FinishReason::Stop | FinishReason::ToolCalls
        ) {
            return;
        }
        let kept = Arc::new(Kept {
            at_ms: now_ms(),
            id: answer.id.clone(),
            vendor_model: answer.vendor_model.clone(),
            parts: answer.parts.clone(),
            finish: answer.finish_reason,
            raw_finish: answer.raw_finish_reason.clone(),
            tier: answer.billing.tier.clone(),
            extra: answer.extra.clone(),
            warnings: answer.warnings.clone(),
            verbatim: verbatim.as_ref().and_then(Text::of),
        });
        if let Some(directory) = &self.directory
            && let Err(error) = write(directory, &miss.key, &kept)
        {
            tracing::warn!(%error, path = %directory.display(), "the answer is not kept on disk");
        }
        self.memory.insert(miss.key.clone(), kept.clone()).await;
        miss.flight.land(kept);
    }

    async fn get(&self, key: &str) -> Option<Arc<Kept>> {
        if let Some(kept) = self.memory.get(key).await {
            return Some(kept);
        }
        let directory = self.directory.as_ref()?;
        let file = directory.join(format!("{key}.json"));
        let text = match files::read_private(&file, MOST) {
            Ok(text) if files::directory_fault(directory).is_none() => text?,
            Ok(_) => return None,
            Err(error) => {
                tracing::warn!(%error, "a kept answer is not trusted");
                return None;
            }
        };
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        let age = u64::try_from(now_ms().saturating_sub(kept.at_ms)).ok()?;
        if Duration::from_millis(age) >= self.ttl {
            return None;
        }
        let kept = Arc::new(kept);
        self.memory.insert(key.to_owned(), kept.clone()).await;
        Some(kept)
    }
}

/// What decides an answer besides the request.
pub(super) struct Identity<'a> {
    pub(super) plugin_digest: &'a str,
    pub(super) base_url: &'a str,
    pub(super) model: &'a str,
    pub(super) settings: &'a str,
}

impl Identity<'_> {
    fn digest(&self) -> Sha256 {
        let mut digest = Sha256::new();
        for text in [self.plugin_digest, self.base_url, self.model, self.settings] {
            add(&mut digest, text);
        }
        digest
    }
}

fn add(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text.as_bytes());
}

/// The key of a request; nothing if it cannot be written down.
pub(super) fn key(identity: &Identity<'_>, request: &ChatRequest) -> Option<String> {
    let mut digest = identity.digest();
    digest.update(serde_json::to_vec(request).ok()?);
    Some(hex::encode(digest.finalize()))
}

/// The key of a body that the caller wrote: its bytes, and those headers that say how it is meant.
pub(super) fn key_of_body(identity: &Identity<'_>, request: &RelayRequest) -> String {
    let mut digest = identity.digest();
    add(&mut digest, &request.wire);
    add(
        &mut digest,
        &format!("{:?} {}", request.operation, request.stream),
    );
    let decides = |name: &str| name.ends_with("-beta") || name.ends_with("-version");
    let headers = request.headers.iter();
    let mut headers: Vec<_> = headers.filter(|(name, _)| decides(name)).collect();
    headers.sort();
    for (name, value) in headers {
        add(&mut digest, name);
        add(&mut digest, value);
    }
    digest.update(&request.body);
    hex::encode(digest.finalize())
}

/// Keeps an answer where nobody else may write: what is kept is believed later.
fn write(directory: &Path, key: &str, kept: &Kept) -> std::io::Result<()> {
    files::make_private_directory(directory)?;
    if let Some(fault) = files::directory_fault(directory) {
        return Err(std::io::Error::other(fault));
    }
    let text = serde_json::to_vec(kept)?;
    files::write_private(&directory.join(format!("{key}.json")), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ChatMessage;

    #[test]
    fn the_key_tells_apart_whatever_decides_the_answer() {
        let request = ChatRequest::new([ChatMessage::user("hi")]);
        let identity = |model| Identity {
            plugin_digest: "d",
            base_url: "http://a",
            model,
            settings: "{}",
        };
        let first = key(&identity("m"), &request).unwrap();
        assert_eq!(key(&identity("m"), &request.clone()).unwrap(), first);
        assert_ne!(key(&identity("n"), &request).unwrap(), first);
        assert_ne!(
            key(&identity("m"), &request.temperature(0.1)).unwrap(),
            first
        );
    }
}
