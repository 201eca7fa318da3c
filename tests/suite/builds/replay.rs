//! A replay needs no network and no key, and depends only on the pipeline, its inputs and the cassette.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, TEAM, pipeline_file_at};
use crate::support::test_project::TestProject;

fn recorded_project() -> TestProject {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    project
}

fn run_replay(project: &TestProject, arguments: &[&str]) -> Run {
    let mut command = project.command(arguments);
    command
        .env("SYNIX_CASSETTE_MODE", "replay")
        .env_remove("OPENAI_API_KEY")
        .env_remove("ANTHROPIC_API_KEY");
    command.run()
}

/// C2: whether the answer is recorded or not.
#[test]
fn a_replay_needs_no_key_and_opens_no_socket() {
    let project = recorded_project();
    let artifacts = project.artifacts();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    project.write(
        "synix.toml",
        &pipeline_file_at(&format!("{url}/v1"), &url, TEAM),
    );
    for arguments in [&["build"][..], &BATCH_BUILD] {
        std::fs::remove_dir_all(project.path(".synix")).unwrap();
        run_replay(&project, arguments).expect_code(0);
        assert_eq!(project.artifacts(), artifacts, "{arguments:?}");
    }
    project.write("bios/dmitri.md", "I am new.");
    run_replay(&project, &["build"]).expect_code(3);
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// C1: the message shows the request.
#[test]
fn a_missing_recording_is_reported_with_the_nearest_one() {
    let project = recorded_project();
    project.write("bios/bela.md", "I am bela and I write things up.");
    let run = run_replay(&project, &["build"]).expect_code(3);
    assert!(
        run.says("no recording of request") && run.says("the nearest recording"),
        "{run:?}"
    );
    let status = run_replay(&project, &["build", "--json"]).json();
    assert!(
        TestProject::failures(&status).contains(&("bela".to_owned(), "missing".to_owned())),
        "{status}"
    );
}

/// C1
#[test]
fn a_replay_does_not_use_the_store() {
    let project = recorded_project();
    project.write("bios/dmitri.md", "I am new.");
    project.ok(&["build"]);
    run_replay(&project, &["build"]).expect_code(3);
}

/// C1: an answer of a replay is not used.
#[test]
fn a_live_build_uses_no_replayed_answer() {
    let project = recorded_project();
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    run_replay(&project, &["build"]).expect_code(0);
    let sent = project.sent();
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 4);
}

/// C1: both modes record the same, including answers that were already stored.
#[test]
fn a_batch_build_records_the_same_cassette() {
    let by_call = recorded_project();
    let by_batch = TestProject::team();
    by_batch.ok(&BATCH_BUILD);
    by_batch.ok(&[&BATCH_BUILD[..], &["--cassette-mode", "record"]].concat());
    let cassette = |project: &TestProject| {
        std::fs::read_to_string(project.path("cassettes/suite.json")).unwrap()
    };
    // The ids from the provider differ between two runs; requests and answers do not.
    let answers = |text: &str| {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let requests = document["requests"].as_object().unwrap();
        requests
            .iter()
            .map(|(key, entry)| (key.clone(), entry["answer"]["text"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(answers(&cassette(&by_call)), answers(&cassette(&by_batch)));
    assert_eq!(answers(&cassette(&by_call)).len(), 4);
}

#[test]
fn a_replay_without_a_cassette_reports_the_expected_path() {
    let project = TestProject::team();
    let run = run_replay(&project, &["build"]).expect_code(1);
    assert!(run.says("no cassette at"), "{run:?}");
}

/// A replay sends nothing, so an answer that is not in the cassette is missing.
#[test]
fn a_replay_plan_reports_missing_answers_without_a_price() {
    let project = recorded_project();
    let whole = run_replay(&project, &["plan", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(whole["total"]["missing"], 0, "{whole:#}");
    project.write("bios/bela.md", "I am bela and I write things up.");
    project.write("bios/dmitri.md", "I am new.");
    for command in [&["plan"][..], &["batch-build", "plan"]] {
        let plan = run_replay(&project, &[command, &["--json"]].concat()).json();
        let total = &plan["total"];
        assert_eq!(
            (&total["missing"], &total["requests"]),
            (&2.into(), &0.into()),
            "{total:#}"
        );
        assert_eq!(
            (&total["cost_usd"], &total["exact"]),
            (&0.0.into(), &true.into())
        );
        let failures = &plan["layers"][1]["failures"];
        assert_eq!(failures.as_array().unwrap().len(), 2, "{failures:#}");
        let shown = run_replay(&project, command).expect_code(0);
        for message in [
            "2 answers are missing from the cassette",
            "cannot be made in styles:",
            "bela: no recording of request",
            "cannot be made in summary:",
        ] {
            assert!(shown.says(message), "{message}: {shown:?}");
        }
        assert!(
            !shown.says("$") && !shown.says("all answers are stored"),
            "{shown:?}"
        );
    }
    // The replay matches the plan. A plan without replay shows the cost of recording.
    run_replay(&project, &["build"]).expect_code(3);
    let live = project.json(&["plan"]);
    assert!(live["total"]["requests"].as_u64().unwrap() > 0, "{live:#}");
}
