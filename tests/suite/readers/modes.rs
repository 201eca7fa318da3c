//! Piles through sync calls, batches and replays, and readers that are not first-party.

use std::collections::BTreeSet;

use super::{TICKETS, tickets};
use crate::support::pipelines::MODES;
use crate::support::test_project::TestProject;

#[test]
fn rows_make_equal_artifacts_in_every_mode() {
    let mut found = BTreeSet::new();
    for mode in MODES {
        let project = tickets("error");
        project.build_in(mode).expect_code(0);
        found.insert(project.artifacts());
    }
    let found = Vec::from_iter(found);
    assert_eq!(found.len(), 1, "{found:#?}");
    let names: Vec<&str> = found[0].iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "answers/1",
        "answers/2",
        "answers/7",
        "tickets/1",
        "tickets/2",
        "tickets/7",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_plan_reads_without_writing() {
    let project = tickets("error");
    let plan = project.json(&["plan"]);
    assert!(!project.path(".synix").exists());
    let layer = |position: usize, key: &str| plan["layers"][position][key].as_u64();
    // A unit is a file; a question is about a row.
    assert_eq!((layer(0, "units"), layer(0, "stale")), (Some(2), Some(2)));
    assert_eq!(
        (layer(1, "units"), layer(1, "requests")),
        (Some(3), Some(3))
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

/// A reader is a component like any other.
#[test]
fn a_reader_may_be_a_component_of_the_project() {
    let project = tickets("error");
    project.ok(&["build"]);
    let component = synix_components::component("rows").unwrap();
    std::fs::create_dir_all(project.path("readers")).unwrap();
    std::fs::write(project.path("readers/rows.wasm"), component).unwrap();
    let own = TICKETS
        .replace("\"rows\"", "\"./readers/rows.wasm\"")
        .replace("ON_DUPLICATE", "");
    project.pipeline("synix.toml", &own);
    project.ok(&["build"]);
    // The same bytes under another name make nothing stale.
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["stale"], 0, "{plan:#}");
    assert_eq!(project.sent(), 3);
}

#[test]
fn a_transform_is_no_reader_and_a_reader_no_transform() {
    let reader = "[layers.a]\nsource = \"a/*\"\nread = \"map\"\n";
    let project = TestProject::with_layers(reader);
    project.write("a/a.md", "x");
    let run = project.run(&["plan"]).expect_code(2);
    assert!(
        run.says("unknown reader `map` (available are chats, documents, mail, rows"),
        "{run:?}"
    );
    let component = synix_components::component("map").unwrap();
    std::fs::write(project.path("map.wasm"), component).unwrap();
    let by_path = reader.replace("\"map\"", "\"./map.wasm\"");
    project.pipeline("synix.toml", &by_path);
    let run = project.run(&["plan"]).expect_code(1);
    assert!(run.says("is a transform"), "{run:?}");
}

/// A reader has no model, so nothing that it reads can be sent anywhere.
#[test]
fn a_reader_that_imports_a_model_is_refused() {
    let layers = "[layers.a]\nsource = \"a/*\"\nread = \"./plugins/reader_asks.wasm\"\n";
    let project = TestProject::with_layers(layers);
    project.plugin("reader_asks");
    project.write("a/a.md", "x");
    let run = project.run(&["build"]).expect_code(1);
    assert!(run.says("synix:plugin/llm"), "{run:?}");
}

#[test]
fn the_config_of_a_reader_is_checked_against_its_schema() {
    let wrong = TICKETS
        .replace("ON_DUPLICATE", "")
        .replace("content = \"text\"", "contnet = \"text\"");
    let project = TestProject::with_layers(&wrong);
    project.write("in/a.csv", "id,text\n1,Hello\n");
    let run = project.run(&["plan"]).expect_code(2);
    assert!(
        run.says("unknown key `contnet` in [layers.tickets.config] (did you mean `content`?)"),
        "{run:?}"
    );
}

#[test]
fn keys_of_other_sources_are_refused() {
    for (layer, expected) in [
        (
            "source = \"a/*\"\nread = \"rows\"\nkind = \"row\"",
            "`kind` is only allowed in sources that read texts",
        ),
        (
            "source = \"a/*\"\non_duplicate = \"newest\"",
            "`on_duplicate` is only allowed in sources whose `read` names a reader",
        ),
        (
            "source = \"a/*\"\nread = \"rows\"\nlimits = { requests = 1 }",
            "`requests` is only allowed in the limits of transforms",
        ),
        ("source = []", "`layers.a.source` must"),
        (
            "source = \"a/*\"\nread = \"not a name\"",
            "must consist of letters",
        ),
    ] {
        let project = TestProject::with_layers(&format!("[layers.a]\n{layer}\n"));
        let run = project.run(&["plan"]).expect_code(2);
        assert!(run.says(expected), "{expected}: {run:?}");
    }
}
