//! Finds the pages of an export. A large project has more artifacts than anybody opens as files, so both the lists and
//! the pages of artifacts are limited.

use synix_engine::view::{FindError, SnapshotView, build_page, snapshots};
use synix_store::{ArtifactId, BuildId, SnapshotId};

use super::ExportError;
use crate::library::State;
use crate::pages::{BUILDS_ON_A_PAGE, LABELS_ON_A_PAGE};
use crate::site::{self, Site};
use crate::target::Target;

/// The number of artifacts that have a page.
pub(super) const MAX_ARTIFACTS: usize = 10_000;
/// The number of artifacts of a layer that are listed.
const MAX_LISTED: u64 = 100_000;
/// The number of builds that have a page.
const MAX_BUILDS: usize = 1_000;

/// An artifact that has a page.
pub(super) struct ArtifactPage {
    pub(super) layer: String,
    pub(super) label: String,
    pub(super) id: ArtifactId,
}

/// What an export has.
pub(super) struct Targets {
    pub(super) pages: Vec<Target>,
    pub(super) artifacts: Vec<ArtifactPage>,
    /// The artifacts of the snapshot, with or without a page.
    pub(super) total: u64,
    pub(super) snapshot: Option<SnapshotId>,
}

impl Targets {
    pub(super) fn of(site: &Site) -> Result<Self, ExportError> {
        let empty = String::new;
        let mut targets = Self {
            pages: vec![
                Target::Overview,
                Target::Snapshots,
                Target::Search {
                    query: empty(),
                    mode: empty(),
                    layer: empty(),
                },
                Target::Costs,
                Target::Plugins,
                Target::Style,
            ],
            artifacts: Vec::new(),
            total: 0,
            snapshot: None,
        };
        let state = site.library().open().map_err(ExportError::State)?;
        let view = select(&state)?;
        targets.snapshot = view.snapshot().map(|snapshot| snapshot.id);
        targets.add_builds(&state)?;
        targets.add_layers(&view)?;
        let own = view.pipeline().unwrap_or(&state.pipeline);
        let all = snapshots(&state.reader).map_err(|error| failed(&error))?;
        if all.iter().filter(|one| one.pipeline == own).count() > 1 {
            targets.pages.push(Target::Diff {
                before: empty(),
                after: empty(),
                layer: empty(),
            });
        }
        Ok(targets)
    }

    fn add_builds(&mut self, state: &State) -> Result<(), ExportError> {
        let mut before: Option<BuildId> = None;
        let mut count = 0;
        while count < MAX_BUILDS {
            let page = build_page(&state.reader, None, before, BUILDS_ON_A_PAGE);
            let page = page.map_err(|error| failed(&error))?;
            let number = before.map(|id| id.0.unsigned_abs());
            self.pages.push(Target::Builds { before: number });
            count += page.builds.len();
            before = page
                .builds
                .last()
                .and_then(|build| build.build.parse().ok());
            self.pages.extend(
                page.builds
                    .into_iter()
                    .map(|build| Target::Build { id: build.build }),
            );
            if !page.more {
                break;
            }
        }
        Ok(())
    }

    fn add_layers(&mut self, view: &SnapshotView<'_>) -> Result<(), ExportError> {
        for layer in view.layers() {
            let mut after: Option<String> = None;
            loop {
                let page = view.page(layer, after.as_deref(), LABELS_ON_A_PAGE);
                let page = page.map_err(|error| unknown(&error))?;
                self.pages.push(Target::Layer {
                    name: layer.to_owned(),
                    after: after.take(),
                });
                for artifact in &page.artifacts {
                    self.add_artifact(view, layer, &artifact.label)?;
                }
                after = page.artifacts.last().map(|one| one.label.clone());
                if !page.more || page.before >= MAX_LISTED {
                    self.total += page.total;
                    break;
                }
            }
        }
        Ok(())
    }

    fn add_artifact(
        &mut self,
        view: &SnapshotView<'_>,
        layer: &str,
        label: &str,
    ) -> Result<(), ExportError> {
        if self.artifacts.len() >= MAX_ARTIFACTS {
            return Ok(());
        }
        let found = crate::pages::find_artifact(view, layer, label);
        let found = found.map_err(|failure| ExportError::State(failure.0))?;
        self.artifacts.push(ArtifactPage {
            layer: layer.to_owned(),
            label: label.to_owned(),
            id: found.artifact.artifact.id,
        });
        let (layer, label) = (layer.to_owned(), label.to_owned());
        self.pages.push(Target::Raw {
            layer: layer.clone(),
            label: label.clone(),
        });
        self.pages.push(Target::Artifact { layer, label });
        Ok(())
    }
}

/// Returns the snapshot that a page shows now.
pub(super) fn newest_snapshot(site: &Site) -> Result<Option<SnapshotId>, ExportError> {
    let state = site.library().open().map_err(ExportError::State)?;
    let view = select(&state)?;
    Ok(view.snapshot().map(|snapshot| snapshot.id))
}

fn select(state: &State) -> Result<SnapshotView<'_>, ExportError> {
    SnapshotView::select(&state.reader, &state.selection(None)).map_err(|error| unknown(&error))
}

fn unknown(error: &FindError) -> ExportError {
    ExportError::State(site::find_error(error))
}

fn failed(error: &synix_store::StoreError) -> ExportError {
    ExportError::State(site::store_error(error))
}
