//! The parts that commands which read a snapshot share.

use synix_engine::view::{FindError, FoundArtifact, SnapshotSelection, SnapshotView, StaleInfo};
use synix_project::{CurrentPipeline, Options};
use synix_store::Reader;

use crate::args::{Global, SnapshotArg};
use crate::render::Screen;

/// The state of a project, and the snapshot that the user asks for.
pub(super) struct SnapshotReader<'a> {
    pub(super) options: Options,
    pub(super) reader: Reader,
    current_pipeline: CurrentPipeline,
    snapshot: Option<&'a str>,
}

impl<'a> SnapshotReader<'a> {
    pub(super) fn open(global: &Global, args: &'a SnapshotArg) -> anyhow::Result<Self> {
        Self::open_at(global, args.snapshot.as_deref())
    }

    /// Opens the state for a command that names snapshots itself.
    pub(super) fn open_at(global: &Global, snapshot: Option<&'a str>) -> anyhow::Result<Self> {
        Self::of(global.options(None), snapshot)
    }

    /// Opens the state of a project that is already chosen.
    pub(super) fn of(options: Options, snapshot: Option<&'a str>) -> anyhow::Result<Self> {
        Ok(Self {
            reader: synix_project::open_reader(&options)?,
            current_pipeline: synix_project::current_pipeline(&options)?,
            snapshot,
            options,
        })
    }

    /// Returns the pipeline file of the project.
    pub(super) fn pipeline(&self) -> &str {
        &self.current_pipeline.file
    }

    pub(super) fn view(&self) -> Result<SnapshotView<'_>, FindError> {
        self.view_of(self.snapshot)
    }

    /// Returns the view of a snapshot; `None`: the newest.
    pub(super) fn view_of(&self, snapshot: Option<&str>) -> Result<SnapshotView<'_>, FindError> {
        let wanted = SnapshotSelection {
            pipeline: &self.current_pipeline.file,
            is_certain: self.current_pipeline.is_certain,
            snapshot,
        };
        SnapshotView::select(&self.reader, &wanted)
    }
}

/// Prints a note if the artifact is not from the newest build, with the reason.
pub(super) fn note_if_stale(found: &FoundArtifact, screen: &Screen) {
    let Some(stale) = &found.stale else { return };
    let name = format!("{}/{}", found.artifact.layer, found.artifact.artifact.label);
    let StaleInfo {
        newest,
        kind,
        message,
    } = stale;
    screen.note(&format!(
        "{name} is from {}; {newest} does not have it ({kind}): {message}",
        found.build
    ));
}
