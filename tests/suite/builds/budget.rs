//! A budget is never exceeded, and paid answers are kept.

use synix_scripted_provider::Endpoint;

use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::{BATCH_BUILD, RESUME, TEAM};
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

/// M9: in both modes.
#[test]
fn a_budget_refuses_a_build_before_anything_is_sent() {
    for build in [&["build"][..], &BATCH_BUILD] {
        let project = TestProject::team();
        let run = project.run(&[build, &["--budget", "0.00001"]].concat());
        let run = run.expect_code(5);
        assert!(run.says("$0.0000 is spent"), "{run:?}");
        assert!(run.says("the next requests cost at most"), "{run:?}");
        let ledger = project.ledger();
        assert_eq!(ledger.calls.values().sum::<u64>(), 0, "{:?}", ledger.calls);
    }
}

/// Enough for the first layer. The answer of the summary may cost 0.0015 dollars.
const BUDGET_OF_FIRST_LAYER: &str = "0.001";

/// M9
#[test]
fn a_budget_stops_a_running_build_and_keeps_paid_answers() {
    let project = TestProject::team();
    let run = project
        .run(&["build", "--budget", BUDGET_OF_FIRST_LAYER])
        .expect_code(5);
    assert_transcript!(run);
    assert_eq!(project.sent(), 3);
    assert_eq!(project.ledger().calls(Endpoint::Messages), 0);

    let build = project.json(&["build", "--budget", "0.01"]);
    assert_eq!(build["status"], "completed");
    assert_eq!(project.sent(), 4);
    assert_eq!(project.ledger().duplicates(), []);
}

/// M9: the amount that a batch build has already spent counts after `resume`.
#[test]
fn a_batch_build_continues_with_a_higher_budget() {
    let project = TestProject::team();
    project
        .run(&[&BATCH_BUILD[..], &["--budget", BUDGET_OF_FIRST_LAYER]].concat())
        .expect_code(5);
    assert_eq!(project.sent(), 3);
    let status = project.status();
    assert_eq!(status["status"], "failed");
    assert_eq!(status["error"]["kind"], "budget");
    assert!(text(&status["error"]["message"]).contains("the budget of"));
    project
        .run(&[&RESUME[..], &["--budget", BUDGET_OF_FIRST_LAYER]].concat())
        .expect_code(5);
    assert_eq!(project.sent(), 3);
    project.ok(&[&RESUME[..], &["--budget", "0.01"]].concat());
    assert_eq!(project.sent(), 4);
    assert_eq!(project.ledger().duplicates(), []);
    let status = project.status();
    assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
    assert!(picodollars(&status["cost_usd"]) <= 10_000_000_000);
}

/// M9: a batch in flight counts with its maximum cost, also for another command.
#[test]
fn requests_in_flight_count_against_the_budget() {
    let project = TestProject::team();
    // Two batched layers, each with a maximum cost of 0.0002 dollars.
    let more = TEAM.replace(
        "[layers.summary]",
        r#"[layers.again]
transform = "map"
inputs = ["bios"]
model = "cheap"
batch = true
[layers.again.config]
prompt = "Again: {{ content }}"
label = "again-{{ label }}"

[layers.summary]"#,
    );
    project.pause_batches();
    project.ok(&["batch-build", "run", "--budget", "0.01"]);
    let before = project.sent();
    assert_eq!(before, 3);
    project.pipeline("synix.toml", &more);
    let resume = [
        "batch-build",
        "resume",
        "--allow-pipeline-mismatch",
        "--budget",
    ];
    let run = project
        .run(&[&resume[..], &["0.0003"]].concat())
        .expect_code(5);
    // How many of the next requests come together depends on the threads.
    let error = "error: the budget of $0.0003 could be exceeded: $0.0000 is spent, at most $0.0002 is in flight, ";
    assert!(run.stderr.contains(error), "{}", run.stderr);
    assert_eq!(project.sent(), before);
    project.ok(&[&resume[..], &["0.0005"]].concat());
    assert_eq!(project.sent(), before + 3);
}

#[test]
fn the_pipeline_files_budget_applies_unless_the_command_sets_one() {
    let project = TestProject::team();
    let file = project.path("synix.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("name = \"suite\"", "name = \"suite\"\nbudget_usd = 0.00001");
    project.write("synix.toml", &text);
    project.run(&["build"]).expect_code(5);
    assert_eq!(project.sent(), 0);
    project.ok(&["build", "--budget", "1"]);
    // No requests are left, so nothing is refused.
    project.ok(&["build"]);
}

/// M9: the error names the model.
#[test]
fn a_budget_refuses_requests_without_a_maximum_cost() {
    for (layers, message) in [
        (
            TEAM.replace("gpt-4o-mini", "our-own-model"),
            "no price is known for model `our-own-model`",
        ),
        (
            TEAM.replace("max_tokens = 200\n", ""),
            "requests to model `gpt-4o-mini` have no max_tokens",
        ),
    ] {
        let project = TestProject::team();
        project.pipeline("synix.toml", &layers);
        let run = project.run(&["build", "--budget", "100"]).expect_code(5);
        assert!(run.says(message), "{run:?}");
        assert_eq!(project.sent(), 0);
        project.ok(&["build"]);
    }
}
