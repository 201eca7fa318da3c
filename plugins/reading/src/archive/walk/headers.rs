//! Goes through an archive without a directory: from local header to local header.

use std::io::{self, Read as _};
use std::rc::Rc;

use synix_plugin::Error;
use synix_plugin::reading::Reason;

use super::{Walk, Zip};
use crate::archive::entry::Known;
use crate::archive::fault;
use crate::archive::record::{CENTRAL, LOCAL, Method, Record, expect};
use crate::archive::source::{Reading, Source};
use crate::archive::unpack::{Inflate, buffered};

/// A header with a usual name.
const HEADER_BYTES: usize = 256;

/// What comes after an entry in an archive without a directory.
enum Next {
    Entry(u64),
    /// The entries are over.
    End,
    /// The archive is cut off or damaged here.
    Cut,
}

impl<'a> Walk<'_, 'a> {
    /// Goes from local header to local header, as far as they are whole.
    pub(super) fn by_headers(&mut self, zip: Zip<'_, 'a>) -> Result<(), Error> {
        let Zip { path, source, .. } = zip;
        let mut header = 0;
        loop {
            self.count(path)?;
            // Small, because it is filled anew for each of perhaps a million headers.
            let reading = Reading::new(Rc::clone(source), header, true);
            let mut bytes = io::BufReader::with_capacity(HEADER_BYTES, reading);
            let record = expect(&mut bytes, LOCAL).and_then(|()| Record::local(&mut bytes));
            let next = match record {
                Err(_) => Next::Cut,
                Ok(record) => {
                    let known = (!record.has_sizes_behind()).then_some(Known {
                        packed: record.packed,
                        size: record.size,
                        sum: record.sum,
                    });
                    if known.is_none() && record.method() == Ok(Method::Stored) {
                        // Where it ends is written in the directory alone.
                        Next::Cut
                    } else {
                        self.visit_record(zip, &record, header, known)?;
                        self.after(zip, &record, header, known)?
                    }
                }
            };
            match next {
                Next::Entry(offset) => header = offset,
                Next::End => return Ok(()),
                Next::Cut => {
                    self.skip(path, path, "it is cut off or damaged", Reason::Unreadable);
                    return Ok(());
                }
            }
        }
    }

    /// Finds what follows an entry.
    fn after(
        &self,
        zip: Zip<'_, 'a>,
        record: &Record,
        header: u64,
        known: Option<Known>,
    ) -> Result<Next, Error> {
        let Zip { path, source, .. } = zip;
        let start = header.saturating_add(record.length);
        let ends = match known {
            Some(known) => vec![start.saturating_add(known.packed)],
            None => match self.inflated(source, start) {
                Ok(packed) => {
                    // The sizes have 4 or 8 bytes each, and may have their mark before them.
                    let end = start.saturating_add(packed);
                    [12, 16, 20, 24]
                        .map(|length| end.saturating_add(length))
                        .to_vec()
                }
                Err(error) if self.budget.is_spent() => return Err(fault(path, &error)),
                Err(_) => return Ok(Next::Cut),
            },
        };
        for end in ends {
            let mut magic = [0; 4];
            if source.fill_at(end, &mut magic).unwrap_or(0) < magic.len() {
                continue;
            }
            if magic == LOCAL {
                return Ok(Next::Entry(end));
            }
            if magic == CENTRAL {
                return Ok(Next::End);
            }
        }
        Ok(Next::Cut)
    }

    /// Unpacks an entry to nowhere and returns how long it was.
    fn inflated(&self, source: &Rc<dyn Source + 'a>, start: u64) -> io::Result<u64> {
        let reading = Reading::new(Rc::clone(source), start, false);
        let mut inflate = Inflate::new(buffered(reading));
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = inflate.read(&mut buffer)?;
            self.budget.spend(count)?;
            if count == 0 {
                return Ok(inflate.taken());
            }
        }
    }
}
