//! Hosts that want the same answers: the protocol of shared answers, over a store and a provider with limits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::host::{self, HostModel, World};
use crate::provider::SimulatedProvider;
use crate::random::Random;
use crate::store::{SimulatedStore, StoreModel};

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) hosts: usize,
    /// The number of different requests.
    pub(crate) requests: u64,
    /// How many hosts want each of them.
    pub(crate) wanted_by: u64,
    /// The rate limit of the provider's account; `None`: there is none.
    pub(crate) requests_per_second: Option<f64>,
    /// The median time of an answer.
    pub(crate) answer: Duration,
    pub(crate) store: StoreModel,
    pub(crate) host: HostModel,
}

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// From the first host's start to the last one's end.
    pub(crate) time: Duration,
    /// The requests that were billed.
    pub(crate) billed: u64,
    /// How many times a request was billed again.
    pub(crate) billed_again: u64,
    /// The answers that hosts took from the store.
    pub(crate) found: u64,
    pub(crate) waited_for_others: u64,
    pub(crate) kills: u64,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) busiest_reads: u64,
    pub(crate) busiest_writes: u64,
    /// The longest time that a call to the store waited for its turn.
    pub(crate) longest_store_wait: Duration,
    /// The answers in the store at the end.
    pub(crate) answers: u64,
    /// The claims in the store at the end.
    pub(crate) claims_left: u64,
}

/// Runs a scenario in virtual time.
pub(crate) fn run(scenario: Scenario) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output needs nothing of the system");
    runtime.block_on(simulate(scenario))
}

async fn simulate(scenario: Scenario) -> Outcome {
    let Scenario { seed, hosts, .. } = scenario;
    let world = Arc::new(World {
        store: Arc::new(SimulatedStore::new(scenario.store, Random::new(seed, 1))),
        provider: SimulatedProvider::new(
            scenario.requests_per_second,
            scenario.answer,
            Random::new(seed, 2),
        ),
    });
    let started = Instant::now();
    let mut running = JoinSet::new();
    for (number, requests) in distribute(&scenario).into_iter().enumerate() {
        let random = Random::new(seed, 1000 + number as u64);
        running.spawn(host::run(
            number,
            requests,
            scenario.host,
            Arc::clone(&world),
            random,
        ));
    }
    let reports = running.join_all().await;
    assert_eq!(reports.len(), hosts, "every host ends");
    let (billed, billed_again) = world.provider.billed();
    let (reads, writes) = (&world.store.reads, &world.store.writes);
    let count = |prefix: &str| world.store.paths(prefix).len() as u64;
    let answers = count("v1/default/answers/");
    assert_eq!(answers, scenario.requests, "no answer is lost");
    Outcome {
        time: started.elapsed(),
        billed,
        billed_again,
        found: reports.iter().map(|report| report.found).sum(),
        waited_for_others: reports.iter().map(|report| report.waited_for_others).sum(),
        kills: reports.iter().map(|report| report.kills).sum(),
        reads: reads.count(),
        writes: writes.count(),
        busiest_reads: reads.busiest_second(),
        busiest_writes: writes.busiest_second(),
        longest_store_wait: reads.longest_wait().max(writes.longest_wait()),
        answers,
        claims_left: count("v1/default/claims/"),
    }
}

/// Returns the requests of each host, in an order of its own.
fn distribute(scenario: &Scenario) -> Vec<Vec<u64>> {
    let mut random = Random::new(scenario.seed, 3);
    let mut lists = vec![Vec::new(); scenario.hosts];
    let wanted_by = scenario.wanted_by.min(scenario.hosts as u64);
    for request in 0..scenario.requests {
        let mut chosen = BTreeSet::new();
        while (chosen.len() as u64) < wanted_by {
            chosen.insert(random.below(scenario.hosts as u64));
        }
        for (list, number) in lists.iter_mut().zip(0_u64..) {
            if chosen.contains(&number) {
                list.push(request);
            }
        }
    }
    for list in &mut lists {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or_default();
            list.swap(last, other);
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreModel = StoreModel {
        read: Duration::from_millis(15),
        write: Duration::from_millis(30),
        reads_per_second: 5500.0,
        writes_per_second: 3500.0,
        lost_replies: 0.0,
    };
    const HOST: HostModel = HostModel {
        writes_per_second: 2000.0,
        killed_after: None,
        away: Duration::from_secs(30),
        skew: 0.0,
    };
    const SMALL: Scenario = Scenario {
        seed: 1,
        hosts: 5,
        requests: 1000,
        wanted_by: 3,
        requests_per_second: Some(20.0),
        answer: Duration::from_secs(2),
        store: STORE,
        host: HOST,
    };

    #[test]
    fn without_faults_every_answer_is_paid_once_and_taken_by_the_others() {
        let outcome = run(SMALL);
        assert_eq!((outcome.billed, outcome.billed_again), (1000, 0));
        assert_eq!((outcome.answers, outcome.claims_left), (1000, 0));
        assert_eq!(outcome.found, 2000);
        // The provider's limit decides: 1,000 requests at 20 in a second.
        let seconds = outcome.time.as_secs_f64();
        assert!((50.0..62.0).contains(&seconds), "{seconds}");
    }

    /// A request that was in flight when its host died is the only one that is paid again.
    #[test]
    fn kills_lost_replies_and_skew_lose_nothing() {
        let outcome = run(Scenario {
            store: StoreModel {
                lost_replies: 0.01,
                ..STORE
            },
            host: HostModel {
                killed_after: Some(Duration::from_secs(40)),
                skew: 0.1,
                ..HOST
            },
            ..SMALL
        });
        assert!(outcome.kills > 0);
        assert_eq!((outcome.billed, outcome.answers), (1000, 1000));
        let at_risk = outcome.kills * 16;
        assert!(outcome.billed_again <= at_risk, "{outcome:?}");
    }

    #[test]
    fn a_seed_decides_the_whole_outcome() {
        let other = Scenario { seed: 2, ..SMALL };
        assert_eq!(run(SMALL), run(SMALL));
        assert_ne!(run(SMALL), run(other));
    }
}
