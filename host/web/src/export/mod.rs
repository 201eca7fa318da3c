//! Writes the pages of the newest snapshot to a folder, as files that need no server.
//!
//! The folder appears when it is complete. Links lead to files of the folder only: what has no file is text.

mod targets;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use synix_core::artifact::Content;
use synix_core::error_kind::ErrorKind;
use synix_core::printable;
use synix_disk::{DiskError, PartialFolder};
use synix_engine::view::ErrorView;

use crate::assets;
use crate::html;
use crate::links::Links;
use crate::reply::Status;
use crate::site::Site;
use crate::target::{Request, Target};
use targets::Targets;

/// The bytes of an artifact that the search of an export compares.
const MAX_SEARCHED: usize = 1_000;

/// The name of the pages inside the folder that they are written in.
const INSIDE: &str = "pages";

/// The names of the files that the search of an export needs.
pub(crate) const SEARCH_SCRIPTS: [&str; 2] = ["artifacts.js", "search.js"];

/// What an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The number of files.
    pub files: u64,
    /// The number of artifacts that have a page.
    pub artifacts: u64,
    /// The number of artifacts of the snapshot.
    pub total: u64,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something has the name of the new folder.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The state cannot be read.
    #[error("{}", .0.message)]
    State(ErrorView),
    /// A page cannot be made.
    #[error("the page {0} cannot be made")]
    Page(String),
    /// Another snapshot became the newest one.
    #[error("a build has ended in the meantime, so the pages are not of one snapshot")]
    Changed,
    /// The folder cannot be made.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file cannot be written.
    #[error("cannot write {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ExportError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists(_) => Some("name a folder that does not exist".to_owned()),
            Self::State(error) => error.hint.clone(),
            Self::Page(_) => Some("open the same page with `synix view` to see why".to_owned()),
            Self::Changed => Some("run the command again".to_owned()),
            Self::Disk(_) | Self::File { .. } => None,
        }
    }

    /// Returns the kind of the error in JSON.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::State(error) => ErrorKind::named(&error.kind),
            Self::Exists(_) | Self::Disk(_) | Self::File { .. } => ErrorKind::FILE,
            Self::Page(_) | Self::Changed => ErrorKind::FAILED,
        }
    }
}

/// Writes the pages of the newest snapshot to a new folder.
pub fn export(site: &Site, path: &Path) -> Result<Exported, ExportError> {
    if path.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(path.to_owned()));
    }
    let targets = Targets::of(site)?;
    let partial = PartialFolder::beside(path);
    synix_disk::create_folder(partial.path())?;
    let inside = partial.path().join(INSIDE);
    synix_disk::create_folder(&inside)?;
    let mut files = write_pages(site, &targets, &inside)?;
    write(
        &inside,
        SEARCH_SCRIPTS[0],
        search_data(site, &targets)?.as_bytes(),
    )?;
    write(&inside, SEARCH_SCRIPTS[1], assets::SEARCH.as_bytes())?;
    files += SEARCH_SCRIPTS.len() as u64;
    if targets.snapshot != targets::newest_snapshot(site)? {
        return Err(ExportError::Changed);
    }
    partial.publish(INSIDE, path)?;
    Ok(Exported {
        files,
        artifacts: targets.artifacts.len() as u64,
        total: targets.total,
    })
}

fn write_pages(site: &Site, targets: &Targets, folder: &Path) -> Result<u64, ExportError> {
    let names: HashSet<String> = targets.pages.iter().map(Links::file).collect();
    let exists = |target: &Target| names.contains(&Links::file(target));
    let links = Links::Files(&exists);
    for target in &targets.pages {
        let reply = site.page(&Request::new(target.clone()), &links);
        // A pipeline that cannot be read now has no plugins to show, and its page says so.
        if reply.status != Status::Found && *target != Target::Plugins {
            return Err(ExportError::Page(target.address(None)));
        }
        write(folder, &Links::file(target), &reply.body)?;
    }
    Ok(names.len() as u64)
}

/// Returns a script with the beginning of each artifact, for the search.
fn search_data(site: &Site, targets: &Targets) -> Result<String, ExportError> {
    let state = site.library().open().map_err(ExportError::State)?;
    let mut rows = Vec::new();
    for artifact in &targets.artifacts {
        let content = state.reader.artifact(artifact.id);
        let content =
            content.map_err(|error| ExportError::State(crate::site::store_error(&error)))?;
        let target = Target::Artifact {
            layer: artifact.layer.clone(),
            label: artifact.label.clone(),
        };
        let text = match &content.content {
            Content::Text(text) => beginning(text),
            Content::Bytes { .. } => "",
        };
        let row = serde_json::json!([
            html::name(&artifact.layer),
            html::name(&artifact.label),
            Links::file(&target),
            printable::escape_line(text),
        ]);
        rows.push(row.to_string());
    }
    Ok(format!(
        "\"use strict\";\nconst artifacts = [\n{}\n];\n",
        rows.join(",\n")
    ))
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_SEARCHED)]
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let path = folder.join(name);
    let written = File::options()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| ExportError::File { path, source })
}
