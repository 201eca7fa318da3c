//! Units, descriptions and `split` calls that are malicious or broken.

use crate::hostile_plugins::{assert_reports, layers_with_plugin, project_with_plugin};
use crate::support::test_project::TestProject;

#[test]
fn a_misbehaving_unit_fails_alone() {
    for (plugin, text, message) in [
        ("bad_kind", "x", "output 0 is invalid"),
        ("bad_label", "x", "control character"),
        ("bad_metadata", "x", "output 0 is invalid"),
        ("bad_request", "x", "invalid request"),
        ("deep_metadata", "x", "output 0 is invalid"),
        (
            "duplicate_labels",
            "same same",
            "two outputs have the label",
        ),
        ("empty_label", "x", "is empty"),
        (
            "endless_fold",
            "x",
            "over the limit: 20 requests in one unit",
        ),
        ("flood_output", "x", "bytes"),
        ("hoard_memory", "x", "out of memory"),
        ("huge_error", "x", "invalid-input: woe"),
        ("huge_label", "x", "is too long"),
        ("huge_panic", "x", "crashed"),
        ("huge_request", "x", "bytes to the host"),
        ("many_outputs", "x", "out of memory"),
        ("panic", "x", "cannot bear the input only"),
        ("recurse", "x", "crashed: out of bounds memory access"),
        (
            "request_storm",
            "x",
            "over the limit: 20 requests in one unit",
        ),
        ("spin", "x", "out of fuel"),
        ("trap", "x", "crashed"),
        ("twice_metadata", "x", "occurs twice"),
        ("undeclared_llm", "x", "without permission"),
        ("unknown_role", "x", "no model role \"oracle\""),
        ("wasi_exit", "x", "it exited with status 1"),
        ("wasi_hoard", "bytes", "bytes to the host"),
        ("wasi_hoard", "streams", "resource table has no free keys"),
        ("wasi_print", "die", "ValueError: cannot go on"),
    ] {
        let project = project_with_plugin(plugin, &[("only", text)]);
        let run = project.run(&["build"]);
        assert_eq!(run.code, 3, "{plugin}: {run:?}");
        assert_reports(plugin, &run, message);
        assert_eq!(
            project.artifact_names(),
            ["fine/only", "texts/only"],
            "{plugin}"
        );
        if plugin != "endless_fold" {
            assert_eq!(project.sent(), 0, "{plugin}");
        }
    }
}

#[test]
fn a_plugin_that_does_not_load_stops_the_build_before_anything_is_made() {
    for (plugin, message) in [
        ("bad_schema", "not a JSON Schema"),
        ("deep_schema", "the config schema is unusable"),
        ("huge_descriptor", "describes itself wrongly"),
        ("spin_describe", "out of fuel"),
        ("unknown_capability", "declares the capability \"network\""),
    ] {
        assert_does_not_load(
            &project_with_plugin(plugin, &[("only", "x")]),
            plugin,
            message,
        );
    }
}

#[test]
fn a_failing_split_fails_its_layer() {
    for (plugin, message) in [
        ("ask_in_split", "without permission"),
        ("spin_split", "out of fuel"),
        ("split_bomb", "out of memory"),
    ] {
        let project = project_with_plugin(plugin, &[("only", "x")]);
        let run = project.run(&["build"]);
        assert!(run.code != 0, "{plugin}: {run:?}");
        assert_reports(plugin, &run, message);
        assert_eq!(project.sent(), 0, "{plugin}");
        assert_eq!(
            project.artifact_names(),
            ["fine/only", "texts/only"],
            "{plugin}"
        );
    }
}

/// The first unit keeps the label, and the other unit fails.
#[test]
fn a_unit_cannot_use_the_label_of_another_unit() {
    let project = project_with_plugin("forged_labels", &[("a", "x"), ("b", "y")]);
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("label mine is already used by unit"), "{run:?}");
    assert_eq!(
        project.artifact_names(),
        ["fine/a", "fine/b", "made/mine", "texts/a", "texts/b"]
    );
}

#[test]
fn an_input_larger_than_the_memory_limit_fails_its_unit() {
    let giant = "x".repeat(40 << 20);
    let project = project_with_plugin("nan_bits", &[("giant", &giant), ("small", "y")]);
    project.pipeline(
        "synix.toml",
        &layers_with_plugin("nan_bits").replace("memory_mb = 256", "memory_mb = 16"),
    );
    let run = project.run(&["build"]).expect_code(3);
    assert_reports(
        "nan_bits",
        &run,
        "out of memory: needs more than 16777216 bytes",
    );
    assert!(project.artifact_names().contains(&"made/small".to_owned()));
}

#[test]
fn nan_bits_are_the_same_in_every_run() {
    let project = project_with_plugin("nan_bits", &[("a", "x")]);
    project.ok(&["build"]);
    assert_eq!(
        project.content("made/a"),
        "7ff8000000000000 fff8000000000000 7ff8000000000000"
    );
}

#[track_caller]
pub(crate) fn assert_does_not_load(project: &TestProject, plugin: &str, message: &str) {
    let run = project.run(&["build"]);
    assert!(matches!(run.code, 1 | 2), "{plugin}: {run:?}");
    assert_reports(plugin, &run, message);
    assert_eq!(project.sent(), 0, "{plugin}");
    // The same project builds without the plugin.
    project.pipeline("synix.toml", &layers_with_plugin("echo"));
    project.ok(&["build"]);
}
