//! The encodings of earlier versions of synix, so that their states are read and their open builds go on.
//!
//! Version 1 kept settings as words. Its unit fingerprints are not made any more: such a unit runs once more, from the
//! answers on record. Its pipeline fingerprint is, because a batch that is under way at a provider is worth money.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::parts::{AskingParts, FilePart, LayerParts, LimitParts, ModelParts};
use super::parts::{StoredParts, UnitParts};
use super::pipeline::{BatchSetting, LayerSettings, PipelineParts, TransformSettings};
use crate::digest::{Digest, Encoder};

/// A unit as version 1 kept it.
#[derive(Deserialize)]
struct First {
    layer: FirstLayer,
    unit: UnitParts,
}

#[derive(Deserialize)]
struct FirstLayer {
    contract: String,
    layer: String,
    component: Digest,
    config: String,
    files: BTreeMap<String, FilePart>,
    model: Option<String>,
    asking: String,
    limits: String,
}

/// Reads the stored parts of a unit.
pub(super) fn unit(text: &str) -> Option<StoredParts> {
    let First { layer, unit } = serde_json::from_str(text).ok()?;
    Some(StoredParts {
        version: 1,
        layer: LayerParts {
            model: match &layer.model {
                Some(words) => Some(model(words)?),
                None => None,
            },
            asking: asking(&layer.asking),
            limits: limits(&layer.limits),
            contract: layer.contract,
            layer: layer.layer,
            component: layer.component,
            config: layer.config,
            files: layer.files,
        },
        unit,
    })
}

fn model(words: &str) -> Option<ModelParts> {
    let (api, rest) = words.split_once(' ')?;
    let (provider, mut model) = rest.split_once(' ')?;
    let mut temperature = None;
    if let Some((before, degree)) = model.rsplit_once(" temperature=") {
        temperature = Some(degree.parse().ok()?);
        model = before;
    }
    let mut max_tokens = None;
    if let Some((before, tokens)) = model.rsplit_once(" max_tokens=") {
        max_tokens = Some(tokens.parse().ok()?);
        model = before;
    }
    Some(ModelParts {
        api: api.to_owned(),
        provider: provider.to_owned(),
        model: model.to_owned(),
        max_tokens,
        temperature,
    })
}

fn model_words(model: &ModelParts) -> String {
    let mut words = format!("{} {} {}", model.api, model.provider, model.model);
    if let Some(max_tokens) = model.max_tokens {
        words.push_str(&format!(" max_tokens={max_tokens}"));
    }
    if let Some(temperature) = model.temperature {
        words.push_str(&format!(" temperature={temperature}"));
    }
    words
}

fn asking(words: &str) -> AskingParts {
    let (revision, accept_truncated) = match words.strip_suffix(" accept=truncated") {
        Some(revision) => (revision, true),
        None => (words, false),
    };
    AskingParts {
        revision: revision
            .strip_prefix("revision=")
            .unwrap_or_default()
            .to_owned(),
        accept_truncated,
        options_allowed: Vec::new(),
    }
}

fn asking_words(asking: &AskingParts) -> String {
    let mut words = String::new();
    if !asking.revision.is_empty() {
        words.push_str(&format!("revision={}", asking.revision));
    }
    if asking.accept_truncated {
        words.push_str(" accept=truncated");
    }
    words
}

fn limits(words: &str) -> LimitParts {
    let limits: BTreeMap<&str, u64> = words
        .split(' ')
        .filter_map(|word| {
            let (name, number) = word.split_once('=')?;
            Some((name, number.parse().ok()?))
        })
        .collect();
    let of = |name: &str| limits.get(name).copied();
    LimitParts {
        fuel: of("fuel").unwrap_or_default(),
        memory_bytes: of("memory").unwrap_or_default(),
        stack_bytes: of("stack").unwrap_or_default(),
        hostcall_bytes: of("hostcall").unwrap_or_default(),
        output_bytes: of("output").unwrap_or_default(),
        requests: of("requests").unwrap_or_default(),
        tokens: of("tokens"),
    }
}

