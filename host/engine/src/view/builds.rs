//! Finds builds by their ids, and lists them.

use super::find::FindError;
use synix_store::{BuildId, BuildRow, Reader};

/// Finds a build by its id (`build-7`), its number (`7`), or a unique prefix of its id.
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
