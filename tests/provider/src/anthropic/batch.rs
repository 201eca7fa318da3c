//! One message batch: its record and the object clients see.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::rows::{ResultFile, Runner};
use crate::clock::rfc3339;
use crate::job::{Job, Phase};
use crate::ledger::Receipt;
use crate::script_state::ScriptState;
use crate::state::State;

/// A batch with what only Anthropic knows about it.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) id: Arc<str>,
    pub(crate) job: Job,
    pub(super) result_file: ResultFile,
    pub(super) results: Option<(Bytes, Receipt)>,
}

/// A batch in Anthropic's form.
#[derive(Serialize)]
pub(super) struct BatchObject<'a> {
    id: &'a str,
    r#type: &'static str,
    processing_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_counts: Option<Counts>,
    created_at: String,
    expires_at: String,
    ended_at: Option<String>,
    cancel_initiated_at: Option<String>,
    archived_at: Option<String>,
    results_url: Option<String>,
}

#[derive(Serialize)]
struct Counts {
    processing: u64,
    succeeded: u64,
    errored: u64,
    canceled: u64,
    expired: u64,
}

impl Batch {
    /// Returns the status in Anthropic's word.
    pub(crate) fn status(&self) -> &'static str {
        match self.job.phase {
            Phase::Validating | Phase::InProgress | Phase::Finalizing => "in_progress",
            Phase::Cancelling => "canceling",
            Phase::Ended(_) => "ended",
        }
    }

    /// Goes on by one poll; the poll that ends the batch closes its results.
    pub(super) fn poll(&mut self, state: &State, script_state: &ScriptState) {
        let runner = Runner {
            batch: &self.id,
            state,
            script_state,
        };
        self.job
            .poll(|row, outcome| runner.write(row, outcome, &mut self.result_file));
        if self.job.end().is_some() && self.results.is_none() {
            let lines = std::mem::take(&mut self.result_file.lines);
            let delivers = std::mem::take(&mut self.result_file.delivers);
            self.results = Some((Bytes::from(lines), Receipt::Many(delivers.into())));
        }
    }

    /// Returns the results and the receipt of a complete download, once they are available.
    pub(super) fn results(&self) -> Option<&(Bytes, Receipt)> {
        self.results
            .as_ref()
            .filter(|_| self.job.polls_since_end >= self.job.plan.output_late)
    }

    pub(super) fn object(&self, base: &str) -> BatchObject<'_> {
        let times = &self.job.times;
        let results_url = || format!("{base}/v1/messages/batches/{}/results", self.id);
        BatchObject {
            id: &self.id,
            r#type: "message_batch",
            processing_status: self.status(),
            request_counts: (!self.job.plan.no_counts).then(|| self.counts()),
            created_at: rfc3339(times.created),
            expires_at: rfc3339(times.created + 86_400),
            ended_at: times.ended.map(rfc3339),
            cancel_initiated_at: times.cancelling.map(rfc3339),
            archived_at: None,
            results_url: self.results().map(|_| results_url()),
        }
    }

    fn counts(&self) -> Counts {
        let ResultFile {
            succeeded,
            errored,
            canceled,
            expired,
            ..
        } = self.result_file;
        let done = succeeded + errored + canceled + expired;
        Counts {
            processing: self.job.total as u64 - done,
            succeeded,
            errored,
            canceled,
            expired,
        }
    }
}
