//! Updates the lock file, and downloads the plugins that it pins.

use super::ProjectError;
use super::context::{Options, ProjectContext};
use super::plugins::{read_component, references};
use synix_fetch::{FetchError, FetchErrorKind, LockFile, LockFileChange, Pin};
use synix_manifest::{PluginRef, nearest};

/// A plugin from a server that is in the cache now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPlugin {
    /// The reference.
    pub reference: String,
    /// The digest and the size.
    pub pin: Pin,
    /// Whether it was downloaded. If not, it was in the cache.
    pub downloaded: bool,
}

/// Pins plugins to what their references resolve to now, and returns the changes.
///
/// With an empty `only`, this pins all plugins and removes the pins that the pipeline no longer uses.
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
            return Err(unknown_reference(reference, &known));
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
        let component = if matches!(reference, PluginRef::File(_)) {
            read_component(layer, reference, &folder)?
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

fn unknown_reference(reference: &str, known: &[&str]) -> ProjectError {
    let hint = match nearest(reference, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it uses first-party transforms only".to_owned(),
        None => format!("it uses {}", known.join(", ")),
    };
    ProjectError::Usage(format!(
        "no layer of the pipeline has the transform `{reference}`; {hint}"
    ))
}

/// Downloads the pinned plugins that are not in the cache. The lock file stays as it is.
pub fn fetch_plugins(options: &Options) -> Result<Vec<FetchedPlugin>, ProjectError> {
    let context = ProjectContext::find(options)?;
    let pipeline = context.pipeline()?;
    let registry = context.registry();
    let lock = context.lock()?;
    let mut fetched = Vec::new();
    for (_, reference) in references(&pipeline) {
        if matches!(reference, PluginRef::File(_)) {
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
