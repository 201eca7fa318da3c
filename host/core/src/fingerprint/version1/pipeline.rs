//! The encoding of a pipeline in version 1.

use std::collections::BTreeMap;

use super::{limits_text, model_text, parse_limits, parse_model, parse_requests, requests_text};
use crate::digest::{Digest, Encoder};
use crate::fingerprint::parts::{FilePart, LayerParts};
use crate::fingerprint::pipeline::{BatchSetting, LayerSettings, PipelineParts, TransformSettings};

/// Returns the texts that version 1 stored for a pipeline.
pub(super) fn pipeline_text(pipeline: &PipelineParts) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from([("name".to_owned(), pipeline.name.clone())]);
    for (name, settings) in &pipeline.layers {
        let mut put =
            |what: &str, text: String| parts.insert(format!("layer {name}: {what}"), text);
        match settings {
            LayerSettings::Source { glob, kind } => {
                put("source", format!("{glob} as {kind}"));
            }
            // No pipeline had readers then.
            LayerSettings::Reader(reader) => {
                put("source", reader.globs.join(", "));
            }
            LayerSettings::Transform(transform) => {
                let parts = &transform.parts;
                put("inputs", transform.inputs.join(", "));
                put("plugin", parts.component.to_string());
                put("config", parts.config.clone());
                for (pointer, file) in &parts.files {
                    put(&format!("file at {pointer}"), file.digest.to_string());
                }
                let model = parts.model.as_ref().map(model_text);
                put("model", model.unwrap_or_default());
                put("asking", requests_text(&parts.requests));
                put("limits", limits_text(&parts.limits));
                let batch = match transform.batch {
                    BatchSetting::Auto => "Auto",
                    BatchSetting::Always => "Always",
                    BatchSetting::Never => "Never",
                };
                put(
                    "batch",
                    format!("{batch} min_batch={}", transform.min_batch),
                );
            }
        }
    }
    parts
}

/// Returns the fingerprint of a pipeline in version 1.
pub(in crate::fingerprint) fn pipeline_fingerprint(pipeline: &PipelineParts) -> Digest {
    let parts = pipeline_text(pipeline);
    let encoder = Encoder::new("synix.pipeline.v1").list(parts.len());
    let add = |encoder: Encoder, (name, text): (&String, &String)| encoder.text(name).text(text);
    parts.iter().fold(encoder, add).finish()
}

/// Reads a pipeline of version 1. What version 1 did not store is copied from `current`.
pub(in crate::fingerprint) fn read_pipeline(
    text: &str,
    current: &PipelineParts,
) -> Option<PipelineParts> {
    let parts: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let mut tables: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (key, text) in &parts {
        if let Some((name, what)) = key
            .strip_prefix("layer ")
            .and_then(|rest| rest.split_once(": "))
        {
            tables.entry(name).or_default().insert(what, text);
        }
    }
    let layers = tables
        .iter()
        .map(|(name, table)| {
            let settings = read_layer(name, table, current.layers.get(*name))?;
            Some(((*name).to_owned(), settings))
        })
        .collect::<Option<_>>()?;
    Some(PipelineParts::new(parts.get("name")?.clone(), layers))
}

fn read_layer(
    name: &str,
    table: &BTreeMap<&str, &str>,
    current: Option<&LayerSettings>,
) -> Option<LayerSettings> {
    if let Some(source) = table.get("source") {
        let (glob, kind) = source.rsplit_once(" as ")?;
        return Some(LayerSettings::Source {
            glob: glob.to_owned(),
            kind: kind.to_owned(),
        });
    }
    let current = match current {
        Some(LayerSettings::Transform(current)) => Some(&current.parts),
        Some(LayerSettings::Source { .. } | LayerSettings::Reader(_)) | None => None,
    };
    let of = |what: &str| table.get(what).copied();
    let files = table
        .iter()
        .filter_map(|(what, digest)| {
            let pointer = what.strip_prefix("file at ")?;
            let path = current
                .and_then(|current| current.files.get(pointer))
                .map_or_else(|| pointer.to_owned(), |file| file.path.clone());
            let digest = digest.parse().ok()?;
            Some((pointer.to_owned(), FilePart { path, digest }))
        })
        .collect();
    let (batch, min_batch) = of("batch")?.split_once(" min_batch=")?;
    Some(LayerSettings::Transform(Box::new(TransformSettings {
        inputs: of("inputs")?.split(", ").map(str::to_owned).collect(),
        parts: LayerParts {
            contract: current.map_or_else(String::new, |current| current.contract.clone()),
            layer: name.to_owned(),
            component: of("plugin")?.parse().ok()?,
            config: of("config")?.to_owned(),
            files,
            model: match of("model")? {
                "" => None,
                text => Some(parse_model(text)?),
            },
            requests: parse_requests(of("asking")?),
            limits: parse_limits(of("limits")?),
        },
        batch: match batch {
            "Always" => BatchSetting::Always,
            "Never" => BatchSetting::Never,
            _ => BatchSetting::Auto,
        },
        min_batch: min_batch.parse().ok()?,
    })))
}
