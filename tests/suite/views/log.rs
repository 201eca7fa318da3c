//! The log of a build: what happened in it, in the order of time.

use serde_json::{Value, json};
use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::pipelines::RESUME;
use crate::support::test_project::{TestProject, text};

fn events(project: &TestProject, build: &str) -> Vec<Value> {
    let log = project.json(&["builds", "show", build, "--log"]);
    assert_eq!(
        (&log["build"], &log["more"]),
        (&json!(build), &json!(false))
    );
    log["events"].as_array().unwrap().clone()
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["event"])).collect()
}

#[test]
fn the_log_of_a_sync_build_has_everything_from_its_opening_to_its_end() {
    let project = TestProject::team();
    project.ok(&["build"]);
    // The order of requests that are sent at once is not fixed.
    let shown = project.ok(&["runs", "show", "1", "--log"]).stdout;
    for line in [
        "build-1 completed\n",
        "Z  opened\n",
        "Z  unit styles/amara done after 0.000 s\n",
        "Z  layer styles (sync): 0 fresh, 3 made, 0 failed\n",
        " of summary to claude-haiku-4-5 answered after 0.000 s, ",
        "Z  closed\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let events = events(&project, "build-1");
    let names = names(&events);
    let count = |name: &str| names.iter().filter(|other| *other == name).count();
    assert_eq!(
        (
            names.first().unwrap().as_str(),
            names.last().unwrap().as_str()
        ),
        ("opened", "closed")
    );
    // 3 files, 3 styles and a summary.
    assert_eq!([count("request"), count("unit"), count("layer")], [4, 7, 3]);
    let times: Vec<_> = events.iter().map(|event| text(&event["at"])).collect();
    assert!(times.is_sorted(), "{times:?}");
    let status = project.json(&["status", "build-1"]);
    let tokens = events
        .iter()
        .filter_map(|event| event["output_tokens"].as_u64());
    assert_eq!(Some(tokens.sum()), status["tokens"]["output"].as_u64());
}

#[test]
fn without_log_the_build_is_shown_as_by_status() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let shown = project.ok(&["builds", "show", "build-1"]);
    assert_eq!(shown.stdout, project.ok(&["status", "build-1"]).stdout);
    project
        .run(&["builds", "show", "build-2", "--log"])
        .expect_code(2);
    project
        .run(&["builds", "show", "build-1", "--limit", "5"])
        .expect_code(2);
}

#[test]
fn pages_add_up_to_the_whole_log() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let all = events(&project, "build-1");
    let mut pages = Vec::new();
    loop {
        let after = pages.len().to_string();
        let page = project.json(&[
            "builds", "show", "1", "--log", "--limit", "4", "--after", &after,
        ]);
        pages.extend(page["events"].as_array().unwrap().clone());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(pages, all);
    let beyond = project.json(&["builds", "show", "1", "--log", "--after", "1000000000000"]);
    assert_eq!(
        (&beyond["events"], &beyond["more"]),
        (&json!([]), &json!(false))
    );
}

#[test]
fn the_log_of_a_batch_build_has_each_step_and_each_command() {
    let project = TestProject::team();
    project.pause_batches();
    // The simulated clock of each command starts again.
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env_remove("SYNIX_CLOCK").run().expect_code(0)
    };
    run(&["batch-build", "run"]);
    let before = events(&project, "build-1");
    let open = before
        .iter()
        .filter(|event| event["outcome"] == "in_flight");
    assert_eq!(open.count(), 3);
    project.provider.finish_batches();
    run(&RESUME);
    let after = events(&project, "build-1");
    let states: Vec<String> = after
        .iter()
        .filter(|event| event["event"] == "submission")
        .map(|event| text(&event["state"]))
        .collect();
    let expected = [
        "claimed",
        "uploading",
        "uploaded",
        "creating",
        "live",
        "ended",
        "fetched",
        "settled",
    ];
    assert_eq!(states, expected);
    let names = names(&after);
    assert_eq!(names.iter().filter(|name| *name == "resumed").count(), 1);
    assert_eq!(names.last().unwrap(), "closed");
    let in_batch = after
        .iter()
        .filter(|event| event["batch"].is_string() && event["outcome"] == "answered");
    assert_eq!(in_batch.count(), 3);
}

/// The units that the first command made are fresh for the second, and still in the log.
#[test]
fn a_unit_that_was_made_before_a_resume_stays_in_the_log() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.provider.finish_batches();
    project.run(&RESUME).expect_code(0);
    let events = events(&project, "build-1");
    let units: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "unit")
        .collect();
    assert_eq!(units.len(), 7, "{units:#?}");
    assert!(units.iter().all(|unit| unit["outcome"] == "done"));
}

#[test]
fn a_cancelled_build_says_so() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "cancel"]);
    let names = names(&events(&project, "build-1"));
    assert_eq!(names.iter().filter(|name| *name == "cancelled").count(), 1);
}

#[test]
fn the_words_of_a_provider_stay_within_their_line() {
    let project = TestProject::team();
    let words = "no\u{1b}[31m\n::error::2026-01-01T00:00:00Z  closed";
    let body = json!({"error": {"message": words, "type": "invalid_request_error"}});
    let refusal = Reply::Status(StatusReply::new(400).body(body));
    project.script(Script::new().rule(Rule::on("amara").reply(refusal)));
    project.run(&["build"]).expect_code(3);
    let shown = project.ok(&["builds", "show", "1", "--log"]).stdout;
    assert!(!shown.contains('\u{1b}'), "{shown}");
    for line in shown.lines().skip(1) {
        assert!(line.starts_with("2026-01-01T00:00:"), "{line}");
    }
    let failed = events(&project, "build-1");
    let failed = failed.iter().filter(|event| event["outcome"] == "failed");
    // The request, its unit, and the summary that needs it.
    assert_eq!(failed.count(), 3);
}
