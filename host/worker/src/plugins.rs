//! The components that a worker has loaded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use synix_core::digest::Digest;
use synix_sandbox::{Plugin, Sandbox};
use synix_units::TransformSettings;

use crate::error::WorkerError;
use crate::objects::ObjectReader;

/// The maximum number of loaded components. A Python component takes some 100 MB.
const MAX_LOADED: usize = 16;

/// A component as one of the chunks has it: messages contain its name.
type Key = (Digest, String);

/// A place for a loaded component. Whoever loads it holds the lock, so it is loaded once.
type Slot = Arc<Mutex<Option<Plugin>>>;

/// Loads components once.
#[derive(Default)]
pub(crate) struct Plugins {
    /// The one that was used last comes last.
    loaded: Mutex<VecDeque<(Key, Slot)>>,
}

impl Plugins {
    /// Returns the plugin of a transform.
    pub(crate) fn get(
        &self,
        transform: &TransformSettings,
        sandbox: &Sandbox,
        objects: &ObjectReader,
    ) -> Result<Plugin, WorkerError> {
        let slot = self.slot((transform.component.digest, transform.name.clone()));
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = &*slot {
            return Ok(plugin.clone());
        }
        let bytes = objects.read(transform.component)?;
        let loaded = sandbox.load(&transform.name, &bytes);
        let plugin = loaded.map_err(|source| {
            if source.is_interrupted() {
                return WorkerError::Stopped;
            }
            WorkerError::Component {
                digest: transform.component.digest,
                source,
            }
        })?;
        *slot = Some(plugin.clone());
        Ok(plugin)
    }

    fn slot(&self, key: Key) -> Slot {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = loaded.iter().position(|(other, _)| *other == key);
        let entry = known.and_then(|position| loaded.remove(position));
        let entry = entry.unwrap_or_else(|| (key, Slot::default()));
        let slot = Arc::clone(&entry.1);
        loaded.push_back(entry);
        if loaded.len() > MAX_LOADED {
            loaded.pop_front();
        }
        slot
    }
}
