//! Walks through a file: the entries of an archive, and in each the records.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, Entry};
use synix_reading::json::{Elements, Fault, Lines};
use synix_reading::label::without_extension;
use synix_reading::text::Utf8;

use crate::config::Config;
use crate::format::Format;
use crate::formats::{plain, slack, whatsapp};
use crate::head::{self, Form};
use crate::object;
use crate::records::Records;

/// A text is held whole.
const MAX_TEXT_BYTES: u64 = 32 * 1024 * 1024;
/// Elements that may say that an array is a day of a channel of Slack.
const LOOKED_AT: u64 = 3;

pub(crate) fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
    let archive = Archive::open(file)?;
    let mut input = Input {
        records: Records::new(config),
        file: file.name(),
        is_archive: archive.is_zip(),
        channels: BTreeMap::new(),
    };
    let mut entries = 0_usize;
    archive.for_each(|entry| {
        entries += 1;
        input.entry(entry)
    })?;
    let left_out = archive.left_out();
    if entries == 0 && !left_out.is_empty() {
        return Err(Error::InvalidInput(format!(
            "{} has no file in it that can be read{left_out}; unpack it, or export the data again",
            input.file
        )));
    }
    if entries == 0 {
        reading::skip(&input.file, Reason::Empty);
    }
    input.channels()?;
    input.records.finish(&input.file)
}

struct Input<'c, 'f> {
    records: Records<'c>,
    file: String,
    is_archive: bool,
    /// The days of each channel of Slack. Threads cross them, so a channel is read as a whole.
    channels: BTreeMap<String, Vec<Entry<'f>>>,
}