fn limit_words(limits: &LimitParts) -> String {
    let mut words = format!(
        "fuel={} memory={} stack={} hostcall={} output={} requests={}",
        limits.fuel,
        limits.memory_bytes,
        limits.stack_bytes,
        limits.hostcall_bytes,
        limits.output_bytes,
        limits.requests
    );
    if let Some(tokens) = limits.tokens {
        words.push_str(&format!(" tokens={tokens}"));
    }
    words
}

/// Returns what version 1 kept of a pipeline.
fn pipeline_words(pipeline: &PipelineParts) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from([("name".to_owned(), pipeline.name.clone())]);
    for (name, settings) in &pipeline.layers {
        let mut put =
            |what: &str, words: String| parts.insert(format!("layer {name}: {what}"), words);
        match settings {
            LayerSettings::Source { glob, kind } => {
                put("source", format!("{glob} as {kind}"));
            }
            LayerSettings::Transform(transform) => {
                let parts = &transform.parts;
                put("inputs", transform.inputs.join(", "));
                put("plugin", parts.component.to_string());
                put("config", parts.config.clone());
                for (place, file) in &parts.files {
                    put(&format!("file at {place}"), file.digest.to_string());
                }
                let model = parts.model.as_ref().map(model_words);
                put("model", model.unwrap_or_default());
                put("asking", asking_words(&parts.asking));
                put("limits", limit_words(&parts.limits));
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

/// Returns the fingerprint that version 1 gave a pipeline.
pub(super) fn pipeline_fingerprint(pipeline: &PipelineParts) -> Digest {
    let parts = pipeline_words(pipeline);
    let encoder = Encoder::new("synix.pipeline.v1").list(parts.len());
    let add = |encoder: Encoder, (name, words): (&String, &String)| encoder.text(name).text(words);
    parts.iter().fold(encoder, add).finish()
}

/// Reads what version 1 kept of a pipeline; `now` tells what it did not keep.
pub(super) fn pipeline(text: &str, now: &PipelineParts) -> Option<PipelineParts> {
    let parts: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let mut tables: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (key, words) in &parts {
        if let Some((name, what)) = key
            .strip_prefix("layer ")
            .and_then(|rest| rest.split_once(": "))
        {
            tables.entry(name).or_default().insert(what, words);
        }
    }
    let layers = tables
        .iter()
        .map(|(name, table)| {
            let settings = layer(name, table, now.layers.get(*name))?;
            Some(((*name).to_owned(), settings))
        })
        .collect::<Option<_>>()?;
    Some(PipelineParts::new(parts.get("name")?.clone(), layers))
}

fn layer(
    name: &str,
    table: &BTreeMap<&str, &str>,
    now: Option<&LayerSettings>,
) -> Option<LayerSettings> {
    if let Some(source) = table.get("source") {
        let (glob, kind) = source.rsplit_once(" as ")?;
        return Some(LayerSettings::Source {
            glob: glob.to_owned(),
            kind: kind.to_owned(),
        });
    }
    let now = match now {
        Some(LayerSettings::Transform(now)) => Some(&now.parts),
        Some(LayerSettings::Source { .. }) | None => None,
    };
    let of = |what: &str| table.get(what).copied();
    let files = table
        .iter()
        .filter_map(|(what, digest)| {
            let place = what.strip_prefix("file at ")?;
            let path = now
                .and_then(|now| now.files.get(place))
                .map_or_else(|| place.to_owned(), |file| file.path.clone());
            let digest = digest.parse().ok()?;
            Some((place.to_owned(), FilePart { path, digest }))
        })
        .collect();
    let (batch, min_batch) = of("batch")?.split_once(" min_batch=")?;
    Some(LayerSettings::Transform(Box::new(TransformSettings {
        inputs: of("inputs")?.split(", ").map(str::to_owned).collect(),
        parts: LayerParts {
            contract: now.map_or_else(String::new, |now| now.contract.clone()),
            layer: name.to_owned(),
            component: of("plugin")?.parse().ok()?,
            config: of("config")?.to_owned(),
            files,
            model: match of("model")? {
                "" => None,
                words => Some(model(words)?),
            },
            asking: asking(of("asking")?),
            limits: limits(of("limits")?),
        },
        batch: match batch {
            "Always" => BatchSetting::Always,
            "Never" => BatchSetting::Never,
            _ => BatchSetting::Auto,
        },
        min_batch: min_batch.parse().ok()?,
    })))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{parts, pipeline as example};
    use super::*;

    #[test]
    fn the_words_of_version_1_are_read_back() {
        for temperature in [None, Some(0.2)] {
            for max_tokens in [None, Some(300)] {
                let written = ModelParts {
                    api: "openai".to_owned(),
                    provider: "router".to_owned(),
                    model: "some/model name".to_owned(),
                    max_tokens,
                    temperature,
                };
                assert_eq!(model(&model_words(&written)), Some(written));
            }
        }
        for revision in ["", "2"] {
            for accept_truncated in [false, true] {
                let written = AskingParts {
                    revision: revision.to_owned(),
                    accept_truncated,
                    options_allowed: Vec::new(),
                };
                assert_eq!(asking(&asking_words(&written)), written);
            }
        }
        let written = parts().layer.limits;
        assert_eq!(limits(&limit_words(&written)), written);
    }

    /// L9: a unit of an old state is told apart by what changed, as one of today.
    #[test]
    fn a_unit_of_version_1_is_read() {
        let digest = Digest::of(b"component");
        let text = format!(
            r#"{{"layer":{{"contract":"synix:plugin@0.1.0","layer":"styles","component":"{digest}","config":"{{}}",
            "files":{{}},"model":"openai openai gpt-4o-mini max_tokens=200 temperature=0.2","asking":" accept=truncated",
            "limits":"fuel=5 memory=6 stack=7 hostcall=8 output=9 requests=10"}},
            "unit":{{"key":"a","config":null,"inputs":[],"partial":false}}}}"#
        );
        let read = StoredParts::read(&text).unwrap();
        assert_eq!((read.version, read.unit.key.as_str()), (1, "a"));
        let model = read.layer.model.unwrap();
        assert_eq!(
            (model.model.as_str(), model.max_tokens, model.temperature),
            ("gpt-4o-mini", Some(200), Some(0.2))
        );
        assert!(read.layer.asking.accept_truncated);
        assert_eq!(
            (read.layer.limits.fuel, read.layer.limits.requests),
            (5, 10)
        );
    }

    /// A batch that version 1 sent is under way: its build goes on.
    #[test]
    fn a_build_of_version_1_knows_its_pipeline() {
        let now = example();
        assert!(now.has_fingerprint(pipeline_fingerprint(&now)));
        let kept = serde_json::to_string(&pipeline_words(&now)).unwrap();
        assert_eq!(pipeline(&kept, &now), Some(now.clone()));
        assert_eq!(now.changes_since(&kept), Vec::<String>::new());
        let mut other = now.clone();
        other.name.push('x');
        assert!(!other.has_fingerprint(pipeline_fingerprint(&now)));
        assert_eq!(
            other.changes_since(&kept),
            ["name changed (team -> teamx)".to_owned()]
        );
    }

    /// As the code of version 1 wrote them.
    #[test]
    fn the_words_of_version_1_stay_what_they_were() {
        let words = [
            ("layer bios: source", "bios/*.md as source".to_owned()),
            (
                "layer styles: asking",
                "revision=2 accept=truncated".to_owned(),
            ),
            ("layer styles: batch", "Always min_batch=2".to_owned()),
            (
                "layer styles: config",
                r#"{"label":"{{ label }}","prompt_file":""}"#.to_owned(),
            ),
            (
                "layer styles: file at /prompt_file",
                Digest::of(b"prompt").to_string(),
            ),
            ("layer styles: inputs", "bios".to_owned()),
            (
                "layer styles: limits",
                "fuel=1 memory=2 stack=3 hostcall=4 output=5 requests=6 tokens=7".to_owned(),
            ),
            (
                "layer styles: model",
                "openai openai gpt-4o-mini max_tokens=200 temperature=0.2".to_owned(),
            ),
            ("layer styles: plugin", Digest::of(b"component").to_string()),
            ("name", "team".to_owned()),
        ];
        let expected = words.map(|(key, words)| (key.to_owned(), words)).into();
        assert_eq!(pipeline_words(&example()), expected);
    }
}
