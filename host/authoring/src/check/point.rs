//! The points of a check: the promises that a plugin must keep.

use serde::Serialize;

use crate::PluginKind;

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
    /// A reader gets artifacts from ordinary files.
    OrdinaryFiles,
    /// A reader gets the same from a file that arrives in other parts.
    ShortReads,
    /// An empty file does not make a reader crash.
    EmptyFile,
    /// A damaged file does not make a reader crash.
    NoiseFile,
    /// A file that is cut off does not make a reader crash.
    CutFile,
    /// A file that is larger than the memory does not make a reader crash.
    SparseFile,
    /// The name of a file does not make a reader crash.
    FileNames,
    /// It stays within the limits of a unit.
    Limits,
}

const OF_TRANSFORMS: [Point; 23] = [
    Point::Component,
    Point::Descriptor,
    Point::ConfigSchema,
    Point::ConfigDefaults,
    Point::ConfigRefusals,
    Point::OrdinaryUnits,
    Point::Capabilities,
    Point::Deterministic,
    Point::Stateless,
    Point::Replay,
    Point::Answers,
    Point::RefusedRequests,
    Point::Split,
    Point::UnitKeys,
    Point::InputOrder,
    Point::Outputs,
    Point::Labels,
    Point::EmptyInput,
    Point::UnicodeInput,
    Point::LongInput,
    Point::BytesInput,
    Point::MetadataInput,
    Point::Limits,
];

const OF_READERS: [Point; 17] = [
    Point::Component,
    Point::Descriptor,
    Point::ConfigSchema,
    Point::ConfigDefaults,
    Point::ConfigRefusals,
    Point::OrdinaryFiles,
    Point::Capabilities,
    Point::Deterministic,
    Point::ShortReads,
    Point::Outputs,
    Point::Labels,
    Point::EmptyFile,
    Point::NoiseFile,
    Point::CutFile,
    Point::SparseFile,
    Point::FileNames,
    Point::Limits,
];

impl Point {
    /// Returns every point of a kind of plugin, in the order of a report.
    pub const fn all(kind: PluginKind) -> &'static [Self] {
        match kind {
            PluginKind::Transform => &OF_TRANSFORMS,
            PluginKind::Reader => &OF_READERS,
        }
    }

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
            Self::OrdinaryFiles => "ordinary-files",
            Self::ShortReads => "short-reads",
            Self::EmptyFile => "empty-file",
            Self::NoiseFile => "noise-file",
            Self::CutFile => "cut-file",
            Self::SparseFile => "sparse-file",
            Self::FileNames => "file-names",
            Self::Limits => "limits",
        }
    }

    /// Returns the promise of a kind of plugin in one sentence.
    pub const fn promise(self, kind: PluginKind) -> &'static str {
        match (self, kind) {
            (Self::Capabilities, PluginKind::Reader) => {
                "It has no capabilities and the shape `per-input`."
            }
            (Self::Deterministic, PluginKind::Reader) => {
                "The same file gives the same artifacts, skipped parts, log and fuel."
            }
            (Self::Outputs, PluginKind::Reader) => {
                "Artifacts and the reasons of skipped parts follow the rules."
            }
            (Self::Labels, PluginKind::Reader) => "Labels are unique within a file.",
            (Self::Limits, PluginKind::Reader) => {
                "It stays within the limits of a unit: fuel, memory, outputs and log."
            }
            (_, PluginKind::Transform | PluginKind::Reader) => self.usual_promise(),
        }
    }

    const fn usual_promise(self) -> &'static str {
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
            Self::OrdinaryFiles => "Ordinary files give artifacts.",
            Self::ShortReads => "A file that arrives in parts of other sizes gives the same.",
            Self::EmptyFile => "An empty file does not make it crash.",
            Self::NoiseFile => "A file of noise, or a damaged one, does not make it crash.",
            Self::CutFile => "A file that is cut off does not make it crash.",
            Self::SparseFile => "A file that is larger than its memory does not make it crash.",
            Self::FileNames => "No name of a file makes it crash.",
            Self::Limits => {
                "It stays within the limits of a unit: fuel, memory, outputs, log and requests."
            }
        }
    }
}
