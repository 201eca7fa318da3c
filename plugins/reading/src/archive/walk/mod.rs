//! The order in which entries are visited: by the central directory, or without one by the local headers.

mod headers;

use std::rc::Rc;

use synix_plugin::Error;
use synix_plugin::reading::{self, Reason};

use super::directory::{self, Directory, Found};
use super::entry::{Entry, Known, Packing};
use super::names::{Verdict, decode, has_extension, judge};
use super::record::{CENTRAL, Record, SIZES, expect};
use super::source::{Budget, Reading, Source};
use super::unpack::buffered;
use super::{LeftOut, MAX_DEPTH, MAX_ENTRIES, fault, starts_as_zip};

/// One pass over an archive and those in it.
pub(super) struct Walk<'w, 'a> {
    budget: &'w Rc<Budget>,
    own: usize,
    reports: bool,
    seen: u64,
    pub(super) left_out: LeftOut,
    visit: &'w mut dyn FnMut(&Entry<'a>) -> Result<(), Error>,
}

/// A zip on the way to an entry.
#[derive(Clone, Copy)]
struct Zip<'z, 'a> {
    path: &'z str,
    source: &'z Rc<dyn Source + 'a>,
    /// How many zips it is in.
    depth: usize,
}

impl<'w, 'a> Walk<'w, 'a> {
    pub(super) fn new(
        budget: &'w Rc<Budget>,
        own: usize,
        reports: bool,
        visit: &'w mut dyn FnMut(&Entry<'a>) -> Result<(), Error>,
    ) -> Self {
        Self {
            budget,
            own,
            reports,
            seen: 0,
            left_out: LeftOut::default(),
            visit,
        }
    }

    pub(super) fn visit_zip(
        &mut self,
        path: &str,
        source: &Rc<dyn Source + 'a>,
        depth: usize,
    ) -> Result<(), Error> {
        let zip = Zip {
            path,
            source,
            depth,
        };
        // A source without a known size has no end to look at.
        let found = if source.size() == u64::MAX {
            Ok(Found::Nothing)
        } else {
            directory::find(source.as_ref())
        };
        match found {
            Ok(Found::Directory(directory)) => self.by_directory(zip, directory),
            Ok(Found::Split) => Err(split(path)),
            Ok(Found::Nothing) if starts_as_split(source.as_ref()) => Err(split(path)),
            Ok(Found::Nothing) => self.by_headers(zip),
            Err(error) if self.budget.is_spent() => Err(fault(path, &error)),
            // An inner zip whose packed bytes are cut off: its start may be whole.
            Err(_) => self.by_headers(zip),
        }
    }

    fn by_directory(&mut self, zip: Zip<'_, 'a>, directory: Directory) -> Result<(), Error> {
        let Zip { path, source, .. } = zip;
        let reading = Reading::new(Rc::clone(source), directory.start, true);
        let mut records = buffered(reading);
        for _ in 0..directory.entries {
            self.count(path)?;
            let record = expect(&mut records, CENTRAL).and_then(|()| Record::central(&mut records));
            let Ok(record) = record else {
                self.skip(
                    path,
                    path,
                    "the list of its entries is damaged",
                    Reason::Unreadable,
                );
                return Ok(());
            };
            let known = Known {
                packed: record.packed,
                size: record.size,
                sum: record.sum,
            };
            let header = record.offset.saturating_add(directory.shift);
            self.visit_record(zip, &record, header, Some(known))?;
        }
        Ok(())
    }

    fn visit_record(
        &mut self,
        zip: Zip<'_, 'a>,
        record: &Record,
        header: u64,
        known: Option<Known>,
    ) -> Result<(), Error> {
        let Zip {
            path,
            source,
            depth,
        } = zip;
        let name = decode(&record.name);
        match judge(&name) {
            Verdict::Refuse => {
                self.skip(
                    path,
                    &name,
                    "its name leads out of the archive",
                    Reason::Unreadable,
                );
                return Ok(());
            }
            Verdict::Ignore => return Ok(()),
            Verdict::Read if record.is_folder() || record.is_link() => return Ok(()),
            Verdict::Read => {}
        }
        let method = match record.method() {
            Ok(method) => method,
            Err(what) => {
                self.skip(path, &name, &what, Reason::Unsupported);
                return Ok(());
            }
        };
        let packing = Packing {
            header,
            method,
            known,
        };
        let whole = format!("{path}/{name}");
        let entry = Entry::packed(whole, self.own, source, packing, self.budget);
        if has_extension(&name, "zip") {
            return self.visit_inner(path, &name, &entry, depth);
        }
        (self.visit)(&entry)
    }

    fn visit_inner(
        &mut self,
        path: &str,
        name: &str,
        entry: &Entry<'a>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth == MAX_DEPTH {
            let what = format!("a zip in {MAX_DEPTH} others");
            self.skip(path, name, &what, Reason::Unsupported);
            return Ok(());
        }
        let opened = entry.source().and_then(|source| {
            let is_zip = starts_as_zip(source.as_ref())?;
            Ok((source, is_zip))
        });
        match opened {
            Ok((source, true)) => self.visit_zip(entry.path(), &source, depth + 1),
            Ok((_, false)) => {
                self.skip(path, name, "it is not a zip", Reason::Unreadable);
                Ok(())
            }
            Err(error) if self.budget.is_spent() => Err(fault(entry.path(), &error)),
            Err(error) => {
                self.skip(path, name, &error.to_string(), Reason::Unreadable);
                Ok(())
            }
        }
    }

    fn count(&mut self, path: &str) -> Result<(), Error> {
        self.seen += 1;
        if self.seen > MAX_ENTRIES {
            return Err(Error::InvalidInput(format!(
                "{path} has more than {MAX_ENTRIES} entries: unpack it, and name the files that you want as the source"
            )));
        }
        Ok(())
    }

    fn skip(&mut self, archive: &str, name: &str, why: &str, reason: Reason) {
        let what = format!("{name} ({why})");
        if self.reports {
            reading::at(archive[self.own..].trim_start_matches('/'));
            reading::skip(&what, reason);
        }
        if self.left_out.count == 0 {
            self.left_out.first = what;
        }
        self.left_out.count += 1;
    }
}

fn split(path: &str) -> Error {
    Error::InvalidInput(format!(
        "{path} is one part of a split archive: join the parts with `zip -s 0 PARTS.zip --out WHOLE.zip`"
    ))
}

/// Returns whether the mark of a split archive is at the start, which the first part has.
fn starts_as_split(source: &dyn Source) -> bool {
    let mut head = [0; 4];
    source.fill_at(0, &mut head).is_ok_and(|_| head == SIZES)
}
