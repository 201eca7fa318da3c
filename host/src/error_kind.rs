//! The stable words for classes of errors, as `docs/commands.md` lists them: one list, from which everything follows.
//!
//! Each error type picks its word here and can pick no other: the field is private. A word that nothing picks is dead code,
//! which the compiler names; the test below holds the list against the document.

use std::fmt;

/// A stable word for a class of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorKind(&'static str);

/// Declares each word once, as a constant and in the list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $word:literal;)*) => {
        impl ErrorKind {
            $($(#[$doc])* $visibility const $name: Self = Self($word);)*

            /// Every word, in the order of the document.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

// Public is what the command itself says of errors that are none of the library's.
kinds! {
    /// Arguments or variables that cannot be used.
    pub USAGE = "usage";
    pub(crate) NO_PIPELINE = "no_pipeline";
    pub(crate) PIPELINE = "pipeline";
    /// A plugin that cannot be loaded, built or run.
    pub PLUGIN = "plugin";
    pub(crate) FETCH = "fetch";
    pub(crate) LOCK_FILE = "lock_file";
    pub(crate) LOCKED = "locked";
    pub(crate) UNTRUSTED = "untrusted";
    pub(crate) UNENCRYPTED_KEY = "unencrypted_key";
    pub(crate) TRUST = "trust";
    pub(crate) SOURCE = "source";
    /// The file system refused.
    pub FILE = "file";
    pub(crate) SYSTEM = "system";
    pub(crate) NO_STATE = "no_state";
    pub(crate) STATE = "state";
    pub(crate) STATE_DAMAGED = "state_damaged";
    pub(crate) STATE_FOREIGN = "state_foreign";
    pub(crate) STATE_CLOSED = "state_closed";
    pub(crate) STATE_TOO_NEW = "state_too_new";
    pub(crate) DISK_FULL = "disk_full";
    pub(crate) NETWORK_FILE_SYSTEM = "network_file_system";
    pub(crate) CASSETTE = "cassette";
    pub(crate) PROVIDER = "provider";
    pub(crate) MISSING_KEY = "missing_key";
    pub(crate) BUDGET = "budget";
    pub(crate) LAYER_LIMIT = "layer_limit";
    pub(crate) UNPRICED = "unpriced";
    pub(crate) BATCH = "batch";
    pub(crate) AMBIGUOUS_BATCH = "ambiguous_batch";
    pub(crate) UNKNOWN_BUILD = "unknown_build";
    pub(crate) BUSY = "busy";
    pub(crate) ENDED = "ended";
    pub(crate) PIPELINE_CHANGED = "pipeline_changed";
    pub(crate) OTHER_ANSWERS = "other_answers";
    pub(crate) INTERRUPTED = "interrupted";
    pub(crate) UNKNOWN_ARTIFACT = "unknown_artifact";
    pub(crate) UNKNOWN_LAYER = "unknown_layer";
    pub(crate) UNKNOWN_SNAPSHOT = "unknown_snapshot";
    pub(crate) AMBIGUOUS = "ambiguous";
    pub(crate) NOT_BUILT = "not_built";
    pub(crate) INTERNAL = "internal";
    /// Anything else.
    pub FAILED = "failed";
}

impl ErrorKind {
    /// Returns the word.
    pub const fn word(self) -> &'static str {
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

    /// The words in the first column of the document's table.
    fn listed() -> Vec<&'static str> {
        let text = include_str!("../../docs/commands.md");
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
    fn the_document_lists_every_kind_and_no_other() {
        let known: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!(listed(), known);
    }
}
