//! One OpenAI batch: its record and the object clients see.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::files::File;
use super::rows::{ResultFiles, Runner};
use super::validation::Invalid;
use crate::job::{End, Job, Phase};
use crate::ledger::Receipt;
use crate::script_state::ScriptState;
use crate::state::State;

/// A batch with what only OpenAI knows about it.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) id: Arc<str>,
    pub(crate) job: Job,
    pub(super) model: String,
    pub(super) snapshot: String,
    pub(super) input_tokens: u64,
    pub(super) endpoint: String,
    pub(super) input_file_id: String,
    pub(super) metadata: Option<Map<String, Value>>,
    pub(super) invalid: Option<Invalid>,
    pub(super) result_files: ResultFiles,
    pub(super) output_file: Option<String>,
    pub(super) error_file: Option<String>,
}

/// A batch in OpenAI's form.
#[derive(Serialize)]
pub(super) struct BatchObject<'a> {
    id: &'a str,
    object: &'static str,
    endpoint: &'a str,
    model: Option<&'a str>,
    errors: Option<Errors<'a>>,
    input_file_id: &'a str,
    completion_window: &'static str,
    status: &'static str,
    output_file_id: Option<&'a str>,
    error_file_id: Option<&'a str>,
    created_at: u64,
    in_progress_at: Option<u64>,
    expires_at: u64,
    finalizing_at: Option<u64>,
    completed_at: Option<u64>,
    failed_at: Option<u64>,
    expired_at: Option<u64>,
    cancelling_at: Option<u64>,
    cancelled_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_counts: Option<Counts>,
    usage: Option<Usage>,
    metadata: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
struct Errors<'a> {
    object: &'static str,
    data: [&'a Invalid; 1],
}

#[derive(Default, Serialize)]
struct Counts {
    total: u64,
    completed: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Default, Serialize)]
struct InputDetails {
    cached_tokens: u64,
}

#[derive(Default, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl Batch {
    /// Returns the status in OpenAI's word.
    pub(crate) fn status(&self) -> &'static str {
        match self.job.phase {
            Phase::Validating => "validating",
            Phase::InProgress => "in_progress",
            Phase::Finalizing => "finalizing",
            Phase::Cancelling => "cancelling",
            Phase::Ended(End::Completed) => "completed",
            Phase::Ended(End::Failed) => "failed",
            Phase::Ended(End::Expired) => "expired",
            Phase::Ended(End::Cancelled) => "cancelled",
        }
    }

    /// Goes on by one poll; the poll that ends the batch makes its files.
    pub(super) fn poll(&mut self, state: &State, script_state: &ScriptState) {
        let ended = self.job.end().is_some();
        let runner = Runner {
            batch: &self.id,
            state,
            script_state,
            url: &self.endpoint,
        };
        self.job
            .poll(|row, outcome| runner.write(row, outcome, &mut self.result_files));
        if !ended && self.job.end().is_some_and(|end| end != End::Failed) {
            self.make_files(state);
        }
    }

    fn make_files(&mut self, state: &State) {
        let output = std::mem::take(&mut self.result_files.output);
        let error = std::mem::take(&mut self.result_files.error);
        let named = |kind: &str| format!("{}_{kind}.jsonl", self.id);
        if !output.is_empty() {
            let receipt = Receipt::Many(std::mem::take(&mut self.result_files.delivers).into());
            let file = File::new(state, "batch_output", named("output"), Bytes::from(output));
            self.output_file = Some(file.delivering(receipt).keep(state));
        }
        if !error.is_empty() || self.job.plan.zero_byte_error_file {
            let file = File::new(state, "batch_output", named("error"), Bytes::from(error));
            self.error_file = Some(file.keep(state));
        }
    }

    pub(super) fn object(&self) -> BatchObject<'_> {
        let Job { times, plan, .. } = &self.job;
        let end = self.job.end();
        let ended_as = |kind: End| times.ended.filter(|_| end == Some(kind));
        let errors = self.invalid.as_ref().filter(|_| end == Some(End::Failed));
        let output_shown = self.job.polls_since_end >= plan.output_late;
        let no_error_file = (end.is_some() && plan.empty_error_file_id).then_some("");
        BatchObject {
            id: &self.id,
            object: "batch",
            endpoint: &self.endpoint,
            model: Some(self.snapshot.as_str()).filter(|model| !model.is_empty()),
            errors: errors.map(|invalid| Errors {
                object: "list",
                data: [invalid],
            }),
            input_file_id: &self.input_file_id,
            completion_window: "24h",
            status: self.status(),
            output_file_id: self.output_file.as_deref().filter(|_| output_shown),
            error_file_id: self.error_file.as_deref().or(no_error_file),
            created_at: times.created,
            in_progress_at: times.in_progress,
            expires_at: times.created + 86_400,
            finalizing_at: times.finalizing,
            completed_at: ended_as(End::Completed),
            failed_at: ended_as(End::Failed),
            expired_at: ended_as(End::Expired),
            cancelling_at: times.cancelling,
            cancelled_at: ended_as(End::Cancelled),
            request_counts: (!plan.no_counts).then(|| self.counts()),
            usage: end.map(|_| self.usage()),
            metadata: self.metadata.as_ref(),
        }
    }

    fn counts(&self) -> Counts {
        if self.job.phase == Phase::Validating {
            return Counts::default();
        }
        let ResultFiles {
            completed, failed, ..
        } = self.result_files;
        Counts {
            total: self.job.total as u64,
            completed,
            failed,
        }
    }

    fn usage(&self) -> Usage {
        let ResultFiles {
            input_tokens,
            output_tokens,
            ..
        } = self.result_files;
        Usage {
            input_tokens,
            input_tokens_details: InputDetails::default(),
            output_tokens,
            output_tokens_details: OutputDetails::default(),
            total_tokens: input_tokens + output_tokens,
        }
    }
}
