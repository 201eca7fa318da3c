//! Version 1 of the encoding, so that synix can read old states and continue old builds.
//!
//! Version 1 stored settings as text. synix no longer computes its unit fingerprints: such a unit runs once more, from
//! the stored answers. It still computes its pipeline fingerprint, because a batch in progress at a provider costs money.

mod pipeline;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::parts::{FilePart, LayerParts, LimitParts, ModelParts, RequestParts};
use super::parts::{StoredParts, UnitParts};
use crate::digest::Digest;

pub(super) use pipeline::{pipeline_fingerprint, read_pipeline};

#[derive(Deserialize)]
struct StoredUnit {
    layer: StoredLayer,
    unit: UnitParts,
}

#[derive(Deserialize)]
struct StoredLayer {
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
pub(super) fn read_unit(text: &str) -> Option<StoredParts> {
    let StoredUnit { layer, unit } = serde_json::from_str(text).ok()?;
    Some(StoredParts {
        version: 1,
        layer: LayerParts {
            model: match &layer.model {
                Some(text) => Some(parse_model(text)?),
                None => None,
            },
            requests: parse_requests(&layer.asking),
            limits: parse_limits(&layer.limits),
            contract: layer.contract,
            layer: layer.layer,
            component: layer.component,
            config: layer.config,
            files: layer.files,
        },
        unit,
    })
}

fn parse_model(text: &str) -> Option<ModelParts> {
    let (api, rest) = text.split_once(' ')?;
    let (provider, mut model) = rest.split_once(' ')?;
    let mut temperature = None;
    if let Some((before, number)) = model.rsplit_once(" temperature=") {
        temperature = Some(number.parse().ok()?);
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
        dimensions: None,
        context_window: None,
    })
}

fn model_text(model: &ModelParts) -> String {
    let mut text = format!("{} {} {}", model.api, model.provider, model.model);
    if let Some(max_tokens) = model.max_tokens {
        text.push_str(&format!(" max_tokens={max_tokens}"));
    }
    if let Some(temperature) = model.temperature {
        text.push_str(&format!(" temperature={temperature}"));
    }
    text
}

fn parse_requests(text: &str) -> RequestParts {
    let (revision, accept_truncated) = match text.strip_suffix(" accept=truncated") {
        Some(revision) => (revision, true),
        None => (text, false),
    };
    RequestParts {
        revision: revision
            .strip_prefix("revision=")
            .unwrap_or_default()
            .to_owned(),
        accept_truncated,
        options_allowed: Vec::new(),
    }
}

fn requests_text(requests: &RequestParts) -> String {
    let mut text = String::new();
    if !requests.revision.is_empty() {
        text.push_str(&format!("revision={}", requests.revision));
    }
    if requests.accept_truncated {
        text.push_str(" accept=truncated");
    }
    text
}

fn parse_limits(text: &str) -> LimitParts {
    let limits: BTreeMap<&str, u64> = text
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

fn limits_text(limits: &LimitParts) -> String {
    let mut text = format!(
        "fuel={} memory={} stack={} hostcall={} output={} requests={}",
        limits.fuel,
        limits.memory_bytes,
        limits.stack_bytes,
        limits.hostcall_bytes,
        limits.output_bytes,
        limits.requests
    );
    if let Some(tokens) = limits.tokens {
        text.push_str(&format!(" tokens={tokens}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{parts, pipeline as example};
    use super::*;

    #[test]
    fn the_text_of_version_1_survives_a_round_trip() {
        for temperature in [None, Some(0.2)] {
            for max_tokens in [None, Some(300)] {
                let written = ModelParts {
                    api: "openai".to_owned(),
                    provider: "router".to_owned(),
                    model: "some/model name".to_owned(),
                    max_tokens,
                    temperature,
                    dimensions: None,
                    context_window: None,
                };
                assert_eq!(parse_model(&model_text(&written)), Some(written));
            }
        }
        for revision in ["", "2"] {
            for accept_truncated in [false, true] {
                let written = RequestParts {
                    revision: revision.to_owned(),
                    accept_truncated,
                    options_allowed: Vec::new(),
                };
                assert_eq!(parse_requests(&requests_text(&written)), written);
            }
        }
        let written = parts().layer.limits;
        assert_eq!(parse_limits(&limits_text(&written)), written);
    }

    /// L9.
    #[test]
    fn a_unit_of_version_1_is_readable() {
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
        assert!(read.layer.requests.accept_truncated);
        assert_eq!(
            (read.layer.limits.fuel, read.layer.limits.requests),
            (5, 10)
        );
    }

    /// The build has a batch in progress, which version 1 sent.
    #[test]
    fn a_build_of_version_1_recognizes_its_pipeline() {
        let now = example();
        assert!(now.has_fingerprint(pipeline_fingerprint(&now)));
        let stored = serde_json::to_string(&pipeline::pipeline_text(&now)).unwrap();
        assert_eq!(read_pipeline(&stored, &now), Some(now.clone()));
        assert_eq!(now.changes_since(&stored), Vec::<String>::new());
        let mut other = now.clone();
        other.name.push('x');
        assert!(!other.has_fingerprint(pipeline_fingerprint(&now)));
        assert_eq!(
            other.changes_since(&stored),
            ["name changed (team -> teamx)".to_owned()]
        );
    }

    /// This is the output of the code of version 1.
    #[test]
    fn the_text_of_version_1_never_changes() {
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
        assert_eq!(pipeline::pipeline_text(&example()), expected);
    }
}
