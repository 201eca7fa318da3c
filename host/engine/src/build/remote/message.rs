//! Makes a chunk of units that are ready to go out, and provides what is too large for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Stop;
use super::calls::{Calls, Provide, Waits};
use super::run::RemoteRun;
use crate::build::BuildError;
use crate::build::known_answers::KnownAnswers;
use crate::build::layers::ReadyTransform;
use crate::build::unit::read_input;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::json;
use synix_sandbox::Limits;
use synix_units::{
    Inputs, MAX_INLINE_BYTES, ObjectRef, TextPayload, TransformSettings, UnitChunk, UnitJob,
    WireArtifact, WireGrants, WireInput, WireLimits,
};

/// The maximum size of the list of inputs of a unit in a chunk. A longer one is an object.
const MAX_INPUTS_BYTES: usize = 256 << 10;

/// How much longer a text can be in JSON, where a control character has six.
const JSON_GROWTH: u64 = 8;

/// What providing objects needs: the components, the engine, and the report that it waits.
pub(super) type Surroundings<'s> = (&'s BTreeMap<Digest, Arc<[u8]>>, &'s Calls, Waits<'s>);

/// A chunk as it is sent, and what its outcome is checked with.
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    /// The digests of its units.
    pub(super) units: Vec<Digest>,
    /// The maximum size of its outcome.
    pub(super) max_outcome_bytes: u64,
}

/// Makes a chunk.
pub(super) struct MessageBuilder {
    chunk: UnitChunk,
    /// The layers of `chunk.transforms`.
    layers: Vec<usize>,
    bytes: usize,
    /// The most that one of its units can make.
    max_unit_bytes: u64,
}

impl MessageBuilder {
    /// Starts a chunk; see [`UnitChunk::new`].
    pub(super) fn new(outcome_bytes: u64, seconds: u64) -> Self {
        Self {
            chunk: UnitChunk::new(outcome_bytes, seconds),
            layers: Vec::new(),
            bytes: 0,
            max_unit_bytes: 0,
        }
    }

    /// Adds a unit, and provides what is too large for the chunk.
    pub(super) fn add(
        &mut self,
        run: &mut RemoteRun,
        known: &KnownAnswers,
        surroundings: Surroundings<'_>,
    ) -> Result<(), Stop> {
        let (_, calls, waits) = surroundings;
        let transform = self.transform(run, surroundings)?;
        let provide = |object, bytes: &[u8]| calls.provide(object, bytes, waits);
        let inputs = match run.provided_inputs {
            Some(object) => Inputs::Object(object),
            None => inputs(run, known, &provide)?,
        };
        let config = run.spec.config.clone();
        let job = UnitJob {
            transform,
            key: run.spec.key.clone(),
            positions: run.spec.inputs.clone(),
            // A number without a canonical form is copied as written, as it is in the config of the layer.
            config: config.map(json::canonical_object),
            inputs,
            rounds: run.rounds.as_sent(&provide)?,
        };
        let unit = job.encode();
        self.bytes = self.bytes.saturating_add(unit.get().len());
        self.chunk.push(unit);
        let Limits {
            output_bytes,
            hostcall_bytes,
            ..
        } = run.transform.limits;
        let most = (output_bytes as u64).saturating_add(hostcall_bytes as u64);
        self.max_unit_bytes = self.max_unit_bytes.max(most);
        Ok(())
    }

    /// Returns whether the chunk has so many bytes.
    pub(super) const fn is_full(&self, max_bytes: usize) -> bool {
        self.bytes >= max_bytes
    }

    pub(super) fn finish(self) -> Message {
        let max_unit_bytes = self.max_unit_bytes.saturating_mul(JSON_GROWTH);
        Message {
            units: self.chunk.unit_digests().collect(),
            // The last unit starts when the outcome is nearly large enough.
            max_outcome_bytes: self.chunk.outcome_bytes.saturating_add(max_unit_bytes),
            bytes: self.chunk.encode(),
        }
    }

    /// Returns the position of the transform of a unit in the chunk, and adds it if it is not there.
    fn transform(
        &mut self,
        run: &RemoteRun,
        (components, calls, waits): Surroundings<'_>,
    ) -> Result<usize, Stop> {
        let layer = run.layer();
        if let Some(position) = self.layers.iter().position(|known| *known == layer) {
            return Ok(position);
        }
        let transform = &run.transform;
        let digest = transform.plugin.digest();
        let Some(component) = components.get(&digest) else {
            return Err(BuildError::ComponentNotKept {
                layer: transform.layer.to_string(),
            }
            .into());
        };
        let component_ref = ObjectRef {
            digest,
            size: component.len() as u64,
        };
        calls.provide(component_ref, component, waits)?;
        let config = transform.config_text.as_str();
        let config = if config.len() > MAX_INLINE_BYTES {
            let object = ObjectRef::to(config.as_bytes());
            calls.provide(object, config.as_bytes(), waits)?;
            TextPayload::Object(object)
        } else {
            TextPayload::Text(config.to_owned())
        };
        let settings = settings(transform, component_ref, config);
        self.chunk.transforms.push(settings);
        self.layers.push(layer);
        Ok(self.layers.len() - 1)
    }
}

fn settings(
    transform: &ReadyTransform,
    component: ObjectRef,
    config: TextPayload,
) -> TransformSettings {
    let Limits {
        fuel,
        memory_bytes,
        wall,
        hostcall_bytes,
        output_bytes,
        requests,
        tokens,
    } = transform.limits;
    TransformSettings {
        name: transform.plugin.name().to_owned(),
        component,
        config,
        limits: WireLimits {
            fuel,
            memory_bytes: memory_bytes as u64,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            hostcall_bytes: hostcall_bytes as u64,
            output_bytes: output_bytes as u64,
            requests,
            tokens,
        },
        grants: WireGrants {
            llm: transform.grants.llm,
            embed: transform.grants.embed,
        },
    }
}

/// Reads the inputs of a unit. A long list is provided, and once: the unit may go out for each of its answers.
fn inputs(run: &mut RemoteRun, known: &KnownAnswers, provide: Provide<'_>) -> Result<Inputs, Stop> {
    let mut list = Vec::with_capacity(run.inputs.len());
    let mut bytes = 0;
    for (location, digest) in &run.inputs {
        let artifact = read_input(location, *digest, known)?;
        let content = artifact.content.as_bytes();
        let wire = if content.len() > MAX_INLINE_BYTES {
            let object = ObjectRef::to(content);
            provide(object, content)?;
            WireArtifact::with_object(&artifact, object)
        } else {
            WireArtifact::of(&artifact)
        };
        bytes += size_of(&artifact);
        list.push(WireInput {
            digest: *digest,
            artifact: wire,
        });
    }
    if bytes <= MAX_INPUTS_BYTES {
        return Ok(Inputs::List(list));
    }
    // It has no map with other keys than texts.
    let list = serde_json::to_vec(&list).unwrap_or_default();
    let object = ObjectRef::to(&list);
    provide(object, &list)?;
    run.provided_inputs = Some(object);
    Ok(Inputs::Object(object))
}

/// Returns about how many bytes an input has in a chunk.
fn size_of(artifact: &Artifact) -> usize {
    const OVERHEAD: usize = 256;
    let content = artifact.content.as_bytes().len().min(MAX_INLINE_BYTES);
    let metadata = artifact.metadata.values();
    // Printing metadata to measure it would take longer than printing it once.
    let metadata: usize = metadata.map(crate::build::backlog::size_of_value).sum();
    OVERHEAD + content + metadata
}
