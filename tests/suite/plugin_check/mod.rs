//! `plugin check` passes correct plugins and names the point that each faulty guest fails.

mod planted_faults;
mod planted_readers;

use serde_json::Value;

use crate::support::test_project::command_in;
use crate::support::transcript::assert_transcript;

fn check(component: &str, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["plugin", "check", component, "--json"], more].concat();
    let run = command_in(folder.path(), &arguments).run();
    (run.code, run.json())
}

fn component(name: &str) -> &'static str {
    let found = synix_test_components::ALL
        .iter()
        .find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no component {name}")).1
}

/// Returns the names of the points with this outcome.
fn points<'a>(report: &'a Value, outcome: &str) -> Vec<&'a str> {
    let points = report["points"].as_array().unwrap();
    let named = points.iter().filter(|one| one["outcome"] == outcome);
    named.map(|one| one["point"].as_str().unwrap()).collect()
}

#[test]
fn every_transform_that_comes_with_synix_passes() {
    for transform in synix_components::TRANSFORMS {
        let (code, report) = check(transform.name, &[]);
        assert_eq!(
            (code, &report["failed"]),
            (0, &Value::from(0)),
            "{report:#}"
        );
    }
}

const FAULTS: [(&str, &str); 36] = [
    ("bad_label", "outputs"),
    ("bad_metadata", "outputs"),
    ("bad_schema", "config-schema"),
    ("bad_split", "split"),
    ("duplicate_labels", "labels"),
    ("fault_address", "deterministic"),
    ("fault_answer", "answers"),
    ("fault_bytes", "bytes-input"),
    ("fault_capability", "capabilities"),
    ("fault_config_panic", "config-refusals"),
    ("fault_config_silent", "config-refusals"),
    ("fault_config_type", "config-refusals"),
    ("fault_counter", "stateless"),
    ("fault_default", "config-defaults"),
    ("fault_describe", "descriptor"),
    ("fault_dropped_input", "split"),
    ("fault_empty_text", "empty-input"),
    ("fault_empty_split", "split"),
    ("fault_hash_order", "deterministic"),
    ("fault_input_order", "input-order"),
    ("fault_long_loop", "limits"),
    ("fault_many_questions", "limits"),
    ("fault_one_label", "labels"),
    ("fault_position_keys", "unit-keys"),
    ("fault_raw_metadata", "outputs"),
    ("fault_schema_default", "config-schema"),
    ("fault_swallow", "refused-requests"),
    ("fault_unicode", "unicode-input"),
    ("fault_unused_llm", "capabilities"),
    ("flood_output", "limits"),
    ("hoard_memory", "limits"),
    ("panic", "ordinary-units"),
    ("remember", "stateless"),
    ("spin", "limits"),
    ("trap", "ordinary-units"),
    ("undeclared_llm", "capabilities"),
];

#[test]
fn each_faulty_guest_fails_only_its_own_point() {
    let mut unexpected = Vec::new();
    for (name, point) in FAULTS {
        let (code, report) = check(component(name), &[]);
        let failed = points(&report, "fail");
        if code != 1 || failed != [point] {
            unexpected.push(format!("{name}: {code}, {failed:?} and not {point}"));
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

#[test]
fn correct_plugins_pass_without_flags() {
    for name in ["map", "reduce", "echo", "two_steps", "fan_out"] {
        let (code, report) = check(component(name), &[]);
        assert_eq!((code, points(&report, "fail").len()), (0, 0), "{report:#}");
    }
}

/// A point that is no longer run would be missing or skipped.
#[test]
fn every_applicable_point_is_run() {
    let per_input = ["unit-keys", "input-order"];
    let (_, report) = check(component("two_steps"), &[]);
    let skipped = points(&report, "skip");
    assert_eq!(skipped, [&["config-defaults"], &per_input[..]].concat());
    assert_eq!(points(&report, "pass").len() + skipped.len(), 23);
    let point = |name: &str| {
        let points = report["points"].as_array().unwrap();
        let found = points.iter().find(|one| one["point"] == name).unwrap();
        found["detail"].as_str().unwrap().to_owned()
    };
    assert!(point("replay").starts_with("suspended at "), "{report:#}");
    assert!(point("long-input").contains("text"), "{report:#}");
    let (_, report) = check(component("reduce"), &[]);
    assert!(points(&report, "skip").is_empty(), "{report:#}");
    // A group needs no prompt, so none is generated.
    let config = r#"{"by": "topic", "on_missing": "group", "prompt": "{{ group }}: {% for one in inputs %}{{ one.content }}{% endfor %}"}"#;
    let (code, report) = check(component("group"), &["--config", config]);
    assert_eq!((code, points(&report, "pass").len()), (0, 23), "{report:#}");
}

#[test]
fn a_truncated_log_fails_the_limits_point() {
    let (code, report) = check(component("flood_log"), &[]);
    assert!(
        code == 1 && points(&report, "fail").contains(&"limits"),
        "{report:#}"
    );
}

#[test]
fn a_file_that_is_not_a_plugin_fails_only_the_first_point() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wasm");
    std::fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
    let (code, report) = check(path.to_str().unwrap(), &[]);
    assert_eq!((code, points(&report, "fail")), (1, vec!["component"]));
    assert_eq!(report["passed"], 0);
}

#[test]
fn a_junit_report_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xml");
    let (code, report) = check(
        component("fault_one_label"),
        &["--junit", path.to_str().unwrap()],
    );
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(code, 1);
    assert_eq!(
        written.matches("<testcase ").count(),
        report["points"].as_array().unwrap().len()
    );
    assert!(written.contains(r#"name="labels"><failure message="units"#));
}

/// A given config replaces the generated ones.
#[test]
fn a_given_config_is_validated_first() {
    let unexpected = ["--config", r#"{"label": 1}"#];
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["plugin", "check", component("map")], &unexpected[..]].concat();
    let run = command_in(folder.path(), &arguments).run().expect_code(2);
    assert_transcript!(run);
}

#[test]
fn an_unreadable_input_is_a_usage_error_with_its_causes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "---\nnot: [closed\n---\n").unwrap();
    let component = component("echo");
    let run = command_in(
        folder.path(),
        &["plugin", "check", component, "--input", "a.md"],
    )
    .run();
    assert_eq!(run.code, 2, "{run:?}");
    assert_transcript!(run);
    assert!(run.stderr.matches("because: ").count() >= 1, "{run:?}");
}

/// U9: progress is printed to stderr.
#[test]
fn a_check_uses_given_replies_and_reports_its_progress() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replies.json"), r#"["one", "two"]"#).unwrap();
    for more in [
        &["--reply", "yes"][..],
        &["--replies", "replies.json", "--timeout", "600"],
    ] {
        let arguments = [&["plugin", "check", component("map")], more].concat();
        let run = command_in(folder.path(), &arguments).run();
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            run.stderr.contains("try unusual answers")
                && !run.stdout.contains("try unusual answers ("),
            "{run:?}"
        );
    }
    let both = [
        "plugin",
        "check",
        component("map"),
        "--reply",
        "a",
        "--replies",
        "replies.json",
    ];
    assert_eq!(command_in(folder.path(), &both).run().code, 2);
    let none = ["plugin", "check", component("map"), "--timeout", "0"];
    assert_eq!(command_in(folder.path(), &none).run().code, 2);
}
