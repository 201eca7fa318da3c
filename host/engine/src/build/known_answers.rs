//! Looks up answers that are known: in the store, or in a cassette.

use std::sync::Arc;

use synix_core::request::{Answer, Ending, Request, RequestKey};
use synix_providers::Cassette;
use synix_store::{ArtifactId, Reader, StoreError};

/// Where known answers are. Each thread has a clone.
#[derive(Debug, Clone)]
pub enum AnswerSource {
    /// What providers answered, in the store.
    Store,
    /// A cassette, and nothing else.
    Cassette(Arc<Cassette>),
}

/// A worker's own access to known answers and stored artifacts.
#[derive(Debug)]
pub(super) struct KnownAnswers {
    pub(super) source: AnswerSource,
    /// `None` before the first build.
    pub(super) reader: Option<Reader>,
}

impl KnownAnswers {
    /// Returns the answer under `key`, if there is one that the layer accepts.
    pub(super) fn answer(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        match (&self.source, &self.reader) {
            (AnswerSource::Cassette(cassette), _) => Ok(cassette
                .get(&key)
                .filter(|answer| accept_truncated || answer.ending == Ending::Complete)
                .cloned()),
            (AnswerSource::Store, Some(reader)) => reader.answer(key, accept_truncated),
            (AnswerSource::Store, None) => Ok(None),
        }
    }

    /// Returns the stored request under `key`, for messages about what an earlier run asked.
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
