//! The stable names of error classes: the values of `error.kind` in JSON, as `docs/commands.md` lists them.
//!
//! The field is private, so an error type can only use a name from this list. A test compares the list with the document.

use std::fmt;

/// The stable name of a class of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorKind(&'static str);

/// Declares each name once, as a constant and in `ALL`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $text:literal;)*) => {
        impl ErrorKind {
            $($(#[$doc])* #[doc = concat!("`", $text, "`")] $visibility const $name: Self = Self($text);)*

            /// Every kind, in the order of the document.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

kinds! {
    /// Invalid arguments or environment variables.
    pub USAGE = "usage";
    pub NO_PIPELINE = "no_pipeline";
    pub PIPELINE = "pipeline";
    /// A plugin that cannot be loaded, built or run.
    pub PLUGIN = "plugin";
    pub FETCH = "fetch";
    pub LOCK_FILE = "lock_file";
    pub LOCKED = "locked";
    pub UNTRUSTED = "untrusted";
    pub UNENCRYPTED_KEY = "unencrypted_key";
    pub TRUST = "trust";
    pub SOURCE = "source";
    /// An operation of the file system failed.
    pub FILE = "file";
    pub SYSTEM = "system";
    pub NO_STATE = "no_state";
    pub STATE = "state";
    pub STATE_DAMAGED = "state_damaged";
    pub STATE_FOREIGN = "state_foreign";
    pub STATE_CLOSED = "state_closed";
    pub STATE_TOO_NEW = "state_too_new";
    pub DISK_FULL = "disk_full";
    pub NETWORK_FILE_SYSTEM = "network_file_system";
    pub CASSETTE = "cassette";
    pub PROVIDER = "provider";
    pub MISSING_KEY = "missing_key";
    /// The store of shared answers cannot be used.
    pub SHARED = "shared";
    /// The engine that runs units on other machines cannot be used.
    pub ENGINE = "engine";
    pub BUDGET = "budget";
    pub LAYER_LIMIT = "layer_limit";
    pub UNPRICED = "unpriced";
    pub BATCH = "batch";
    pub AMBIGUOUS_BATCH = "ambiguous_batch";
    pub UNKNOWN_BUILD = "unknown_build";
    pub BUSY = "busy";
    pub ENDED = "ended";
    pub PIPELINE_CHANGED = "pipeline_changed";
    pub OTHER_ANSWERS = "other_answers";
    pub INTERRUPTED = "interrupted";
    pub UNKNOWN_ARTIFACT = "unknown_artifact";
    pub UNKNOWN_LAYER = "unknown_layer";
    pub UNKNOWN_SNAPSHOT = "unknown_snapshot";
    pub UNKNOWN_UNIT = "unknown_unit";
    pub UNKNOWN_TRIAL = "unknown_trial";
    /// Settings of a trial that cannot be written into the pipeline file.
    pub PROMOTE = "promote";
    pub AMBIGUOUS = "ambiguous";
    pub NOT_BUILT = "not_built";
    pub RELEASE = "release";
    pub INTERNAL = "internal";
    /// Anything else.
    pub FAILED = "failed";
}

impl ErrorKind {
    /// Returns the kind with a name, or [`Self::FAILED`] if there is none.
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.iter().find(|kind| kind.0 == name);
        known.copied().unwrap_or(Self::FAILED)
    }

    /// Returns the name as JSON output has it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names in the first column of the document's table.
    fn documented() -> Vec<&'static str> {
        let text = include_str!("../../../docs/commands.md");
        let (_, table) = text.split_once("| `error.kind` | meaning |\n").unwrap();
        let rows = table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'));
        let cells = rows.map(|row| row.split('|').nth(1).unwrap());
        cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect()
    }

    #[test]
    fn the_document_lists_every_kind_and_nothing_else() {
        let known: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(documented(), known);
    }
}
