//! Seals: a short digest in a row, of what else stands in it.
//!
//! A whole artifact is held against its digest and a request against its key. Units, a list of artifacts, headers and
//! answers have nothing of the kind, so their rows carry a seal. It finds what was changed by hand or by a fault of the disk;
//! whoever changes rows on purpose can make seals as well, and is kept out by other means. Rows of a state that an
//! earlier synix wrote have none.

use crate::StoreError;
use crate::answers::Realm;
use synix_core::digest::{Digest, Encoder};

/// The name of the column.
pub(crate) const COLUMN: &str = "seal";

/// What the seal of a row of `unit` covers: all that decides whether its outputs are those of a unit that is fresh.
#[derive(Debug)]
pub(crate) struct UnitRow<'a> {
    pub(crate) fingerprint: &'a Digest,
    pub(crate) realm: Realm,
    pub(crate) layer: &'a str,
    pub(crate) key: &'a str,
    pub(crate) done: bool,
    pub(crate) partial: bool,
    /// Stands in `unit_detail`.
    pub(crate) roles: Option<&'a str>,
}

/// Seals a row of `unit`.
pub(crate) fn of_unit(row: &UnitRow<'_>) -> i64 {
    let encoder = Encoder::new("synix.seal.unit.v1")
        .digest(*row.fingerprint)
        .bytes(row.realm.as_bytes())
        .text(row.layer)
        .text(row.key)
        .number(row.done.into())
        .number(row.partial.into());
    short(optional(encoder, row.roles))
}

/// Seals a row of `unit_detail` to the unit that it belongs to, without its roles.
pub(crate) fn of_detail(unit: i64, parts: &str, log: Option<&str>) -> i64 {
    let encoder = Encoder::new("synix.seal.unit-detail.v1")
        .number(unit.unsigned_abs())
        .text(parts);
    short(optional(encoder, log))
}

/// What the seal of a row of `artifact` covers.
#[derive(Debug)]
pub(crate) struct ArtifactRow<'a> {
    /// The unit whose output it is, and where among its outputs.
    pub(crate) unit: i64,
    pub(crate) position: u64,
    pub(crate) label: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) digest: &'a Digest,
}

/// Seals a row of `artifact`.
pub(crate) fn of_artifact(row: &ArtifactRow<'_>) -> i64 {
    short(
        Encoder::new("synix.seal.artifact.v2")
            .number(row.unit.unsigned_abs())
            .number(row.position)
            .text(row.label)
            .text(row.kind)
            .digest(*row.digest),
    )
}

/// Refuses a row of `artifact` whose seal is another. Format 3 sealed it without its unit.
pub(crate) fn check_artifact(
    found: Option<i64>,
    row: &ArtifactRow<'_>,
    what: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    if found == Some(of_artifact(row)) {
        return Ok(());
    }
    let first = Encoder::new("synix.seal.artifact.v1")
        .text(row.label)
        .text(row.kind)
        .digest(*row.digest);
    check(found, short(first), what)
}

/// Seals a row of `artifact_body` without its content.
pub(crate) fn of_body(digest: &Digest, media_type: Option<&str>, metadata: &str) -> i64 {
    let encoder = Encoder::new("synix.seal.artifact-body.v1").digest(*digest);
    short(optional(encoder, media_type).text(metadata))
}

/// Seals a row of `answer_body` to the row of `answer` that it belongs to.
pub(crate) fn of_answer(request: i64, realm: Realm, truncated: bool, document: &str) -> i64 {
    short(
        Encoder::new("synix.seal.answer.v1")
            .number(request.unsigned_abs())
            .bytes(realm.as_bytes())
            .number(u64::from(truncated))
            .text(document),
    )
}

/// Refuses a row whose seal is another; an old row has none.
pub(crate) fn check(
    found: Option<i64>,
    made: i64,
    what: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match found {
        Some(found) if found != made => Err(StoreError::Changed { what: what() }),
        Some(_) | None => Ok(()),
    }
}

fn optional(encoder: Encoder, text: Option<&str>) -> Encoder {
    match text {
        Some(text) => encoder.text(text),
        None => encoder.absent(),
    }
}

fn short(encoder: Encoder) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&encoder.finish().as_bytes()[..8]);
    i64::from_le_bytes(bytes)
}
