//! Seals: a short digest in a row, of what else stands in it.
//!
//! A whole artifact is held against its digest and a request against its key. A list of artifacts, headers and answers
//! have nothing of the kind, so their rows carry a seal. It finds what was changed by hand or by a fault of the disk;
//! whoever changes rows on purpose can make seals as well, and is kept out by other means. Rows of a state that an
//! earlier synix wrote have none.

use super::StoreError;
use super::answers::Realm;
use synix_core::digest::{Digest, Encoder};

/// The name of the column.
pub(super) const COLUMN: &str = "seal";

/// Seals a row of `artifact`.
pub(super) fn of_artifact(label: &str, kind: &str, digest: &Digest) -> i64 {
    short(
        Encoder::new("synix.seal.artifact.v1")
            .text(label)
            .text(kind)
            .digest(*digest),
    )
}

/// Seals a row of `artifact_body` without its content.
pub(super) fn of_body(digest: &Digest, media_type: Option<&str>, metadata: &str) -> i64 {
    let encoder = Encoder::new("synix.seal.artifact-body.v1").digest(*digest);
    let encoder = match media_type {
        Some(media_type) => encoder.text(media_type),
        None => encoder.absent(),
    };
    short(encoder.text(metadata))
}

/// Seals a row of `answer_body` to the row of `answer` that it belongs to.
pub(super) fn of_answer(request: i64, realm: Realm, truncated: bool, document: &str) -> i64 {
    short(
        Encoder::new("synix.seal.answer.v1")
            .number(request.unsigned_abs())
            .bytes(realm.as_bytes())
            .number(u64::from(truncated))
            .text(document),
    )
}

/// Refuses a row whose seal is another; an old row has none.
pub(super) fn check(
    found: Option<i64>,
    made: i64,
    what: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match found {
        Some(found) if found != made => Err(StoreError::Changed { what: what() }),
        Some(_) | None => Ok(()),
    }
}

fn short(encoder: Encoder) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&encoder.finish().as_bytes()[..8]);
    i64::from_le_bytes(bytes)
}
