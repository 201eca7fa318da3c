//! Embeddings as artifacts: what a vector is, and which text it is about.

use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::ids::Kind;

/// The kind of an artifact that is an embedding.
pub const EMBEDDING_KIND: &str = "embedding";

/// The media type of a vector: numbers of 32 bits, the least significant byte first.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.synix.f32";

/// The maximum number of dimensions.
const MAX_DIMENSIONS: usize = 16_384;

/// The vector of an artifact, of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The model that made it.
    pub model: String,
    /// The numbers.
    pub vector: Vec<f32>,
}

pub(crate) fn is_kind(kind: &Kind) -> bool {
    kind.as_str() == EMBEDDING_KIND
}

impl Embedding {
    /// Reads the vector of an artifact; `None` if it has none that can be compared.
    pub(crate) fn of_artifact(artifact: &Artifact) -> Option<Self> {
        Self::of(
            artifact.kind.as_str(),
            &artifact.content,
            &artifact.metadata,
        )
    }

    /// Reads the vector in the parts of an artifact; `None` if it has none that can be compared.
    pub fn of(kind: &str, content: &Content, metadata: &Metadata) -> Option<Self> {
        let Content::Bytes { media_type, data } = content else {
            return None;
        };
        if kind != EMBEDDING_KIND || media_type != MEDIA_TYPE {
            return None;
        }
        let model = metadata.get("model")?.as_str()?.to_owned();
        let vector = normalized(&numbers(data)?)?;
        Some(Self { model, vector })
    }
}

/// Reads the numbers of a vector.
pub(crate) fn numbers(bytes: &[u8]) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || numbers.is_empty() || numbers.len() > MAX_DIMENSIONS {
        return None;
    }
    Some(numbers.iter().map(|one| f32::from_le_bytes(*one)).collect())
}

/// Returns a vector with the length 1; `None` if it has no direction.
pub(crate) fn normalized(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector
        .iter()
        .map(|one| f64::from(*one) * f64::from(*one))
        .sum::<f64>()
        .sqrt();
    if !length.is_finite() || length <= 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number between -1 and 1, rounded to 32 bits"
    )]
    let scaled = |one: &f32| (f64::from(*one) / length) as f32;
    Some(vector.iter().map(scaled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_without_direction_is_none() {
        assert_eq!(normalized(&[3.0, 4.0]).unwrap(), [0.6, 0.8]);
        for bad in [&[0.0, 0.0][..], &[f32::NAN], &[f32::INFINITY, 1.0], &[]] {
            assert_eq!(normalized(bad), None, "{bad:?}");
        }
        assert_eq!(numbers(&[0, 0, 128, 63, 0, 0, 0, 64]).unwrap(), [1.0, 2.0]);
        assert_eq!(numbers(&[0, 0, 128]), None);
    }
}
