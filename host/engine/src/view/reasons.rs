//! Why two versions of an artifact differ.

use super::unit_origin::UnitOrigin;
use synix_core::digest::Digest;
use synix_core::fingerprint::{StaleReason, stale_reasons};
use synix_store::{Reader, StoreError, StoredUnit};

/// Returns why two versions of an artifact differ, from the units that made them.
pub(super) fn reasons(
    reader: &Reader,
    label: &str,
    before: &StoredUnit,
    after: &StoredUnit,
) -> Result<Vec<StaleReason>, StoreError> {
    let source = |old: Digest, new: Digest| StaleReason::Source {
        label: label.to_owned(),
        old: old.short(),
        new: new.short(),
    };
    let (old, new) = (
        UnitOrigin::of(reader, before)?,
        UnitOrigin::of(reader, after)?,
    );
    if let (UnitOrigin::Text(old), UnitOrigin::Text(new)) = (&old, &new) {
        return Ok(vec![source(old.digest, new.digest)]);
    }
    let files = matches!(new, UnitOrigin::Files(_)).then(|| (old.files(), new.files()));
    let (Some(old), Some(new)) = (old.into_parts(), new.into_parts()) else {
        return Ok(vec![StaleReason::Version]);
    };
    let mut reasons = stale_reasons(&old, &new);
    if let Some((old, new)) = files {
        reasons.retain(|reason| !is_about_inputs(reason));
        if let (Some(old), Some(new)) = (old.first(), new.first())
            && old.digest != new.digest
        {
            reasons.push(source(old.digest, new.digest));
        }
    }
    if before.roles != after.roles {
        reasons.push(StaleReason::Model {
            changes: Vec::new(),
        });
    }
    if before.partial != after.partial {
        reasons.push(StaleReason::Partial);
    }
    // The same questions, and other answers.
    if reasons.is_empty() {
        reasons.push(StaleReason::Answers);
    }
    Ok(reasons)
}

const fn is_about_inputs(reason: &StaleReason) -> bool {
    matches!(
        reason,
        StaleReason::Input { .. }
            | StaleReason::InputAdded { .. }
            | StaleReason::InputRemoved { .. }
    )
}
