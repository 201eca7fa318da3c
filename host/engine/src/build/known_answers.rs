//! Looks up known answers in the store or in a cassette.

use std::sync::Arc;

use synix_core::request::{Answer, Ending, Request, RequestKey};
use synix_providers::Cassette;
use synix_store::{ArtifactId, Reader, StoreError};

/// The source of known answers. Each thread has a clone.
#[derive(Debug, Clone)]
pub enum AnswerSource {
    /// The answers of providers in the store.
    Store,
    /// Only a cassette.
    Cassette(Arc<Cassette>),
}

/// A worker's access to known answers and stored artifacts.
#[derive(Debug)]
pub(super) struct KnownAnswers {
    pub(super) source: AnswerSource,
    /// `None` before the first build.
    pub(super) reader: Option<Reader>,
}

impl KnownAnswers {
    /// Returns the answer under `key` if the layer accepts it.
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

    /// Returns the stored request under `key`, for messages about an earlier run.
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
