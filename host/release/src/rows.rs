//! The rows of an export: the artifacts of some layers.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::ReleaseError;
use synix_core::artifact::{Content, Metadata};
use synix_core::digest::Digest;
use synix_engine::view::{FoundArtifact, Makings, Provenance, SnapshotView};
use synix_prices::Prices;
use synix_search::Sources;
use synix_store::UnitId;

/// An artifact as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// The digest of label, kind, content and metadata.
    pub id: Digest,
    /// Its content.
    pub content: Content,
    /// The members of an answer in JSON.
    pub data: Option<Map<String, Value>>,
    /// Its metadata.
    pub metadata: Metadata,
    /// The artifact in the snapshot.
    pub found: FoundArtifact,
}

impl Row {
    /// Returns the text, unless its members are columns or it is not text.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) if self.data.is_none() => Some(text),
            Content::Text(_) | Content::Bytes { .. } => None,
        }
    }
}

/// The artifacts of layers of a snapshot.
#[derive(Debug)]
pub struct Rows<'a> {
    view: &'a SnapshotView<'a>,
    prices: &'a Prices,
    layers: Vec<String>,
    /// The provenance of the last row: all artifacts of a file or of an answer share it.
    last: RefCell<Option<(UnitId, Rc<Provenance>)>>,
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
            last: RefCell::new(None),
        })
    }

    /// Calls `take` with each row, in the order of the layers and labels.
    pub fn for_each(
        &self,
        take: impl FnMut(Row) -> Result<(), ReleaseError>,
    ) -> Result<(), ReleaseError> {
        self.for_each_of(&self.layers, take)
    }

    /// Calls `take` with each row of some of the layers.
    pub(super) fn for_each_of(
        &self,
        layers: &[String],
        mut take: impl FnMut(Row) -> Result<(), ReleaseError>,
    ) -> Result<(), ReleaseError> {
        self.view.unchanged(|| {
            for layer in layers {
                for found in self.view.artifacts(layer)? {
                    take(self.row(found)?)?;
                }
            }
            Ok(())
        })?
    }

    /// Returns the source artifacts behind a row.
    pub(super) fn sources(&self, row: &Row) -> Result<Sources, ReleaseError> {
        let id = row.found.artifact.artifact.id;
        Ok(Sources::of(self.view.reader(), id)?)
    }

    /// Calls `take` with each row that has members. It reads no content of artifacts that no model answered.
    pub(super) fn for_each_answer(
        &self,
        mut take: impl FnMut(&Row) -> Result<(), ReleaseError>,
    ) -> Result<(), ReleaseError> {
        self.view.unchanged(|| {
            for layer in &self.layers {
                for found in self.view.artifacts(layer)? {
                    if self.view.asked(&found)? {
                        take(&self.row(found)?)?;
                    }
                }
            }
            Ok(())
        })?
    }

    /// Returns the number of artifacts of each layer, in order.
    pub fn counts(&self) -> Result<Vec<(String, u64)>, ReleaseError> {
        let count = |layer: &String| {
            let artifacts = self.view.artifacts(layer)?;
            Ok((layer.clone(), artifacts.len() as u64))
        };
        self.layers.iter().map(count).collect()
    }

    /// Returns what a row was made from.
    pub fn provenance(&self, row: &Row) -> Result<Rc<Provenance>, ReleaseError> {
        let unit = row.found.artifact.artifact.unit;
        if let Some((last, provenance)) = &*self.last.borrow()
            && *last == unit
        {
            return Ok(Rc::clone(provenance));
        }
        let provenance = Rc::new(self.view.provenance(&row.found, self.prices)?);
        self.last.replace(Some((unit, Rc::clone(&provenance))));
        Ok(provenance)
    }

    /// Returns how rows were made.
    pub fn makings(&self) -> Makings<'_> {
        Makings::new(self.view)
    }

    fn row(&self, found: FoundArtifact) -> Result<Row, ReleaseError> {
        let artifact = self.view.artifact(&found)?;
        let data = match &artifact.content {
            Content::Text(text) => self.members(text, &found)?,
            Content::Bytes { .. } => None,
        };
        Ok(Row {
            layer: found.artifact.layer.clone(),
            label: artifact.label.to_string(),
            kind: artifact.kind.to_string(),
            id: found.artifact.artifact.digest,
            content: artifact.content,
            data,
            metadata: artifact.metadata,
            found,
        })
    }

    /// Returns the members of an answer in JSON. The requests are read only if the text may be one.
    fn members(
        &self,
        text: &str,
        found: &FoundArtifact,
    ) -> Result<Option<Map<String, Value>>, ReleaseError> {
        if !text.trim_start().starts_with('{') {
            return Ok(None);
        }
        match serde_json::from_str(text) {
            Ok(members) if self.view.asks_for_json(found)? => Ok(Some(members)),
            Ok(_) | Err(_) => Ok(None),
        }
    }
}
