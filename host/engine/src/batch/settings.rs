//! What the caller says: how batches are driven.

use std::collections::HashMap;
use std::time::Duration;

use synix_store::RetrySelection;

/// The user's decision on a lost create reply that only a person can clear up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LostCreatePolicy {
    /// Ask.
    #[default]
    Ask,
    /// This batch is ours.
    Adopt(String),
    /// None is ours: create it again.
    CreateAgain,
}

/// How batches are driven.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Pauses before each further search for a batch whose create reply was lost, by provider.
    pub search_pauses: HashMap<String, Vec<Duration>>,
    /// How often a request is put into a batch in one command, at most.
    pub attempts: u32,
    /// Names of the layers by position, for people.
    pub layers: Vec<String>,
    /// Between two polls of a batch; `None`: each is polled once.
    pub interval: Option<Duration>,
    /// Requests in one batch at most, by provider, where it is less than the provider takes.
    pub batch_requests: HashMap<String, u32>,
    /// Input tokens that may be under way at once, by provider.
    pub enqueued_tokens: HashMap<String, u64>,
    /// How long a batch may take before what it still retry_times goes by single calls.
    pub sync_after: Option<Duration>,
    /// What to do about a lost create reply.
    pub lost_create: LostCreatePolicy,
    /// What is asked again although it was paid for.
    pub retry: RetrySelection,
}
