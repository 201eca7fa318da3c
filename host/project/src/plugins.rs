//! Gets the bytes of plugins from the project folder, the cache or a server, and compares them with the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::context::{CassetteMode, ProjectContext};
use super::execute::runtime;
use super::{Project, ProjectError};
use synix_core::digest::Digest;
use synix_disk::{DiskError, SymlinkPolicy};
use synix_engine::build::{Event, Observer, PrepareError};
use synix_fetch::{
    Component, DockerCredentials, FetchError, FetchErrorKind, FetchLimits, LockFile,
    LockFileChange, LockFileError, Pin, PluginFetcher,
};
use synix_manifest::{Layer, Pipeline, PipelineErrors, PluginRef};
use synix_sources::ProjectFolder;

/// The maximum size of a lock file and of a pipeline file, in bytes.
const MAX_LOCK_BYTES: u64 = 16 << 20;
const MAX_PIPELINE_BYTES: u64 = 16 << 20;

/// Reads a pipeline file. The user may have named it, so links are followed.
pub(super) fn read_pipeline(path: &Path) -> Result<Vec<u8>, DiskError> {
    synix_disk::read_limited(path, MAX_PIPELINE_BYTES)
}

/// The components of a pipeline and their pins.
pub(super) struct Plugins {
    /// The bytes of each component that is not first-party, by reference.
    pub(super) components: BTreeMap<String, Vec<u8>>,
    pub(super) lock: LockFile,
    /// The differences between the lock file and `lock`.
    pub(super) changes: Vec<LockFileChange>,
}

impl ProjectContext {
    /// Reads and checks the pipeline file.
    pub(super) fn pipeline(&self) -> Result<Pipeline, ProjectError> {
        let text = self.pipeline_text()?;
        synix_manifest::parse_with(&text, &self.overrides)
            .map_err(|errors| self.pipeline_error(errors))
    }

    /// Reads the pipeline file.
    pub(super) fn pipeline_text(&self) -> Result<String, ProjectError> {
        let path = self.root.join(&self.file);
        String::from_utf8(read_pipeline(&path)?).map_err(|error| ProjectError::NotText {
            offset: error.utf8_error().valid_up_to(),
            path,
        })
    }

    /// Returns the path of the pipeline file for messages.
    pub(super) fn pipeline_name(&self) -> String {
        self.root.join(&self.file).display().to_string()
    }

    /// Adds the name of the pipeline file to its errors.
    pub(super) fn pipeline_error(&self, errors: PipelineErrors) -> ProjectError {
        ProjectError::Pipeline {
            file: self.pipeline_name(),
            errors,
        }
    }

    pub(super) fn folder(&self) -> Result<ProjectFolder, ProjectError> {
        ProjectFolder::open(&self.root).map_err(|source| ProjectError::Folder(Box::new(source)))
    }

    pub(super) fn registry(&self) -> PluginFetcher {
        let logins = DockerCredentials::from_file(self.environment.docker_config());
        PluginFetcher::new(
            self.environment.cache_folder().as_deref(),
            logins,
            FetchLimits::default(),
        )
    }

    /// Gets every component. A replay uses no network; a locked project accepts no new component.
    pub(super) fn plugins(
        &self,
        pipeline: &Pipeline,
        folder: &ProjectFolder,
    ) -> Result<Plugins, ProjectError> {
        let old = self.lock()?;
        let mut lock = LockFile::default();
        let mut components = BTreeMap::new();
        let mut remote = Vec::new();
        let mut unpinned = Vec::new();
        for (layer, reference) in references(pipeline) {
            if matches!(reference, PluginRef::File(_)) {
                let component = read_component(layer, reference, folder)?;
                lock.pin(reference.text(), component.pin);
                components.insert(reference.text().to_owned(), component.bytes);
                continue;
            }
            let pin = old
                .get(reference.text())
                .filter(|pin| reference.accepts(pin.digest));
            match pin {
                Some(pin) => lock.pin(reference.text(), pin),
                // A pin with another digest than the reference states does not count, but the reference is in use.
                None => unpinned.push(LockFileChange {
                    reference: reference.text().to_owned(),
                    old: old.get(reference.text()),
                    new: None,
                }),
            }
            remote.push((reference, pin));
        }
        if self.locked {
            // Before any download.
            let mut changes = old.changes_to(&lock);
            changes.retain(|change| {
                unpinned
                    .iter()
                    .all(|other| other.reference != change.reference)
            });
            changes.extend(unpinned);
            self.refuse_changes(changes)?;
        }
        let registry = self.registry();
        for (reference, pin) in remote {
            let component = self.get(&registry, reference, pin)?;
            lock.pin(reference.text(), component.pin);
            components.insert(reference.text().to_owned(), component.bytes);
        }
        if !self.overrides.is_empty() {
            // The plugins that only the pipeline file itself uses stay pinned.
            for (reference, pin) in old.pins() {
                if lock.get(reference).is_none() {
                    lock.pin(reference, pin);
                }
            }
        }
        let changes = old.changes_to(&lock);
        if self.locked {
            self.refuse_changes(changes.clone())?;
        }
        Ok(Plugins {
            components,
            changes,
            lock,
        })
    }

