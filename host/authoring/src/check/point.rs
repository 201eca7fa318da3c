//! The points of a check: the promises that a plugin must keep.

use serde::Serialize;

/// One promise that a plugin must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// It is a component of the contract's world and version.
    Component,
    /// Its description follows the rules.
    Descriptor,
    /// Its config schema can be used.
    ConfigSchema,
    /// Omitting a default means the same as writing it.
    ConfigDefaults,
    /// An invalid config is refused with a message.
    ConfigRefusals,
    /// Units of ordinary inputs succeed.
    OrdinaryUnits,
    /// It declares the capabilities that it uses.
    Capabilities,
    /// The same call has the same result.
    Deterministic,
    /// It keeps no state between calls.
    Stateless,
    /// A run that is suspended and started again asks the same questions.
    Replay,
    /// No answer makes it crash.
    Answers,
    /// A refused request fails the unit.
    RefusedRequests,
    /// Every input is in a unit.
    Split,
    /// A unit keeps its key when other inputs are added or removed.
    UnitKeys,
    /// The order of the inputs changes nothing.
    InputOrder,
    /// Outputs follow the rules.
    Outputs,
    /// Labels are unique across all units.
    Labels,
    /// An input without text does not make it crash.
    EmptyInput,
    /// Any text does not make it crash.
    UnicodeInput,
    /// A long text does not make it crash.
    LongInput,
    /// An input that is not text does not make it crash.
    BytesInput,
    /// Unusual or missing metadata does not make it crash.
    MetadataInput,
    /// It stays within the limits of a unit.
    Limits,
}

impl Point {
    /// Every point, in the order of a report.
    pub const ALL: [Self; 23] = [
        Self::Component,
        Self::Descriptor,
        Self::ConfigSchema,
        Self::ConfigDefaults,
        Self::ConfigRefusals,
        Self::OrdinaryUnits,
        Self::Capabilities,
        Self::Deterministic,
        Self::Stateless,
        Self::Replay,
        Self::Answers,
        Self::RefusedRequests,
        Self::Split,
        Self::UnitKeys,
        Self::InputOrder,
        Self::Outputs,
        Self::Labels,
        Self::EmptyInput,
        Self::UnicodeInput,
        Self::LongInput,
        Self::BytesInput,
        Self::MetadataInput,
        Self::Limits,
    ];

    /// Returns the name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Descriptor => "descriptor",
            Self::ConfigSchema => "config-schema",
            Self::ConfigDefaults => "config-defaults",
            Self::ConfigRefusals => "config-refusals",
            Self::OrdinaryUnits => "ordinary-units",
            Self::Capabilities => "capabilities",
            Self::Deterministic => "deterministic",
            Self::Stateless => "stateless",
            Self::Replay => "replay",
            Self::Answers => "answers",
            Self::RefusedRequests => "refused-requests",
            Self::Split => "split",
            Self::UnitKeys => "unit-keys",
            Self::InputOrder => "input-order",
            Self::Outputs => "outputs",
            Self::Labels => "labels",
            Self::EmptyInput => "empty-input",
            Self::UnicodeInput => "unicode-input",
            Self::LongInput => "long-input",
            Self::BytesInput => "bytes-input",
            Self::MetadataInput => "metadata-input",
            Self::Limits => "limits",
        }
    }

    /// Returns the promise in one sentence.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::Component => "It is a component of the contract's world and version.",
            Self::Descriptor => "Its description follows the rules and is the same on every call.",
            Self::ConfigSchema => {
                "Its config schema describes an object; its defaults, examples and choices are valid."
            }
            Self::ConfigDefaults => "Omitting a default means the same as writing it.",
            Self::ConfigRefusals => {
                "An invalid config is refused with a message; it is not ignored and causes no crash."
            }
            Self::OrdinaryUnits => "Units of ordinary inputs succeed.",
            Self::Capabilities => "It declares what it uses and uses what it declares.",
            Self::Deterministic => "The same call has the same requests, outputs and fuel.",
            Self::Stateless => "It keeps no state between calls.",
            Self::Replay => {
                "If a run is suspended at any question and started again, it asks the same questions."
            }
            Self::Answers => "No answer makes it crash.",
            Self::RefusedRequests => "A refused request fails the unit.",
            Self::Split => "Each input is in a unit, or the log says why not.",
            Self::UnitKeys => "A unit keeps its key as long as its inputs are the same.",
            Self::InputOrder => "The order of the inputs changes nothing.",
            Self::Outputs => "Labels, kinds, media types and metadata of outputs follow the rules.",
            Self::Labels => "Labels are unique across all units.",
            Self::EmptyInput => "An empty text does not make it crash.",
            Self::UnicodeInput => "No characters in texts and labels make it crash.",
            Self::LongInput => "Long texts and labels, and many inputs, do not make it crash.",
            Self::BytesInput => "An input that is not text does not make it crash.",
            Self::MetadataInput => {
                "Unusual or missing metadata, or another kind, does not make it crash."
            }
            Self::Limits => {
                "It stays within the limits of a unit: fuel, memory, outputs, log and requests."
            }
        }
    }
}
