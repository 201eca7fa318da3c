//! Counts what became of the rows of a file, and reports those that are left out.

use synix_plugin::reading::{self, Reason};
use synix_plugin::{Error, Output};

use crate::config::OnError;

/// What became of the rows.
#[derive(Debug)]
pub(crate) struct Tally {
    on_error: OnError,
    path: String,
    made: u64,
    filtered: u64,
    empty: u64,
    unreadable: u64,
    first: Option<String>,
}

impl Tally {
    pub(crate) fn new(path: &str, on_error: OnError) -> Self {
        Self {
            on_error,
            path: path.to_owned(),
            made: 0,
            filtered: 0,
            empty: 0,
            unreadable: 0,
            first: None,
        }
    }

    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    pub(crate) fn emit(&mut self, output: Output) {
        self.made += 1;
        reading::emit(output);
    }

    pub(crate) fn filtered(&mut self, place: &str) {
        self.filtered += 1;
        reading::skip(place, Reason::Filtered);
    }

    pub(crate) fn empty(&mut self, place: &str) {
        self.empty += 1;
        reading::skip(place, Reason::Empty);
    }

    /// Leaves out a row, or fails the file if the config says so.
    pub(crate) fn unreadable(&mut self, place: &str, why: &str) -> Result<(), Error> {
        let text = format!("{place}: {why}");
        if self.on_error == OnError::Error {
            return Err(Error::InvalidInput(format!(
                "{}, {text}; with `on_error = \"skip\"` the other rows are read",
                self.path
            )));
        }
        self.unreadable += 1;
        reading::skip(&text, Reason::Unreadable);
        self.first.get_or_insert(text);
        Ok(())
    }

    /// Ends a file. Rows of which none becomes an artifact are a mistake in the config or a file of another kind.
    ///
    /// `unseen` is a field that the condition names and no row has.
    pub(crate) fn finish(
        &self,
        hint: Option<String>,
        unseen: Option<&String>,
    ) -> Result<(), Error> {
        let rows = self.filtered + self.empty + self.unreadable;
        if let (0, 1.., Some(field)) = (self.made, self.filtered, unseen) {
            return Err(Error::InvalidInput(format!(
                "{}: `where` names `{field}`, which none of {rows} rows has, so none became an artifact",
                self.path
            )));
        }
        if self.made > 0 || self.filtered > 0 {
            return Ok(());
        }
        if rows == 0 {
            reading::skip("a file without rows", Reason::Empty);
            return Ok(());
        }
        let detail = hint.or_else(|| Some(format!("the first: {}", self.first.clone()?)));
        let detail = detail.map_or(String::new(), |detail| format!("; {detail}"));
        Err(Error::InvalidInput(format!(
            "{}: none of {rows} rows became an artifact: {} unreadable, {} empty{detail}",
            self.path, self.unreadable, self.empty
        )))
    }
}
