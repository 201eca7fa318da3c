//! `export`: writes the artifacts of layers in a format that other programs read.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_release::{ReleaseError, Rows};

use super::reading::SnapshotReader;
use crate::args::{Export, Global};
use crate::lines::Lines;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Export, screen: &Screen) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.snapshot)?;
    let view = snapshots.view()?;
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, view.build())?;
    let rows = Rows::new(&view, &prices, &args.layers).map_err(cause)?;
    let write = |out: &mut dyn Write| args.format.write(&rows, out).map_err(cause);
    let stdout = Path::new("-");
    let Some(path) = args.output.as_deref().filter(|path| *path != stdout) else {
        screen.stream(|out| write(out).map(drop))?;
        return Ok(ExitCode::Success);
    };
    let path = snapshots.options.environment.resolve(path);
    let count = synix_disk::replace_with(&path, write)?;
    let document = json!({
        "build": view.build().map(|build| build.to_string()),
        "path": path,
        "format": args.format.name(),
        "artifacts": count,
    });
    screen.print_result(&document, || {
        let mut lines = Lines::default();
        let artifacts = printable::pluralize(count, "artifact");
        lines.push(format!("{artifacts} in {}", path.display()));
        lines
    })?;
    Ok(ExitCode::Success)
}

/// Returns the error itself where it is one that commands explain.
fn cause(error: ReleaseError) -> anyhow::Error {
    match error {
        ReleaseError::Find(error) => error.into(),
        ReleaseError::Store(error) => error.into(),
        ReleaseError::Write(error) => anyhow::Error::new(error).context("cannot write the output"),
    }
}