    /// Refuses changes to the lock file of a locked project.
    fn refuse_changes(&self, mut changes: Vec<LockFileChange>) -> Result<(), ProjectError> {
        if changes.is_empty() {
            return Ok(());
        }
        changes.sort_by(|one, other| one.reference.cmp(&other.reference));
        Err(LockFileError::Differs {
            file: self.lock_name(),
            changes,
        }
        .into())
    }

    /// Gets a plugin from the cache, or downloads it if that is allowed.
    pub(super) fn get(
        &self,
        registry: &PluginFetcher,
        reference: &PluginRef,
        pin: Option<Pin>,
    ) -> Result<Component, ProjectError> {
        let digest = pin
            .map(|pin| pin.digest)
            .or_else(|| reference.stated_digest());
        if let Some(cached) = digest.and_then(|digest| registry.cached(digest)) {
            return Ok(cached);
        }
        if self.offline || self.cassette_mode == CassetteMode::Replay {
            let reason = if digest.is_some() {
                FetchErrorKind::NotCached
            } else {
                FetchErrorKind::NotPinned
            };
            return Err(FetchError::new(reference.text(), reason).into());
        }
        self.fetch(registry, reference, digest)
    }

    /// Downloads a plugin: the bytes with this digest, or the newest.
    pub(super) fn fetch(
        &self,
        registry: &PluginFetcher,
        reference: &PluginRef,
        digest: Option<Digest>,
    ) -> Result<Component, ProjectError> {
        let policy = self.address_policy(reference)?;
        let runtime = runtime()?;
        let fetched = match digest {
            Some(digest) => runtime.block_on(registry.fetch_pinned(reference, digest, policy)),
            None => runtime.block_on(registry.resolve(reference, policy)),
        };
        fetched.map_err(|error| self.fetch_error(reference, error))
    }

    /// Reads the lock file. A missing one is empty.
    pub(super) fn lock(&self) -> Result<LockFile, ProjectError> {
        match synix_disk::read_limited_if_exists(
            &self.lock_path(),
            MAX_LOCK_BYTES,
            SymlinkPolicy::Refuse,
        )? {
            Some(bytes) => Ok(LockFile::parse(&self.lock_name(), &bytes)?),
            None => Ok(LockFile::default()),
        }
    }

    pub(super) fn write_lock(&self, lock: &LockFile) -> Result<(), ProjectError> {
        let text = lock.to_text().map_err(|error| LockFileError::Unwritable {
            file: self.lock_name(),
            reason: error.to_string(),
        })?;
        Ok(synix_disk::replace(&self.lock_path(), text.as_bytes())?)
    }

    fn lock_path(&self) -> PathBuf {
        // Each pipeline in a folder has its own lock file.
        let name = PathBuf::from(&self.file).with_extension("lock");
        // Without `./`, so that messages name the file only.
        if self.root == Path::new(".") {
            name
        } else {
            self.root.join(name)
        }
    }

    /// Returns the path of the lock file for messages.
    pub(super) fn lock_name(&self) -> String {
        self.lock_path().display().to_string()
    }
}

impl Project {
    /// Returns the path of the lock file for messages.
    pub fn lock_name(&self) -> String {
        self.context.lock_name()
    }

    pub(super) fn report_lock_changes(&self, observer: Observer<'_>) {
        for change in &self.lock_changes {
            let message = format!("{}: {change}", self.lock_name());
            observer(&Event::Lock { message });
        }
    }
}

/// Returns each reference to a plugin that is not first-party, with the first layer that uses it.
pub(super) fn references(pipeline: &Pipeline) -> Vec<(&Layer, &PluginRef)> {
    let mut seen = BTreeSet::new();
    pipeline
        .layers
        .iter()
        .filter_map(|layer| Some((layer, layer.plugin()?)))
        .filter(|(_, reference)| !matches!(reference, PluginRef::FirstParty(_)))
        .filter(|(_, reference)| seen.insert(reference.text()))
        .collect()
}

/// Reads a component in the project folder.
pub(super) fn read_component(
    layer: &Layer,
    reference: &PluginRef,
    folder: &ProjectFolder,
) -> Result<Component, ProjectError> {
    match folder.read(reference.text()) {
        Ok(bytes) => Ok(Component::of(bytes)),
        Err(source) => Err(ProjectError::Prepare(Box::new(PrepareError::File {
            layer: layer.name.to_string(),
            source: Box::new(source),
        }))),
    }
}
