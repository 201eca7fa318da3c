//! Lists of batches that are incomplete or invalid.

use serde_json::{Value, json};
use synix_scripted_provider::{Endpoint, Fault, FaultKind, RawReply, Script};

use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::test_project::TestProject;

/// A script that loses the reply to a create call, and shows the batch in a list of this form.
fn script_with_lost_batch(list: RawReply) -> Script {
    Script::new()
        .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once())
        .fault(Fault::on(Endpoint::BatchesList, FaultKind::Raw(list)))
}

/// X1, M1
#[test]
fn an_incomplete_list_of_batches_creates_nothing() {
    let others: Vec<Value> = (0..100)
        .map(|number| json!({"id": format!("batch_other_{number}"), "status": "completed"}))
        .collect();
    for list in [
        json!({"data": [], "has_more": true}),
        json!({"object": "list", "data": others, "has_more": true, "last_id": "batch_other_99"}),
        json!({"data": others}),
        json!({"data": [{"status": "completed"}], "has_more": false}),
        json!({"error": null}),
    ] {
        let project = TestProject::team();
        project.script(script_with_lost_batch(RawReply::body(list.to_string())));
        let is_list = list.get("data").is_some();
        // A reply that is not a list is retried like other errors.
        let command = if is_list {
            &BATCH_BUILD[..]
        } else {
            &BATCH_BUILD[..2]
        };
        let run = project.run(command);
        assert_eq!(run.code, if is_list { 5 } else { 0 }, "{run:?}");
        assert_eq!(run.says("--create-again"), is_list, "{run:?}");
        assert!(
            run.stderr.contains("cannot read the list of batches"),
            "{}",
            run.stderr
        );
        assert_eq!(
            project.ledger().calls(Endpoint::BatchesCreate),
            1,
            "{list:.60}"
        );
        // The batch is not lost: a complete list shows it.
        project.script(Script::new());
        project.ok(&RESUME);
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (4, 0)
        );
    }
}

/// X1
#[test]
fn adopt_and_create_again_decide_without_a_complete_list() {
    for adopt in [true, false] {
        let project = TestProject::team();
        let endless = || RawReply::body(r#"{"data":[],"has_more":true}"#);
        project.script(script_with_lost_batch(endless()));
        project.run(&BATCH_BUILD).expect_code(5);
        let id = project.ledger().batches[0].id.to_string();
        let list = Fault::on(Endpoint::BatchesList, FaultKind::Raw(endless()));
        project.script(Script::new().fault(list));
        let adopt_command = [&RESUME[..], &["--adopt", &id]].concat();
        let create_command = [&RESUME[..], &["--create-again"]].concat();
        project.ok(if adopt {
            &adopt_command
        } else {
            &create_command
        });
        let creates = project.ledger().calls(Endpoint::BatchesCreate);
        assert_eq!(creates, if adopt { 1 } else { 2 });
        assert_eq!(project.artifact_names().len(), 7);
    }
}

/// X1, M1: this holds without its metadata.
#[test]
fn a_lost_batch_is_recognized_by_its_file() {
    for metadata in [json!(null), json!({}), json!("gone"), json!([])] {
        let project = TestProject::team();
        project.script(script_with_lost_batch(RawReply::with(
            "/data/*/metadata",
            metadata.clone(),
        )));
        project.ok(&BATCH_BUILD);
        assert_eq!(
            project.ledger().calls(Endpoint::BatchesCreate),
            1,
            "{metadata}"
        );
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (4, 0)
        );
    }
}
