//! A mailbox in a file of its own, which is read from any place: one thread after the other.

use std::io::{Seek as _, SeekFrom};

use synix_plugin::Error;
use synix_plugin::reading::File;

use crate::Config;
use crate::load::load;
use crate::mbox::messages;
use crate::pile::{Counts, lost};
use crate::scan::Scan;
use crate::writer::Writer;

/// Reads a mailbox that begins at `begin`.
pub(crate) fn read(file: &File<'_>, begin: u64, config: &Config) -> Result<Counts, Error> {
    let lost = |error: std::io::Error| lost(&error);
    let mut reader = file.reader();
    reader.seek(SeekFrom::Start(begin)).map_err(lost)?;
    let mut scan = Scan::new(config);
    scan.enter(0, String::new());
    messages(reader, begin, |event| scan.add(event)).map_err(lost)?;
    let (threads, counts) = scan.threads();
    let mut writer = Writer {
        file: &file.name(),
        config,
        counts,
    };
    for thread in &threads {
        let mut letters = Vec::with_capacity(thread.len());
        for header in thread {
            let raw = load(file, header.range.clone(), true).map_err(lost)?;
            letters.extend(writer.message(header, &raw));
        }
        writer.thread(thread, &letters);
    }
    Ok(writer.counts)
}
