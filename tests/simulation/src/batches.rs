//! Many requests through batches: the limits of a provider, and hosts that each have one writer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::random::Random;

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) hosts: u64,
    pub(crate) requests: u64,
    /// The size of a batch.
    pub(crate) batch: u64,
    /// How many batches may be created in an hour.
    pub(crate) creations_per_hour: u64,
    /// How many requests may wait at the provider; a limit of tokens, divided by the tokens of a request.
    pub(crate) enqueued: u64,
    /// The time of a host for a request, from its unit to its recorded answer, half of it before the batch.
    pub(crate) work: Duration,
    /// The median time of a batch.
    pub(crate) batch_time: Duration,
    /// The spread of that time: one batch in six takes more than e^`spread` medians.
    pub(crate) spread: f64,
}

/// After this time the provider returns the rest of a batch unanswered.
const EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) time: Duration,
    pub(crate) batches: u64,
    /// The batches that expired, whose requests were sent again.
    pub(crate) expired: u64,
    /// The part of the time in which the limit of waiting requests kept a batch from being created.
    pub(crate) queue_full: f64,
    /// The part of the time in which the limit of creations did.
    pub(crate) creations_full: f64,
    /// The part of the time in which a host worked, on average.
    pub(crate) host_busy: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A host has prepared a batch.
    Prepared { host: u64, size: u64 },
    /// A batch has ended; an expired one gives its requests back.
    Ended { host: u64, size: u64, expired: bool },
    /// An hour of the limit of creations has passed.
    NewHour,
}

/// The state of a run. Times are in milliseconds.
struct Run {
    scenario: Scenario,
    random: Random,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    /// When the writer of each host is free.
    free: Vec<u64>,
    /// The requests of each host that no batch has yet.
    rest: Vec<u64>,
    /// Prepared batches that a limit holds back, in order.
    held_back: std::collections::VecDeque<(u64, u64)>,
    enqueued: u64,
    created_this_hour: u64,
    batches: u64,
    expired: u64,
    queue_full: u64,
    creations_full: u64,
    worked: u64,
}

/// Runs a scenario, batch by batch.
pub(crate) fn run(scenario: Scenario) -> Outcome {
    let hosts = usize::try_from(scenario.hosts).unwrap_or(usize::MAX);
    let share = |host: u64| {
        let extra = u64::from(host < scenario.requests % scenario.hosts);
        scenario.requests / scenario.hosts + extra
    };
    let mut run = Run {
        scenario,
        random: Random::new(scenario.seed, 4),
        events: BinaryHeap::new(),
        free: vec![0; hosts],
        rest: (0..scenario.hosts).map(share).collect(),
        held_back: std::collections::VecDeque::new(),
        enqueued: 0,
        created_this_hour: 0,
        batches: 0,
        expired: 0,
        queue_full: 0,
        creations_full: 0,
        worked: 0,
    };
    for host in 0..scenario.hosts {
        run.prepare(0, host);
    }
    run.events.push(Reverse((HOUR, Event::NewHour)));
    run.drive()
}

const HOUR: u64 = 60 * 60 * 1000;

impl Run {
    fn drive(mut self) -> Outcome {
        let (mut now, mut end) = (0, 0);
        while let Some(Reverse((time, event))) = self.events.pop() {
            self.count_limits(time - now);
            now = time;
            match event {
                Event::Prepared { host, size } => {
                    self.held_back.push_back((host, size));
                    self.prepare(now, host);
                }
                Event::Ended {
                    host,
                    size,
                    expired,
                } => {
                    self.enqueued -= size;
                    if expired {
                        self.expired += 1;
                        self.held_back.push_back((host, size));
                    } else {
                        end = end.max(self.work(now, host, size));
                    }
                }
                Event::NewHour => {
                    self.created_this_hour = 0;
                    if self.events.is_empty() && self.held_back.is_empty() {
                        break;
                    }
                    self.events.push(Reverse((now + HOUR, Event::NewHour)));
                }
            }
            self.create(now);
        }
        let part = |part: u64| share(part, end);
        Outcome {
            time: Duration::from_millis(end),
            batches: self.batches,
            expired: self.expired,
            queue_full: part(self.queue_full),
            creations_full: part(self.creations_full),
            host_busy: part(self.worked / self.scenario.hosts),
        }
    }

