//! What the commands that read a snapshot have in common.

use synix_engine::view::{FindError, Found, SnapshotView, Stale, Wanted};
use synix_project::{CurrentPipeline, Options};
use synix_store::Reader;

use crate::args::{Global, SnapshotArg};
use crate::render::Screen;

/// The state of a project, and which snapshot of it the user wants.
pub(super) struct Archive<'a> {
    pub(super) options: Options,
    pub(super) reader: Reader,
    current_pipeline: CurrentPipeline,
    snapshot: Option<&'a str>,
}

impl<'a> Archive<'a> {
    pub(super) fn open(global: &Global, args: &'a SnapshotArg) -> anyhow::Result<Self> {
        let options = global.options(None);
        Ok(Self {
            reader: synix_project::archive(&options)?,
            current_pipeline: synix_project::current_pipeline(&options)?,
            snapshot: args.snapshot.as_deref(),
            options,
        })
    }

    pub(super) fn view(&self) -> Result<SnapshotView<'_>, FindError> {
        let wanted = Wanted {
            pipeline: &self.current_pipeline.file,
            is_certain: self.current_pipeline.is_certain,
            snapshot: self.snapshot,
        };
        SnapshotView::choose(&self.reader, &wanted)
    }
}

/// Says that what is shown is not of the newest build, and why.
pub(super) fn tell_stale(found: &Found, screen: &Screen) {
    let Some(stale) = &found.stale else { return };
    let name = format!("{}/{}", found.artifact.layer, found.artifact.artifact.label);
    let Stale {
        newest,
        kind,
        message,
    } = stale;
    screen.talk(&format!(
        "{name} is of {}; {newest} does not have it ({kind}): {message}",
        found.build
    ));
}
