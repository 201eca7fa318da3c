//! `release`: writes all outputs of a snapshot to a folder, or checks such a folder.

use std::path::{Path, PathBuf};

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_project::Options;
use synix_release::{CheckedRelease, Published, ReleaseError, ReleaseOptions, check, publish};

use super::reading::SnapshotReader;
use crate::args::{Global, Release};
use crate::failure::Usage;
use crate::lines::Lines;
use crate::render::Screen;

/// The folder of the releases of a project, unless the user names one.
const DEFAULT_FOLDER: &str = "release";

pub(super) fn run(global: &Global, args: &Release, screen: &Screen) -> anyhow::Result<ExitCode> {
    match &args.check {
        Some(folder) => check_folder(&global.resolve(folder), args.all, screen),
        None => {
            let to = args.to.as_deref().map(|folder| global.resolve(folder));
            let snapshots = SnapshotReader::open(global, &args.snapshot)?;
            write(&snapshots, to, args.keep, screen)
        }
    }
}

/// Returns the folder of the releases: the one that the user names, or the default.
pub(super) fn release_folder(options: &Options, to: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let root = synix_project::folder(options)?;
    let folder = to.unwrap_or_else(|| root.join(DEFAULT_FOLDER));
    refuse_project_folder(&folder, &root)?;
    Ok(folder)
}

/// Writes the outputs of a snapshot.
pub(super) fn write(
    snapshots: &SnapshotReader<'_>,
    to: Option<PathBuf>,
    keep: Option<u32>,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let outputs = synix_project::outputs(&snapshots.options)?;
    let view = snapshots.view()?;
    if outputs.is_empty() {
        let pipeline = snapshots.pipeline().to_owned();
        return Err(ReleaseError::NoOutputs { pipeline }.into());
    }
    let folder = release_folder(&snapshots.options, to)?;
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, view.build())?;
    let options = ReleaseOptions {
        folder: &folder,
        keep,
    };
    let published = publish(&view, &prices, &outputs, &options)?;
    let Published {
        path,
        receipt,
        unchanged,
        deleted,
    } = &published;
    let bytes: u64 = receipt.files.iter().map(|file| file.size).sum();
    let document = json!({
        "snapshot": receipt.snapshot,
        "build": receipt.build,
        "pipeline": receipt.pipeline,
        "folder": folder,
        "path": path,
        "unchanged": unchanged,
        "outputs": receipt.outputs,
        "files": receipt.files.len(),
        "bytes": bytes,
        "deleted": deleted,
    });
    screen.print_result(&document, || result_lines(&published))?;
    Ok(ExitCode::Success)
}

/// A release in the project folder itself would be a source of the next build.
fn refuse_project_folder(folder: &Path, root: &Path) -> Result<(), Usage> {
    let canonical = |path: &Path| -> PathBuf {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    };
    if canonical(folder) == canonical(root) {
        return Err(Usage(
            "a release cannot be written to the project folder itself; pass a folder inside or outside of it".to_owned(),
        ));
    }
    Ok(())
}

fn result_lines(published: &Published) -> Lines {
    let Published {
        path,
        receipt,
        unchanged,
        deleted,
    } = published;
    let mut lines = Lines::default();
    for output in &receipt.outputs {
        let artifacts = printable::pluralize(output.artifacts, "artifact");
        lines.push(format!(
            "{}: {artifacts} as {} in {}",
            output.name, output.format, output.path
        ));
    }
    for name in deleted {
        lines.push(format!("deleted {name}"));
    }
    let files = printable::pluralize(receipt.files.len() as u64, "file");
    let what = if *unchanged { "unchanged" } else { "released" };
    lines.push(format!("{what}: {files} in {}", path.display()));
    lines
}

fn check_folder(folder: &Path, all: bool, screen: &Screen) -> anyhow::Result<ExitCode> {
    let checked = check(folder, all)?;
    let passed = checked.iter().all(|release| release.problems.is_empty());
    let document = json!({
        "folder": folder,
        "passed": passed,
        "releases": checked,
    });
    screen.print_result(&document, || checked_lines(&checked))?;
    Ok(if passed {
        ExitCode::Success
    } else {
        ExitCode::Failure
    })
}

fn checked_lines(checked: &[CheckedRelease]) -> Lines {
    let mut lines = Lines::default();
    for release in checked {
        for problem in &release.problems {
            let path = format!("{}/{}", release.folder, problem.path);
            lines.push(format!("{path} {}", problem.kind.description()));
        }
        if release.more_problems > 0 {
            let more = printable::pluralize(release.more_problems, "problem");
            lines.push(format!("{}: {more} more", release.folder));
        }
        let files = printable::pluralize(release.files, "file");
        let outcome = if release.problems.is_empty() {
            "matches its receipt"
        } else {
            "does not match its receipt"
        };
        lines.push(format!("{}: {files}, {outcome}", release.folder));
    }
    lines
}
