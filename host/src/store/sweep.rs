//! Removes files of the state folder that have served: objects no row names, files for settled batches, old locks.

use std::collections::HashSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use super::gc::{Freed, GcRules, named_objects};
use super::{BuildId, Reader, Store, StoreError};
use crate::disk::DiskError;

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
        self.write(|| -> Result<(), StoreError> {
            if !rules.dry_run {
                named = named_objects(&self.connection).map_err(|source| self.failed(source))?;
            }
            self.sweep_objects(rules, &named, &mut freed)?;
            self.sweep_batch_files(rules, &mut freed)
        })?;
        self.sweep_locks(rules, &mut freed)?;
        Ok(Some(freed))
    }

    fn sweep_objects(
        &self,
        rules: &GcRules,
        named: &HashSet<String>,
        freed: &mut Freed,
    ) -> Result<(), StoreError> {
        for folder in entries(&self.folder.join("objects"))? {
            for object in entries(&folder.path())? {
                let name = format!(
                    "{}{}",
                    folder.file_name().to_string_lossy(),
                    object.file_name().to_string_lossy()
                );
                if named.contains(&name) {
                    continue;
                }
                freed.objects += 1;
                take(&object, rules, freed)?;
            }
        }
        Ok(())
    }

    fn sweep_batch_files(&self, rules: &GcRules, freed: &mut Freed) -> Result<(), StoreError> {
        let open = self.unsettled_submissions()?;
        for file in entries(&self.folder.join("batches"))? {
            let name = file.file_name().to_string_lossy().into_owned();
            let ours = name.starts_with("synix-");
            if !ours || open.iter().any(|open| name.starts_with(&open.token)) {
                continue;
            }
            freed.files += 1;
            take(&file, rules, freed)?;
        }
        Ok(())
    }

    /// Removes the locks of builds that nobody will drive again.
    fn sweep_locks(&self, rules: &GcRules, freed: &mut Freed) -> Result<(), StoreError> {
        for file in entries(&self.folder.join("locks"))? {
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(Ok(build)) = name.starts_with("build-").then(|| name.parse::<BuildId>())
            else {
                continue;
            };
            if self.is_over(build)? {
                freed.files += 1;
                take(&file, rules, freed)?;
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

/// Returns what a folder holds; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    let read = || fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>();
    match read() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        read => read.map_err(|source| failed("read", folder, source)),
    }
}

fn take(file: &DirEntry, rules: &GcRules, freed: &mut Freed) -> Result<(), StoreError> {
    let path = file.path();
    freed.bytes += file.metadata().map_or(0, |metadata| metadata.len());
    if !rules.dry_run {
        fs::remove_file(&path).map_err(|source| failed("remove", &path, source))?;
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Disk(DiskError {
        action,
        path: path.to_owned(),
        source,
    })
}
