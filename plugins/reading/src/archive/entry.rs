//! A file in an archive.

use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use synix_plugin::Error;

use super::Bytes;
use super::record::{LOCAL, Method, Record, expect};
use super::source::{Budget, Memory, Packed, Part, Reading, Source};
use super::unpack::{Checked, Closed, Inflate, Zstd, buffered, transparent};

/// An inner zip that is packed is unpacked into memory up to this size; a larger one is unpacked as it is read.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024;

/// A file in an archive, or the file itself.
#[derive(Clone)]
pub struct Entry<'a> {
    path: String,
    own: usize,
    source: Rc<dyn Source + 'a>,
    packing: Option<Packing>,
    budget: Rc<Budget>,
}

/// Where an entry of a zip is in its source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    /// Where the local header is.
    pub(super) header: u64,
    pub(super) method: Method,
    /// What the directory says; an entry without one ends where its packed bytes say so.
    pub(super) known: Option<Known>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) sum: u32,
}

impl<'a> Entry<'a> {
    pub(super) fn plain(
        path: String,
        own: usize,
        source: Rc<dyn Source + 'a>,
        budget: Rc<Budget>,
    ) -> Self {
        Self {
            path,
            own,
            source,
            packing: None,
            budget,
        }
    }

    pub(super) fn packed(
        path: String,
        own: usize,
        source: &Rc<dyn Source + 'a>,
        packing: Packing,
        budget: &Rc<Budget>,
    ) -> Self {
        Self {
            path,
            own,
            source: Rc::clone(source),
            packing: Some(packing),
            budget: Rc::clone(budget),
        }
    }

    /// Returns the whole path: of the file, and after it the names of the archives in it and of the entry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path below the file; empty for the file itself.
    pub fn inside(&self) -> &str {
        self.path[self.own..].trim_start_matches('/')
    }

    /// Returns the last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns a place in the entry for [`at`](synix_plugin::reading::at), such as `a.json, line 3`.
    pub fn place(&self, inner: &str) -> String {
        match (self.inside(), inner) {
            ("", inner) => inner.to_owned(),
            (inside, "") => inside.to_owned(),
            (inside, inner) => format!("{inside}, {inner}"),
        }
    }

    /// Returns the unpacked size, if the archive says it. A hostile archive may say anything.
    pub fn size(&self) -> Option<u64> {
        match self.packing {
            None => Some(self.source.size()),
            Some(packing) => packing.known.map(|known| known.size),
        }
    }

    /// Opens it from its start. What gzip or zstd packed is unpacked, in an archive and outside of one.
    ///
    /// An entry that is damaged opens all the same, so that it does not lose the others: the error of a read says that
    /// the bytes are damaged, cut off ([`UnexpectedEof`](io::ErrorKind::UnexpectedEof)), or unpack to more than is
    /// allowed.
    pub fn open(&self) -> Result<Bytes<'a>, Error> {
        Ok(match self.raw() {
            Ok(reader) => transparent(reader, &self.budget),
            Err(error) => Box::new(Closed(error)),
        })
    }

    fn raw(&self) -> io::Result<Box<dyn Read + 'a>> {
        let Some(packing) = self.packing else {
            let reading = Reading::new(Rc::clone(&self.source), 0, true);
            return Ok(Box::new(buffered(reading)));
        };
        let packed = buffered(self.packed_bytes(packing)?);
        let sum = packing.known.map(|known| known.sum);
        let budget = Rc::clone(&self.budget);
        Ok(match packing.method {
            Method::Stored => Box::new(Checked::new(packed, sum, budget)),
            Method::Deflated => Box::new(Checked::new(Inflate::new(packed), sum, budget)),
            Method::Zstd => Box::new(Checked::new(Zstd::new(packed), sum, budget)),
        })
    }

    /// Returns the bytes behind the local header.
    fn packed_bytes(&self, packing: Packing) -> io::Result<Reading<'a>> {
        let start = self.start(packing)?;
        let size = match packing.known {
            Some(known) => known.packed,
            None => self.source.size().saturating_sub(start),
        };
        let part: Rc<dyn Source + 'a> = Rc::new(Part {
            parent: Rc::clone(&self.source),
            start,
            size,
        });
        Ok(Reading::new(part, 0, packing.known.is_some()))
    }

    fn start(&self, packing: Packing) -> io::Result<u64> {
        let reading = Reading::new(Rc::clone(&self.source), packing.header, true);
        let mut header = io::BufReader::with_capacity(256, reading);
        expect(&mut header, LOCAL)?;
        let record = Record::local(&mut header)?;
        Ok(packing.header.saturating_add(record.length))
    }

    /// Returns the unpacked bytes as a source, so that the entry can be read as an archive.
    pub(super) fn source(&self) -> io::Result<Rc<dyn Source + 'a>> {
        let Some(packing) = self.packing else {
            return Ok(Rc::clone(&self.source));
        };
        let Some(known) = packing.known else {
            // Without a size there is no end at which to look for the directory.
            return Ok(self.streamed(u64::MAX));
        };
        if packing.method == Method::Stored {
            return Ok(Rc::new(Part {
                parent: Rc::clone(&self.source),
                start: self.start(packing)?,
                size: known.packed,
            }));
        }
        if known.size > MAX_UNPACKED {
            return Ok(self.streamed(known.size));
        }
        let mut bytes = Vec::new();
        let mut reader = self.raw()?.take(MAX_UNPACKED);
        match reader.read_to_end(&mut bytes) {
            // What is whole of a damaged one is read by its local headers.
            Err(_) if !bytes.is_empty() && !self.budget.is_spent() => {}
            result => {
                result?;
            }
        }
        Ok(Rc::new(Memory(bytes)))
    }

    fn streamed(&self, size: u64) -> Rc<dyn Source + 'a> {
        let entry = self.clone();
        Rc::new(Packed::new(size, Box::new(move || entry.raw())))
    }

    pub(super) fn budget(&self) -> Rc<Budget> {
        Rc::clone(&self.budget)
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Entry")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
