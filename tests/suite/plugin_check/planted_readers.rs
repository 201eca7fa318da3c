//! `plugin check` of a reader: first-party readers pass, and each planted fault fails its own point.

use serde_json::Value;

use super::planted_faults::unexpected_results;
use crate::support::test_project::command_in;

const FAULTS: [(&str, Option<&str>); 27] = [
    ("config-bytes", Some("deterministic")),
    ("config-default", Some("config-defaults")),
    ("config-traps", Some("config-refusals")),
    ("cut-traps", Some("cut-file")),
    ("declares-llm", Some("capabilities")),
    ("empty-traps", Some("empty-file")),
    ("error-silent", Some("empty-file")),
    ("error-uncoded", Some("empty-file")),
    ("kind-lines", Some("outputs")),
    ("label-empty", Some("outputs")),
    ("label-twice", Some("labels")),
    ("log-flood", Some("limits")),
    ("name-case", Some("descriptor")),
    ("name-traps", Some("file-names")),
    ("noise-traps", Some("noise-file")),
    ("ordinary-traps", Some("ordinary-files")),
    ("ordinary-unnamed", Some("ordinary-files")),
    ("parts-one", Some("short-reads")),
    ("reason-other", Some("outputs")),
    ("schema-default", Some("config-schema")),
    ("schema-no-type", Some("config-schema")),
    ("schema-open", Some("config-refusals")),
    ("shape-all", Some("descriptor")),
    ("sparse-at-once", Some("sparse-file")),
    ("sparse-grows", Some("sparse-file")),
    ("summary-blank", Some("descriptor")),
    ("version-word", Some("descriptor")),
];

const GOOD: [(&str, Option<&str>); 8] = [
    ("good-config", None),
    ("good-names", None),
    ("good-nothing", None),
    ("good-plain", None),
    ("good-refuses", None),
    ("good-required", None),
    ("good-skips", None),
    ("good-streams", None),
];

#[test]
fn each_planted_reader_fails_its_own_point_and_no_other() {
    let wrong = unexpected_results("planted_reader", &FAULTS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn readers_that_keep_to_the_contract_in_unusual_ways_pass() {
    let wrong = unexpected_results("planted_reader", &GOOD);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of the points with an outcome.
fn points<'a>(report: &'a Value, outcome: &str) -> Vec<&'a str> {
    let points = report["points"].as_array().unwrap().iter();
    let named = points.filter(|one| one["outcome"] == outcome);
    named.map(|one| one["point"].as_str().unwrap()).collect()
}

fn check(component: &str, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["plugin", "check", component, "--json"], more].concat();
    let run = command_in(folder.path(), &arguments).run();
    (run.code, run.json())
}

#[test]
fn first_party_readers_pass_and_every_point_is_tried() {
    for reader in ["chats", "documents", "mail", "rows"] {
        let (code, report) = check(reader, &[]);
        let failed = points(&report, "fail");
        assert_eq!((code, failed.len()), (0, 0), "{report:#}");
        assert_eq!(report["kind"], "reader");
        assert_eq!(report["points"].as_array().unwrap().len(), 17);
        assert!(
            points(&report, "pass").contains(&"ordinary-files"),
            "{report:#}"
        );
    }
}

/// The host offers a reader no model, so the component cannot be loaded.
#[test]
fn a_reader_that_asks_a_model_is_no_component_of_the_contract() {
    let (code, report) = check(synix_test_components::READER_ASKS, &[]);
    assert_eq!((code, points(&report, "fail")), (1, vec!["component"]));
    assert!(
        report.to_string().contains("synix:plugin/llm"),
        "{report:#}"
    );
}

#[test]
fn files_that_an_author_passes_must_give_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), "id,text\n1,Call Ann.\n").unwrap();
    std::fs::write(folder.path().join("empty.csv"), "id,text\n1,\n").unwrap();
    let config = r#"{"content": "text"}"#;
    let check = |file: &str| {
        let arguments = [
            "plugin", "check", "rows", "--json", "--config", config, "--input", file,
        ];
        let run = command_in(folder.path(), &arguments).run();
        (run.code, run.json())
    };
    let (code, report) = check("good.csv");
    assert_eq!((code, points(&report, "fail").len()), (0, 0), "{report:#}");
    let (code, report) = check("empty.csv");
    assert_eq!((code, points(&report, "fail")), (1, vec!["ordinary-files"]));
    assert!(
        report
            .to_string()
            .contains("none of 1 rows became an artifact"),
        "{report:#}"
    );
}

#[test]
fn a_check_of_a_reader_takes_no_replies() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["plugin", "check", "rows", "--reply", "x"];
    let run = command_in(folder.path(), &arguments).run().expect_code(2);
    assert!(
        run.says("rows is a reader, which asks no model; remove --reply"),
        "{run:?}"
    );
}
