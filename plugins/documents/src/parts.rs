//! Documents that are archives themselves: their parts by path.

use synix_plugin::Error;
use synix_reading::archive::{Archive, Entry};

use crate::pile::Found;
use crate::{book, word};

/// The most entries of a document that is an archive.
const PARTS: usize = 10_000;

/// The entries of an archive that may be a document.
pub(crate) struct Parts<'a>(Vec<Entry<'a>>);

impl<'a> Parts<'a> {
    /// Opens the archive.
    pub(crate) fn of(archive: &Archive<'a>) -> Result<Self, Error> {
        let mut parts = Vec::new();
        archive.for_each(|entry| {
            // A document has some hundreds.
            if parts.len() < PARTS {
                parts.push(entry.clone());
            }
            Ok(())
        })?;
        Ok(Self(parts))
    }

    /// Whether nothing in it can be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entry at a path in the document.
    pub(crate) fn get(&self, path: &str) -> Option<&Entry<'a>> {
        let ends = |entry: &&Entry<'_>| {
            let rest = entry.path().strip_suffix(path);
            rest.is_some_and(|rest| rest.ends_with('/') || rest.is_empty())
        };
        // Below a document that is itself in an archive, paths are longer: the shortest one is meant.
        self.0
            .iter()
            .filter(ends)
            .min_by_key(|entry| entry.path().len())
    }

    /// Reads the document, or returns nothing if it is none.
    pub(crate) fn read(&self) -> Result<Option<Found>, Error> {
        if self.get("META-INF/container.xml").is_some() {
            return book::read(self).map(Some);
        }
        if self.get("[Content_Types].xml").is_some() {
            return word::read(self);
        }
        Ok(None)
    }
}
