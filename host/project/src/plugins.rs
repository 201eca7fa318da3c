//! Where the bytes of plugins come from: the project's folder, the cache, or their server; all held against the lock file.

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
use synix_manifest::{Layer, Pipeline, PipelineErrors, TransformRef};
use synix_sources::ProjectFolder;

/// The largest lock file, and the largest pipeline file, in bytes.
const LOCK_BYTES: u64 = 16 << 20;
const PIPELINE_BYTES: u64 = 16 << 20;

/// Reads a pipeline file. The user may have named it, so it may be a link.
pub(super) fn read_pipeline(path: &Path) -> Result<Vec<u8>, DiskError> {
    synix_disk::read_limited(path, PIPELINE_BYTES)
}

/// The components of a pipeline, and what pins them now.
pub(super) struct Plugins {
    /// The bytes of all that do not come with synix, by reference.
    pub(super) components: BTreeMap<String, Vec<u8>>,
    pub(super) lock: LockFile,
    /// How `lock` differs from the file.
    pub(super) changes: Vec<LockFileChange>,
}

impl ProjectContext {
    /// Reads and checks the pipeline file.
    pub(super) fn pipeline(&self) -> Result<Pipeline, ProjectError> {
        let path = self.root.join(&self.file);
        let text =
            String::from_utf8(read_pipeline(&path)?).map_err(|error| ProjectError::NotText {
                offset: error.utf8_error().valid_up_to(),
                path,
            })?;
        synix_manifest::parse(&text).map_err(|errors| self.wrong(errors))
    }

    /// Names the pipeline file of what is wrong with it.
    pub(super) fn wrong(&self, errors: PipelineErrors) -> ProjectError {
        ProjectError::Pipeline {
            file: self.root.join(&self.file).display().to_string(),
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

    /// Gets every component. In a replay no server is asked; where the lock is kept, nothing new is taken.
    pub(super) fn plugins(
        &self,
        pipeline: &Pipeline,
        folder: &ProjectFolder,
    ) -> Result<Plugins, ProjectError> {
        let before = self.lock()?;
        let mut lock = LockFile::default();
        let mut components = BTreeMap::new();
        let mut remote = Vec::new();
        let mut unpinned = Vec::new();
        for (layer, reference) in references(pipeline) {
            if matches!(reference, TransformRef::File(_)) {
                let component = read(layer, reference, folder)?;
                lock.pin(reference.text(), component.pin);
                components.insert(reference.text().to_owned(), component.bytes);
                continue;
            }
            let pin = before
                .get(reference.text())
                .filter(|pin| reference.accepts(pin.digest));
            match pin {
                Some(pin) => lock.pin(reference.text(), pin),
                // A pin that is not admitted is none: the reference is in use all the same.
                None => unpinned.push(LockFileChange {
                    reference: reference.text().to_owned(),
                    old: before.get(reference.text()),
                    new: None,
                }),
            }
            remote.push((reference, pin));
        }
        if self.locked {
            // Before any server is asked.
            let mut changes = before.changes_to(&lock);
            changes.retain(|change| {
                unpinned
                    .iter()
                    .all(|other| other.reference != change.reference)
            });
            changes.extend(unpinned);
            self.refuse(changes)?;
        }
        let registry = self.registry();
        for (reference, pin) in remote {
            let component = self.get(&registry, reference, pin)?;
            lock.pin(reference.text(), component.pin);
            components.insert(reference.text().to_owned(), component.bytes);
        }
        let changes = before.changes_to(&lock);
        if self.locked {
            self.refuse(changes.clone())?;
        }
        Ok(Plugins {
            components,
            changes,
            lock,
        })
    }

    /// Refuses changes of a lock file that is kept as it is.
    fn refuse(&self, mut changes: Vec<LockFileChange>) -> Result<(), ProjectError> {
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

    fn get(
        &self,
        registry: &PluginFetcher,
        reference: &TransformRef,
        pin: Option<Pin>,
    ) -> Result<Component, ProjectError> {
        let digest = pin
            .map(|pin| pin.digest)
            .or_else(|| reference.stated_digest());
        if let Some(cached) = digest.and_then(|digest| registry.cached(digest)) {
            return Ok(cached);
        }
        if self.offline || self.cassette_mode == CassetteMode::Replay {
            let fault = if digest.is_some() {
                FetchErrorKind::NotCached
            } else {
                FetchErrorKind::NotPinned
            };
            return Err(FetchError::new(reference.text(), fault).into());
        }
        self.fetch(registry, reference, digest)
    }

    /// Asks the server of a plugin for these bytes, or for the newest.
    pub(super) fn fetch(
        &self,
        registry: &PluginFetcher,
        reference: &TransformRef,
        digest: Option<Digest>,
    ) -> Result<Component, ProjectError> {
        let reach = self.reach(reference)?;
        let runtime = runtime()?;
        let fetched = match digest {
            Some(digest) => runtime.block_on(registry.fetch_pinned(reference, digest, reach)),
            None => runtime.block_on(registry.resolve(reference, reach)),
        };
        fetched.map_err(|error| self.fetch_failed(reference, error))
    }

    /// Returns what the lock file says; nothing where there is none.
    pub(super) fn lock(&self) -> Result<LockFile, ProjectError> {
        match synix_disk::read_limited_if_exists(
            &self.lock_path(),
            LOCK_BYTES,
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
        // Pipelines in one folder have a lock file each.
        let name = PathBuf::from(&self.file).with_extension("lock");
        // Within the folder itself messages name the file alone.
        if self.root == Path::new(".") {
            name
        } else {
            self.root.join(name)
        }
    }

    /// Returns the lock file's name as people know it.
    pub(super) fn lock_name(&self) -> String {
        self.lock_path().display().to_string()
    }
}

impl Project {
    /// Returns the name of the lock file.
    pub fn lock_name(&self) -> String {
        self.context.lock_name()
    }

    pub(super) fn tell_lock_changes(&self, observer: Observer<'_>) {
        for change in &self.lock_changes {
            let message = format!("{}: {change}", self.lock_name());
            observer(&Event::Lock { message });
        }
    }
}

/// Returns each reference to a plugin that does not come with synix, with the first layer that has it.
pub(super) fn references(pipeline: &Pipeline) -> Vec<(&Layer, &TransformRef)> {
    let mut seen = BTreeSet::new();
    pipeline
        .layers
        .iter()
        .filter_map(|layer| Some((layer, &layer.transform()?.transform)))
        .filter(|(_, reference)| !matches!(reference, TransformRef::FirstParty(_)))
        .filter(|(_, reference)| seen.insert(reference.text()))
        .collect()
}

/// Reads the component behind a path.
pub(super) fn read(
    layer: &Layer,
    reference: &TransformRef,
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
