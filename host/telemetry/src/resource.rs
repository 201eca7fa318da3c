//! Describes the program that sends telemetry.

use crate::wire::{Resource, text};

/// Returns the resource: the given attributes, and those that are missing.
pub(crate) fn resource(given: &[(String, String)]) -> Resource {
    let defaults = [
        ("service.name", "synix"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("telemetry.sdk.name", "synix"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    let missing = defaults
        .into_iter()
        .filter(|(key, _)| given.iter().all(|(other, _)| other != key));
    let given = given.iter().map(|(key, value)| text(key, value.as_str()));
    Resource {
        attributes: given
            .chain(missing.map(|(key, value)| text(key, value)))
            .collect(),
    }
}
