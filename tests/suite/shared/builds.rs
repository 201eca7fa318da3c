//! What one machine paid for, another gets for nothing.

use super::scenarios;
use crate::support::team::{Team, ok};

#[test]
fn the_second_project_pays_nothing() {
    scenarios::second_project_pays_nothing(&Team::in_folder);
}

/// A batch answers a sync build, and the artifacts are the same.
#[test]
fn a_sync_build_uses_the_answers_of_a_batch() {
    scenarios::sync_build_uses_answers_of_batch(&Team::in_folder);
}

/// Each of the two waits for what the other has claimed, and sends its own.
#[test]
fn two_builds_at_once_pay_once_for_each_request() {
    scenarios::two_builds_at_once_pay_once(&Team::in_folder);
}

#[test]
fn a_refused_answer_is_not_shared() {
    scenarios::refused_answer_is_not_shared(&Team::in_folder);
}

/// An answer in the state is never looked up, and a replay never uses the store.
#[test]
fn a_build_with_all_answers_does_not_use_the_store() {
    let team = Team::new();
    team.first.ok(&["build", "--cassette-mode", "record"]);
    std::fs::remove_dir(team.answers()).unwrap();
    let again = ok(&team.in_first(&["build"]));
    let replay = ok(&team.in_first(&["build", "--cassette-mode", "replay"]));
    let plan = ok(&team.in_second(&["plan"]));
    for run in [again, replay, plan] {
        assert!(!run.stderr.contains("shared"), "{run:?}");
    }
}
