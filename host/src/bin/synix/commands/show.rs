//! `show`: the content and nothing else, so that it can be piped; `--json` has the rest.

use synix::project;
use synix::view::{self, Shown};

use crate::args::{Global, Name};
use crate::failure::Exit;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Name, screen: &Screen) -> anyhow::Result<Exit> {
    let options = global.options(None);
    let reader = project::archive(&options)?;
    let found = view::find(&reader, &args.name)?;
    let prices = project::prices(&options, &reader, None)?;
    let shown = Shown::of(&reader, &found, &prices)?;
    if let Some(media_type) = &shown.media_type {
        screen.talk(&format!("{media_type}, in base64"));
    }
    screen.answer(&shown, || shown.content.clone())?;
    Ok(Exit::Done)
}
