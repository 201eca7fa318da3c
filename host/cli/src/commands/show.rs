//! `show`: the content and nothing else, so that it can be piped; `--json` has the rest.
use synix_core::exit_code::ExitCode;
use synix_engine::view::Shown;

use super::reading::{Archive, tell_stale};
use crate::args::{Global, Show};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Show, screen: &Screen) -> anyhow::Result<ExitCode> {
    let archive = Archive::open(global, &args.name.snapshot)?;
    let found = archive.view()?.find(&args.name.name)?;
    let prices = synix_project::prices(&archive.options, &archive.reader, Some(found.build))?;
    let shown = Shown::of(&archive.reader, &found, &prices)?;
    tell_stale(&found, screen);
    if let Some(media_type) = &shown.media_type {
        screen.talk(&format!("{media_type}, in base64"));
    }
    screen.content(&shown, || shown.content.clone(), args.raw)?;
    Ok(ExitCode::Success)
}
