//! What a fingerprint covers, that settings never meet in one, and the digests that are in users' states.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A unit of the layer `styles`.
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
            api: "openai".to_owned(),
            provider: "openai".to_owned(),
            model: "gpt-4o-mini".to_owned(),
            max_tokens: Some(200),
            temperature: Some(0.2),
        }),
        asking: AskingParts {
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

/// A pipeline with that layer and its source.
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

/// What two units must have in common to have one fingerprint: all but the words for people.
fn without_words(parts: &StoredParts) -> StoredParts {
    let mut parts = parts.clone();
    for input in &mut parts.unit.inputs {
        input.name.clear();
    }
    for file in parts.layer.files.values_mut() {
        file.path.clear();
    }
    parts
}

/// I1: each listed part changes the fingerprint of a unit, and each but the unit's own, name and contract that of a pipeline.
#[test]
fn every_part_is_in_the_fingerprint() {
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
        |parts| parts.layer.asking.revision.push('x'),
        |parts| parts.layer.asking.accept_truncated = false,
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

/// I2: a path is shown, never hashed.
#[test]
fn paths_and_names_for_people_are_not_in_the_fingerprint() {
    let mut moved = parts();
    moved.unit.inputs[0].name = "elsewhere/alice".to_owned();
    for file in moved.layer.files.values_mut() {
        file.path = "/other/place.md".to_owned();
    }
    assert_eq!(fingerprint(&moved), fingerprint(&parts()));
}

/// The encoding of version 1 ran words together: these were one fingerprint.
#[test]
fn settings_that_read_alike_are_told_apart() {
    let with = |change: fn(&mut StoredParts)| {
        let mut parts = parts();
        change(&mut parts);
        fingerprint(&parts)
    };
    assert_ne!(
        with(|parts| {
            parts.layer.asking.revision = "1 accept=truncated".to_owned();
            parts.layer.asking.accept_truncated = false;
        }),
        with(|parts| parts.layer.asking.revision = "1".to_owned())
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

/// Fingerprints that are in users' states. A line here changes only with a new scheme, and then all do.
#[test]
fn fingerprints_stay_what_they_are() {
    let plain = StoredParts::new(
        LayerParts {
            files: BTreeMap::new(),
            model: None,
            asking: AskingParts::default(),
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
    let source = source_fingerprint("bios", "source", "bios/a.md", "a", Digest::of(b"a"));
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

fn words() -> impl Strategy<Value = String> {
    // Few characters, so that texts meet across fields.
    proptest::collection::vec(
        prop_oneof![Just("a"), Just(" "), Just("="), Just("1")],
        0..3,
    )
    .prop_map(|words| words.concat())
}

fn number() -> impl Strategy<Value = u64> {
    0_u64..3
}

fn any_model() -> impl Strategy<Value = ModelParts> {
    let temperature = prop_oneof![Just(0.0), Just(-0.0), Just(1.0)];
    (
        words(),
        words(),
        words(),
        proptest::option::of(0_u32..3),
        proptest::option::of(temperature),
    )
        .prop_map(
            |(api, provider, model, max_tokens, temperature)| ModelParts {
                api,
                provider,
                model,
                max_tokens,
                temperature,
            },
        )
}

fn any_limits() -> impl Strategy<Value = LimitParts> {
    (
        number(),
        number(),
        number(),
        number(),
        number(),
        number(),
        proptest::option::of(number()),
    )
        .prop_map(
            |(fuel, memory_bytes, stack_bytes, hostcall_bytes, output_bytes, requests, tokens)| {
                LimitParts {
                    fuel,
                    memory_bytes,
                    stack_bytes,
                    hostcall_bytes,
                    output_bytes,
                    requests,
                    tokens,
                }
            },
        )
}

fn any_digest() -> impl Strategy<Value = Digest> {
    (0_u8..2).prop_map(|number| Digest::of(&[number]))
}

fn any_layer() -> impl Strategy<Value = LayerParts> {
    let file = (words(), any_digest()).prop_map(|(path, digest)| FilePart { path, digest });
    (
        (words(), words(), any_digest(), words()),
        proptest::collection::btree_map(words(), file, 0..3),
        proptest::option::of(any_model()),
        (words(), any::<bool>()),
        any_limits(),
    )
        .prop_map(
            |((contract, layer, component, config), files, model, asking, limits)| LayerParts {
                contract,
                layer,
                component,
                config,
                files,
                model,
                asking: AskingParts {
                    revision: asking.0,
                    accept_truncated: asking.1,
                    options_allowed: Vec::new(),
                },
                limits,
            },
        )
}

fn any_parts() -> impl Strategy<Value = StoredParts> {
    let input = (words(), any_digest()).prop_map(|(name, digest)| InputPart { name, digest });
    let unit = (
        words(),
        proptest::option::of(words()),
        proptest::collection::vec(input, 0..3),
        any::<bool>(),
    );
    (any_layer(), unit).prop_map(|(layer, (key, config, inputs, partial))| {
        StoredParts::new(
            layer,
            UnitParts {
                key,
                config,
                inputs,
                partial,
            },
        )
    })
}

/// Two units that differ in one part, or in none: chance alone would hardly ever find such a pair.
fn neighbours() -> impl Strategy<Value = (StoredParts, StoredParts)> {
    (any_parts(), any_parts(), 0_usize..12).prop_map(|(left, other, part)| {
        let mut right = left.clone();
        let (layer, unit) = (&mut right.layer, &mut right.unit);
        match part {
            0 => layer.contract = other.layer.contract,
            1 => layer.layer = other.layer.layer,
            2 => layer.component = other.layer.component,
            3 => layer.config = other.layer.config,
            4 => layer.files = other.layer.files,
            5 => layer.model = other.layer.model,
            6 => layer.asking = other.layer.asking,
            7 => layer.limits = other.layer.limits,
            8 => unit.key = other.unit.key,
            9 => unit.config = other.unit.config,
            10 => unit.inputs = other.unit.inputs,
            _ => unit.partial = other.unit.partial,
        }
        (left, right)
    })
}

proptest! {
    /// I3: one fingerprint means one set of settings.
    #[test]
    fn different_settings_never_meet((left, right) in neighbours()) {
        prop_assert_eq!(
            fingerprint(&left) == fingerprint(&right),
            without_words(&left) == without_words(&right)
        );
    }

    /// What is kept of a unit says all that its fingerprint covers.
    #[test]
    fn stored_parts_are_read_back(parts in any_parts()) {
        let text = serde_json::to_string(&parts).unwrap();
        let read = StoredParts::read(&text).unwrap();
        prop_assert_eq!(fingerprint(&read), fingerprint(&parts));
        prop_assert_eq!(read, parts);
    }

    /// Neither does a text that moves to the field beside it.
    #[test]
    fn no_text_moves_to_its_neighbour(left in words(), right in words(), moved in words()) {
        let with = |first: &str, second: &str| {
            let mut parts = parts();
            model(&mut parts).provider = first.to_owned();
            model(&mut parts).model = second.to_owned();
            fingerprint(&parts)
        };
        prop_assert_eq!(
            with(&format!("{left}{moved}"), &right) == with(&left, &format!("{moved}{right}")),
            moved.is_empty()
        );
    }

    #[test]
    fn the_order_of_inputs_matters(mut digests in proptest::collection::vec(any::<[u8; 32]>(), 2..5)) {
        let with = |digests: &[[u8; 32]]| {
            let input = |bytes: &[u8; 32]| InputPart { name: String::new(), digest: Digest::from_bytes(*bytes) };
            let mut parts = parts();
            parts.unit.inputs = digests.iter().map(input).collect();
            fingerprint(&parts)
        };
        let before = with(&digests);
        let original = digests.clone();
        digests.reverse();
        prop_assert_eq!(with(&digests) == before, digests == original);
    }
}
