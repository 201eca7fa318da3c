//! Pages of `list` and `builds`, and what `status` shows of a build over time.

use serde_json::{Value, json};

use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, text};

fn labels(page: &Value) -> Vec<String> {
    let artifacts = page["artifacts"].as_array().expect("artifacts");
    artifacts.iter().map(|one| text(&one["label"])).collect()
}

#[test]
fn a_layer_is_listed_in_pages() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let all = project.json(&["list", "bios"]);
    let first = project.json(&["list", "bios", "--limit", "2"]);
    assert_eq!(labels(&first), ["amara", "bela"]);
    assert_eq!(first["artifacts"][0], all["artifacts"][0]);
    assert_eq!((&first["total"], &first["before"]), (&json!(3), &json!(0)));
    assert_eq!(
        (&first["more"], &first["previous"]),
        (&json!(true), &Value::Null)
    );
    let second = project.json(&["list", "bios", "--limit", "2", "--after", "bela"]);
    assert_eq!(labels(&second), ["chitra"]);
    assert_eq!(
        (&second["more"], &second["previous"]),
        (&json!(false), &json!(""))
    );
    let shown = project.ok(&["list", "bios", "--limit", "2"]);
    assert!(shown.stderr.contains("--after bela"), "{}", shown.stderr);
    assert!(!shown.stdout.contains("chitra"), "{}", shown.stdout);
}

#[test]
fn a_page_needs_a_layer() {
    let project = TestProject::team();
    project.run(&["list", "--limit", "2"]).expect_code(2);
    project
        .run(&["list", "bios", "--limit", "0"])
        .expect_code(2);
}

#[test]
fn builds_are_listed_in_pages() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/bela.md", "I am bela and I draw.");
    project.ok(&["build"]);
    let first = project.json(&["builds", "--limit", "1"]);
    assert_eq!(first["builds"][0]["build"], "build-2");
    assert_eq!(first["more"], true);
    let second = project.json(&["builds", "--limit", "1", "--after", "build-2"]);
    assert_eq!(second["builds"][0]["build"], "build-1");
    assert_eq!(second["more"], false);
}

#[test]
fn a_batch_has_each_state_with_its_time() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let status = project.status();
    let steps = status["batches"][0]["steps"].as_array().expect("steps");
    let states: Vec<_> = steps.iter().map(|step| text(&step["state"])).collect();
    assert_eq!(
        states,
        [
            "claimed",
            "uploading",
            "uploaded",
            "creating",
            "live",
            "ended",
            "fetched",
            "settled"
        ]
    );
    let times: Vec<_> = steps.iter().map(|step| text(&step["at"])).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(status["driver"], Value::Null);
}
