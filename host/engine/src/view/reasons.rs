//! Why two versions of an artifact differ.

use super::lineage::SourceParts;
use synix_core::digest::Digest;
use synix_core::fingerprint::{StaleReason, StoredParts, stale_reasons};
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
    let (Some(old), Some(new)) = (
        StoredParts::read(&before.parts),
        StoredParts::read(&after.parts),
    ) else {
        let bytes = |unit: &StoredUnit| serde_json::from_str::<SourceParts>(&unit.parts).ok();
        return Ok(match (bytes(before), bytes(after)) {
            (Some(old), Some(new)) => vec![source(old.bytes, new.bytes)],
            _ => vec![StaleReason::Version],
        });
    };
    let mut reasons = stale_reasons(&old, &new);
    // A reader's input is its file, and no artifact.
    if let (Some(old), Some(new)) = (old.unit.inputs.first(), new.unit.inputs.first())
        && reader.inputs(after.id)?.is_empty()
    {
        reasons.retain(|reason| !is_about_inputs(reason));
        if old.digest != new.digest {
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
