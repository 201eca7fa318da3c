//! Delivers messages to a receiver: tries again within limits, and gives up in the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::http::{Receiver, Sent};

/// The first and the longest pause before a message is sent again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a receiver that does not answer is tried after the build.
const MAX_UNANSWERED: u32 = 2;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The receiver has it, except for what is lost.
    Done {
        /// The number of spans or points that the receiver does not have.
        lost: u64,
        reason: Option<String>,
    },
    /// It may be sent again after this time.
    Later(Duration),
}

/// A receiver, and when it may be sent to.
#[derive(Debug)]
pub(crate) struct Outlet {
    receiver: Receiver,
    /// Ends a call that is waited for when the build ends.
    closed: Arc<Notify>,
    pause: Duration,
    not_before: Option<Instant>,
    /// Whether the receiver asked for the time in `not_before`.
    is_asked: bool,
    /// The end of the time for the rest, once the build has ended.
    deadline: Option<Instant>,
    unanswered: u32,
    has_given_up: bool,
}

impl Outlet {
    pub(crate) const fn new(receiver: Receiver, closed: Arc<Notify>) -> Self {
        Self {
            receiver,
            closed,
            pause: FIRST_PAUSE,
            not_before: None,
            is_asked: false,
            deadline: None,
            unanswered: 0,
            has_given_up: false,
        }
    }

    /// Returns whether messages are JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.receiver.endpoint.is_json
    }

    /// Returns the URL of the receiver without secrets.
    pub(crate) fn shown(&self) -> String {
        self.receiver.endpoint.shown()
    }

    /// From now on, messages are sent until `deadline`, and no call is given up because the build ends.
    pub(crate) const fn begin_flush(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
        self.unanswered = 0;
        self.pause = FIRST_PAUSE;
        if !self.is_asked {
            self.not_before = None;
        }
    }

    /// Sends a message with `count` spans or points.
    pub(crate) fn deliver(&mut self, runtime: &Runtime, body: &[u8], count: u64) -> Delivered {
        let mut reason = None;
        loop {
            if self.has_given_up {
                return Delivered::Done {
                    lost: count,
                    reason,
                };
            }
            let now = Instant::now();
            if let Some(wait) = self
                .not_before
                .map(|at| at.saturating_duration_since(now))
                .filter(|wait| !wait.is_zero())
            {
                match self.deadline {
                    None => return Delivered::Later(wait),
                    Some(deadline) if now + wait >= deadline => {
                        self.give_up(&mut reason, "it asked to wait for longer than synix does");
                        continue;
                    }
                    Some(_) => std::thread::sleep(wait),
                }
            }
            match self.send(runtime, body) {
                Sent::Accepted { rejected, reason } => {
                    self.pause = FIRST_PAUSE;
                    self.not_before = None;
                    self.unanswered = 0;
                    return Delivered::Done {
                        lost: rejected.min(count),
                        reason: Some(reason).filter(|reason| !reason.is_empty()),
                    };
                }
                Sent::Refused { reason } => {
                    return Delivered::Done {
                        lost: count,
                        reason: Some(reason),
                    };
                }
                Sent::Again {
                    after,
                    is_answered,
                    reason: cause,
                } => {
                    self.unanswered = if is_answered { 0 } else { self.unanswered + 1 };
                    self.is_asked = after.is_some();
                    let wait = after.unwrap_or(self.pause);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    self.not_before = Instant::now().checked_add(wait);
                    let Some(deadline) = self.deadline else {
                        return Delivered::Later(wait);
                    };
                    let is_late = self.not_before.is_none_or(|next| next >= deadline);
                    if is_late || self.unanswered >= MAX_UNANSWERED {
                        self.give_up(&mut reason, &cause);
                    }
                }
            }
        }
    }

    fn give_up(&mut self, reason: &mut Option<String>, cause: &str) {
        self.has_given_up = true;
        reason.get_or_insert_with(|| cause.to_owned());
    }

    fn send(&self, runtime: &Runtime, body: &[u8]) -> Sent {
        let Some(deadline) = self.deadline else {
            return runtime.block_on(async {
                tokio::select! {
                    sent = self.receiver.send(body.to_vec(), Duration::MAX) => sent,
                    // The message is sent again, with the rest. The receiver may have it twice, with the same ids.
                    () = self.closed.notified() => Sent::Again {
                        after: None,
                        is_answered: true,
                        reason: "the build ended".to_owned(),
                    },
                }
            });
        };
        let at_most = deadline.saturating_duration_since(Instant::now());
        if at_most.is_zero() {
            return Sent::Again {
                after: None,
                is_answered: false,
                reason: "it did not take all in time".to_owned(),
            };
        }
        runtime.block_on(self.receiver.send(body.to_vec(), at_most))
    }
}
