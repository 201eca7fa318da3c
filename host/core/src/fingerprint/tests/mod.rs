//! Which parts a fingerprint covers, and digests that are stored in users' states.

mod properties;

use std::collections::BTreeMap;

use super::*;

/// Returns a unit of the layer `styles`.
pub(super) fn parts() -> StoredParts {
    let file = FilePart {
        path: "prompts/style.md".to_owned(),
        digest: Digest::of(b"prompt"),
    };
    let layer = LayerParts {
        contract: "synix:plugin@0.1.0".to_owned(),
        layer: "styles".to_owned(),
        component: Digest::of(b"component"),
        config: r#"{"label":"{{ label }}","prompt_file":""}"#.to_owned(),
        files: BTreeMap::from([("/prompt_file".to_owned(), file)]),
        model: Some(ModelParts {
            dimensions: None,
            context_window: None,
            api: "openai".to_owned(),
            provider: "openai".to_owned(),
            model: "gpt-4o-mini".to_owned(),
            max_tokens: Some(200),
            temperature: Some(0.2),
        }),
        requests: RequestParts {
            revision: "2".to_owned(),
            accept_truncated: true,
            options_allowed: Vec::new(),
        },
        limits: LimitParts {
            fuel: 1,
            memory_bytes: 2,
            stack_bytes: 3,
            hostcall_bytes: 4,
            output_bytes: 5,
            requests: 6,
            tokens: Some(7),
        },
    };
    let unit = UnitParts {
        key: "alice".to_owned(),
        config: None,
        inputs: vec![InputPart {
            name: "bios/alice".to_owned(),
            digest: Digest::of(b"alice"),
        }],
        partial: false,
    };
    StoredParts::new(layer, unit)
}

/// Returns a pipeline with the layer of [`parts`] and its source.
pub(super) fn pipeline() -> PipelineParts {
    let source = LayerSettings::Source {
        glob: "bios/*.md".to_owned(),
        kind: "source".to_owned(),
    };
    let styles = LayerSettings::Transform(Box::new(TransformSettings {
        inputs: vec!["bios".to_owned()],
        parts: parts().layer,
        batch: BatchSetting::Always,
        min_batch: 2,
    }));
    PipelineParts::new(
        "team".to_owned(),
        BTreeMap::from([("bios".to_owned(), source), ("styles".to_owned(), styles)]),
    )
}

fn fingerprint(parts: &StoredParts) -> Digest {
    parts.unit.fingerprint(&parts.layer.encode())
}

/// Removes the parts that only occur in messages: two units with the same rest have the same fingerprint.
fn without_messages(parts: &StoredParts) -> StoredParts {
    let mut parts = parts.clone();
    for input in &mut parts.unit.inputs {
        input.name.clear();
    }
    for file in parts.layer.files.values_mut() {
        file.path.clear();
    }
    parts
}

