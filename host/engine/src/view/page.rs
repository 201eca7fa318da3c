//! A page of the artifacts of a layer. Reading it takes as long as the page is, not as the layer is.

use serde::Serialize;

use super::find_error::FindError;
use super::list::ArtifactView;
use super::snapshot::SnapshotView;
use synix_store::{BuildId, LabelOrder, SnapshotArtifact, StoreError};

/// Some artifacts of a layer, by label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArtifactPage {
    /// The artifacts.
    pub artifacts: Vec<ArtifactView>,
    /// The number of artifacts of the layer.
    pub total: u64,
    /// The number of artifacts before the first of the page.
    pub before: u64,
    /// Whether there are artifacts after the last of the page.
    pub more: bool,
    /// The label after which the previous page begins: empty if that is the first page, `None` if there is none.
    pub previous: Option<String>,
}

/// A position in the order of the labels, among the artifacts of the snapshot and among those of earlier ones.
#[derive(Debug, Clone, Copy)]
struct Position {
    current: usize,
    earlier: usize,
}

/// The artifacts of a layer: those of the snapshot, and the earlier ones of failed units.
struct Listing<'r> {
    layer: &'r str,
    build: BuildId,
    current: LabelOrder<'r>,
    earlier: Vec<ArtifactView>,
}

impl SnapshotView<'_> {
    /// Returns at most `limit` artifacts of a layer whose labels are greater than `after`.
    ///
    /// The pages of a layer together are what [`SnapshotView::list`] returns for it.
    pub fn page(
        &self,
        layer: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ArtifactPage, FindError> {
        let Some(selected) = &self.selected else {
            return Ok(ArtifactPage::default());
        };
        let layers = self.listed_layers(selected);
        if !layers.contains(&layer) {
            return Err(FindError::no_layer(layer, layers.iter().copied()));
        }
        let current = self.reader.label_order(selected, layer)?;
        let mut earlier = Vec::new();
        if self.missing_units.layers().contains(layer) {
            earlier = self.last_good(layer, &|label| {
                Ok(current.first_from(label)? < current.first_after(label)?)
            })?;
            earlier.sort_by(|left, right| left.label.cmp(&right.label));
        }
        let listing = Listing {
            layer,
            build: selected.build,
            current,
            earlier,
        };
        Ok(self.reader.unchanged(|| listing.page(after, limit))??)
    }
}

impl Listing<'_> {
    fn page(&self, after: Option<&str>, limit: usize) -> Result<ArtifactPage, StoreError> {
        let start = match after {
            Some(label) => Position {
                current: self.current.first_after(label)?,
                earlier: self
                    .earlier
                    .partition_point(|one| one.label.as_str() <= label),
            },
            None => Position {
                current: 0,
                earlier: 0,
            },
        };
        let mut artifacts = Vec::new();
        let mut position = start;
        while artifacts.len() < limit
            && let Some(next) = self.next(&mut position)?
        {
            artifacts.push(next);
        }
        Ok(ArtifactPage {
            artifacts,
            total: (self.current.len() + self.earlier.len()) as u64,
            before: (start.current + start.earlier) as u64,
            more: position.current < self.current.len() || position.earlier < self.earlier.len(),
            previous: self.previous(start, limit)?,
        })
    }

    /// Returns the artifact at a position, and moves the position behind it.
    fn next(&self, position: &mut Position) -> Result<Option<ArtifactView>, StoreError> {
        let current = self.current.artifact(position.current)?;
        let earlier = self.earlier.get(position.earlier);
        if let Some(earlier) = earlier
            && current
                .as_ref()
                .is_none_or(|current| earlier.label.as_str() < current.label.as_str())
        {
            position.earlier += 1;
            return Ok(Some(earlier.clone()));
        }
        let Some(artifact) = current else {
            return Ok(None);
        };
        position.current += 1;
        let found = SnapshotArtifact {
            layer: self.layer.to_owned(),
            artifact,
        };
        Ok(Some(ArtifactView::new(&found, self.build, None)))
    }

    /// Returns the label after which the page before `start` begins.
    fn previous(&self, start: Position, limit: usize) -> Result<Option<String>, StoreError> {
        if start.current + start.earlier == 0 || limit == 0 {
            return Ok(None);
        }
        let mut position = start;
        for _ in 0..limit {
            if self.step_back(&mut position)?.is_none() {
                break;
            }
        }
        Ok(Some(self.step_back(&mut position)?.unwrap_or_default()))
    }

    /// Moves a position before the artifact in front of it, and returns the label of that artifact.
    fn step_back(&self, position: &mut Position) -> Result<Option<String>, StoreError> {
        let current = match position.current.checked_sub(1) {
            Some(before) => self.current.artifact(before)?,
            None => None,
        };
        let earlier = position
            .earlier
            .checked_sub(1)
            .and_then(|before| self.earlier.get(before));
        if let Some(earlier) = earlier
            && current
                .as_ref()
                .is_none_or(|current| earlier.label.as_str() > current.label.as_str())
        {
            position.earlier -= 1;
            return Ok(Some(earlier.label.clone()));
        }
        let Some(artifact) = current else {
            return Ok(None);
        };
        position.current -= 1;
        Ok(Some(artifact.label.to_string()))
    }
}
