//! Opens a file as what it holds: itself, the entries of a zip, or what gzip or zstd packed.
//!
//! A zip is read in place by its central directory, entry by entry, and never held: neither its bytes nor its list. A zip
//! in a zip is entered. One that is cut off is read by the headers before its entries, as far as it is whole. `record`
//! knows the bytes of a zip, `directory` its end, `walk` the order, `unpack` the packing, `source` where bytes come from.

mod directory;
mod entry;
mod names;
mod record;
mod source;
#[cfg(test)]
mod tests;
mod unpack;
mod walk;

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead};
use std::rc::Rc;

use synix_plugin::Error;
use synix_plugin::reading::File;

pub use entry::Entry;
pub use source::UnpackLimit;
use source::{Budget, Source, Whole};

/// The most entries of a file, those of inner archives included.
pub const MAX_ENTRIES: u64 = 1_000_000;
/// How many zips may be inside of each other.
pub const MAX_DEPTH: usize = 3;

/// The bytes of an entry.
pub type Bytes<'a> = Box<dyn BufRead + 'a>;

/// A file as what it holds.
pub struct Archive<'a> {
    /// The path of the file or of the entry that this was opened from.
    path: String,
    /// How much of the path is the file's own.
    own: usize,
    source: Rc<dyn Source + 'a>,
    is_zip: bool,
    budget: Rc<Budget>,
    /// What is left out is reported in the first pass only.
    was_reported: Cell<bool>,
    left_out: RefCell<LeftOut>,
}

/// The entries that a pass could not visit.
#[derive(Default)]
struct LeftOut {
    count: u64,
    first: String,
}

impl<'a> Archive<'a> {
    /// Opens a file. Its first bytes say what it is, not its name.
    pub fn open(file: &'a File<'a>) -> Result<Self, Error> {
        let path = file.name();
        let source: Rc<dyn Source + 'a> = Rc::new(Whole(file));
        let is_zip = starts_as_zip(source.as_ref()).map_err(|error| fault(&path, &error))?;
        if !is_zip && names::has_extension(&path, "zip") {
            let found = directory::find(source.as_ref()).map_err(|error| fault(&path, &error))?;
            if found == directory::Found::Nothing {
                return Err(Error::InvalidInput(format!(
                    "{path} is not a zip archive, although its name ends with .zip: export or download it again"
                )));
            }
            return Ok(Self::new(path, source, true));
        }
        Ok(Self::new(path, source, is_zip))
    }

    fn new(path: String, source: Rc<dyn Source + 'a>, is_zip: bool) -> Self {
        Self {
            own: path.len(),
            path,
            budget: Rc::new(Budget::of(source.size(), UnpackLimit::default())),
            source,
            is_zip,
            was_reported: Cell::new(false),
            left_out: RefCell::default(),
        }
    }

    /// Limits what the file may unpack to, for a reader that does more with each byte than others do.
    #[must_use]
    pub fn with_limit(self, limit: UnpackLimit) -> Self {
        Self {
            budget: Rc::new(Budget::of(self.source.size(), limit)),
            ..self
        }
    }

    /// Opens an entry that is a zip itself, whatever its name is, as a DOCX or an EPUB.
    pub fn enter(entry: &Entry<'a>) -> Result<Self, Error> {
        let fault = |error: io::Error| fault(entry.path(), &error);
        let source = entry.source().map_err(fault)?;
        let is_zip = starts_as_zip(source.as_ref()).map_err(fault)?;
        Ok(Self {
            path: entry.path().to_owned(),
            own: entry.path().len() - entry.inside().len(),
            source,
            is_zip,
            budget: entry.budget(),
            was_reported: Cell::new(false),
            left_out: RefCell::default(),
        })
    }

    /// Returns whether this is a zip; otherwise it has one entry, the file itself.
    pub fn is_zip(&self) -> bool {
        self.is_zip
    }

    /// Visits each file in it, in the order of the archive.
    ///
    /// Folders, links and what operating systems add are left out. The first pass reports entries that cannot be read
    /// with [`skip`](synix_plugin::reading::skip): encrypted ones and unknown packings as `unsupported`, names that lead
    /// out of the archive and what is cut off as `unreadable`.
    pub fn for_each(
        &self,
        mut visit: impl FnMut(&Entry<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.budget.refill();
        let reports = !self.was_reported.replace(true);
        if !self.is_zip {
            return visit(&Entry::plain(
                self.path.clone(),
                self.own,
                Rc::clone(&self.source),
                Rc::clone(&self.budget),
            ));
        }
        let mut walk = walk::Walk::new(&self.budget, self.own, reports, &mut visit);
        let result = walk.visit_zip(&self.path, &self.source, 1);
        self.left_out.replace(walk.left_out);
        result
    }

    /// Returns what the last pass could not visit, for an error about an archive of which nothing is left: empty, or such
    /// as `; 2 entries were left out, the first: a.txt (it is encrypted)`.
    pub fn left_out(&self) -> String {
        let LeftOut { count, first } = &*self.left_out.borrow();
        match count {
            0 => String::new(),
            1 => format!("; 1 entry was left out: {first}"),
            count => format!("; {count} entries were left out, the first: {first}"),
        }
    }

    /// Returns every entry. An archive may have a million of them: keep those that you need by [`Self::for_each`].
    pub fn entries(&self) -> Result<Vec<Entry<'a>>, Error> {
        let mut entries = Vec::new();
        self.for_each(|entry| {
            entries.push(entry.clone());
            Ok(())
        })?;
        Ok(entries)
    }
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Archive")
            .field("path", &self.path)
            .field("is_zip", &self.is_zip)
            .finish_non_exhaustive()
    }
}

fn starts_as_zip(source: &dyn Source) -> io::Result<bool> {
    let mut head = [0; 4];
    source.fill_at(0, &mut head)?;
    Ok([record::LOCAL, record::END, record::SIZES].contains(&head))
}

/// Names the path in an error.
fn fault(path: &str, error: &io::Error) -> Error {
    let text = if error.kind() == io::ErrorKind::UnexpectedEof {
        "it is cut off".to_owned()
    } else {
        error.to_string()
    };
    Error::InvalidInput(format!("{path} cannot be read: {text}"))
}