/// I1: each part changes the fingerprint of a unit; the parts of a layer except name and contract also change that of a pipeline.
#[test]
fn every_part_changes_the_fingerprint() {
    type Change = fn(&mut StoredParts);
    let of_layer: [Change; 18] = [
        |parts| parts.layer.component = Digest::of(b"other"),
        |parts| parts.layer.config.push(' '),
        |parts| {
            for file in parts.layer.files.values_mut() {
                file.digest = Digest::of(b"other");
            }
        },
        |parts| parts.layer.model = None,
        |parts| model(parts).api.push('x'),
        |parts| model(parts).provider.push('x'),
        |parts| model(parts).model.push('x'),
        |parts| model(parts).max_tokens = None,
        |parts| model(parts).temperature = Some(0.3),
        |parts| parts.layer.requests.revision.push('x'),
        |parts| parts.layer.requests.accept_truncated = false,
        |parts| parts.layer.limits.fuel = 9,
        |parts| parts.layer.limits.memory_bytes = 9,
        |parts| parts.layer.limits.stack_bytes = 9,
        |parts| parts.layer.limits.hostcall_bytes = 9,
        |parts| parts.layer.limits.output_bytes = 9,
        |parts| parts.layer.limits.requests = 9,
        |parts| parts.layer.limits.tokens = None,
    ];
    let of_unit: [Change; 6] = [
        |parts| parts.layer.contract.push('1'),
        |parts| parts.layer.layer.push('x'),
        |parts| parts.unit.key.push('x'),
        |parts| parts.unit.config = Some("{}".to_owned()),
        |parts| parts.unit.inputs[0].digest = Digest::of(b"other"),
        |parts| parts.unit.partial = true,
    ];
    let base = fingerprint(&parts());
    let mut seen = vec![base];
    for change in of_layer.into_iter().chain(of_unit) {
        let mut changed = parts();
        change(&mut changed);
        seen.push(fingerprint(&changed));
    }
    let mut of_pipelines = vec![pipeline().fingerprint()];
    for change in of_layer {
        let mut changed = parts();
        change(&mut changed);
        let mut pipeline = pipeline();
        if let Some(LayerSettings::Transform(styles)) = pipeline.layers.get_mut("styles") {
            styles.parts = changed.layer;
        }
        of_pipelines.push(pipeline.fingerprint());
    }
    for digests in [&mut seen, &mut of_pipelines] {
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}

fn model(parts: &mut StoredParts) -> &mut ModelParts {
    parts.layer.model.as_mut().unwrap()
}

/// I2: a path is only shown, never hashed.
#[test]
fn paths_and_names_for_messages_do_not_change_the_fingerprint() {
    let mut moved = parts();
    moved.unit.inputs[0].name = "elsewhere/alice".to_owned();
    for file in moved.layer.files.values_mut() {
        file.path = "/other/place.md".to_owned();
    }
    assert_eq!(fingerprint(&moved), fingerprint(&parts()));
}

/// The encoding of version 1 joined texts without a boundary, so these pairs had the same fingerprint.
#[test]
fn settings_with_the_same_text_have_different_fingerprints() {
    let with = |change: fn(&mut StoredParts)| {
        let mut parts = parts();
        change(&mut parts);
        fingerprint(&parts)
    };
    assert_ne!(
        with(|parts| {
            parts.layer.requests.revision = "1 accept=truncated".to_owned();
            parts.layer.requests.accept_truncated = false;
        }),
        with(|parts| parts.layer.requests.revision = "1".to_owned())
    );
    assert_ne!(
        with(|parts| {
            model(parts).model = "m temperature=0.2".to_owned();
            model(parts).temperature = None;
        }),
        with(|parts| model(parts).model = "m".to_owned())
    );
    assert_ne!(
        with(|parts| model(parts).provider = "a b".to_owned()),
        with(|parts| model(parts).provider = "a".to_owned())
    );
}

/// Users' states contain these fingerprints. They only change with a new scheme, and then all of them change.
#[test]
fn fingerprints_in_users_states_never_change() {
    let plain = StoredParts::new(
        LayerParts {
            files: BTreeMap::new(),
            model: None,
            requests: RequestParts::default(),
            limits: LimitParts {
                tokens: None,
                ..parts().layer.limits
            },
            ..parts().layer
        },
        UnitParts {
            config: Some(r#"{"a":1}"#.to_owned()),
            partial: true,
            inputs: Vec::new(),
            ..parts().unit
        },
    );
    let source = source_fingerprint(
        SourceVersion::First,
        ("bios", "source"),
        ("bios/a.md", "a"),
        Digest::of(b"a"),
    );
    let table = [
        (
            "a unit with everything",
            fingerprint(&parts()),
            "42a7ff6fd42b7d6f1b33c1b8d671cc8bbf52a6c84087e5cb84ba21ba625a34ba",
        ),
        (
            "a unit with nothing optional",
            fingerprint(&plain),
            "a21882e771509cb151a005a4fb82ccb47683c604296cf645f36a5dfc0ec506a8",
        ),
        (
            "a file of a source",
            source,
            "07ee8283ddfd18fe0f6f817c95607137ea015e53f122f81f8f39f0d39bf5beb1",
        ),
        (
            "a pipeline",
            pipeline().fingerprint(),
            "59dcdb163cb60d4204929d1801d00025da700f93c215e8e4eda6d2adbfd3d04d",
        ),
    ];
    for (name, found, expected) in table {
        assert_eq!(found.to_string(), expected, "{name}");
    }
}
