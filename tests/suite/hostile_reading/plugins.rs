//! Plugins of a clone that are costly to compile or to check, or that use too much time, memory or output.

#![cfg(target_os = "linux")]

use std::fs;

use crate::hostile_reading::{
    ExpectedResults, HARMLESS, assert_results, attack, replace_in_pipeline, replace_plugin,
    use_guest_in_layer, use_plugin_in_layer,
};
use crate::support::costly_components::{costly_to_compile, nested_schema, with_schema};
use crate::support::hostile_clone::HostileClone;

/// W6, W7: a component that is small to send, and costly to compile or to check a config against.
#[test]
fn costly_components_and_schemas_are_refused_with_a_message() {
    let own = |bytes: Vec<u8>| {
        move |clone: &HostileClone| {
            fs::write(clone.project.path("plugins/own.wasm"), &bytes).unwrap();
            use_plugin_in_layer(clone);
        }
    };
    assert_results(
        costly_to_compile()
            .into_iter()
            .map(|(name, bytes, message)| attack(name, HARMLESS.plugin(1, message), own(bytes))),
    );
    const STEPS: ExpectedResults = HARMLESS.plugin(1, "takes more than 10000 steps");
    const ITSELF: ExpectedResults =
        HARMLESS.plugin(1, "refers to itself without descending into the value");
    let schemas = [
        (nested_schema(r#"{"anyOf": [X, X]}"#), STEPS),
        (nested_schema(r#"{"allOf": [X, X]}"#), STEPS),
        (
            r##"{"type": "object", "properties": {"prompt": {"$ref": "#"}}, "required": ["a", "b", "c"]}"##.to_owned(),
            HARMLESS.plan(2, "missing key `a` in [layers.answers.config]"),
        ),
        (
            r#"{"type": "object", "properties": {"prompt": {"pattern": "^(a+)+$"}}}"#.to_owned(),
            HARMLESS.plan(2, "must match `^(a+)+$`"),
        ),
        (r##"{"$ref": "#"}"##.to_owned(), ITSELF),
        (r#"{"$ref": "http://127.0.0.1:9/schema"}"#.to_owned(), ITSELF),
        (r#"{"$ref": "file:///etc/passwd"}"#.to_owned(), ITSELF),
    ];
    assert_results(
        schemas
            .into_iter()
            .map(|(schema, results)| attack(&schema, results, own(with_schema(&schema)))),
    );
}

/// W14, W17, W18, rows 62 to 73: plugins that use too much time, memory or output.
#[test]
fn a_misbehaving_plugin_is_stopped_with_a_message() {
    // An error of the plugin fails the command; an error of a unit is shown in the plan.
    let broken = |message| HARMLESS.plugin(1, message);
    let failed = |message| HARMLESS.plan(0, message);
    for (guest, results) in [
        ("spin_describe", broken("out of fuel")),
        ("huge_descriptor", broken("describes itself wrongly")),
        ("deep_schema", broken("the config schema is unusable")),
        ("spin", failed("out of fuel")),
        ("spin_split", failed("out of fuel")),
        ("split_bomb", failed("cannot be made in answers")),
        ("hoard_memory", failed("cannot be made in answers")),
        ("flood_output", failed("cannot be made in answers")),
        ("flood_log", failed("total")),
        ("huge_label", failed("is too long")),
        ("huge_error", failed("invalid-input: woe")),
        ("huge_panic", failed("crashed")),
        ("many_outputs", failed("cannot be made in answers")),
        ("deep_metadata", failed("output 0 is invalid")),
        ("recurse", failed("crashed")),
        ("trap", failed("crashed")),
        ("endless_fold", failed("total")),
        ("request_storm", failed("cannot be made in answers")),
        ("forged_labels", failed("total")),
        ("wasi_files", failed("total")),
        ("wasi_sockets", failed("total")),
        ("wasi_hoard", failed("total")),
        ("wasi_flood", failed("total")),
    ] {
        assert_results([attack(guest, results, move |clone| {
            replace_plugin(clone, guest);
            use_guest_in_layer(clone);
        })]);
    }
    let too_many_units = HARMLESS.plan(5, "would have 600000 units");
    assert_results([attack("swarm", too_many_units, |clone| {
        replace_plugin(clone, "swarm");
        let note = "---\nunits: 600000\nquestions: 0\n---\nA note.\n";
        clone.project.write("notes/a.md", note);
        use_guest_in_layer(clone);
        // The default of a layer. With less fuel, the plugin would fail before.
        replace_in_pipeline(clone, "fuel = 200000000", "fuel = 5000000000");
    })]);
}
