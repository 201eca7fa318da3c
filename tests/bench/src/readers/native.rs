//! The floor of a reader: the same parser as a native function.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use synix_plugin::Reader;
use synix_plugin::testing::{FileBytes, read_each};

use crate::Outcome;

/// The time for all files of a folder, and what came out of them.
pub(crate) struct NativeRun {
    pub(crate) time: Duration,
    pub(crate) artifacts: u64,
}

/// A file on the disk, read in parts as the command reads it.
struct OnDisk {
    file: File,
    size: u64,
}

impl OnDisk {
    fn part(&self, offset: u64, length: u32) -> std::io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length.into()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl FileBytes for OnDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        // A reader takes a shorter file for a damaged one, so its run fails.
        self.part(offset, length).unwrap_or_default()
    }
}

/// Reads the files with the reader `R`; `config` is JSON text.
pub(crate) fn run<R: Reader>(paths: &[PathBuf], config: &str) -> Outcome<NativeRun> {
    let count = Rc::new(Cell::new(0_u64));
    let start = Instant::now();
    for path in paths {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let counted = Rc::clone(&count);
        let run = read_each::<R>(&name, OnDisk { file, size }, config, move |_, _| {
            counted.set(counted.get() + 1);
        });
        run.result
            .map_err(|error| format!("{}: {error:?}", path.display()))?;
    }
    Ok(NativeRun {
        time: start.elapsed(),
        artifacts: count.get(),
    })
}
