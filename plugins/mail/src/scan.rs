//! The first pass: where the messages of a file are, which are one thread, which are left out.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use synix_plugin::reading::{self, Reason};

use crate::letter::Letter;
use crate::lines::Line;
use crate::mbox::{Event, Found};
use crate::pile::Counts;
use crate::threads::{Name, Threads, anonymous, gmail, id};
use crate::writer::excluded;
use crate::{Config, Unit};

/// The most bytes of a message's headers that are read in the first pass.
const HEADER_BYTES: usize = 256 * 1024;

/// A message after the first pass.
pub(crate) struct Header {
    /// The entry of an archive that it is in.
    pub(crate) entry: usize,
    /// What people find it by, such as `message 3`.
    pub(crate) place: Box<str>,
    pub(crate) range: Range<u64>,
    /// How much of it is kept.
    pub(crate) size: usize,
    /// Seconds since 1970, by the message or who delivered it.
    pub(crate) date: Option<i64>,
    pub(crate) delivered: Option<i64>,
    pub(crate) node: u32,
    /// In place of the name of a message that has none.
    pub(crate) anonymous: Option<Name>,
}

/// The first pass.
pub(crate) struct Scan<'a> {
    config: &'a Config,
    /// How much of the message that ends next is kept, where somebody counts it.
    pub(crate) size: usize,
    entry: usize,
    /// The name of the entry, and how many messages it has so far.
    place: String,
    number: usize,
    /// The lines of the headers that are open, or nothing in a body.
    open: Option<Vec<u8>>,
    letter: Option<Letter>,
    /// Of a message without a name.
    digest: Option<Sha256>,
    /// The names of the messages so far.
    known: HashSet<Name>,
    threads: Threads,
    headers: Vec<Header>,
    counts: Counts,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            size: 0,
            entry: 0,
            place: String::new(),
            number: 0,
            open: Some(Vec::new()),
            letter: None,
            digest: None,
            known: HashSet::new(),
            threads: Threads::default(),
            headers: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Begins an entry, whose messages are counted anew.
    pub(crate) fn enter(&mut self, entry: usize, place: String) {
        self.entry = entry;
        self.place = place;
        self.number = 0;
        self.reset();
    }

    /// Reports that the entry is damaged behind its last whole message.
    pub(crate) fn cut_off(&mut self, why: &io::Error) {
        self.counts.found += 1;
        self.counts.unreadable += 1;
        let place = self.here(self.number + 1);
        reading::at(&place);
        let what = format!("{place} and what follows it");
        // That an archive is cut off was reported when its end was read.
        if why.kind() == io::ErrorKind::UnexpectedEof {
            reading::skip(&what, Reason::Unreadable);
        } else {
            reading::skip(&format!("{what}: {why}"), Reason::Unreadable);
        }
    }

    /// Returns the threads by their first message, each in the order in which it was written.
    pub(crate) fn threads(mut self) -> (Vec<Vec<Header>>, Counts) {
        let mut order: Vec<Vec<Header>> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for header in self.headers {
            let root = match self.config.unit {
                Unit::Thread => self.threads.root(header.node),
                Unit::Message => header.node,
            };
            let place = *places.entry(root).or_insert_with(|| {
                order.push(Vec::new());
                order.len() - 1
            });
            if let Some(thread) = order.get_mut(place) {
                thread.push(header);
            }
        }
        for thread in &mut order {
            // Stable: messages without a date, or of one second, stay in the order of the file.
            thread.sort_by_key(|header| header.date.unwrap_or(i64::MAX));
        }
        (order, self.counts)
    }

    fn here(&self, number: usize) -> String {
        match self.place.as_str() {
            "" => format!("message {number}"),
            place => format!("{place}, message {number}"),
        }
    }

    fn reset(&mut self) {
        self.open = Some(Vec::new());
        self.letter = None;
        self.digest = None;
    }

    /// Takes what comes next in the entry.
    pub(crate) fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Line(line) => self.line(line),
            Event::End(found) => {
                self.headers_end();
                self.message(found);
                self.reset();
            }
        }
    }

    fn line(&mut self, line: Line<'_>) {
        match &mut self.open {
            None => {
                if let Some(digest) = &mut self.digest {
                    digest.update(line.text());
                }
            }
            Some(_) if line.begins && line.text().is_empty() => self.headers_end(),
            Some(open) if open.len() < HEADER_BYTES => {
                open.extend_from_slice(line.text());
                open.push(b'\n');
            }
            Some(_) => {}
        }
    }

    fn headers_end(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.push(b'\n');
        self.letter = Letter::from_headers(&open);
        if let Some(letter) = self.letter.as_ref().filter(|letter| letter.id.is_none()) {
            let mut digest = Sha256::new();
            for text in [&letter.from, &letter.to, &letter.subject] {
                digest.update(text.as_deref().unwrap_or_default());
                digest.update([0]);
            }
            digest.update(letter.date.unwrap_or_default().to_be_bytes());
            self.digest = Some(digest);
        }
    }

    fn message(&mut self, found: Found) {
        self.counts.found += 1;
        self.number += 1;
        let place = self.here(self.number);
        reading::at(&place);
        let Some(letter) = self.letter.take() else {
            self.counts.unreadable += 1;
            reading::skip(&place, Reason::Unreadable);
            return;
        };
        let what = letter
            .subject
            .as_deref()
            .or(letter.id.as_deref())
            .unwrap_or("a message");
        if excluded(&letter, self.config) {
            reading::skip(what, Reason::Filtered);
            return;
        }
        let anonymous = self.digest.take().map(anonymous);
        let own = match &letter.id {
            Some(name) => id(name),
            None => anonymous.unwrap_or_default(),
        };
        if !self.known.insert(own) {
            reading::skip(what, Reason::Duplicate);
            return;
        }
        let named: Vec<Name> = match &letter.gmail_thread {
            Some(thread) => vec![gmail(thread)],
            None => letter.answers.iter().map(|name| id(name)).collect(),
        };
        let node = self.threads.join(own, &named);
        self.headers.push(Header {
            entry: self.entry,
            place: place.into(),
            range: found.range,
            size: self.size,
            date: letter.date.or(found.delivered),
            delivered: found.delivered,
            node,
            anonymous,
        });
    }
}
