//! `status` and `list` of a project: what is stale, running or failed, and the cost. They write nothing and call no
//! provider.

use std::fs;

use serde_json::{Value, json};
use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, command_in};
use crate::support::transcript::assert_transcript;

/// Returns a field of each layer.
fn layers(status: &Value, field: &str) -> Vec<Value> {
    let layers = status["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer[field].clone()).collect()
}

fn cost(document: &Value) -> f64 {
    document["cost_usd"].as_f64().unwrap()
}

#[test]
fn a_project_without_builds_is_stale_in_every_layer() {
    let project = TestProject::team();
    let status = project.json(&["status"]);
    assert_eq!(layers(&status, "name"), ["bios", "styles", "summary"]);
    assert_eq!(layers(&status, "artifacts"), [0, 0, 0]);
    assert_eq!(layers(&status, "failed"), [0, 0, 0]);
    let plan = project.json(&["plan"]);
    for field in ["stale", "stale_guess"] {
        assert_eq!(layers(&status, field), layers(&plan, field), "{field}");
    }
    assert_eq!(layers(&status, "stale")[1], 3);
    assert_eq!(status["builds"], json!([]));
    assert_eq!((cost(&status), &status["last"]), (0.0, &Value::Null));
    assert!(!project.path(".synix").exists());
    assert_eq!(project.sent(), 0);
    let text = project.ok(&["status"]).stdout;
    assert!(text.contains("`synix build` to build"), "{text}");
}

#[test]
fn a_finished_build_leaves_artifacts_a_cost_and_nothing_stale() {
    let project = TestProject::team();
    let first = project.json(&["build"]);
    let status = project.json(&["status"]);
    assert_eq!(layers(&status, "artifacts"), [3, 3, 1]);
    assert_eq!(layers(&status, "stale"), [0, 0, 0]);
    assert_eq!(status["snapshot"], "build-1");
    assert_eq!(status["last"]["status"], "completed");
    assert!(cost(&first) > 0.0, "{first:#}");
    assert_eq!(status["cost_usd"], first["cost_usd"]);
    // The cost of another build is added.
    project.write("bios/bela.md", "I am bela and I draw.");
    assert_eq!(layers(&project.json(&["status"]), "stale")[1], 1);
    let second = project.json(&["build"]);
    let status = project.json(&["status"]);
    assert!((cost(&status) - cost(&first) - cost(&second)).abs() < 1e-9);
    assert_eq!(status["last"]["cost_usd"], second["cost_usd"]);
    let text = project.ok(&["status"]).stdout;
    assert!(text.contains("everything is up to date"), "{text}");
    assert!(text.contains("build-2 completed; cost: $"), "{text}");
}

#[test]
fn a_failure_is_counted_in_its_layer_and_named() {
    let project = TestProject::team();
    let reason = json!({"error": {
        "message": "no such thing", "type": "invalid_request_error", "param": null, "code": "bad",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    project.script(Script::new().rule(Rule::on("I am bela").reply(reply)));
    project.run(&["build"]).expect_code(3);
    let status = project.json(&["status"]);
    assert_eq!(layers(&status, "artifacts"), [3, 2, 0]);
    assert_eq!(layers(&status, "failed"), [0, 1, 1]);
    assert_eq!(status["last"]["status"], "completed_with_errors");
    assert_eq!(status["last"]["failures"][0]["unit"], "bela");
    let text = project.ok(&["status"]).stdout;
    assert!(text.contains("no such thing"), "{text}");
}

#[test]
fn a_submitted_batch_is_shown_without_a_call_to_its_provider() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let database = project.path(".synix/state.sqlite3");
    let before = (fs::read(&database).unwrap(), project.ledger().calls);
    let status = project.json(&["status"]);
    let build = &status["builds"][0];
    assert_eq!(
        [&build["build"], &build["kind"], &build["status"]],
        ["build-1", "batch-build", "submitted"]
    );
    assert_eq!(build["waiting"], 3, "{build:#}");
    let batch = &build["batches"][0];
    assert_eq!(
        (&batch["provider"], &batch["requests"]),
        (&json!("openai"), &json!(3))
    );
    let text = project.ok(&["status"]).stdout;
    assert!(
        text.contains("run `synix resume build-1` to continue it"),
        "{text}"
    );
    // Nothing was written, and the provider was not called.
    let after = (fs::read(&database).unwrap(), project.ledger().calls);
    assert_eq!(before.1, after.1);
    assert!(before.0 == after.0, "the state was written");
}

#[test]
fn an_invalid_pipeline_is_reported_beside_the_known_state() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    project.pipeline("synix.toml", &TEAM.replace("prompt_file", "promt_file"));
    let status = project.json(&["status"]);
    assert_eq!(status["error"]["kind"], "pipeline");
    assert_eq!(layers(&status, "artifacts"), [3, 3, 1]);
    assert_eq!(
        layers(&status, "stale"),
        [Value::Null, Value::Null, Value::Null]
    );
    assert_eq!(status["last"]["build"], "build-1");
    let text = project.ok(&["status"]).stdout;
    assert!(text.contains("cannot find out what is stale"), "{text}");
    let nowhere = tempfile::tempdir().unwrap();
    command_in(nowhere.path(), &["status"]).run().expect_code(2);
}

#[test]
fn status_of_a_named_build_equals_batch_build_status() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let shown = project.json(&["status", "build-1"]);
    assert_eq!(shown, project.json(&["batch-build", "status", "build-1"]));
}

/// L7: a reader does not wait for a writer.
#[test]
fn artifacts_can_be_listed_while_a_batch_is_polled() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/dmitri.md", "I am new.");
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| ledger.batches.len() == 1);
    assert_eq!(project.artifact_names().len(), 7);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn reading_before_the_first_build_reports_what_to_run() {
    let project = TestProject::team();
    let run = project.run(&["list"]).expect_code(1);
    assert_transcript!(run);
}
