use std::time::Duration;

use super::*;
use crate::script::Script;

fn job(pace: Pace, end: End, runnable: usize) -> Job {
    let rows = (0..4)
        .map(|row| Row {
            custom_id: row.to_string(),
            body: Bytes::new(),
        })
        .collect();
    let plan = Plan {
        pace,
        wait: Duration::ZERO,
        end,
        runnable,
        output_late: 0,
        empty_error_file_id: false,
        zero_byte_error_file: false,
        no_counts: false,
    };
    Job::new(plan, rows, Phase::Validating, Script::new().seed)
}

fn run_of(job: &mut Job) -> Vec<(String, RowOutcome)> {
    let mut seen = Vec::new();
    job.poll(|row, outcome| seen.push((row.custom_id.clone(), outcome)));
    seen
}

#[test]
fn a_batch_is_in_each_state_for_a_number_of_polls() {
    let pace = Pace {
        validating: 1,
        in_progress: 2,
        finalizing: 1,
        ..Pace::default()
    };
    let mut job = job(pace, End::Completed, 4);
    let phases: Vec<Phase> = (0..5).map(|_| (run_of(&mut job), job.phase).1).collect();
    let ended = Phase::Ended(End::Completed);
    assert_eq!(
        phases,
        [
            Phase::Validating,
            Phase::InProgress,
            Phase::InProgress,
            Phase::Finalizing,
            ended
        ]
    );
}

#[test]
fn each_poll_runs_a_share_of_the_rows() {
    let mut job = job(Pace::in_progress(2), End::Completed, 4);
    let done: Vec<usize> = (0..3).map(|_| run_of(&mut job).len()).collect();
    assert_eq!(done, [0, 2, 2]);
}

#[test]
fn the_remaining_rows_of_an_expired_batch_never_run() {
    let mut job = job(Pace::in_progress(0), End::Expired, 1);
    let outcomes: Vec<RowOutcome> = run_of(&mut job)
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            RowOutcome::Run,
            RowOutcome::Expired,
            RowOutcome::Expired,
            RowOutcome::Expired
        ]
    );
}

#[test]
fn only_the_remaining_rows_of_a_cancelled_batch_are_cancelled() {
    let mut job = job(Pace::in_progress(2), End::Completed, 4);
    run_of(&mut job);
    run_of(&mut job);
    assert!(job.cancel());
    let outcomes: Vec<RowOutcome> = run_of(&mut job)
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(outcomes, [RowOutcome::Cancelled, RowOutcome::Cancelled]);
}

#[test]
fn a_finished_batch_ends_at_the_next_poll() {
    let mut job = job(Pace::in_progress(99), End::Completed, 4);
    job.finish();
    run_of(&mut job);
    assert_eq!(job.end(), Some(End::Completed));
}

#[test]
fn a_batch_that_has_ended_cannot_be_cancelled() {
    let mut job = job(Pace::in_progress(0), End::Completed, 4);
    run_of(&mut job);
    assert!(!job.cancel());
}

#[test]
fn shuffled_rows_all_run_once() {
    let mut job = job(
        Pace {
            shuffle: true,
            ..Pace::in_progress(0)
        },
        End::Completed,
        4,
    );
    let mut ids: Vec<String> = run_of(&mut job).into_iter().map(|(id, _)| id).collect();
    ids.sort();
    assert_eq!(ids, ["0", "1", "2", "3"]);
}
