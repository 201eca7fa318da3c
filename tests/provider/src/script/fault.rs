//! Faults: what goes wrong at an endpoint, whatever the request.

use serde::{Deserialize, Serialize};

use super::{RawReply, StatusReply};
use crate::endpoint::Endpoint;

/// Something that goes wrong at some calls of an endpoint.
///
/// Calls are counted for each fault, from the time at which its script is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// The first call concerned, counted from 1; without it, the first.
    #[serde(default)]
    pub nth: Option<u64>,
    /// The number of affected calls; by default one if `nth` is set, otherwise all.
    #[serde(default)]
    pub times: Option<u64>,
    /// What.
    pub fault: FaultKind,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The call takes effect, then the connection closes without a reply.
    LoseReply,
    /// The connection closes and nothing took effect.
    Refuse,
    /// The provider's own 404.
    NotFound,
    /// This status, body and headers.
    Status(StatusReply),
    /// The call takes effect, and its reply has an unusual form.
    Raw(RawReply),
    /// The reply comes later.
    Delay {
        /// How many milliseconds later.
        ms: u64,
        /// Whether the call takes effect before the wait instead of after it.
        #[serde(default)]
        executed: bool,
    },
    /// The last bytes of the body are not sent.
    Truncate {
        /// How many bytes are not sent.
        drop: usize,
        /// Whether `content-length` names what is sent, so that nothing but the content shows the loss.
        #[serde(default)]
        hidden: bool,
    },
    /// A list without the newest batches (`batches.list`, `messages.batches.list`).
    HideNewest {
        /// How many are not there yet.
        batches: usize,
    },
    /// The batch made by this call expires.
    ExpireAfter {
        /// How many rows are done by then.
        rows: usize,
    },
    /// The batch made by this call is cancelled by the provider.
    CancelAfter {
        /// How many rows are done by then.
        rows: usize,
    },
    /// The batch made by this call fails validation (OpenAI).
    FailValidation {
        /// The error's code.
        code: String,
        /// The error's message.
        #[serde(default)]
        message: String,
        /// The field at fault.
        #[serde(default)]
        param: Option<String>,
        /// The line at fault, from 1.
        #[serde(default)]
        line: Option<u64>,
    },
    /// The finished batch made by this call shows its output file (Anthropic: its results) later.
    OutputLate {
        /// How many polls later.
        polls: u64,
    },
    /// The batch made by this call has `""` for a missing error file (OpenAI).
    EmptyErrorFileId,
    /// The batch made by this call has a zero-byte file for a missing error file (OpenAI).
    ZeroByteErrorFile,
    /// The batch made by this call has no `request_counts`.
    NoCounts,
}

/// A fault that its endpoint can never show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{endpoint} cannot show the fault `{fault}`")]
pub struct MisplacedFault {
    /// The endpoint named.
    pub endpoint: Endpoint,
    /// The fault's name.
    pub fault: &'static str,
}

impl Fault {
    /// Returns a fault that hits every call of `endpoint`.
    #[must_use]
    pub fn on(endpoint: Endpoint, fault: FaultKind) -> Self {
        Self {
            endpoint,
            nth: None,
            times: None,
            fault,
        }
    }

    /// Starts with the `nth` call, counted from 1. By default it affects only that call.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits `times` calls.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits the next call only.
    #[must_use]
    pub fn once(self) -> Self {
        self.nth(1)
    }

    /// Tells whether the `call`-th call, counted from 1, is hit.
    pub(crate) fn hits(&self, call: u64) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.or(self.nth.map(|_| 1));
        call >= first && times.is_none_or(|times| call - first < times)
    }

    /// Refuses a fault that its endpoint can never show.
    pub(super) fn check(&self) -> Result<(), MisplacedFault> {
        use Endpoint as E;
        use FaultKind as F;
        let (fault, fits) = match &self.fault {
            F::LoseReply
            | F::Refuse
            | F::NotFound
            | F::Status(_)
            | F::Raw(_)
            | F::Delay { .. }
            | F::Truncate { .. } => {
                return Ok(());
            }
            F::HideNewest { .. } => ("hide_newest", &[E::BatchesList, E::MessageBatchesList][..]),
            F::ExpireAfter { .. } => (
                "expire_after",
                &[E::BatchesCreate, E::MessageBatchesCreate][..],
            ),
            F::CancelAfter { .. } => (
                "cancel_after",
                &[E::BatchesCreate, E::MessageBatchesCreate][..],
            ),
            F::OutputLate { .. } => (
                "output_late",
                &[E::BatchesCreate, E::MessageBatchesCreate][..],
            ),
            F::NoCounts => (
                "no_counts",
                &[E::BatchesCreate, E::MessageBatchesCreate][..],
            ),
            F::FailValidation { .. } => ("fail_validation", &[E::BatchesCreate][..]),
            F::EmptyErrorFileId => ("empty_error_file_id", &[E::BatchesCreate][..]),
            F::ZeroByteErrorFile => ("zero_byte_error_file", &[E::BatchesCreate][..]),
        };
        if fits.contains(&self.endpoint) {
            return Ok(());
        }
        Err(MisplacedFault {
            endpoint: self.endpoint,
            fault,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls_hit(fault: &Fault) -> Vec<u64> {
        (1..=5).filter(|&call| fault.hits(call)).collect()
    }

    #[test]
    fn a_fault_without_counts_hits_every_call() {
        assert_eq!(
            calls_hit(&Fault::on(Endpoint::Chat, FaultKind::Refuse)),
            [1, 2, 3, 4, 5]
        );
    }

    #[test]
    fn nth_alone_hits_that_call_only() {
        assert_eq!(
            calls_hit(&Fault::on(Endpoint::Chat, FaultKind::Refuse).nth(2)),
            [2]
        );
    }

    #[test]
    fn nth_and_times_hit_a_run_of_calls() {
        assert_eq!(
            calls_hit(&Fault::on(Endpoint::Chat, FaultKind::Refuse).nth(2).times(2)),
            [2, 3]
        );
    }

    #[test]
    fn a_fault_that_its_endpoint_cannot_show_is_refused() {
        let fault = Fault::on(Endpoint::Chat, FaultKind::NoCounts);
        assert_eq!(
            fault.check().unwrap_err().to_string(),
            "chat cannot show the fault `no_counts`"
        );
    }
}
