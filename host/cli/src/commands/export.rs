//! `export`: writes the artifacts of layers in a format that other programs read.

use std::path::Path;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_release::{About, Export as Artifacts, Format, ReleaseError, Rows, Settings, write_new};

use super::reading::SnapshotReader;
use crate::args::{Export, Global};
use crate::lines::Lines;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Export, screen: &Screen) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.snapshot)?;
    let view = snapshots.view()?;
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, view.build())?;
    let rows = Rows::new(&view, &prices, &args.layers)?;
    let artifacts = Artifacts {
        rows: &rows,
        settings: &Settings::default(),
        about: &About::new(&view.record()?),
    };
    let stdout = Path::new("-");
    let Some(path) = args.output.as_deref().filter(|path| *path != stdout) else {
        screen.stream(|out| Ok(artifacts.to_stream(args.format, out).map(drop)?))?;
        return Ok(ExitCode::Success);
    };
    let path = snapshots.options.environment.resolve(path);
    let count = match args.format {
        Format::Files | Format::Croissant | Format::Search => {
            write_new(&artifacts, args.format, &path)?
        }
        Format::Document | Format::Jsonl | Format::Csv | Format::Parquet => {
            synix_disk::replace_with(&path, |out| -> Result<u64, ReleaseError> {
                artifacts.to_stream(args.format, out)
            })?
        }
    };
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
