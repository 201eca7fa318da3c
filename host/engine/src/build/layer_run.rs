//! The state of a layer and of its unsettled units while a build runs.

use std::collections::HashMap;
use std::sync::Arc;

use super::handle::Handle;
use super::limits::SourceSize;
use super::progress::LayerProgress;
use super::unchanged_layers::UnchangedLayer;
use synix_core::digest::Digest;
use synix_core::fingerprint::SourceLayerParts;
use synix_core::ids::{Label, UnitKey};
use synix_core::request::RequestKey;
use synix_core::skipped::SkippedCount;
use synix_sandbox::UnitSpec;
use synix_store::{ArtifactId, UnitId};

/// A unit that is not fresh.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) layer: usize,
    pub(super) spec: Arc<UnitSpec>,
    /// What [`UnitSpec::inputs`] refers to; the units of one `split` share it.
    pub(super) inputs: Arc<[Handle]>,
    /// Whether an input, or anything upstream of one, is missing.
    pub(super) partial: bool,
    pub(super) fingerprint: Digest,
    /// The requests that it has made so far.
    pub(super) transcript: Vec<RequestKey>,
    /// How many of them repair an answer. Only set if the unit was suspended.
    pub(super) repairs: usize,
    /// How many of its requests have no answer.
    pub(super) waiting: usize,
    /// How many of its requests count towards the limits.
    pub(super) counted: usize,
    /// What an earlier suspension recorded of it.
    pub(super) recorded: Option<RecordedRun>,
}

/// A suspended run that is recorded, so that the next one only adds to it.
#[derive(Debug)]
pub(super) struct RecordedRun {
    /// `None` in a plan.
    pub(super) unit: Option<UnitId>,
    /// How many of its requests are recorded.
    pub(super) requests: usize,
    /// How many of them, from the first on, are recorded with their answers.
    pub(super) answered: usize,
    /// The settings of the model roles that it used beside its layer's role.
    pub(super) roles: Option<Box<str>>,
}

impl Unit {
    /// Returns its inputs in order.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Handle> {
        inputs_of(&self.spec, &self.inputs)
    }
}

/// Returns the inputs of a unit among those of its layer.
pub(super) fn inputs_of<'h>(
    spec: &'h UnitSpec,
    all: &'h [Handle],
) -> impl Iterator<Item = &'h Handle> {
    let position = |position: &u32| usize::try_from(*position).ok();
    let positions = spec.inputs.iter().filter_map(position);
    positions.filter_map(|position| all.get(position))
}

/// The state of a layer.
#[derive(Debug, Default)]
pub(super) struct LayerRun {
    /// The layers that take the artifacts of this layer.
    pub(super) downstream: Vec<usize>,
    pub(super) progress: LayerProgress,
    /// Whether a downstream layer needs all its artifacts before it can be divided into units.
    pub(super) is_gathered: bool,
    /// Emptied after each artifact was passed to the units that need it, unless the layer is gathered.
    pub(super) artifacts: Vec<Handle>,
    pub(super) labels: HashMap<Label, UnitKey>,
    /// Finished units; those of a plan have no id.
    pub(super) done_units: Vec<(UnitKey, Option<UnitId>)>,
    /// Units that failed or were held back.
    pub(super) failed_units: Vec<UnitKey>,
    /// The size of a source.
    pub(super) source_size: SourceSize,
    /// What the reader of a source left out.
    pub(super) skipped: Vec<SkippedCount>,
    /// Recorded artifacts of a source that newer ones with the same label replace; sorted.
    pub(super) replaced: Vec<ArtifactId>,
    /// The parts of a source's fingerprint, as far as its files were looked at.
    pub(super) source_parts: SourceLayerParts,
    /// What the newest snapshot has of the layer, if it is unchanged. Then the fields above have none of its units.
    pub(super) unchanged: Option<UnchangedLayer>,
}
