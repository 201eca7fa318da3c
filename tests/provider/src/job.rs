//! The life of a batch, counted in polls and the same for both providers.
//!
//! This module has states, times and the order of rows. `openai` and
//! `anthropic` write the rows and name the states.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::call::Call;
use crate::clock::{mix, seconds};
use crate::digest::BodyDigest;
use crate::script::{FaultKind, Pace};
use crate::script_state::ScriptState;

/// One request of a batch.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) custom_id: String,
    pub(crate) body: Bytes,
}

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOutcome {
    Run,
    Expired,
    Cancelled,
}

/// The phase of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Validating,
    InProgress,
    Finalizing,
    Cancelling,
    Ended(End),
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Failed,
    Expired,
    Cancelled,
}

/// The course of a batch, fixed when it is created.
#[derive(Debug)]
pub(crate) struct Plan {
    pace: Pace,
    wait: Duration,
    end: End,
    /// How many rows may run.
    runnable: usize,
    pub(crate) output_late: u64,
    pub(crate) empty_error_file_id: bool,
    pub(crate) zero_byte_error_file: bool,
    pub(crate) no_counts: bool,
}

/// When a batch reached each phase, in seconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) created: u64,
    pub(crate) in_progress: Option<u64>,
    pub(crate) finalizing: Option<u64>,
    pub(crate) cancelling: Option<u64>,
    pub(crate) ended: Option<u64>,
}

/// A batch and its progress.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) phase: Phase,
    pub(crate) times: Times,
    pub(crate) plan: Plan,
    pub(crate) total: usize,
    /// The size of the document that brought the rows.
    pub(crate) bytes: usize,
    pub(crate) polls: u64,
    pub(crate) polls_since_end: u64,
    rows: Vec<Row>,
    next: usize,
    made: Instant,
    cancelling_polls: u64,
    finish: bool,
}

impl Plan {
    /// Reads the plan of the batch that `call` makes with `rows` rows.
    pub(crate) fn of(script_state: &ScriptState, call: &Call, rows: &[Row]) -> Self {
        let pace = script_state.script.batches.clone();
        let first = rows.first().map_or(0, |row| {
            BodyDigest::of(&row.custom_id.as_str().into()).draw()
        });
        let wait = pace
            .latency_ms
            .map_or(Duration::ZERO, |range| script_state.draw(range, first));
        let mut plan = Self {
            pace,
            wait,
            end: End::Completed,
            runnable: rows.len(),
            output_late: 0,
            empty_error_file_id: false,
            zero_byte_error_file: false,
            no_counts: false,
        };
        for fault in &call.faults {
            match fault {
                FaultKind::ExpireAfter { rows } => {
                    (plan.end, plan.runnable) = (End::Expired, *rows);
                }
                FaultKind::CancelAfter { rows } => {
                    (plan.end, plan.runnable) = (End::Cancelled, *rows);
                }
                FaultKind::OutputLate { polls } => plan.output_late = *polls,
                FaultKind::EmptyErrorFileId => plan.empty_error_file_id = true,
                FaultKind::ZeroByteErrorFile => plan.zero_byte_error_file = true,
                FaultKind::NoCounts => plan.no_counts = true,
                FaultKind::LoseReply
                | FaultKind::Refuse
                | FaultKind::NotFound
                | FaultKind::Status(_)
                | FaultKind::Raw(_)
                | FaultKind::Delay { .. }
                | FaultKind::Truncate { .. }
                | FaultKind::HideNewest { .. }
                | FaultKind::FailValidation { .. } => {}
            }
        }
        plan.runnable = plan.runnable.min(rows.len());
        plan
    }

    /// Lets the batch fail validation.
    pub(crate) fn failing(self) -> Self {
        Self {
            end: End::Failed,
            runnable: 0,
            ..self
        }
    }

    /// Returns the seconds a client is told to wait between polls.
    pub(crate) fn retry_after(&self) -> u64 {
        self.pace.retry_after
    }
}

impl Job {
    /// Starts a batch in the phase `first`.
    pub(crate) fn new(plan: Plan, mut rows: Vec<Row>, first: Phase, seed: u64) -> Self {
        if plan.pace.shuffle {
            let mut draw = seed;
            for place in (1..rows.len()).rev() {
                draw = mix(draw);
                let other = usize::try_from(draw % (place as u64 + 1)).unwrap_or(0);
                rows.swap(place, other);
            }
        }
        let created = seconds();
        let in_progress = (first == Phase::InProgress).then_some(created);
        Self {
            phase: first,
            times: Times {
                created,
                in_progress,
                ..Times::default()
            },
            total: if plan.end == End::Failed {
                0
            } else {
                rows.len()
            },
            bytes: 0,
            polls: 0,
            polls_since_end: 0,
            rows,
            next: 0,
            made: Instant::now(),
            cancelling_polls: plan.pace.cancelling,
            finish: false,
            plan,
        }
    }

