//! Fingerprints: what decides whether a component runs at all.
//!
//! | part | in | because |
//! | --- | --- | --- |
//! | contract version of the host | yes | it says what a component is told |
//! | layer name, unit key | yes | a unit's outputs stand under them |
//! | component digest | yes | other code may ask or make something else |
//! | layer config, canonical JSON, file values left out | yes | |
//! | bytes of each file the config names | yes | a prompt is part of the question |
//! | unit's additions to the config | yes | |
//! | digest of each input, in order | yes | covers label, kind, content, metadata |
//! | settings of the layer's model role: wire, provider, model, `max_tokens`, `temperature` | yes, if the plugin declares `llm` | |
//! | `revision`, `accept` | yes, likewise | they change what is asked or kept |
//! | limits: fuel, memory, stack, output, requests, tokens | yes | a breach is an outcome |
//! | whether an input was missing (`--allow-partial`) | yes | so that a partial artifact never passes for a whole one |
//! | settings of other model roles a unit named | kept beside it | known only after it ran; compared when it is looked up |
//! | time, machine, absolute paths, map order, credentials, URLs | no | the same work elsewhere is the same work |
//! | name of the layer's model role, `batch`, `min_batch`, `max_units`, `max_requests` | no | they do not change a request |
//! | wall-clock limit | no | a breach of it is never stored |
//!
//! What stands in it is encoded by its type, never by words for people; the scheme's name is its version. Version 1
//! hashed words: such units run once more, and [`StoredParts::read`] still reads what is kept of them.

mod change;
mod earlier;
mod parts;
mod pipeline;
mod reason;
#[cfg(test)]
mod tests;

use crate::digest::{Digest, Encoder};

pub use change::{Change, ChangeKind};
pub use parts::{
    AskingParts, FilePart, InputPart, LayerParts, LimitParts, ModelParts, StoredParts, UnitParts,
};
pub use pipeline::{BatchSetting, LayerSettings, PipelineParts, TransformSettings};
pub use reason::{StaleReason, between_models, compare};

/// Returns the fingerprint of a file of a source; `path` is relative to the project.
pub fn source_fingerprint(
    layer: &str,
    kind: &str,
    path: &str,
    label: &str,
    bytes: Digest,
) -> Digest {
    Encoder::new("synix.source.v1")
        .text(layer)
        .text(kind)
        .text(path)
        .text(label)
        .digest(bytes)
        .finish()
}
