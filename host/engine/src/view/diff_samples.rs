//! Compares the snapshot of a trial as far as it goes: what a trial leaves out is not removed.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::diff::LayerUnits;
use crate::build::Selection;
use synix_core::fingerprint::StaleReason;
use synix_store::{LayerChanges, Reader, Snapshot, StoreError, StoredArtifact, UnitId};

/// Which of two snapshots have only some units of their pipeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    before: bool,
    after: bool,
}

impl Samples {
    /// Finds out which of two snapshots are of trials with a selection.
    pub(super) fn of(
        reader: &Reader,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            before: is_sample(reader, before)?,
            after: is_sample(reader, after)?,
        })
    }

    /// Returns whether there is one.
    pub(super) const fn any(self) -> bool {
        self.before || self.after
    }

    /// Leaves out the reasons about inputs that a sample does not have, unless there is no other reason.
    pub(super) fn without_left_out(self, why: Vec<StaleReason>) -> Vec<StaleReason> {
        let is_about_inputs = |reason: &StaleReason| {
            matches!(
                reason,
                StaleReason::InputAdded { .. }
                    | StaleReason::InputRemoved { .. }
                    | StaleReason::MoreInputs { .. }
            )
        };
        if !self.any() || why.iter().all(is_about_inputs) {
            return why;
        }
        why.into_iter()
            .filter(|reason| !is_about_inputs(reason))
            .collect()
    }

    /// Removes the artifacts whose units the other snapshot leaves out, and returns their number.
    ///
    /// An artifact is removed or added only if the other snapshot has its unit, which makes other artifacts there.
    pub(super) fn leave_out(self, units: &LayerUnits, changes: &mut LayerChanges) -> usize {
        let LayerChanges { before, after } = changes;
        let mut count = 0;
        if self.after {
            count += leave_out((&units.after, after), (&units.before, before));
        }
        if self.before {
            count += leave_out((&units.before, before), (&units.after, after));
        }
        count
    }
}

type Units = HashMap<String, UnitId>;
type Artifacts = BTreeMap<String, StoredArtifact>;

/// Removes the artifacts that a sample has neither by their labels nor by their units.
fn leave_out(
    (units, sample): (&Units, &Artifacts),
    (other_units, others): (&Units, &mut Artifacts),
) -> usize {
    let shared = other_units
        .iter()
        .filter(|(key, _)| units.contains_key(*key));
    let shared: HashSet<UnitId> = shared.map(|(_, unit)| *unit).collect();
    let count = others.len();
    others.retain(|label, other| sample.contains_key(label) || shared.contains(&other.unit));
    count - others.len()
}

/// Returns whether a snapshot has only some units of its pipeline.
fn is_sample(reader: &Reader, snapshot: &Snapshot) -> Result<bool, StoreError> {
    if snapshot.name.is_none() {
        return Ok(false);
    }
    let trial = reader.build(snapshot.build)?.and_then(|build| build.trial);
    let selection = trial.and_then(|trial| serde_json::from_str::<Selection>(&trial).ok());
    Ok(selection.is_none_or(|selection| !selection.is_everything()))
}
