//! Concurrent commands pay for each request once, whichever commands they are and whenever they start.

use std::process::Child;

use synix_scripted_provider::{Endpoint, Ledger, Script};

use crate::support::costs::unclear_attempts;
use crate::support::invocation::Run;
use crate::support::pipelines::BATCH_BUILD;
use crate::support::processes::{is_running, wait_for_output};
use crate::support::random::SeededRandom;
use crate::support::test_project::TestProject;

/// The notes of each project.
const NOTES: u64 = 18;

/// Titles by sync calls or batches, moods only by sync calls, and one text about all of them.
const LAYERS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 200

[models.other]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 200

[layers.notes]
source = "notes/*.md"

[layers.titles]
transform = "map"
inputs = ["notes"]
batch = true
[layers.titles.config]
prompt = "A title for: {{ content }}"

[layers.moods]
transform = "map"
inputs = ["notes"]
model = "other"
batch = false
[layers.moods.config]
prompt = "Which mood has this? {{ content }}"

[layers.all]
transform = "reduce"
inputs = ["titles", "moods"]
batch = false
[layers.all.config]
prompt = "Sum up:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "all"
"#;

/// The requests of all layers.
const REQUESTS: u64 = 2 * NOTES + 1;

/// A build with at most four concurrent calls, so that it lasts.
const BUILD: [&str; 3] = ["build", "--concurrency", "4"];

fn notes() -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    for number in 0..NOTES {
        project.write(
            &format!("notes/note-{number:02}.md"),
            &format!("Note {number} says a thing or two."),
        );
    }
    project
}

/// The number of requests that the provider has received.
fn received_requests(ledger: &Ledger) -> u64 {
    let calls = ledger.calls(Endpoint::Chat) + ledger.calls(Endpoint::Messages);
    let rows = ledger.executed.iter().filter(|row| row.custom_id.is_some());
    calls + rows.count() as u64 + ledger.pending.len() as u64
}

/// Starts each command once the provider has received that number of requests, and returns their outputs.
pub(crate) fn run_concurrently(project: &TestProject, starts: &[(u64, &[&str])]) -> Vec<Run> {
    let mut children: Vec<Child> = Vec::new();
    for (after, command) in starts {
        while received_requests(&project.ledger()) < *after && children.iter_mut().any(is_running) {
            std::thread::yield_now();
        }
        children.push(project.start(command));
    }
    children.into_iter().map(wait_for_output).collect()
}

/// Asserts that every command succeeded, that each request was sent once, and that no output says otherwise.
#[track_caller]
fn assert_all_succeed_and_pay_once(project: &TestProject, runs: &[Run], context: &str) {
    for run in runs {
        assert_eq!(run.code, 0, "{context}: {run:?}");
        assert!(!run.says("may have been billed"), "{context}: {run:?}");
    }
    let ledger = project.ledger();
    assert_eq!(ledger.duplicates(), [], "{context}");
    assert_eq!(project.sent() as u64, REQUESTS, "{context}");
    assert_eq!(unclear_attempts(project), 0, "{context}");
    let artifacts = project.artifact_names().len() as u64;
    assert_eq!(artifacts, NOTES + REQUESTS, "{context}");
}

/// Runs this number of commands, which start at times that follow from the seed.
fn assert_seed_pays_once(seed: u64, commands: usize) {
    let mut random = SeededRandom(seed);
    let project = notes();
    let max_latency = random.one_of(&[60, 250, 500]);
    project.script(Script::new().latency_ms(20, max_latency).seed(seed));
    let starts: Vec<(u64, &[&str])> = (0..commands)
        .map(|place| {
            let command: &[&str] = random.one_of(&[&BUILD[..], &BATCH_BUILD[..]]);
            let after = if place == 0 {
                0
            } else {
                random.below(REQUESTS * 3 / 4)
            };
            (after, command)
        })
        .collect();
    let runs = run_concurrently(&project, &starts);
    assert_all_succeed_and_pay_once(&project, &runs, &format!("seed {seed}, {starts:?}"));
}

/// U1: a process keeps its own calls while it waits for those of another one.
#[test]
fn two_concurrent_builds_pay_once() {
    for after in [0, 5, 20] {
        let project = notes();
        project.script(Script::new().latency_ms(250, 500));
        let runs = run_concurrently(&project, &[(0, &BUILD), (after, &BUILD)]);
        assert_all_succeed_and_pay_once(&project, &runs, &format!("after {after}"));
    }
}

/// U1
#[test]
fn two_concurrent_commands_pay_once() {
    for seed in 1..=4 {
        assert_seed_pays_once(seed, 2);
    }
}

/// U1
#[test]
fn three_concurrent_commands_pay_once() {
    for seed in 11..=13 {
        assert_seed_pays_once(seed, 3);
    }
}

/// U1
#[test]
fn five_concurrent_commands_pay_once() {
    for seed in 21..=22 {
        assert_seed_pays_once(seed, 5);
    }
}

/// A budget applies to one build. It does not count what a concurrent build pays.
#[test]
fn concurrent_builds_have_separate_budgets() {
    let project = notes();
    project.script(Script::new().latency_ms(50, 300));
    let with = |budget| [&BUILD[..], &["--budget", budget]].concat();
    let (one, other) = (with("0.1"), with("0.1"));
    let runs = run_concurrently(&project, &[(0, &one), (6, &other)]);
    assert_all_succeed_and_pay_once(&project, &runs, "two budgets");
    let cost = |build: &str| {
        let status = project.json(&["batch-build", "status", build]);
        crate::support::costs::picodollars(&status["cost_usd"])
    };
    let sum = cost("build-1") + cost("build-2");
    assert_eq!(sum, crate::support::costs::billed(&project.ledger()));
}

#[test]
fn concurrent_builds_send_each_request_once() {
    let project = TestProject::team();
    let builds = [(); 3].map(|()| project.start(&["build"]));
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// M5: both builds complete.
#[test]
fn concurrent_batch_builds_send_each_request_once() {
    let project = TestProject::team();
    let runs = [(); 2].map(|()| project.start(&BATCH_BUILD));
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
    let builds = project.json(&["batch-build", "list"]);
    for build in builds["builds"].as_array().unwrap() {
        assert_eq!(build["status"], "completed");
    }
}