    /// Notes the size of the document that brought the rows.
    pub(crate) fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Returns how the batch ended, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Validating | Phase::InProgress | Phase::Finalizing | Phase::Cancelling => None,
        }
    }

    /// Lets the next poll find the batch ended.
    pub(crate) fn finish(&mut self) {
        self.finish = true;
    }

    /// Starts to cancel; `false` if the batch has ended.
    pub(crate) fn cancel(&mut self) -> bool {
        if self.end().is_some() {
            return false;
        }
        self.phase = Phase::Cancelling;
        self.times.cancelling.get_or_insert_with(seconds);
        true
    }

    /// Returns the rows that will still run unless the batch is cancelled.
    pub(crate) fn waiting(&self) -> &[Row] {
        match self.phase {
            Phase::Validating | Phase::InProgress | Phase::Finalizing => {
                self.rows.get(self.next..self.plan.runnable).unwrap_or(&[])
            }
            Phase::Cancelling | Phase::Ended(_) => &[],
        }
    }

    /// Advances by one poll, and calls `run` for each row whose outcome is decided.
    pub(crate) fn poll(&mut self, mut run: impl FnMut(&Row, RowOutcome)) {
        self.polls += 1;
        match self.phase {
            Phase::Ended(_) => self.polls_since_end += 1,
            Phase::Cancelling if self.cancelling_polls > 0 && !self.finish => {
                self.cancelling_polls -= 1;
            }
            Phase::Cancelling => self.end_as(End::Cancelled, &mut run),
            Phase::Validating | Phase::InProgress | Phase::Finalizing => self.advance(&mut run),
        }
    }

    fn advance(&mut self, run: &mut impl FnMut(&Row, RowOutcome)) {
        let Pace {
            validating,
            in_progress,
            finalizing,
            ..
        } = self.plan.pace;
        let (polls, finish) = (self.polls, self.finish);
        let passed = |after: u64| finish || polls > after;
        if !passed(validating) {
            return;
        }
        if self.plan.end == End::Failed {
            return self.end_as(End::Failed, run);
        }
        self.times.in_progress.get_or_insert_with(seconds);
        let shown = validating.saturating_add(in_progress);
        let waited = self.finish || self.made.elapsed() >= self.plan.wait;
        if !passed(shown) || !waited {
            self.phase = Phase::InProgress;
            let share = in_progress.max(1);
            let now = (self.polls - validating).min(share);
            let done = self.rows.len() as u64 * (now - 1) / share;
            return self.run_until(usize::try_from(done).unwrap_or(usize::MAX), run);
        }
        self.times.finalizing.get_or_insert_with(seconds);
        self.run_until(usize::MAX, run);
        if !passed(shown.saturating_add(finalizing)) {
            self.phase = Phase::Finalizing;
            return;
        }
        self.end_as(self.plan.end, run);
    }

    fn run_until(&mut self, done: usize, run: &mut impl FnMut(&Row, RowOutcome)) {
        let done = done.min(self.plan.runnable).max(self.next);
        for row in &self.rows[self.next..done] {
            run(row, RowOutcome::Run);
        }
        self.next = done;
    }

    fn end_as(&mut self, end: End, run: &mut impl FnMut(&Row, RowOutcome)) {
        let outcome = match end {
            End::Expired => Some(RowOutcome::Expired),
            End::Cancelled => Some(RowOutcome::Cancelled),
            End::Completed | End::Failed => None,
        };
        if let Some(outcome) = outcome {
            self.rows[self.next..]
                .iter()
                .for_each(|row| run(row, outcome));
        }
        if end == End::Cancelled {
            self.times.cancelling.get_or_insert_with(seconds);
        }
        self.times.ended = Some(seconds());
        self.phase = Phase::Ended(end);
        self.rows = Vec::new();
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
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
    fn a_batch_shows_each_state_for_its_polls() {
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
    fn rows_run_in_step_with_the_polls() {
        let mut job = job(Pace::in_progress(2), End::Completed, 4);
        let done: Vec<usize> = (0..3).map(|_| run_of(&mut job).len()).collect();
        assert_eq!(done, [0, 2, 2]);
    }

    #[test]
    fn the_rest_of_an_expired_batch_never_runs() {
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
    fn a_cancelled_batch_keeps_what_had_run() {
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
}
