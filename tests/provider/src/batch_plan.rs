//! The course of a batch, which is fixed when it is created.

use std::time::Duration;

use crate::call::Call;
use crate::digest::BodyDigest;
use crate::job::{End, Row};
use crate::script::{FaultKind, Pace};
use crate::script_state::ScriptState;

/// The course of a batch, fixed when it is created.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    pub(crate) wait: Duration,
    pub(crate) end: End,
    /// The number of rows that may run.
    pub(crate) runnable: usize,
    pub(crate) output_late: u64,
    pub(crate) empty_error_file_id: bool,
    pub(crate) zero_byte_error_file: bool,
    pub(crate) no_counts: bool,
}

impl Plan {
    /// Returns the plan of the batch that `call` creates with `rows`.
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

    /// Returns the plan of a batch that fails validation.
    pub(crate) fn failing(self) -> Self {
        Self {
            end: End::Failed,
            runnable: 0,
            ..self
        }
    }

    /// Returns the seconds of `retry-after` between polls.
    pub(crate) fn retry_after(&self) -> u64 {
        self.pace.retry_after
    }
}
