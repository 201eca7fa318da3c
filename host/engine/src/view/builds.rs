//! Finds builds by their ids, and lists them.

use serde::Serialize;

use super::error::ErrorView;
use super::find_error::FindError;
use super::status::build_status;
use super::trial_outputs::trial_name;
use synix_core::clock::Timestamp;
use synix_store::{BuildId, BuildKind, BuildRow, Reader, StoreError};

/// Finds a build by its id (`build-7`), its number (`7`), the job that opened it, or a unique prefix of its id.
pub fn find_build(reader: &Reader, name: &str) -> Result<BuildRow, FindError> {
    let written = if name.bytes().all(|one| one.is_ascii_digit()) {
        format!("build-{name}")
    } else {
        name.to_owned()
    };
    if let Ok(id) = written.parse::<BuildId>()
        && let Some(build) = reader.build(id)?
    {
        return Ok(build);
    }
    if let Some(build) = reader.build_of_job(name)? {
        return Ok(build);
    }
    let all = reader.builds(None)?;
    let begins = |build: &&BuildRow| !name.is_empty() && build.id.to_string().starts_with(&written);
    let mut named: Vec<BuildRow> = all.iter().filter(begins).cloned().collect();
    match named.len() {
        0 => Err(FindError::NoBuild {
            name: name.to_owned(),
            nearest: nearest(&written, all.iter().map(|build| build.id.to_string())),
        }),
        1 => Ok(named.remove(0)),
        _ => Err(FindError::Ambiguous {
            name: name.to_owned(),
            candidates: named.iter().map(|build| build.id.to_string()).collect(),
        }),
    }
}

/// Returns the id that the user probably meant.
pub(super) fn nearest(name: &str, ids: impl Iterator<Item = String>) -> Option<String> {
    let ids: Vec<String> = ids.collect();
    synix_manifest::nearest(name, ids.iter().map(String::as_str)).map(str::to_owned)
}

/// A build in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildView {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// Its status, as in [`Status::status`](super::Status::status).
    pub status: &'static str,
    /// The name of the trial that it is; absent if it builds the whole pipeline as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<String>,
    /// Why it ended early, if it did.
    pub error: Option<ErrorView>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was completed.
    pub closed: Option<Timestamp>,
}

/// Builds, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildPage {
    /// The builds.
    pub builds: Vec<BuildView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Returns all builds, or those of a kind, the newest first.
pub fn builds(reader: &Reader, kind: Option<BuildKind>) -> Result<Vec<BuildView>, StoreError> {
    let rows = reader.builds(kind)?.into_iter();
    rows.map(|row| BuildView::of(reader, row)).collect()
}

/// Returns at most `limit` builds, or those of a kind, that are older than the build `after`, the newest first.
pub fn build_page(
    reader: &Reader,
    kind: Option<BuildKind>,
    after: Option<BuildId>,
    limit: usize,
) -> Result<BuildPage, StoreError> {
    let mut rows = reader.builds_before(kind, after, limit.saturating_add(1))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let views = rows.into_iter().map(|row| BuildView::of(reader, row));
    Ok(BuildPage {
        builds: views.collect::<Result<_, _>>()?,
        more,
    })
}

impl BuildView {
    fn of(reader: &Reader, row: BuildRow) -> Result<Self, StoreError> {
        Ok(Self {
            build: row.id.to_string(),
            status: build_status(reader, &row)?,
            trial: trial_name(&row),
            error: row.error.as_deref().map(ErrorView::from_stored),
            kind: row.kind.name().to_owned(),
            pipeline: row.pipeline,
            opened: row.opened,
            closed: row.closed,
        })
    }
}
