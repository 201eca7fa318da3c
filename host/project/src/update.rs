//! Moves the lock file on, and fetches what it pins.

use super::ProjectError;
use super::context::{Options, ProjectContext};
use super::plugins::{read, references};
use synix_fetch::{FetchError, FetchErrorKind, LockFile, LockFileChange, Pin};
use synix_manifest::{TransformRef, nearest};

/// A plugin from elsewhere that is in the cache now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPlugin {
    /// Its reference.
    pub reference: String,
    /// Its bytes.
    pub pin: Pin,
    /// Whether it was downloaded; else it was there.
    pub downloaded: bool,
}

/// Pins plugins to what their references stand for now, and returns what changed.
///
/// Without `only`, all of them; what the pipeline no longer uses is then dropped.
pub fn update_plugins(
    options: &Options,
    only: &[String],
) -> Result<Vec<LockFileChange>, ProjectError> {
    let context = ProjectContext::find(options)?;
    let pipeline = context.pipeline()?;
    let folder = context.folder()?;
    let registry = context.registry();
    let used = references(&pipeline);
    for reference in only {
        if used.iter().all(|(_, known)| known.text() != reference) {
            let known: Vec<&str> = used.iter().map(|(_, known)| known.text()).collect();
            return Err(unknown(reference, &known));
        }
    }
    let before = context.lock()?;
    let mut lock = if only.is_empty() {
        LockFile::default()
    } else {
        before.clone()
    };
    for (layer, reference) in used {
        if !only.is_empty() && !only.iter().any(|name| name == reference.text()) {
            continue;
        }
        let component = if matches!(reference, TransformRef::File(_)) {
            read(layer, reference, &folder)?
        } else {
            context.fetch(&registry, reference, None)?
        };
        lock.pin(reference.text(), component.pin);
    }
    let changes = before.changes_to(&lock);
    if !changes.is_empty() {
        context.write_lock(&lock)?;
    }
    Ok(changes)
}

fn unknown(reference: &str, known: &[&str]) -> ProjectError {
    let hint = match nearest(reference, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it names none that does not come with synix".to_owned(),
        None => format!("it names {}", known.join(", ")),
    };
    ProjectError::Usage(format!(
        "no layer of the pipeline has the transform `{reference}`; {hint}"
    ))
}

/// Downloads what the lock file pins and the cache lacks; moves nothing.
pub fn fetch_plugins(options: &Options) -> Result<Vec<FetchedPlugin>, ProjectError> {
    let context = ProjectContext::find(options)?;
    let pipeline = context.pipeline()?;
    let registry = context.registry();
    let lock = context.lock()?;
    let mut fetched = Vec::new();
    for (_, reference) in references(&pipeline) {
        if matches!(reference, TransformRef::File(_)) {
            continue;
        }
        let pin = lock
            .get(reference.text())
            .filter(|pin| reference.accepts(pin.digest))
            .ok_or_else(|| FetchError::new(reference.text(), FetchErrorKind::NotPinned))?;
        let downloaded = registry.cached(pin.digest).is_none();
        if downloaded {
            context.fetch(&registry, reference, Some(pin.digest))?;
        }
        fetched.push(FetchedPlugin {
            reference: reference.text().to_owned(),
            pin,
            downloaded,
        });
    }
    Ok(fetched)
}
