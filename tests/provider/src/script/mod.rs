//! The script: how the server behaves in a test.
//!
//! Owns the format that is written in JSON and built in Rust. What has fired
//! already is counted by `script_state`.

mod fault;
mod raw;
mod rule;

use serde::{Deserialize, Serialize};

pub use fault::{Fault, FaultKind, MisplacedFault};
pub use raw::{Coding, RawReply};
pub use rule::{Mode, Reply, Rule, StatusReply, ToolCall};

/// Everything that decides how the server behaves; the default is a well-behaved server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// What to answer; the first rule that matches and has not run out decides.
    pub rules: Vec<Rule>,
    /// What goes wrong at an endpoint; all that match a call fire.
    pub faults: Vec<Fault>,
    /// How batches go through their states.
    pub batches: Pace,
    /// The only key accepted; without it any non-empty key is.
    pub key: Option<String>,
    /// The only models known; when empty, all are.
    pub models: Vec<String>,
    /// The prompt tokens one model may have waiting in OpenAI batches.
    pub enqueued_token_limit: Option<u64>,
    /// The most requests one batch may hold; by default the provider's own limit.
    pub batch_row_limit: Option<usize>,
    /// Least and most milliseconds that a completion takes.
    pub latency_ms: Option<[u64; 2]>,
    /// Vectors are lists of numbers, also where base64 was asked for.
    pub only_numbers: bool,
    /// Decides every draw: latencies and the order of shuffled rows.
    pub seed: u64,
}

/// How a batch goes from state to state, counted in polls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Polls that show `validating`.
    pub validating: u64,
    /// Polls that show `in_progress`.
    pub in_progress: u64,
    /// Polls that show `finalizing`.
    pub finalizing: u64,
    /// Polls that show `cancelling` after a cancel.
    pub cancelling: u64,
    /// Least and most milliseconds before a batch may end, however often it is polled.
    pub latency_ms: Option<[u64; 2]>,
    /// Seconds in the `retry-after` header of an unfinished Anthropic batch; 0 leaves it out, because a client waits
    /// for as long as it says.
    pub retry_after: u64,
    /// Result rows come in a seeded order instead of input order.
    pub shuffle: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            validating: 0,
            in_progress: 1,
            finalizing: 0,
            cancelling: 0,
            latency_ms: None,
            retry_after: 0,
            shuffle: false,
        }
    }
}

impl Script {
    /// Returns the script of a well-behaved server.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule after the ones already there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets how batches go through their states.
    #[must_use]
    pub fn batches(mut self, pace: Pace) -> Self {
        self.batches = pace;
        self
    }

    /// Accepts this key only.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a known model. If there are any, the server knows no others.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.models.push(model.into());
        self
    }

    /// Fails an OpenAI batch that would have more prompt tokens waiting for its model.
    #[must_use]
    pub fn enqueued_token_limit(mut self, tokens: u64) -> Self {
        self.enqueued_token_limit = Some(tokens);
        self
    }

    /// Refuses batches with more requests.
    #[must_use]
    pub fn batch_row_limit(mut self, rows: usize) -> Self {
        self.batch_row_limit = Some(rows);
        self
    }

    /// Makes completions take between `least` and `most` milliseconds.
    #[must_use]
    pub fn latency_ms(mut self, least: u64, most: u64) -> Self {
        self.latency_ms = Some([least, most]);
        self
    }

    /// Answers with lists of numbers where vectors were asked for as base64.
    #[must_use]
    pub fn only_numbers(mut self) -> Self {
        self.only_numbers = true;
        self
    }

    /// Sets the seed of every draw.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Finds the first fault whose endpoint can never show it.
    ///
    /// # Errors
    /// Names that fault and its endpoint.
    pub fn check(&self) -> Result<(), MisplacedFault> {
        self.faults.iter().try_for_each(Fault::check)
    }
}

impl Pace {
    /// Returns the pace of a batch that shows `in_progress` for `polls` polls.
    #[must_use]
    pub fn in_progress(polls: u64) -> Self {
        Self {
            in_progress: polls,
            ..Self::default()
        }
    }
}
