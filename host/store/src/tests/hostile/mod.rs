//! Manipulated state folders: no code in them runs, and nothing outside of them changes (W2, W5, W12).

use std::fs;
#[cfg(unix)]
use std::io;

mod files;
#[cfg(unix)]
mod links;
mod rows;
mod schema;
mod values;

use super::*;

/// Returns the errors of opening the state for reading and for writing, which both must fail.
fn refusals(folder: &Path) -> Vec<String> {
    let error_chain = |error: StoreError| {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        message
    };
    vec![
        error_chain(Reader::open(folder).unwrap_err()),
        error_chain(Store::open(folder).unwrap_err()),
    ]
}

#[track_caller]
fn assert_refused(folder: &Path, word: &str) {
    for error in refusals(folder) {
        assert!(error.contains(word), "{error}");
    }
}

/// A state that the statement has changed.
fn planted(statement: &str) -> tempfile::TempDir {
    let folder = Fixture::new().close();
    tamper(folder.path(), statement);
    folder
}
