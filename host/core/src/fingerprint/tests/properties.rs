//! Property tests: two different sets of parts never have the same fingerprint.

use proptest::prelude::*;

use super::super::*;
use super::{fingerprint, model, parts, without_messages};

fn text() -> impl Strategy<Value = String> {
    // Few characters, so that the texts of different fields collide often.
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
        text(),
        text(),
        text(),
        proptest::option::of(0_u32..3),
        proptest::option::of(temperature),
        proptest::option::of(0_u32..3),
        proptest::option::of(0_u64..3),
    )
        .prop_map(
            |(api, provider, model, max_tokens, temperature, dimensions, context_window)| {
                ModelParts {
                    dimensions,
                    context_window,
                    api,
                    provider,
                    model,
                    max_tokens,
                    temperature,
                }
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
    let file = (text(), any_digest()).prop_map(|(path, digest)| FilePart { path, digest });
    (
        (text(), text(), any_digest(), text()),
        proptest::collection::btree_map(text(), file, 0..3),
        proptest::option::of(any_model()),
        (text(), any::<bool>()),
        any_limits(),
    )
        .prop_map(
            |((contract, layer, component, config), files, model, requests, limits)| LayerParts {
                contract,
                layer,
                component,
                config,
                files,
                model,
                requests: RequestParts {
                    revision: requests.0,
                    accept_truncated: requests.1,
                    options_allowed: Vec::new(),
                },
                limits,
            },
        )
}

fn any_parts() -> impl Strategy<Value = StoredParts> {
    let input = (text(), any_digest()).prop_map(|(name, digest)| InputPart { name, digest });
    let unit = (
        text(),
        proptest::option::of(text()),
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

/// Two units that differ in one part or in none. Two random units would almost never be so similar.
fn similar_units() -> impl Strategy<Value = (StoredParts, StoredParts)> {
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
            6 => layer.requests = other.layer.requests,
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
    /// I3.
    #[test]
    fn different_parts_have_different_fingerprints((left, right) in similar_units()) {
        prop_assert_eq!(
            fingerprint(&left) == fingerprint(&right),
            without_messages(&left) == without_messages(&right)
        );
    }

    /// The stored parts contain everything that the fingerprint covers.
    #[test]
    fn stored_parts_survive_a_round_trip(parts in any_parts()) {
        let text = serde_json::to_string(&parts).unwrap();
        let read = StoredParts::read(&text).unwrap();
        prop_assert_eq!(fingerprint(&read), fingerprint(&parts));
        prop_assert_eq!(read, parts);
    }

    /// The boundary between two fields is part of the encoding.
    #[test]
    fn moving_text_to_the_next_field_changes_the_fingerprint(left in text(), right in text(), moved in text()) {
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
    fn the_order_of_inputs_changes_the_fingerprint(mut digests in proptest::collection::vec(any::<[u8; 32]>(), 2..5)) {
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
