//! Why a unit is stale.

use std::fmt;

use serde::Serialize;

use super::change::{self, Change};

/// Why a unit must run again. Digests are shortened to 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// The unit does not exist yet.
    New,
    /// The unit failed or was held back in the last build.
    NotMade,
    /// A source file changed.
    Source {
        /// The label of its artifact.
        label: String,
        /// The old value.
        old: String,
        /// The new value.
        new: String,
    },
    /// The plugin's component changed.
    Component {
        /// The old value.
        old: String,
        /// The new value.
        new: String,
    },
    /// The config changed.
    Config {
        /// The changed settings.
        changes: Vec<Change>,
    },
    /// A file that the config names changed.
    File {
        /// The path of the file.
        path: String,
        /// The old digest, or `none` if the config named no file.
        old: String,
        /// The new digest, or `none` if the config names no file.
        new: String,
    },
    /// An input changed.
    Input {
        /// `layer/label`.
        input: String,
        /// The old value.
        old: String,
        /// The new value.
        new: String,
    },
    /// An input was added.
    InputAdded {
        /// `layer/label`.
        input: String,
    },
    /// An input was removed.
    InputRemoved {
        /// `layer/label`.
        input: String,
    },
    /// An input is stale itself.
    InputStale {
        /// `layer/label`, or the layer if the label is not known yet.
        input: String,
    },
    /// The order of the inputs changed.
    InputOrder,
    /// More inputs changed than are listed.
    MoreInputs {
        /// The number of further inputs.
        count: u64,
    },
    /// The settings of a model role, `revision` or `accept` changed.
    Model {
        /// The changed settings.
        changes: Vec<Change>,
    },
    /// The limits changed.
    Limits {
        /// The changed limits.
        changes: Vec<Change>,
    },
    /// The host's contract version changed.
    Contract {
        /// The old value.
        old: String,
        /// The new value.
        new: String,
    },
    /// An input was missing in the last build, or is missing now.
    Partial,
    /// The answers come from a different source than before: providers, or a different cassette.
    Answers,
    /// Nothing makes the unit any more. A comparison of snapshots says so.
    Removed,
    /// An earlier version of synix, with a different encoding of fingerprints, made the unit.
    Version,
}

impl StaleReason {
    /// Returns a text without the labels and digests of single inputs, so that it can describe many units.
    pub fn summary(&self) -> String {
        match self {
            Self::Source { .. } => "source file changed".to_owned(),
            Self::Component { .. } => "plugin changed".to_owned(),
            Self::File { path, .. } => format!("file {path} changed"),
            Self::Input { .. } => "inputs changed".to_owned(),
            Self::InputAdded { .. } => "inputs added".to_owned(),
            Self::InputRemoved { .. } => "inputs removed".to_owned(),
            Self::InputStale { .. } => "inputs are stale".to_owned(),
            Self::MoreInputs { .. } => String::new(),
            Self::New
            | Self::NotMade
            | Self::Config { .. }
            | Self::Model { .. }
            | Self::Limits { .. }
            | Self::Contract { .. }
            | Self::InputOrder
            | Self::Partial
            | Self::Answers
            | Self::Removed
            | Self::Version => self.to_string(),
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::NotMade => f.write_str("not made in the last build"),
            Self::Source { label, .. } => write!(f, "source file of {label} changed"),
            Self::Component { old, new } => write!(f, "plugin changed ({old} -> {new})"),
            Self::Config { changes } | Self::Model { changes } => {
                f.write_str(&change::join(changes))
            }
            Self::File { path, old, new } => write!(f, "file {path} changed ({old} -> {new})"),
            Self::Input { input, .. } => write!(f, "input {input} changed"),
            Self::InputAdded { input } => write!(f, "input {input} added"),
            Self::InputRemoved { input } => write!(f, "input {input} removed"),
            Self::InputStale { input } => write!(f, "input {input} is stale"),
            Self::InputOrder => f.write_str("order of inputs changed"),
            Self::MoreInputs { count } => write!(f, "and {count} more inputs"),
            Self::Limits { changes } => write!(f, "limits: {}", change::join(changes)),
            Self::Contract { old, new } => write!(f, "plugin contract changed ({old} -> {new})"),
            Self::Partial => f.write_str("made from partial input"),
            Self::Answers => f.write_str("answers come from a different source"),
            Self::Removed => f.write_str("no longer made"),
            Self::Version => f.write_str("made by an earlier version of synix"),
        }
    }
}
