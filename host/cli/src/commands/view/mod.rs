//! `view`: shows builds and artifacts as a web page.

mod plugins;
mod project;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_web::{Server, Site, Stop};

use crate::args::{Global, View};
use crate::render::Screen;
use project::ProjectLibrary;

pub(super) fn run(global: &Global, args: &View, screen: &Screen) -> anyhow::Result<ExitCode> {
    let library = ProjectLibrary::open(global.options(None))?;
    if let Some(folder) = &args.export {
        return export(
            Site::new(Arc::new(library)),
            &global.resolve(folder),
            screen,
        );
    }
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

/// Writes the pages to a folder.
fn export(site: Site, folder: &Path, screen: &Screen) -> anyhow::Result<ExitCode> {
    let exported = synix_web::export(&site.patient(), folder)?;
    let document = json!({
        "path": folder,
        "files": exported.files,
        "artifacts": exported.artifacts,
        "total": exported.total,
    });
    screen.print_result(&document, || {
        let files = printable::pluralize(exported.files, "file");
        vec![format!(
            "{files} in {}; open index.html in it",
            folder.display()
        )]
    })?;
    if exported.artifacts < exported.total {
        screen.note(&format!(
            "{} of {} have a page; `synix view` shows all of them",
            exported.artifacts,
            printable::pluralize(exported.total, "artifact")
        ));
    }
    Ok(ExitCode::Success)
}
