//! `view`: shows builds and artifacts as a web page.

mod plugins;
mod project;

use std::sync::Arc;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_web::{Server, Site, Stop};

use crate::args::{Global, View};
use crate::render::Screen;
use project::ProjectLibrary;

pub(super) fn run(global: &Global, args: &View, screen: &Screen) -> anyhow::Result<ExitCode> {
    let library = ProjectLibrary::open(global.options(None))?;
    let server = Server::bind(args.address, args.port)?;
    let stop = Stop::default();
    if screen.owns_process() {
        let stop = stop.clone();
        synix_project::on_interrupt(move || stop.stop())?;
    }
    let url = server.url();
    screen.print_result(&json!({ "url": url }), || {
        vec![format!("{url}"), "press Ctrl-C to end".to_owned()]
    })?;
    if server.is_public() {
        screen.note(
            "everybody who has this URL can read the artifacts, and the connection is not encrypted",
        );
    }
    server.run(Site::new(Arc::new(library)), &stop)?;
    Ok(ExitCode::Success)
}
