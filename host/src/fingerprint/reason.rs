//! Why a unit is stale, with old and new.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{StoredParts, UnitParts};
use crate::digest::Digest;

/// Why a unit must be made again. Digests are cut to twelve digits for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// There is none yet.
    New,
    /// It failed the last time, or was held back.
    NotMade,
    /// The bytes of a source file changed.
    Source {
        /// Its label.
        label: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The plugin's component changed.
    Component {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The config changed.
    Config {
        /// Before, as canonical JSON.
        old: String,
        /// Now.
        new: String,
    },
    /// A file that the config names changed.
    File {
        /// Its path.
        path: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// An input changed.
    Input {
        /// `layer/label`.
        input: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// There is an input that was not there.
    InputAdded {
        /// `layer/label`.
        input: String,
    },
    /// An input is gone.
    InputRemoved {
        /// `layer/label`.
        input: String,
    },
    /// An input is about to be made again.
    InputStale {
        /// `layer/label`, or the layer where the label is not known yet.
        input: String,
    },
    /// The model role's settings changed.
    Model {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The limits changed.
    Limits {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The host's contract version changed.
    Contract {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// It was made with an input missing, or would be now.
    Partial,
    /// Its answers came from another place: a cassette, another cassette, or providers.
    Answers,
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::NotMade => f.write_str("failed or was held back in the last build"),
            Self::Source { label, old, new } => write!(f, "source {label} changed: {old} -> {new}"),
            Self::Component { old, new } => write!(f, "plugin changed: {old} -> {new}"),
            Self::Config { old, new } => write!(f, "config changed: {old} -> {new}"),
            Self::File { path, old, new } => write!(f, "file {path} changed: {old} -> {new}"),
            Self::Input { input, old, new } => write!(f, "input {input} changed: {old} -> {new}"),
            Self::InputAdded { input } => write!(f, "input {input} added"),
            Self::InputRemoved { input } => write!(f, "input {input} removed"),
            Self::InputStale { input } => write!(f, "input {input} is stale"),
            Self::Model { old, new } => write!(f, "model settings changed: {old} -> {new}"),
            Self::Limits { old, new } => write!(f, "limits changed: {old} -> {new}"),
            Self::Contract { old, new } => write!(f, "plugin contract changed: {old} -> {new}"),
            Self::Partial => f.write_str("made from partial input"),
            Self::Answers => f.write_str("answers come from elsewhere now"),
        }
    }
}

/// Returns what differs between two units of one key; empty where nothing does.
pub fn compare(old: &StoredParts, new: &StoredParts) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    let (before, now) = (&old.layer, &new.layer);
    if before.contract != now.contract {
        reasons.push(StaleReason::Contract {
            old: before.contract.clone(),
            new: now.contract.clone(),
        });
    }
    if before.component != now.component {
        reasons.push(StaleReason::Component {
            old: before.component.short(),
            new: now.component.short(),
        });
    }
    if before.config != now.config || old.unit.config != new.unit.config {
        let whole = |parts: &StoredParts| match &parts.unit.config {
            Some(additions) => format!("{} + {additions}", parts.layer.config),
            None => parts.layer.config.clone(),
        };
        reasons.push(StaleReason::Config {
            old: whole(old),
            new: whole(new),
        });
    }
    for (place, file) in &now.files {
        let earlier = before.files.get(place);
        if earlier.map(|earlier| earlier.digest) != Some(file.digest) {
            reasons.push(StaleReason::File {
                path: file.path.clone(),
                old: earlier.map_or_else(|| "none".to_owned(), |earlier| earlier.digest.short()),
                new: file.digest.short(),
            });
        }
    }
    if before.model != now.model || before.asking != now.asking {
        let words = |model: &Option<String>, asking: &str| {
            [model.as_deref().unwrap_or("none"), asking]
                .join(" ")
                .trim_end()
                .to_owned()
        };
        reasons.push(StaleReason::Model {
            old: words(&before.model, &before.asking),
            new: words(&now.model, &now.asking),
        });
    }
    if before.limits != now.limits {
        reasons.push(StaleReason::Limits {
            old: before.limits.clone(),
            new: now.limits.clone(),
        });
    }
    if old.unit.partial || new.unit.partial {
        reasons.push(StaleReason::Partial);
    }
    compare_inputs(&old.unit, &new.unit, &mut reasons);
    reasons
}

fn compare_inputs(old: &UnitParts, new: &UnitParts, reasons: &mut Vec<StaleReason>) {
    let by_name = |parts: &UnitParts| -> BTreeMap<String, Digest> {
        parts
            .inputs
            .iter()
            .map(|input| (input.name.clone(), input.digest))
            .collect()
    };
    let (before, now) = (by_name(old), by_name(new));
    for (name, digest) in &now {
        match before.get(name) {
            Some(earlier) if earlier == digest => {}
            Some(earlier) => reasons.push(StaleReason::Input {
                input: name.clone(),
                old: earlier.short(),
                new: digest.short(),
            }),
            None => reasons.push(StaleReason::InputAdded {
                input: name.clone(),
            }),
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        reasons.push(StaleReason::InputRemoved {
            input: name.clone(),
        });
    }
}
