//! The rows of an export: the artifacts of some layers, with their provenance.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ReleaseError;
use synix_core::artifact::Metadata;
use synix_engine::view::{ArtifactDetail, Provenance, SnapshotView};
use synix_prices::Prices;

/// An artifact as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// The members of an answer in JSON; then there is no `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
    /// The text, or the bytes in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The media type of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its metadata.
    pub metadata: Metadata,
    /// What it was made from.
    pub provenance: Provenance,
}

impl Row {
    fn new(artifact: ArtifactDetail) -> Self {
        let mut requests = artifact.provenance.requests.iter();
        let is_answer_in_json = requests.any(|request| request.asks_for_json);
        let data = is_answer_in_json.then(|| serde_json::from_str(&artifact.content));
        let data = data.and_then(Result::ok);
        Self {
            layer: artifact.layer,
            label: artifact.label,
            kind: artifact.kind,
            content: data.is_none().then_some(artifact.content),
            data,
            media_type: artifact.media_type,
            metadata: artifact.metadata,
            provenance: artifact.provenance,
        }
    }
}

/// The artifacts of layers of a snapshot.
#[derive(Debug)]
pub struct Rows<'a> {
    view: &'a SnapshotView<'a>,
    prices: &'a Prices,
    layers: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Returns the artifacts of `layers`, in this order; an unknown layer is an error.
    pub fn new(
        view: &'a SnapshotView<'a>,
        prices: &'a Prices,
        layers: &[String],
    ) -> Result<Self, ReleaseError> {
        for layer in layers {
            view.check_layer(layer)?;
        }
        Ok(Self {
            view,
            prices,
            layers: layers.to_vec(),
        })
    }

    /// Calls `take` with each row, in the order of the layers and labels.
    pub fn for_each(
        &self,
        mut take: impl FnMut(Row) -> Result<(), ReleaseError>,
    ) -> Result<(), ReleaseError> {
        for layer in &self.layers {
            for found in self.view.artifacts(layer)? {
                take(Row::new(self.view.detail(&found, self.prices)?))?;
            }
        }
        Ok(())
    }
}
