//! How batches are driven.

use std::collections::HashMap;
use std::time::Duration;

use synix_store::RetrySelection;

/// The user's decision on a batch whose create reply was lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LostCreatePolicy {
    /// Ask the user.
    #[default]
    Ask,
    /// The batch with this id is the lost one.
    Adopt(String),
    /// The batch does not exist: create it again.
    CreateAgain,
}

/// How batches are driven.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// The pauses before each further search for a batch whose create reply was lost, by provider.
    pub search_pauses: HashMap<String, Vec<Duration>>,
    /// The maximum number of batches for a request in one command.
    pub attempts: u32,
    /// Names of the layers by position, for people.
    pub layers: Vec<String>,
    /// The pause between two polls of a batch; `None`: each batch is polled once.
    pub interval: Option<Duration>,
    /// The maximum number of requests in a batch, by provider, if it is lower than the provider's own limit.
    pub batch_requests: HashMap<String, u32>,
    /// The maximum number of input tokens in flight, by provider.
    pub enqueued_tokens: HashMap<String, u64>,
    /// How long a batch may take before its unanswered requests are sent by sync calls.
    pub sync_after: Option<Duration>,
    /// What to do about a lost create reply.
    pub lost_create: LostCreatePolicy,
    /// The failed requests that are sent again although they were billed.
    pub retry: Retry,
}
