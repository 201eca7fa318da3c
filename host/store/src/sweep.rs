//! Deletes unused files of the state folder: objects that no row names, files of settled batches, old locks.
//!
//! It follows and deletes no link, and deletes no file with a name that synix does not give.

use std::collections::HashSet;

use super::gc::{GcReport, GcRules, named_objects};
use super::locks::LOCKS;
use super::objects::FOLDER;
use super::{BATCHES, BuildId, Reader, Store, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_disk::{Entry, EntryKind, Folder};

impl Store {
    /// Deletes the rows and files that `rules` allow.
    ///
    /// The caller holds the locks of the builds in `locked`. Returns `None` and deletes nothing if other builds are open.
    pub fn collect_garbage(
        &self,
        rules: &GcRules,
        locked: &[BuildId],
    ) -> Result<Option<GcReport>, StoreError> {
        let Some((mut freed, mut named)) = self.collect_rows(rules, locked)? else {
            return Ok(None);
        };
        // Objects are written inside the transaction that names them, so no new object appears while this transaction
        // is open.
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

    /// Deletes the locks of builds that cannot be resumed.
    fn sweep_locks(&self, rules: &GcRules, freed: &mut GcReport) -> Result<(), StoreError> {
        let Some(folder) = self.state_folder.open_folder(LOCKS)? else {
            return Ok(());
        };
        for file in folder.entries()? {
            let name = file.name.to_string_lossy();
            let Some(Ok(build)) = name.starts_with("build-").then(|| name.parse::<BuildId>())
            else {
                continue;
            };
            if self.is_finished(build)? {
                freed.files += u64::from(remove_file(&folder, &file, rules, freed)?);
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
        freed: &mut GcReport,
    ) -> Result<(), StoreError> {
        for (folder, first) in self.object_folders()? {
            for object in folder.entries()? {
                let name = format!("{first}{}", object.name.to_string_lossy());
                if is_object(&name) && !named.contains(&name) {
                    freed.objects += u64::from(remove_file(&folder, &object, rules, freed)?);
                } else if is_temporary_file(&object) {
                    freed.files += u64::from(remove_file(&folder, &object, rules, freed)?);
                }
            }
        }
        Ok(())
    }

    /// Returns the folders of objects with their names, which are the first two digits of the digests.
    fn object_folders(&self) -> Result<Vec<(Folder, String)>, StoreError> {
        let Some(objects) = self.state_folder.open_folder(FOLDER)? else {
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

    fn sweep_batch_files(&self, rules: &GcRules, freed: &mut GcReport) -> Result<(), StoreError> {
        let open = self.unsettled_submissions()?;
        let Some(folder) = self.state_folder.open_folder(BATCHES)? else {
            return Ok(());
        };
        for file in folder.entries()? {
            let name = file.name.to_string_lossy();
            let ours = name.starts_with("synix-");
            if ours && !open.iter().any(|open| name.starts_with(&open.token)) {
                freed.files += u64::from(remove_file(&folder, &file, rules, freed)?);
            }
        }
        Ok(())
    }
}

impl Reader {
    /// Returns whether a build cannot be resumed: it is complete or cancelled, and nothing is in flight.
    fn is_finished(&self, build: BuildId) -> Result<bool, StoreError> {
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

/// Returns whether a name, including that of its folder, is that of an object.
fn is_object(name: &str) -> bool {
    name.parse::<Digest>().is_ok()
}

/// Returns whether a file is the rest of an interrupted write.
fn is_temporary_file(file: &Entry) -> bool {
    file.name.to_string_lossy().starts_with(".tmp")
}

/// Deletes a regular file and returns true. synix creates only regular files here, so it leaves others alone.
fn remove_file(
    folder: &Folder,
    file: &Entry,
    rules: &GcRules,
    freed: &mut GcReport,
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
