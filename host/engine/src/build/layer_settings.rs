//! Converts the settings of layers: limits of units, and what the fingerprint of the pipeline covers.

use super::layers::{ReadyBody, ReadyLayer};
use synix_core::fingerprint::{
    BatchSetting, LayerSettings, PipelineParts, ReaderSettings, TransformSettings,
};
use synix_manifest::{BatchChoice, LayerLimits, OnDuplicate, Pipeline};
use synix_sandbox::Limits;

pub(super) fn unit_limits(configured: LayerLimits) -> Limits {
    const MIB: usize = 1024 * 1024;
    let mib = |configured: Option<u32>, default: usize| {
        configured
            .and_then(|mib| usize::try_from(mib).ok())
            .map_or(default, |mib| mib.saturating_mul(MIB))
    };
    let default = Limits::default();
    Limits {
        fuel: configured.fuel.unwrap_or(default.fuel),
        memory_bytes: mib(configured.memory_mb, default.memory_bytes),
        wall: configured.wall_s.map_or(default.wall, |seconds| {
            std::time::Duration::from_secs(seconds.into())
        }),
        output_bytes: mib(configured.output_mb, default.output_bytes),
        requests: configured.requests.unwrap_or(default.requests),
        tokens: configured.tokens.or(default.tokens),
        ..default
    }
}

/// Returns what the pipeline's fingerprint covers (I1, I2).
pub(super) fn pipeline_parts(pipeline: &Pipeline, layers: &[ReadyLayer]) -> PipelineParts {
    let settings = layers.iter().map(|layer| {
        let settings = match &layer.body {
            ReadyBody::Texts { globs, kind, .. } => LayerSettings::Source {
                glob: globs.join("\n"),
                kind: kind.to_string(),
            },
            ReadyBody::Reader(reader) => LayerSettings::Reader(Box::new(ReaderSettings {
                globs: reader.globs.clone(),
                parts: reader.parts.clone(),
                newest: reader.on_duplicate == OnDuplicate::Newest,
            })),
            ReadyBody::Transform(transform) => {
                let name = |input: &usize| layers[*input].name.to_string();
                LayerSettings::Transform(Box::new(TransformSettings {
                    inputs: transform.inputs.iter().map(name).collect(),
                    parts: transform.parts.clone(),
                    batch: match transform.batch {
                        BatchChoice::Auto => BatchSetting::Auto,
                        BatchChoice::Always => BatchSetting::Always,
                        BatchChoice::Never => BatchSetting::Never,
                    },
                    min_batch: transform.min_batch,
                }))
            }
        };
        (layer.name.to_string(), settings)
    });
    PipelineParts::new(pipeline.name.clone(), settings.collect())
}
