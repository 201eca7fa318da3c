//! Removes files of the state folder that have served: objects no row names, files for settled batches, old locks.
//!
//! Nothing is entered or removed that is a link, and no file whose name synix does not give.

use std::collections::HashSet;

use super::gc::{Freed, GcRules, named_objects};
use super::objects::FOLDER;
use super::{BATCHES, BuildId, LOCKS, Reader, Store, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_disk::{Entry, EntryKind, Folder};

impl Store {
    /// Lets go what `rules` allow, rows and files.
    ///
    /// The caller holds the locks of the builds in `locked`; `None`, and nothing done, if others are open.
    pub fn collect_garbage(
        &self,
        rules: &GcRules,
        locked: &[BuildId],
    ) -> Result<Option<Freed>, StoreError> {
        let Some((mut freed, mut named)) = self.collect_rows(rules, locked)? else {
            return Ok(None);
        };
        // Objects are written inside the transaction that names them: none can be named while this one is open.
        self.write(|tx| -> Result<(), StoreError> {
            if !rules.dry_run {
                named = named_objects(&tx.connection).map_err(|source| tx.failed(source))?;
            }
            tx.sweep_objects(rules, &named, &mut freed)?;
            tx.sweep_batch_files(rules, &mut freed)
        })?;
        self.sweep_locks(rules, &mut freed)?;
        Ok(Some(freed))
    }

    /// Removes the locks of builds that nobody will drive again.
    fn sweep_locks(&self, rules: &GcRules, freed: &mut Freed) -> Result<(), StoreError> {
        let Some(folder) = self.place.open_folder(LOCKS)? else {
            return Ok(());
        };
        for file in folder.entries()? {
            let name = file.name.to_string_lossy();
            let Some(Ok(build)) = name.starts_with("build-").then(|| name.parse::<BuildId>())
            else {
                continue;
            };
            if self.is_over(build)? {
                freed.files += u64::from(take(&folder, &file, rules, freed)?);
            }
        }
        Ok(())
    }
}

impl Transaction<'_> {
    fn sweep_objects(
        &self,
        rules: &GcRules,
        named: &HashSet<String>,
        freed: &mut Freed,
    ) -> Result<(), StoreError> {
        for (folder, first) in self.folders_of_objects()? {
            for object in folder.entries()? {
                let name = format!("{first}{}", object.name.to_string_lossy());
                if is_object(&name) && !named.contains(&name) {
                    freed.objects += u64::from(take(&folder, &object, rules, freed)?);
                } else if is_leftover(&object) {
                    freed.files += u64::from(take(&folder, &object, rules, freed)?);
                }
            }
        }
        Ok(())
    }

    /// Returns the folders that objects are kept in, each with the digits that its name is.
    fn folders_of_objects(&self) -> Result<Vec<(Folder, String)>, StoreError> {
        let Some(objects) = self.place.open_folder(FOLDER)? else {
            return Ok(Vec::new());
        };
        let mut folders = Vec::new();
        for entry in objects.entries()? {
            let name = entry.name.to_string_lossy().into_owned();
            if entry.kind == EntryKind::Folder && name.len() == 2 && is_hex(&name) {
                folders.extend(objects.open_folder(&name)?.map(|folder| (folder, name)));
            }
        }
        Ok(folders)
    }

    fn sweep_batch_files(&self, rules: &GcRules, freed: &mut Freed) -> Result<(), StoreError> {
        let open = self.unsettled_submissions()?;
        let Some(folder) = self.place.open_folder(BATCHES)? else {
            return Ok(());
        };
        for file in folder.entries()? {
            let name = file.name.to_string_lossy();
            let ours = name.starts_with("synix-");
            if ours && !open.iter().any(|open| name.starts_with(&open.token)) {
                freed.files += u64::from(take(&folder, &file, rules, freed)?);
            }
        }
        Ok(())
    }
}

impl Reader {
    /// Says whether no command can go on with a build: it is completed or cancelled, and nothing of it is in flight.
    fn is_over(&self, build: BuildId) -> Result<bool, StoreError> {
        let Some(row) = self.build(build)? else {
            return Ok(false);
        };
        let completed =
            row.closed.is_some() && row.error.is_none() && self.failed_units(build)?.is_empty();
        let in_flight = self
            .submissions_of(build)?
            .iter()
            .any(|submission| submission.state.is_unsettled());
        Ok((completed || row.cancelled) && !in_flight)
    }
}

fn is_hex(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.bytes().all(is_digit)
}

/// Says whether a name, that of the folder before it, is one of an object.
fn is_object(name: &str) -> bool {
    name.parse::<Digest>().is_ok()
}

/// Says whether a file was being written when its process was killed.
fn is_leftover(file: &Entry) -> bool {
    file.name.to_string_lossy().starts_with(".tmp")
}

/// Removes a regular file and says `true`; what is no regular file was not made here and stays.
fn take(
    folder: &Folder,
    file: &Entry,
    rules: &GcRules,
    freed: &mut Freed,
) -> Result<bool, StoreError> {
    if file.kind != EntryKind::File {
        return Ok(false);
    }
    freed.bytes += file.size;
    if !rules.dry_run {
        folder.remove(&file.name)?;
    }
    Ok(true)
}
