//! Rows of the table `unit`, checked against their seals.

use super::StoreError;
use super::answers::AnswerOrigin;
use super::recovery::seal::{self, UnitRow};
use super::units::UnitId;
use synix_core::digest::Digest;

pub(super) type Row = (
    i64,
    [u8; 32],
    AnswerOrigin,
    String,
    String,
    bool,
    bool,
    Option<String>,
    Option<i64>,
);

/// A row of `unit` with its roles, checked against its seal.
#[derive(Debug)]
pub(super) struct VerifiedUnit {
    pub(super) id: UnitId,
    pub(super) fingerprint: Digest,
    pub(super) answer_origin: AnswerOrigin,
    pub(super) layer: String,
    pub(super) key: String,
    pub(super) done: bool,
    pub(super) partial: bool,
    pub(super) roles: Option<String>,
}

pub(super) fn verify(
    (id, fingerprint, answer_origin, layer, key, done, partial, roles, seal): Row,
) -> Result<VerifiedUnit, StoreError> {
    let found = VerifiedUnit {
        id: UnitId(id),
        fingerprint: Digest::from_bytes(fingerprint),
        answer_origin,
        layer,
        key,
        done,
        partial,
        roles,
    };
    seal::check(seal, found.seal(), || found.name())?;
    Ok(found)
}

impl VerifiedUnit {
    pub(super) fn seal(&self) -> i64 {
        seal::of_unit(&UnitRow {
            fingerprint: &self.fingerprint,
            answer_origin: self.answer_origin,
            layer: &self.layer,
            key: &self.key,
            done: self.done,
            partial: self.partial,
            roles: self.roles.as_deref(),
        })
    }

    pub(super) fn name(&self) -> String {
        format!("the unit {} of {}", self.key, self.layer)
    }
}
