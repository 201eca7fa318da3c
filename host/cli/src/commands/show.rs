//! `show`: prints the content and nothing else, so that it can be piped; `--json` prints the rest.
use synix_core::exit_code::ExitCode;
use synix_engine::view::ArtifactDetail;

use super::reading::{SnapshotReader, note_if_stale};
use crate::args::{Global, Show};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Show, screen: &Screen) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.name.snapshot)?;
    let found = snapshots.view()?.find(&args.name.name)?;
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, Some(found.build))?;
    let shown = ArtifactDetail::of(&snapshots.reader, &found, &prices)?;
    note_if_stale(&found, screen);
    if let Some(media_type) = &shown.media_type {
        screen.note(&format!("{media_type}, in base64"));
    }
    screen.print_content(&shown, || shown.content.clone(), args.raw)?;
    Ok(ExitCode::Success)
}
