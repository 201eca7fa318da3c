//! Goes through the rows of a file.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;
use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, Entry};
use synix_reading::json::{Elements, Fault, Lines, pointer};

use crate::columns;
use crate::config::{Config, OnError};
use crate::csv::{Next, Records};
use crate::dialect::Dialect;
use crate::format::{self, Kind};
use crate::maker::{Made, Maker, Origin};
use crate::row::Row;
use crate::tally::Tally;
use crate::templates;
use crate::values;

/// The longest row, as text. What a row costs beyond its text is bounded where it is parsed: by the number of its
/// values, or of its fields.
pub(crate) const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

pub(crate) fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
    let environment = templates::environment(config)?;
    let maker = Maker::new(config, &environment)?;
    let parts =
        pointer(config.pointer.as_deref().unwrap_or_default()).map_err(Error::InvalidConfig)?;
    let archive = Archive::open(file)?;
    let mut tables = 0;
    let mut made = 0;
    let mut failed = None;
    archive.for_each(|entry| {
        if archive.is_zip() && !format::is_table(entry.name()) {
            reading::at(entry.inside());
            reading::skip(entry.name(), Reason::Unsupported);
            return Ok(());
        }
        tables += 1;
        let mut table = Table {
            config,
            maker: &maker,
            entry,
            origin: Origin::new(entry.path()),
            tally: Tally::new(entry.path(), config.on_error),
            hint: None,
            unseen: maker.condition_fields(),
        };
        let result = table.read(&parts);
        made += table.tally.made();
        match result {
            // A wrong table does not lose the others of the archive.
            Err(Error::InvalidInput(text))
                if archive.is_zip() && config.on_error == OnError::Skip =>
            {
                reading::at(entry.inside());
                reading::skip(&text, Reason::Unreadable);
                failed.get_or_insert(text);
                Ok(())
            }
            result => result,
        }
    })?;
    if let (0, Some(text)) = (made, failed) {
        return Err(Error::InvalidInput(text));
    }
    if archive.is_zip() && tables == 0 {
        return Err(Error::InvalidInput(format!(
            "{} has no table in it, which is a file whose name ends with .csv, .tsv, .jsonl, .ndjson or .json{}",
            file.name(),
            archive.left_out()
        )));
    }
    Ok(())
}

/// One table and what became of its rows.
struct Table<'t, 'a> {
    config: &'t Config,
    maker: &'t Maker<'t>,
    entry: &'t Entry<'a>,
    origin: Origin,
    tally: Tally,
    /// What is wrong with the first row that became nothing, as far as the config is.
    hint: Option<String>,
    /// Fields that the condition names and no row has so far.
    unseen: BTreeSet<String>,
}

impl Table<'_, '_> {
    fn read(&mut self, parts: &[String]) -> Result<(), Error> {
        reading::at(self.entry.inside());
        match format::find(self.entry, self.config)? {
            Kind::Empty => {}
            Kind::Lines => self.read_lines()?,
            Kind::Json => self.read_json(parts)?,
            Kind::Csv(dialect) => self.read_csv(&dialect)?,
        }
        reading::at(self.entry.inside());
        self.tally.finish(self.hint.take(), self.unseen.first())
    }

