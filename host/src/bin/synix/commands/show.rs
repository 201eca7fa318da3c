//! `show`: the content and nothing else, so that it can be piped; `--json` has the rest.

use synix::project;
use synix::view::{self, Shown};

use crate::args::{Global, Name};
use crate::failure::Exit;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Name, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = project::archive(&global.options(None))?;
    let shown = Shown::of(&reader, &view::find(&reader, &args.name)?)?;
    if let Some(media_type) = &shown.media_type {
        screen.talk(&format!("{media_type}, in base64"));
    }
    screen.answer(&shown, || shown.content.clone())?;
    Ok(Exit::Done)
}
