//! Exchanges that are no chat: vectors of texts, and counting tokens.

use super::{Peer, failure};
use crate::chat::{ChatRequest, EmbedRequest};
use crate::error::{ErrorKind, Result};
use crate::plugin::wire;

impl Peer {
    /// The most texts that one request for vectors may hold.
    pub(in crate::service) async fn batch_limit(&self) -> Result<usize> {
        let mut session = self.plugin.session().await?;
        let limit = session.batch_limit(&self.target).await??;
        Ok(usize::try_from(limit).unwrap_or(usize::MAX).max(1))
    }

    /// Vectors of texts.
    pub(in crate::service) async fn embed(&self, request: &EmbedRequest) -> Result<wire::Vectors> {
        let embedded = self.embed_once(request).await;
        embedded.map_err(|error| self.hidden.error(error))
    }

    async fn embed_once(&self, request: &EmbedRequest) -> Result<wire::Vectors> {
        self.warn_of_words();
        let mut session = self.plugin.session().await?;
        let described = session.encode_embed(&self.target, request).await??;
        let sent = self.send(described, &[], &mut session).await?;
        let body = self.read_whole(sent.response).await?;
        let vectors = session.decode_embed(&self.target, &body).await?;
        let mut vectors = vectors.map_err(|error| failure::vendor(error, None))?;
        self.hidden.vectors(&mut vectors);
        Ok(vectors)
    }

    /// The tokens of a request; nothing where the plugin or the vendor has no way to count.
    pub(in crate::service) async fn count(&self, request: &ChatRequest) -> Result<Option<u64>> {
        let counted = self.count_once(request).await;
        counted.map_err(|error| self.hidden.error(error))
    }

    async fn count_once(&self, request: &ChatRequest) -> Result<Option<u64>> {
        self.warn_of_words();
        let mut session = self.plugin.session().await?;
        let (described, blobs) = match session.encode_count(&self.target, request).await? {
            Ok(described) => described,
            Err(error) if error.kind == ErrorKind::Unsupported => return Ok(None),
            Err(error) => return Err(error),
        };
        let sent = self.send(described, &blobs, &mut session).await?;
        let body = self.read_whole(sent.response).await?;
        let counted = session.decode_count(&self.target, &body).await?;
        counted
            .map(Some)
            .map_err(|error| failure::vendor(error, None))
    }
}
