//! Mailboxes and messages in an archive, which is read from its start only.
//!
//! All mail of an archive is one pile: Gmail's export by label has the messages of a thread in several mailboxes, and
//! some of them twice. A message waits until its thread is complete. So that no more wait than there is memory for, the
//! archive is read once for each set of threads whose text fits.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::mem;

use synix_plugin::Error;
use synix_plugin::reading::{self, Reason};
use synix_reading::archive::{Archive, Entry};

use crate::Config;
use crate::kind::{Kind, START_BYTES, recognise};
use crate::lines::Lines;
use crate::load::Sieve;
use crate::mbox::{Event, Found, messages};
use crate::pile::Counts;
use crate::scan::{Header, Scan};
use crate::write::Message;
use crate::writer::Writer;

/// The most bytes of messages that wait for the rest of their threads.
const WAITING_BYTES: usize = if cfg!(test) { 64 << 10 } else { 32 << 20 };

/// Reads all mail in an archive. What is no mail is counted.
pub(crate) fn read(file: &str, archive: &Archive<'_>, config: &Config) -> Result<Counts, Error> {
    let mut scan = Scan::new(config);
    let mut sieve = Sieve::default();
    let mut index = 0;
    archive.for_each(|entry| {
        scan.enter(index, entry.place(""));
        index += 1;
        let kind = kind_of(entry);
        let read = kind.map(|kind| {
            events(entry, kind, |event| {
                match &event {
                    Event::Line(line) => sieve.add(*line, false),
                    Event::End(_) => scan.size = mem::take(&mut sieve).raw.bytes.len(),
                }
                scan.add(event);
            })
        });
        match read {
            None => {
                reading::at(entry.inside());
                reading::skip(entry.inside(), Reason::Unsupported);
            }
            // What was whole of it is kept.
            Some(Err(error)) => {
                scan.cut_off(&error);
                sieve = Sieve::default();
            }
            Some(Ok(())) => {}
        }
        Ok(())
    })?;
    let (threads, counts) = scan.threads();
    let mut writer = Writer {
        file,
        config,
        counts,
    };
    let mut set = Vec::new();
    let mut bytes = 0;
    for thread in threads {
        bytes += thread.iter().map(|header| header.size).sum::<usize>();
        set.push(thread);
        if bytes > WAITING_BYTES {
            pass(archive, mem::take(&mut set), &mut writer)?;
            bytes = 0;
        }
    }
    if !set.is_empty() {
        pass(archive, set, &mut writer)?;
    }
    Ok(writer.counts)
}

/// A thread of which messages are to come.
struct Waiting {
    thread: Vec<Header>,
    messages: Vec<Option<Message>>,
    left: usize,
}

/// Reads the archive for a set of threads.
fn pass(
    archive: &Archive<'_>,
    set: Vec<Vec<Header>>,
    writer: &mut Writer<'_>,
) -> Result<(), Error> {
    let mut places = HashMap::new();
    let mut waiting = Vec::with_capacity(set.len());
    for (number, thread) in set.into_iter().enumerate() {
        for (place, header) in thread.iter().enumerate() {
            places.insert((header.entry, header.range.start), (number, place));
        }
        waiting.push(Waiting {
            messages: thread.iter().map(|_| None).collect(),
            left: thread.len(),
            thread,
        });
    }
    let mut index = 0;
    let mut sieve = Sieve::default();
    archive.for_each(|entry| {
        let own = index;
        index += 1;
        let Some(kind) = kind_of(entry) else {
            return Ok(());
        };
        let unquoted = kind.1 == Kind::Mailbox;
        // The first pass has reported where a damaged entry ends.
        let _ = events(entry, kind, |event| match event {
            Event::Line(line) => sieve.add(line, unquoted),
            Event::End(found) => {
                let raw = mem::take(&mut sieve).raw;
                let Some(&(number, place)) = places.get(&(own, found.range.start)) else {
                    return;
                };
                let Some(open) = waiting.get_mut(number) else {
                    return;
                };
                let message = open
                    .thread
                    .get(place)
                    .and_then(|header| writer.message(header, &raw));
                if let Some(slot) = open.messages.get_mut(place) {
                    *slot = message;
                }
                open.left = open.left.saturating_sub(1);
                if open.left == 0 {
                    let messages: Vec<Message> = mem::take(&mut open.messages)
                        .into_iter()
                        .flatten()
                        .collect();
                    writer.thread(&open.thread, &messages);
                }
            }
        });
        sieve = Sieve::default();
        Ok(())
    })
}

/// Returns where the mail of an entry begins and what it is, or nothing if it is no mail.
fn kind_of(entry: &Entry<'_>) -> Option<(u64, Kind)> {
    let bytes = entry.open().ok()?;
    let mut start = Vec::new();
    // What is damaged behind its first bytes is reported when it is read.
    let _ = bytes.take(START_BYTES.into()).read_to_end(&mut start);
    let (begin, kind) = recognise(&start);
    (!matches!(kind, Kind::Empty | Kind::Unknown)).then_some((begin, kind))
}

/// Passes on the lines and messages of an entry.
fn events(
    entry: &Entry<'_>,
    (begin, kind): (u64, Kind),
    mut each: impl FnMut(Event<'_>),
) -> io::Result<()> {
    let opened = entry
        .open()
        .map_err(|_| io::Error::other("the entry cannot be opened"));
    let mut reader = opened?;
    io::copy(&mut (&mut reader).take(begin), &mut io::sink())?;
    let length = match kind {
        Kind::Mailbox => return messages(reader, begin, each),
        Kind::Counted(length) => length,
        Kind::Message | Kind::Empty | Kind::Unknown => u64::MAX,
    };
    let mut lines = Lines::new(reader.take(length), begin);
    let mut end = begin;
    while let Some(line) = lines.next()? {
        end = line.end();
        each(Event::Line(line));
    }
    each(Event::End(Found {
        range: begin..end,
        delivered: None,
    }));
    Ok(())
}