    fn read_lines(&mut self) -> Result<(), Error> {
        let mut lines = Lines::new(format::open(self.entry)?).with_limit(MAX_ROW_BYTES);
        loop {
            match lines.next() {
                Ok(None) => return Ok(()),
                Ok(Some(line)) if line.bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(line)) => {
                    let place = self.at("line", line.number);
                    match object(line.bytes) {
                        Ok(row) => self.take(row, &place, line.number)?,
                        Err(_) if !line.is_ended => {
                            self.tally.unreadable(&place, "the last line is cut off")?;
                        }
                        Err(why) => self.tally.unreadable(&place, &why)?,
                    }
                }
                Err(fault) => {
                    let place = self.at("line", lines.number());
                    self.tally.unreadable(&place, &fault.to_string())?;
                    if !fault.is_passable() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn read_json(&mut self, parts: &[String]) -> Result<(), Error> {
        let reader = format::open(self.entry)?;
        let mut elements = match Elements::with_limit(reader, parts, MAX_ROW_BYTES) {
            Ok(elements) => elements,
            Err(fault @ (Fault::Missing { .. } | Fault::Syntax { .. })) => {
                let start = format::beginning(&mut format::open(self.entry)?);
                return Err(Error::InvalidInput(format!(
                    "{}: {fault}; the file begins with `{start}`, and rows are objects in an array, in the array that \
                     `pointer` leads to, or one on each line",
                    self.entry.path()
                )));
            }
            Err(fault) => {
                return self.tally.unreadable("the start", &fault.to_string());
            }
        };
        loop {
            match elements.next() {
                Ok(None) => return Ok(()),
                Ok(Some(element)) => {
                    let place = self.at("element", element.number);
                    match object(element.bytes) {
                        Ok(row) => self.take(row, &place, element.number)?,
                        Err(why) => self.tally.unreadable(&place, &why)?,
                    }
                }
                Err(fault) => {
                    let place = self.at("element", elements.number());
                    self.tally.unreadable(&place, &fault.to_string())?;
                    if !fault.is_passable() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn read_csv(&mut self, dialect: &Dialect) -> Result<(), Error> {
        let mut records = Records::new(format::open(self.entry)?, dialect.delimiter);
        if dialect.has_separator_line {
            records.pass_line();
        }
        let Some(names) = self.names(&mut records)? else {
            return Ok(());
        };
        loop {
            let is_joined = match records.next() {
                Ok(Next::End) => return Ok(()),
                Ok(Next::Record(fields, _)) if fields.is_blank() => false,
                Ok(Next::Record(fields, line)) => {
                    let place = self.at("line", line);
                    match columns::values(self.config, fields, &names) {
                        Ok(values) => {
                            self.take(Row::new(&names, values), &place, line)?;
                            false
                        }
                        Err(why) => {
                            self.tally.unreadable(&place, &why)?;
                            true
                        }
                    }
                }
                Ok(Next::Bad(why, line)) => {
                    let place = self.at("line", line);
                    self.tally.unreadable(&place, &why)?;
                    false
                }
                Err(fault) => {
                    reading::at(self.entry.inside());
                    return self.tally.unreadable("the end", &fault.to_string());
                }
            };
            if is_joined {
                records.reject();
            }
        }
    }

    /// Returns the names of the columns, or none if the file ends before them.
    fn names(
        &mut self,
        records: &mut Records<impl BufRead>,
    ) -> Result<Option<Arc<[String]>>, Error> {
        if let Some(columns) = &self.config.columns {
            return Ok(Some(columns.as_slice().into()));
        }
        loop {
            match records.next() {
                Ok(Next::Record(fields, _)) if fields.is_blank() => {}
                Ok(Next::Record(fields, line)) => {
                    let names = columns::names(self.config, fields)
                        .map_err(|why| self.bad_header(line, &why))?;
                    return Ok(Some(names.into()));
                }
                Ok(Next::Bad(why, line)) => return Err(self.bad_header(line, &why)),
                Ok(Next::End) => return Ok(None),
                Err(fault) => {
                    self.tally.unreadable("the start", &fault.to_string())?;
                    return Ok(None);
                }
            }
        }
    }

    fn bad_header(&self, line: u64, why: &str) -> Error {
        Error::InvalidInput(format!(
            "{}, line {line}: the header with the names of the columns cannot be read: {why}",
            self.entry.path()
        ))
    }

    /// Names the place of a row, here and to the host.
    fn at(&self, what: &str, number: u64) -> String {
        let place = format!("{what} {number}");
        reading::at(&self.entry.place(&place));
        place
    }

    fn take(&mut self, row: Row, place: &str, number: u64) -> Result<(), Error> {
        let row = &Arc::new(row);
        match self.maker.make(row, &self.origin, number) {
            Made::Output(output) => self.tally.emit(*output),
            Made::Filtered => {
                self.unseen.retain(|field| row.get(field).is_none());
                self.tally.filtered(place);
            }
            Made::Failed(error) => return Err(error),
            Made::Empty => {
                self.keep_hint(row);
                self.tally.empty(place);
            }
            Made::Bad(why) => {
                self.keep_hint(row);
                self.tally.unreadable(place, &why)?;
            }
        }
        Ok(())
    }

    fn keep_hint(&mut self, row: &Row) {
        if self.hint.is_none() {
            self.hint = self.maker.hint(row);
        }
    }
}

/// Parses a row of JSON.
fn object(bytes: &[u8]) -> Result<Row, String> {
    let kind = match values::parse(bytes)? {
        Value::Object(members) => return Ok(Row::of_object(members)),
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) | Value::Null => "no object",
    };
    Err(format!("it is {kind}, and a row is an object with fields"))
}