    /// Lets a host prepare its next batch.
    fn prepare(&mut self, now: u64, host: u64) {
        let rest = &mut self.rest[index(host)];
        let size = self.scenario.batch.min(*rest);
        *rest -= size;
        if size > 0 {
            let ready = self.work(now, host, size);
            self.events
                .push(Reverse((ready, Event::Prepared { host, size })));
        }
    }

    /// Occupies the writer of a host with one half of the work on a batch, and returns when that is done.
    fn work(&mut self, now: u64, host: u64, size: u64) -> u64 {
        let nanos = self.scenario.work.as_nanos() * u128::from(size) / 2;
        let takes = u64::try_from(nanos / 1_000_000).unwrap_or(u64::MAX);
        self.worked += takes;
        let free = &mut self.free[index(host)];
        *free = (*free).max(now) + takes;
        *free
    }

    /// Creates the batches that the limits permit.
    fn create(&mut self, now: u64) {
        while let Some((host, size)) = self.held_back.front().copied() {
            if self.is_queue_full(size) || self.are_creations_used_up() {
                return;
            }
            self.held_back.pop_front();
            self.enqueued += size;
            self.created_this_hour += 1;
            self.batches += 1;
            let Scenario {
                batch_time, spread, ..
            } = self.scenario;
            let takes = self.random.log_normal(batch_time, spread);
            let expired = takes >= EXPIRY;
            let takes = u64::try_from(takes.min(EXPIRY).as_millis()).unwrap_or(u64::MAX);
            let ended = Event::Ended {
                host,
                size,
                expired,
            };
            self.events.push(Reverse((now + takes, ended)));
        }
    }

    fn is_queue_full(&self, size: u64) -> bool {
        self.enqueued > 0 && self.enqueued + size > self.scenario.enqueued
    }

    const fn are_creations_used_up(&self) -> bool {
        self.created_this_hour >= self.scenario.creations_per_hour
    }

    /// Counts time in which a limit holds a batch back.
    fn count_limits(&mut self, time: u64) {
        let Some((_, size)) = self.held_back.front().copied() else {
            return;
        };
        if self.is_queue_full(size) {
            self.queue_full += time;
        } else {
            self.creations_full += time;
        }
    }
}

fn index(host: u64) -> usize {
    usize::try_from(host).unwrap_or(usize::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a part that is printed")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Scenario = Scenario {
        seed: 1,
        hosts: 4,
        requests: 1_000_000,
        batch: 50_000,
        creations_per_hour: 2000,
        enqueued: u64::MAX,
        work: Duration::from_micros(700),
        batch_time: Duration::from_secs(3600),
        spread: 0.0,
    };

    /// Without limits the time is the work of a host, and the last batch.
    #[test]
    fn the_writers_and_one_batch_decide_without_limits() {
        let outcome = run(SMALL);
        assert_eq!((outcome.batches, outcome.expired), (20, 0));
        let seconds = outcome.time.as_secs_f64();
        // A host works for 175 s, one half of it before the batches are created.
        assert!((3600.0..3600.0 + 176.0).contains(&seconds), "{seconds}");
        assert_eq!((outcome.queue_full, outcome.creations_full), (0.0, 0.0));
    }

    #[test]
    fn the_limit_of_waiting_requests_decides() {
        let outcome = run(Scenario {
            enqueued: 100_000,
            ..SMALL
        });
        // Two batches at a time, ten times an hour.
        let hours = outcome.time.as_secs_f64() / 3600.0;
        assert!((10.0..10.1).contains(&hours), "{hours}");
        assert!(outcome.queue_full > 0.85);
    }

    #[test]
    fn the_limit_of_creations_decides() {
        let outcome = run(Scenario {
            creations_per_hour: 5,
            ..SMALL
        });
        let hours = outcome.time.as_secs_f64() / 3600.0;
        assert!((4.0..4.1).contains(&hours), "{hours}");
        assert!(outcome.creations_full > 0.6, "{outcome:?}");
    }

    #[test]
    fn an_expired_batch_is_sent_again() {
        let outcome = run(Scenario {
            batch_time: Duration::from_secs(20 * 3600),
            spread: 0.5,
            ..SMALL
        });
        assert!(outcome.expired > 0);
        assert_eq!(outcome.batches, 20 + outcome.expired);
        assert_eq!(
            outcome,
            run(Scenario {
                batch_time: Duration::from_secs(20 * 3600),
                spread: 0.5,
                ..SMALL
            })
        );
    }
}
