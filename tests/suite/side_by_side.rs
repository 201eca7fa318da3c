//! Concurrent commands pay for each request once, whichever commands they are and whenever they start.

use std::process::Child;

use synix_scripted_provider::{Endpoint, Ledger, Mode as Only, Reply, Rule, Script};

use crate::crash::unclear_attempts;
use crate::test_project::{BATCH_BUILD, RESUME, Run, TestProject, text};
use crate::torture::SeededRandom;

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
fn run_concurrently(project: &TestProject, starts: &[(u64, &[&str])]) -> Vec<Run> {
    let mut children: Vec<Child> = Vec::new();
    for (after, command) in starts {
        while received_requests(&project.ledger()) < *after && children.iter_mut().any(is_running) {
            std::thread::yield_now();
        }
        children.push(project.start(command));
    }
    children.into_iter().map(wait_for_output).collect()
}

fn is_running(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

fn wait_for_output(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
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

/// U1: no process drives a batch that was submitted and left.
#[test]
fn a_submitted_batch_is_not_reported_as_another_process() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    // In the meantime, a new layer sends sync calls.
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &format!(
            "{pipeline}\n[layers.moods]\ntransform = \"map\"\ninputs = [\"bios\"]\nbatch = false\n\
             [layers.moods.config]\nprompt = \"Which mood? {{{{ content }}}}\"\n"
        ),
    );
    let run = project.run(&["build", "--no-wait"]).expect_code(4);
    assert!(
        run.says("waiting for 3 requests that are in batches at their providers"),
        "{run:?}"
    );
    assert!(!run.says("another process"), "{run:?}");
    assert!(!run.says("may have been billed"), "{run:?}");
    project.provider.finish_batches();
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (7, 0)
    );
    assert_eq!(unclear_attempts(&project), 0);
}

/// U1
#[test]
fn two_batch_builds_share_one_batch() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "run"]);
    let ledger = project.ledger();
    assert_eq!((ledger.batches.len(), ledger.pending.len()), (1, 3));
    project.provider.finish_batches();
    let runs = run_concurrently(
        &project,
        &[
            (0, &RESUME),
            (0, &["batch-build", "run"]),
            (0, &BATCH_BUILD),
        ],
    );
    assert_eq!(runs[2].code, 0, "{runs:?}");
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// U1: the message names the other process.
#[test]
fn calls_of_another_process_are_waited_for() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().only(Only::Sync).delay_ms(700)));
    let runs = run_concurrently(&project, &[(0, &["build"]), (3, &["build"])]);
    assert!(
        runs[1].says("waiting for 3 requests that another process has in flight"),
        "{runs:?}"
    );
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// M4: only the calls of the killed process may be billed twice.
#[test]
fn a_waiting_process_repeats_the_calls_of_a_killed_one() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = TestProject::team();
        let slow = Rule::any().only(Only::Sync).times(3).delay_ms(3_600_000);
        project.script(Script::new().rule(slow));
        let mut killed = project.start(&["build"]);
        project.wait_for(&mut killed, |ledger| ledger.calls(Endpoint::Chat) == 3);
        let waiting = project.start(command);
        // It looks up requests in flight before it waits.
        let opened = |ledger: &Ledger| ledger.calls(Endpoint::Chat) == 3;
        assert!(opened(&project.ledger()));
        while count_builds(&project) < 2 {
            std::thread::yield_now();
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        let run = wait_for_output(waiting);
        assert_eq!(run.code, 0, "{command:?}: {run:?}");
        assert!(run.says("3 requests of an earlier process"), "{run:?}");
        assert_eq!(unclear_attempts(&project), 3, "{command:?}");
        assert_eq!(project.ledger().duplicates().len(), 3, "{command:?}");
        assert_eq!(project.artifact_names().len(), 7, "{command:?}");
    }
}

/// The number of builds in the state.
fn count_builds(project: &TestProject) -> i64 {
    let count = project
        .database()
        .query_row("SELECT count(*) FROM build", [], |row| row.get(0));
    count.unwrap()
}

/// While a process drives a build, no other command can resume, cancel or clean it.
#[test]
fn other_commands_cannot_change_a_running_build() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().delay_ms(3_600_000)));
    let mut child = project.start(&["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    for command in [
        &["batch-build", "resume", "build-1"][..],
        &["batch-build", "cancel", "build-1"],
        &["clean"],
        &["gc", "--older-than", "0s", "--answers"],
    ] {
        let run = project.run(command).expect_code(5);
        assert!(
            run.says("another process drives build-1"),
            "{command:?}: {run:?}"
        );
    }
    for command in [&["plan"][..], &["runs"], &["batch-build", "list"]] {
        project.ok(command);
    }
    let runs = project.json(&["runs"]);
    assert_eq!(text(&runs["builds"][0]["status"]), "collecting");
    // A plan does not count requests in flight.
    assert_eq!(project.json(&["plan"])["layers"][1]["requests"], 0);
    assert_eq!(unclear_attempts(&project), 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// U10: it stays open for `resume` and `cancel` with its id.
#[test]
fn an_interrupted_build_is_reported_and_can_be_resumed() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().delay_ms(3_600_000)));
    for number in 0..2 {
        let mut child = project.start(&["build"]);
        project.wait_for(&mut child, |ledger| {
            ledger.calls(Endpoint::Chat) == 3 * (number + 1)
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let status = |place: usize| text(&project.json(&["runs"])["builds"][place]["status"]);
    assert_eq!(
        (status(0), status(1)),
        ("interrupted".into(), "interrupted".into())
    );
    let shown = project.run(&["batch-build", "status", "build-2", "--exit-code"]);
    assert_eq!(shown.code, 1, "{shown:?}");
    assert!(shown.says("build-2 interrupted"), "{shown:?}");
    assert!(shown.says("continue with `synix build`"), "{shown:?}");
    project.script(Script::new());
    project.ok(&["build"]);
    project.ok(&["batch-build", "resume", "build-1"]);
    project.ok(&["batch-build", "cancel", "build-2"]);
    assert_eq!(
        (status(0), status(1), status(2)),
        ("completed".into(), "cancelled".into(), "completed".into())
    );
    assert_eq!(project.artifact_names().len(), 7);
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
        crate::money::picodollars(&status["cost_usd"])
    };
    let sum = cost("build-1") + cost("build-2");
    assert_eq!(sum, crate::money::billed(&project.ledger()));
}

/// DESIGN 1
#[test]
fn concurrent_commands_pay_for_a_useless_answer_once() {
    for commands in [[&["build"][..], &["build"]], [&["build"], &BATCH_BUILD]] {
        let project = TestProject::team();
        let refusal = Reply::Refusal("I would rather not.".to_owned());
        project.script(Script::new().rule(Rule::on("I am").reply(refusal).delay_ms(700)));
        let runs = run_concurrently(&project, &[(0, commands[0]), (3, commands[1])]);
        for run in &runs {
            assert_eq!(run.code, 3, "{run:?}");
            assert!(run.says("failed (refused)"), "{run:?}");
        }
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (3, 0)
        );
    }
}
