//! Answers that are known already: in the store, or in a cassette.

use std::sync::Arc;

use synix_core::request::{Answer, Ending, Request, RequestKey};
use synix_providers::Cassette;
use synix_store::{ArtifactId, Reader, StoreError};

/// Where known answers are looked up. Cheap to make anew for each thread.
#[derive(Debug, Clone)]
pub enum Known {
    /// What providers answered, in the store.
    Store,
    /// A cassette, and nothing else.
    Cassette(Arc<Cassette>),
}

/// A worker's own look into what is known.
#[derive(Debug)]
pub(super) struct Recall {
    pub(super) known: Known,
    /// `None` before the first build.
    pub(super) reader: Option<Reader>,
}

impl Recall {
    /// Returns the answer under `key`, if one is known that will do.
    pub(super) fn answer(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        match (&self.known, &self.reader) {
            (Known::Cassette(cassette), _) => Ok(cassette
                .get(&key)
                .filter(|answer| accept_truncated || answer.ending == Ending::Complete)
                .cloned()),
            (Known::Store, Some(reader)) => reader.answer(key, accept_truncated),
            (Known::Store, None) => Ok(None),
        }
    }

    /// Returns the stored request under `key`, for telling what was asked before.
    pub(super) fn request(&self, key: RequestKey) -> Option<Request> {
        let reader = self.reader.as_ref()?;
        let id = reader.request_id(key).ok()??;
        reader.request(id).ok()
    }

    /// Returns a stored artifact.
    pub(super) fn artifact(
        &self,
        id: ArtifactId,
    ) -> Result<synix_core::artifact::Artifact, StoreError> {
        match &self.reader {
            Some(reader) => reader.artifact(id),
            None => Err(StoreError::Unusable {
                what: "artifact",
                detail: "there is no state".to_owned(),
            }),
        }
    }
}
