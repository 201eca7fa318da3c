//! Builds on two workers.

use std::fmt::Write as _;

use super::machines::Machines;
use super::twins::Twins;
use crate::support::test_project::TestProject;

/// A project with a unit for each of `count` texts, which asks two questions.
pub(super) fn questions(count: usize) -> TestProject {
    let project = TestProject::guest("two_steps", &[]);
    for number in 0..count {
        let text = format!("Text {number} is about nothing in particular.");
        project.write(&format!("texts/{number:04}.md"), &text);
    }
    // Sync calls, so that there is something to see before the end.
    let file = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let file = file.replace("batch = true", "batch = false");
    // So many calls need so many connections that the system gives some to each worker.
    project.write("synix.toml", &format!("{file}[engine]\nconcurrency = 64\n"));
    project
}

#[test]
fn a_build_on_two_workers_is_the_local_build() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let workers = [machines.start_worker(), machines.start_worker()];
    let twins = Twins::of(questions(400));
    twins.here.ok(&["build"]);
    let sent = twins.here.sent();
    assert_eq!(sent, 800);
    twins.elsewhere(&machines, &["build"]).run().expect_code(0);
    assert_eq!(twins.here.sent(), 2 * sent);
    twins.assert_equal("made");
    for mut worker in workers {
        worker.kill();
        let (_, printed) = worker.end();
        assert!(printed.contains("ran a chunk"), "{printed}");
    }
    // A unit whose component and answers are known elsewhere is fresh here: where it ran is no part of it.
    let mut again = twins.elsewhere(&machines, &["build", "--json", "--engine", "local"]);
    let again = again.env_remove("SYNIX_ENGINE").run().json();
    assert_eq!(twins.here.sent(), 2 * sent, "{again}");
}

/// An input that is too large for a chunk, and an outcome that is too large for a reply.
#[test]
fn what_is_too_large_for_a_message_travels_through_the_store() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let _worker = machines.start_worker();
    let project = TestProject::guest("echo", &[]);
    let mut large = String::new();
    for line in 0..200_000 {
        writeln!(large, "line {line} of a text that no chunk can hold").unwrap();
    }
    for number in 0..4 {
        project.write(&format!("texts/{number}.md"), &format!("{number}\n{large}"));
    }
    let twins = Twins::of(project);
    twins.here.ok(&["build"]);
    twins.elsewhere(&machines, &["build"]).run().expect_code(0);
    twins.assert_equal("made");
}

/// The pipeline file names the machines: the user has to permit it, and a replay contacts none of them.
#[test]
fn an_engine_of_the_pipeline_file_needs_permission() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let _worker = machines.start_worker();
    let twins = Twins::of(questions(5));
    let file = std::fs::read_to_string(twins.here.path("synix.toml")).unwrap();
    let elsewhere = machines.elsewhere(twins.here.command(&["build"]));
    let [url, content] = ["SYNIX_ENGINE", "SYNIX_ENGINE_CONTENT"]
        .map(|name| elsewhere.environment().get(name).unwrap());
    let url = url.trim_start_matches("restate=");
    let engine = format!("[engine]\nrestate = \"{url}\"\ncontent = \"{content}\"\n");
    twins
        .here
        .write("synix.toml", &file.replace("[engine]\n", &engine));
    let refused = twins.here.run(&["build"]).expect_code(5);
    assert!(
        refused.stderr.contains("run units on the workers of"),
        "{refused:?}"
    );
    assert_eq!(twins.here.sent(), 0);
    twins.here.trust();
    twins.here.ok(&["build", "--cassette-mode", "record"]);
    assert!(machines.contents().join("v1").exists());
    machines.server.kill();
    std::fs::remove_dir_all(twins.here.path(".synix")).unwrap();
    twins.here.ok(&["build", "--cassette-mode", "replay"]);
}
