//! Embeddings: the vectors of texts.
//!
//! A plugin that calls [`embed`] declares the capability `embed`. As with `llm`, a call whose answer is not known yet does
//! not return.

pub use crate::bindings::synix::plugin::embedding::{EmbeddingError, Vector};

use crate::{Error, OtherError};

/// Requests the vectors of texts in one round; they have the order of the texts. `model` is a model role of the pipeline
/// file, and without it that of the layer applies.
pub fn embed(texts: &[&str], model: Option<&str>) -> Result<Vec<Vector>, EmbeddingError> {
    #[cfg(target_arch = "wasm32")]
    {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        crate::bindings::synix::plugin::embedding::embed(&texts, model)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = model;
        texts
            .iter()
            .map(|text| crate::testing::vector(text))
            .collect()
    }
}

impl From<EmbeddingError> for Error {
    fn from(error: EmbeddingError) -> Self {
        let (code, message) = match error {
            EmbeddingError::NotGranted => (
                "embedding-not-granted",
                "embeddings are not granted to this transform".to_owned(),
            ),
            EmbeddingError::UnknownRole(role) => {
                ("embedding-unknown-role", format!("no model role `{role}`"))
            }
            EmbeddingError::InvalidRequest(rule) => ("embedding-invalid-request", rule),
            EmbeddingError::OverLimit(limit) => ("embedding-over-limit", limit),
            EmbeddingError::Other(other) => return Self::Other(other),
        };
        Self::Other(OtherError {
            code: code.to_owned(),
            message,
        })
    }
}
