//! Looks up known answers in the store or in a cassette.

use std::sync::Arc;

use synix_answers::AnswerFormats;
use synix_core::request::{Answer, Ending, FailureKind, Request, RequestKey};
use synix_providers::Cassette;
use synix_store::{ArtifactId, Reader, RetrySelection, StoreError};

/// The source of known answers. Each thread has a clone.
#[derive(Debug, Clone)]
pub enum AnswerSource {
    /// The answers of providers in the store.
    Store,
    /// Only a cassette.
    Cassette(Arc<Cassette>),
}

/// A thread's access to known answers and stored artifacts.
#[derive(Debug)]
pub(super) struct KnownAnswers {
    pub(super) source: AnswerSource,
    /// `None` before the first build.
    pub(super) reader: Option<Reader>,
    /// The schemas that answers must match. All threads share them.
    pub(super) formats: Arc<AnswerFormats>,
    /// Which answers that do not fit lead to another request.
    retry: RetrySelection,
}

impl KnownAnswers {
    pub(super) fn new(source: AnswerSource, reader: Option<Reader>, retry: RetrySelection) -> Self {
        Self {
            source,
            reader,
            formats: Arc::default(),
            retry,
        }
    }

    /// Returns the access of another thread.
    pub(super) fn try_clone(&self) -> Result<Self, StoreError> {
        Ok(Self {
            source: self.source.clone(),
            reader: self.reader.as_ref().map(Reader::try_clone).transpose()?,
            formats: Arc::clone(&self.formats),
            retry: self.retry.clone(),
        })
    }

    /// Returns whether a repair is sent although the layer asks for no more of them: it was sent before, or the user
    /// retries the answer to `previous`, the request that it repairs.
    pub(super) fn repairs_further(
        &self,
        repair: RequestKey,
        previous: RequestKey,
    ) -> Result<bool, StoreError> {
        let (AnswerSource::Store, Some(reader)) = (&self.source, &self.reader) else {
            return Ok(false);
        };
        if let Some(repair) = reader.request_id(repair)?
            && reader.was_sent(repair)?
        {
            return Ok(true);
        }
        if !self.retry.kinds.contains(&FailureKind::Schema) {
            return Ok(false);
        }
        // An answer that arrived since the command began is the result of a retry, and leads to none.
        match reader.request_id(previous)? {
            Some(previous) => Ok(!reader.was_answered_since(previous, &self.retry)?),
            None => Ok(false),
        }
    }

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
