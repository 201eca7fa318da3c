//! The progress of a batch, which is counted in polls and is the same for both providers.
//!
//! This module owns states, times and the order of rows. `openai` and `anthropic` write the rows and name the states.

use std::time::Instant;

use bytes::Bytes;

use crate::batch_plan::Plan;
use crate::clock::{mix, seconds};
use crate::script::Pace;

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
    /// The size of the document with the rows.
    pub(crate) bytes: usize,
    pub(crate) polls: u64,
    pub(crate) polls_since_end: u64,
    rows: Vec<Row>,
    next: usize,
    created_at: Instant,
    cancelling_polls: u64,
    finish: bool,
}

impl Job {
    /// Starts a batch in the phase `first`.
    pub(crate) fn new(plan: Plan, mut rows: Vec<Row>, first: Phase, seed: u64) -> Self {
        if plan.pace.shuffle {
            let mut draw = seed;
            for index in (1..rows.len()).rev() {
                draw = mix(draw);
                let other = usize::try_from(draw % (index as u64 + 1)).unwrap_or(0);
                rows.swap(index, other);
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
            created_at: Instant::now(),
            cancelling_polls: plan.pace.cancelling,
            finish: false,
            plan,
        }
    }

    /// Sets the size of the document with the rows.
    pub(crate) fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// Returns how the batch ended, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Validating | Phase::InProgress | Phase::Finalizing | Phase::Cancelling => None,
        }
    }

    /// Ends the batch at the next poll.
    pub(crate) fn finish(&mut self) {
        self.finish = true;
    }

    /// Starts to cancel; returns false if the batch has ended.
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
        let is_after = |after: u64| finish || polls > after;
        if !is_after(validating) {
            return;
        }
        if self.plan.end == End::Failed {
            return self.end_as(End::Failed, run);
        }
        self.times.in_progress.get_or_insert_with(seconds);
        let shown = validating.saturating_add(in_progress);
        let waited = self.finish || self.created_at.elapsed() >= self.plan.wait;
        if !is_after(shown) || !waited {
            self.phase = Phase::InProgress;
            let share = in_progress.max(1);
            let now = (self.polls - validating).min(share);
            let done = self.rows.len() as u64 * (now - 1) / share;
            return self.run_until(usize::try_from(done).unwrap_or(usize::MAX), run);
        }
        self.times.finalizing.get_or_insert_with(seconds);
        self.run_until(usize::MAX, run);
        if !is_after(shown.saturating_add(finalizing)) {
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
mod tests;
