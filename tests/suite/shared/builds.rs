//! What one machine paid for, another gets for nothing.

use synix_engine::build::WaitPolicy;
use synix_project::{Options, Project, RunOptions};

use super::scenarios;
use crate::support::invocation::Invocation;
use crate::support::pipelines::embedded_team;
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

/// Requests the vector of a search query.
fn embed(command: &Invocation) -> Vec<u8> {
    let options = Options {
        environment: command.environment(),
        ..Options::default()
    };
    let run = RunOptions::new(WaitPolicy::PollOnce);
    let project = Project::open(&options).unwrap();
    let vector = project.embed_query("embedding", "Who paints?", &run, &|_| {});
    vector.unwrap().to_bytes()
}

#[test]
fn the_vector_of_a_query_is_shared() {
    let team = Team::in_folder(embedded_team());
    let first = embed(&team.in_first(&[]));
    assert_eq!(team.first.sent(), 1);
    assert_eq!(team.store().paths("answers").len(), 1);
    assert_eq!(embed(&team.in_second(&[])), first);
    assert_eq!(team.first.sent(), 1);
    team.assert_nothing_claimed();
}
