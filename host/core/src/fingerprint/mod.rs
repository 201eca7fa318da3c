//! Fingerprints, which decide whether a component runs.
//!
//! | part | included | reason |
//! | --- | --- | --- |
//! | contract version of the host | yes | it determines what a component receives |
//! | layer name, unit key | yes | they name the outputs of a unit |
//! | component digest | yes | different code may make different requests or outputs |
//! | layer config as canonical JSON, without the values of files | yes | |
//! | bytes of each file that the config names | yes | a prompt is part of a request |
//! | the unit's additions to the config | yes | |
//! | digest of each input, in order | yes | it covers label, kind, content and metadata |
//! | settings of the layer's model role: wire format, provider, model, `max_tokens`, `temperature`, `dimensions` | if the plugin declares `llm` or `embed` | |
//! | `revision`, `accept` | if the plugin declares `llm` | they change which requests are made or which answers are accepted |
//! | limits: fuel, memory, stack, output, requests, tokens | yes | exceeding one is an outcome |
//! | whether an input was missing (`--allow-partial`) | yes | a partial artifact must not count as a complete one |
//! | settings of other model roles that a unit named | stored beside it | they are known only after the run, and compared at each lookup |
//! | time, machine, absolute paths, map order, credentials, URLs | no | the same work on another machine is the same work |
//! | name of the layer's model role, `batch`, `min_batch`, `max_units`, `max_requests` | no | they do not change any request |
//! | `repair` | no | known answers to repairs are used whatever it says, so it never changes what a finished unit made |
//! | wall-clock limit | no | exceeding it is never stored |
//!
//! Each part is encoded by its type, never as text for people. The name of the scheme contains its version. Version 1
//! hashed text, so its units run once more; [`StoredParts::read`] still reads what the state contains of them.

mod change;
mod compare;
mod layer;
mod parts;
mod pipeline;
mod stale_reason;
#[cfg(test)]
mod tests;
mod version1;

use crate::digest::{Digest, Encoder};

pub use change::{Change, ChangeKind};
pub use compare::{model_changes, stale_reasons};
pub use layer::{SourceLayerParts, TransformLayerParts};
pub use parts::{
    FilePart, InputPart, LayerParts, LimitParts, ModelParts, RequestParts, StoredParts, UnitParts,
};
pub use pipeline::{BatchSetting, LayerSettings, PipelineParts, ReaderSettings, TransformSettings};
pub use stale_reason::StaleReason;

/// A version of the rules that make an artifact of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceVersion {
    /// A file is UTF-8 text.
    First,
    /// A date at the start of the file name is metadata, and pictures are bytes.
    Second,
}

/// Returns the fingerprint of a text of a source; `path` is relative to the project.
///
/// `version` is that of the rules that make an artifact of a text. Version 2 gives other artifacts than version 1 for
/// some files only, so the others remain fresh.
pub fn source_fingerprint(
    version: SourceVersion,
    (layer, kind): (&str, &str),
    (path, label): (&str, &str),
    bytes: Digest,
) -> Digest {
    let scheme = match version {
        SourceVersion::First => "synix.source.v1",
        SourceVersion::Second => "synix.source.v2",
    };
    Encoder::new(scheme)
        .text(layer)
        .text(kind)
        .text(path)
        .text(label)
        .digest(bytes)
        .finish()
}