impl<'f> Input<'_, 'f> {
    fn entry(&mut self, entry: &Entry<'f>) -> Result<(), Error> {
        self.records.collection.enter(entry.inside());
        let what = self.what(entry);
        let (form, reader) = match Utf8::new(entry.open()?).and_then(head::open) {
            Ok(opened) => opened,
            Err(error) if !self.is_archive => {
                let text = format!("{what} cannot be read: {error}");
                return Err(Error::InvalidInput(text));
            }
            Err(error) => {
                self.records.unreadable("", &error.to_string());
                return Ok(());
            }
        };
        let read = match form {
            Form::Array => self.array(reader, entry),
            Form::Object => object::read(reader, &mut self.records),
            Form::Lines => self.lines(reader),
            Form::Text => self.text(reader, entry)?,
            Form::Empty => {
                self.nothing(&what);
                Ok(())
            }
            Form::Html => {
                self.records
                    .unknown(&what, "HTML; choose JSON when you export");
                Ok(())
            }
            Form::Binary => {
                self.records.unknown(&what, "bytes that are not text");
                Ok(())
            }
        };
        if let Err(fault) = read {
            self.records.unreadable("the rest", &fault.to_string());
        }
        self.end(entry, &what);
        Ok(())
    }

    /// Names an entry for people.
    fn what(&self, entry: &Entry<'_>) -> String {
        match entry.inside() {
            "" => self.file.clone(),
            inside => inside.to_owned(),
        }
    }

    fn end(&mut self, entry: &Entry<'_>, what: &str) {
        if self.records.entry.has_channel {
            // A day of an export that was unpacked is a file of its own.
            let channel = std::mem::take(&mut self.records.entry.channel);
            let (folder, day) = channel_of(entry.path());
            let records = &mut self.records;
            channel.finish(
                folder,
                &format!("-{day}"),
                &records.directory,
                &mut records.collection,
            );
        }
        self.records
            .end_entry(what, without_extension(entry.name()));
    }

    /// Reports a file without a record. In an archive it is a part that holds no conversations, not an empty one.
    fn nothing(&self, what: &str) {
        let reason = if self.is_archive {
            Reason::Unsupported
        } else {
            Reason::Empty
        };
        reading::skip(what, reason);
    }

    fn array(&mut self, reader: impl BufRead, entry: &Entry<'f>) -> Result<(), Fault> {
        let mut elements = Elements::new(reader)?;
        let mut is_any = false;
        loop {
            let place = format!("conversation {}", elements.number() + 1);
            match elements.next() {
                Ok(None) => break,
                Ok(Some(element)) => {
                    is_any = true;
                    let may_be_channel = self.is_archive
                        && !self.records.entry.has_channel
                        && element.number <= LOOKED_AT;
                    if may_be_channel && slack::is_message(element.bytes) {
                        let (channel, _) = channel_of(entry.path());
                        self.channels
                            .entry(channel.to_owned())
                            .or_default()
                            .push(entry.clone());
                        return Ok(());
                    }
                    self.records.take(element.bytes, &place);
                }
                Err(fault) if fault.is_passable() => {
                    self.records.unreadable(&place, &fault.to_string());
                }
                Err(fault) => return Err(fault),
            }
            if self.records.is_hopeless() {
                break;
            }
        }
        if !is_any {
            self.nothing(&self.what(entry));
        }
        Ok(())
    }

    fn lines(&mut self, reader: impl BufRead) -> Result<(), Fault> {
        let mut lines = Lines::new(reader);
        loop {
            let place = format!("line {}", lines.number() + 1);
            match lines.next() {
                Ok(None) => return Ok(()),
                // A crash leaves zeros where a line was to be.
                Ok(Some(line))
                    if line
                        .bytes
                        .iter()
                        .all(|byte| matches!(byte, 0 | b' ' | b'\t')) => {}
                Ok(Some(line)) => self.records.take(line.bytes, &place),
                Err(fault) if fault.is_passable() => {
                    self.records.unreadable(&place, &fault.to_string());
                }
                Err(fault) => return Err(fault),
            }
            if self.records.is_hopeless() {
                return Ok(());
            }
        }
    }

    fn text(
        &mut self,
        reader: impl BufRead,
        entry: &Entry<'_>,
    ) -> Result<Result<(), Fault>, Error> {
        let mut bytes = Vec::new();
        if let Err(error) = reader.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes) {
            return Ok(Err(Fault::Io(error)));
        }
        if bytes.len() as u64 > MAX_TEXT_BYTES {
            let limit = MAX_TEXT_BYTES >> 20;
            self.records
                .unreadable("", &format!("longer than {limit} MiB"));
            return Ok(Ok(()));
        }
        let text = String::from_utf8_lossy(&bytes);
        let forced = self.records.collection.config.format.format();
        let is_chat = forced == Some(Format::WhatsApp) || whatsapp::is_chat(&text);
        if is_chat && forced != Some(Format::Text) {
            if self.records.allows(Format::WhatsApp) {
                self.records.known();
                let name = self.chat_name(entry);
                whatsapp::read(&text, &name, &mut self.records.collection)?;
            }
        } else if forced == Some(Format::Text) || plain::is_chat(&text) {
            if self.records.allows(Format::Text) {
                self.records.known();
                plain::read(
                    &text,
                    without_extension(entry.path()),
                    &mut self.records.collection,
                );
            }
        } else {
            self.records
                .unknown(&self.what(entry), "a text without lines such as `User:`");
        }
        Ok(Ok(()))
    }

    /// Returns the name of a chat: that of its file, or where all have the same, of the archive or folder around it.
    fn chat_name(&self, entry: &Entry<'_>) -> String {
        let stem = without_extension(entry.name());
        let around = match entry.inside() {
            "" => self.file.rsplit('/').nth(1),
            inside if inside.contains('/') => inside.rsplit('/').nth(1),
            _ => self.file.rsplit('/').next(),
        };
        match around {
            Some(around) if stem == "_chat" => without_zip(around).to_owned(),
            _ => stem.to_owned(),
        }
    }

    /// Reads the channels of Slack, day after day.
    fn channels(&mut self) -> Result<(), Error> {
        for (name, mut days) in std::mem::take(&mut self.channels) {
            if !self.records.allows(Format::Slack) {
                continue;
            }
            days.sort_by(|a, b| a.path().cmp(b.path()));
            for day in &days {
                self.records.collection.enter(day.inside());
                self.records.entry.has_channel = true;
                let read = Utf8::new(day.open()?)
                    .map_err(Fault::Io)
                    .and_then(|bytes| self.array(bytes, day));
                if let Err(fault) = read {
                    self.records.unreadable("", &fault.to_string());
                }
            }
            self.records.collection.enter(&name);
            let channel = std::mem::take(&mut self.records.entry).channel;
            let records = &mut self.records;
            channel.finish(&name, "", &records.directory, &mut records.collection);
        }
        Ok(())
    }
}

/// Returns the folder and the name of a day of a channel.
fn channel_of(path: &str) -> (&str, &str) {
    let mut parts = without_extension(path).rsplit('/');
    let day = parts.next().unwrap_or_default();
    (parts.next().unwrap_or("channel"), day)
}

fn without_zip(name: &str) -> &str {
    name.strip_suffix(".zip")
        .or_else(|| name.strip_suffix(".ZIP"))
        .unwrap_or(name)
}
