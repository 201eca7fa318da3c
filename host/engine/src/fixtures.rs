//! Values that the tests of batches and of views share.

use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_store::{AnswerOrigin, BuildKind, NewBuild};

/// Returns a build of a pipeline that no test reads.
pub(crate) fn new_build(kind: BuildKind) -> NewBuild {
    NewBuild {
        kind,
        pipeline: "synix.toml".to_owned(),
        fingerprint: Digest::of(b"pipeline"),
        parts: "{}".to_owned(),
        answer_origin: AnswerOrigin::Live,
        opened: Timestamp(0),
    }
}
