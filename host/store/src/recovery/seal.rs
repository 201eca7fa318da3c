//! Seals: a short digest in a row, of the other columns.
//!
//! A complete artifact is checked against its digest, and a request against its key. Rows of units, listed artifacts, headers and answers have no such digest, so they have a seal. It detects changes by hand and by faults of the disk. Somebody who changes rows on purpose can compute seals as well; other checks protect against that. Rows that an early synix wrote have no seal.

use crate::StoreError;
use crate::answers::AnswerOrigin;
use synix_core::digest::{Digest, Encoder};
use synix_core::file_stamp::FileStamp;

/// The name of the column.
pub(crate) const COLUMN: &str = "seal";

/// What the seal of a row of `unit` covers: everything that decides whether the unit is fresh.
#[derive(Debug)]
pub(crate) struct UnitRow<'a> {
    pub(crate) fingerprint: &'a Digest,
    pub(crate) answer_origin: AnswerOrigin,
    pub(crate) layer: &'a str,
    pub(crate) key: &'a str,
    pub(crate) done: bool,
    pub(crate) partial: bool,
    /// This column is in `unit_detail`.
    pub(crate) roles: Option<&'a str>,
}

/// Returns the seal of a row of `unit`.
pub(crate) fn of_unit(row: &UnitRow<'_>) -> i64 {
    let encoder = Encoder::new("synix.seal.unit.v1")
        .digest(*row.fingerprint)
        .bytes(row.answer_origin.as_bytes())
        .text(row.layer)
        .text(row.key)
        .number(row.done.into())
        .number(row.partial.into());
    to_seal(optional(encoder, row.roles))
}

/// Returns the seal of a row of `unit_detail`, which covers the unit but not the roles.
pub(crate) fn of_detail(unit: i64, parts: &str, log: Option<&str>) -> i64 {
    let encoder = Encoder::new("synix.seal.unit-detail.v1")
        .number(unit.unsigned_abs())
        .text(parts);
    to_seal(optional(encoder, log))
}

/// What the seal of a row of `artifact` covers.
#[derive(Debug)]
pub(crate) struct ArtifactRow<'a> {
    /// The unit whose output it is.
    pub(crate) unit: i64,
    pub(crate) position: u64,
    pub(crate) label: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) digest: &'a Digest,
}

/// Returns the seal of a row of `artifact`.
pub(crate) fn of_artifact(row: &ArtifactRow<'_>) -> i64 {
    to_seal(
        Encoder::new("synix.seal.artifact.v2")
            .number(row.unit.unsigned_abs())
            .number(row.position)
            .text(row.label)
            .text(row.kind)
            .digest(*row.digest),
    )
}

/// Refuses a row of `artifact` with a wrong seal. In format 3 the seal did not cover the unit.
pub(crate) fn check_artifact(
    found: Option<i64>,
    row: &ArtifactRow<'_>,
    what: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    if found == Some(of_artifact(row)) {
        return Ok(());
    }
    let first_version = Encoder::new("synix.seal.artifact.v1")
        .text(row.label)
        .text(row.kind)
        .digest(*row.digest);
    check(found, to_seal(first_version), what)
}

/// Returns the seal of a row of `artifact_body`, which does not cover the content.
pub(crate) fn of_body(digest: &Digest, media_type: Option<&str>, metadata: &str) -> i64 {
    let encoder = Encoder::new("synix.seal.artifact-body.v1").digest(*digest);
    to_seal(optional(encoder, media_type).text(metadata))
}

/// Returns the seal of a row of `answer_body`, which covers the row of `answer`.
pub(crate) fn of_answer(
    request: i64,
    answer_origin: AnswerOrigin,
    truncated: bool,
    document: &str,
) -> i64 {
    to_seal(
        Encoder::new("synix.seal.answer.v1")
            .number(request.unsigned_abs())
            .bytes(answer_origin.as_bytes())
            .number(u64::from(truncated))
            .text(document),
    )
}

/// Returns the seal of a row of `unit_skipped`.
pub(crate) fn of_skipped(unit: i64, reason: &str, count: u64, examples: &str) -> i64 {
    to_seal(
        Encoder::new("synix.seal.unit-skipped.v1")
            .number(unit.unsigned_abs())
            .text(reason)
            .number(count)
            .text(examples),
    )
}

/// Returns the seal of a row of `file_digest`.
pub(crate) fn of_file_digest(path: &str, stamp: &FileStamp, stamped: i64, digest: Digest) -> i64 {
    to_seal(
        Encoder::new("synix.seal.file-digest.v1")
            .text(path)
            .number(stamp.size)
            .bytes(&stamp.modified_ns.to_le_bytes())
            .number(stamp.inode)
            .bytes(&stamped.to_le_bytes())
            .digest(digest),
    )
}

/// Returns the seal of a row of `layer_set`, which covers the order of its artifacts.
pub(crate) fn of_layer_set(set: i64, by_label: &[u8]) -> i64 {
    to_seal(
        Encoder::new("synix.seal.layer-set.v1")
            .number(set.unsigned_abs())
            .bytes(by_label),
    )
}

/// Returns the seal of a row of `snapshot_layer`.
pub(crate) fn of_snapshot_layer(snapshot: i64, name: &str, set: i64, fingerprint: Digest) -> i64 {
    to_seal(
        Encoder::new("synix.seal.snapshot-layer.v1")
            .number(snapshot.unsigned_abs())
            .text(name)
            .number(set.unsigned_abs())
            .digest(fingerprint),
    )
}

/// Returns the seal of a row of `file_failure`.
pub(crate) fn of_file_failure(
    fingerprint: Digest,
    path: &str,
    message: &str,
    version: &str,
) -> i64 {
    to_seal(
        Encoder::new("synix.seal.file-failure.v1")
            .digest(fingerprint)
            .text(path)
            .text(message)
            .text(version),
    )
}

/// Refuses a row with a wrong seal. An old row has none.
pub(crate) fn check(
    found: Option<i64>,
    expected: i64,
    what: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match found {
        Some(found) if found != expected => Err(StoreError::Changed { what: what() }),
        Some(_) | None => Ok(()),
    }
}

fn optional(encoder: Encoder, text: Option<&str>) -> Encoder {
    match text {
        Some(text) => encoder.text(text),
        None => encoder.absent(),
    }
}

fn to_seal(encoder: Encoder) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&encoder.finish().as_bytes()[..8]);
    i64::from_le_bytes(bytes)
}
