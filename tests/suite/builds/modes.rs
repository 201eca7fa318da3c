//! One pipeline in three modes, and the cost of a second build.

use std::collections::BTreeSet;

use synix_scripted_provider::{Endpoint, PriceClass};

use crate::support::pipelines::{BATCH_BUILD, MODES, Mode};
use crate::support::test_project::TestProject;

/// Builds one pipeline in each mode and returns the artifacts of each build.
fn artifacts_in_every_mode(make: impl Fn() -> TestProject) -> Vec<BTreeSet<(String, String)>> {
    let made = |mode| {
        let project = make();
        project.build_in(mode).expect_code(0);
        project.artifacts()
    };
    MODES.map(made).into()
}

#[track_caller]
fn assert_all_equal(made: &[BTreeSet<(String, String)>], artifacts: usize) {
    assert_eq!(made[0].len(), artifacts, "{made:#?}");
    assert!(made.iter().all(|other| *other == made[0]), "{made:#?}");
}

#[test]
fn sync_batch_and_replay_make_the_same_bytes() {
    assert_all_equal(&artifacts_in_every_mode(TestProject::team), 7);
}

/// L13: a transform with two dependent calls finishes in one command in every mode.
#[test]
fn dependent_requests_make_the_same_bytes_in_every_mode() {
    assert_all_equal(
        &artifacts_in_every_mode(|| {
            TestProject::guest("two_steps", &[("a", "one"), ("b", "two"), ("c", "three")])
        }),
        6,
    );
}

#[test]
fn parallel_requests_make_the_same_bytes_in_every_mode() {
    assert_all_equal(
        &artifacts_in_every_mode(|| TestProject::guest("fan_out", &[("a", "3"), ("b", "5")])),
        4,
    );
}

#[test]
fn a_batch_build_uses_each_layers_own_mode() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let ledger = project.ledger();
    let count = |price| {
        ledger
            .executed
            .iter()
            .filter(|entry| entry.price == price)
            .count()
    };
    assert_eq!((count(PriceClass::Batch), count(PriceClass::Sync)), (3, 1));
}

#[test]
fn a_pipeline_may_use_two_providers() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let ledger = project.ledger();
    assert_eq!(
        (
            ledger.calls(Endpoint::Chat),
            ledger.calls(Endpoint::Messages)
        ),
        (3, 1)
    );
}

#[test]
fn building_again_sends_nothing() {
    for mode in [Mode::Sync, Mode::Batch] {
        let project = TestProject::team();
        project.build_in(mode).expect_code(0);
        let (sent, artifacts) = (project.sent(), project.artifacts());
        project.build_in(mode).expect_code(0);
        assert_eq!(project.sent(), sent, "{mode:?}");
        assert_eq!(project.artifacts(), artifacts, "{mode:?}");
    }
}

/// M4: a change of mode pays nothing twice.
#[test]
fn a_batch_build_after_a_sync_build_sends_nothing() {
    let project = TestProject::team();
    project.build_in(Mode::Sync).expect_code(0);
    project.ok(&["clean"]);
    project.build_in(Mode::Batch).expect_code(0);
    assert_eq!(project.sent(), 4);
}

/// M4
#[test]
fn a_sync_build_after_a_batch_build_sends_nothing() {
    let project = TestProject::team();
    project.build_in(Mode::Batch).expect_code(0);
    project.ok(&["clean"]);
    project.build_in(Mode::Sync).expect_code(0);
    assert_eq!(project.sent(), 4);
}

/// M3, I8: new bytes at the same path send only the requests that depend on them.
#[test]
fn changing_one_input_of_three_sends_one_row_and_the_summary() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let before = project.content("ws-bela");
    project.write("bios/bela.md", "I am bela and I ask around.");
    project.ok(&BATCH_BUILD);
    let ledger = project.ledger();
    let count = |price| {
        ledger
            .executed
            .iter()
            .filter(|entry| entry.price == price)
            .count()
    };
    assert_eq!((count(PriceClass::Batch), count(PriceClass::Sync)), (4, 2));
    assert_ne!(project.content("ws-bela"), before);
}

#[test]
fn a_plan_counts_exactly_what_a_build_sends() {
    let project = TestProject::team();
    let plan = project.json(&["plan"]);
    let layer = |name: &str| {
        plan["layers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|layer| layer["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&layer("styles")["requests"], &layer("styles")["exact"]),
        (&3.into(), &true.into())
    );
    assert_eq!(layer("summary")["exact"], false);
    assert_eq!(project.sent(), 0);
}

/// A9: the mode does not change the body of a request.
#[test]
fn a_request_has_the_same_body_in_a_sync_call_and_in_a_batch() {
    let bodies = |mode| {
        let project = TestProject::team();
        // A reasoning model takes different parameters.
        let layers = crate::support::pipelines::TEAM
            .replace("gpt-4o-mini", "o4-mini")
            .replace("temperature = 0.2\n", "");
        project.pipeline("synix.toml", &layers);
        project.build_in(mode).expect_code(0);
        project
            .ledger()
            .executed
            .into_iter()
            .map(|entry| entry.body)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(bodies(Mode::Sync), bodies(Mode::Batch));
}
