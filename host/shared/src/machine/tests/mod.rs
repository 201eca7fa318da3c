//! Carries out the effects of a few claimants in every order, with crashes, lost replies and clocks of different rates.
//!
//! A state of the model is everything: the store, each process, and what is left of the faults. The search visits each
//! reachable state once. Time passes in ticks; a process that is not scheduled while time passes is a paused one.

mod model;
mod search;
mod table;

use model::{Mode, Model, Rates, Setup};
use search::{Found, search};

fn explore(setup: &Setup) -> Found {
    match search(setup) {
        Ok(found) => {
            println!(
                "{:?}: {} processes, {} faults, rates {:?}: {} states, {} overtaken while paused",
                setup.mode,
                setup.processes,
                setup.faults,
                setup.rates,
                found.states,
                found.beyond_leases
            );
            found
        }
        Err(problem) => panic!("{setup:?}\n{problem}"),
    }
}

const EQUAL: Rates = Rates([4, 4, 4]);

/// M1: two processes: a crash, a lost reply or a failed operation at any step, or the time in which one is overtaken.
///
/// `SYNIX_ENUMERATE=1` does both together: 14 million states for each pair of clocks, in some minutes.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests chooses their depth"
)]
fn two_processes_pay_once_whatever_happens_at_any_step() {
    let is_complete = std::env::var_os("SYNIX_ENUMERATE").is_some();
    let skewed = Rates([3, 4, 4]);
    let parts: &[(u8, u64, Rates)] = if is_complete {
        &[(1, 3, EQUAL), (1, 3, skewed)]
    } else {
        &[(1, 1, EQUAL), (0, 3, skewed)]
    };
    let mut overtaken = 0;
    for (faults, ticks, rates) in parts {
        let found = explore(&Setup {
            mode: Mode::Call,
            processes: 2,
            faults: *faults,
            failures: 0,
            ticks: *ticks,
            rates: *rates,
        });
        assert!(found.states > 10_000, "{}", found.states);
        overtaken += found.beyond_leases;
    }
    // The search does reach what is not promised: a holder that is paused after it has sent.
    assert!(overtaken > 0);
}

/// M1: three processes that meet at one moment.
#[test]
fn three_processes_pay_once() {
    let found = explore(&Setup {
        mode: Mode::Call,
        processes: 3,
        faults: 0,
        failures: 0,
        ticks: 0,
        rates: EQUAL,
    });
    assert!(found.states > 1_000, "{}", found.states);
}

const fn batches(mode: Mode, faults: u8) -> Setup {
    Setup {
        mode,
        processes: 2,
        faults,
        failures: 1,
        ticks: 0,
        rates: EQUAL,
    }
}

/// M1: a project whose commands crash and begin again, and another one; calls arrive after the command that sent them.
///
/// `SYNIX_ENUMERATE=1` permits one more fault.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests chooses their depth"
)]
fn batches_are_paid_once_whatever_call_arrives_late() {
    let is_complete = std::env::var_os("SYNIX_ENUMERATE").is_some();
    let found = explore(&batches(Mode::Batch, if is_complete { 3 } else { 2 }));
    assert!(found.states > 10_000, "{}", found.states);
}

/// The search finds a mistake if there is one: a release that is under way gives up a claim that is used again.
#[test]
fn the_search_finds_a_second_payment_where_a_claim_of_an_earlier_intent_is_used() {
    let problem = search(&batches(Mode::BatchWithOneIntent, 2)).unwrap_err();
    assert!(problem.contains("sent beside a live claim"), "{problem}");
}

/// The search finds a mistake if there is one: clocks that differ by more than the margin of the lease.
#[test]
fn the_search_finds_a_second_payment_where_clocks_differ_too_much() {
    let setup = Setup {
        mode: Mode::Call,
        processes: 2,
        faults: 0,
        failures: 0,
        ticks: 3,
        rates: Rates([1, 4, 4]),
    };
    let problem = search(&setup).unwrap_err();
    assert!(problem.contains("took over a live claim"), "{problem}");
}

#[test]
fn a_claimant_ends_without_sending_on_an_event_that_does_not_belong_to_its_state() {
    use super::{Claimant, Effect, End, Event};
    let (claimant, _) = Claimant::obtain(None).step(Event::Begun);
    let (_, effect) = claimant.step(Event::Created);
    assert_eq!(effect, Effect::End(End::Failed));
}

#[test]
fn the_model_begins_without_objects() {
    let setup = Setup {
        mode: Mode::Call,
        processes: 2,
        faults: 0,
        failures: 0,
        ticks: 1,
        rates: EQUAL,
    };
    assert_eq!(Model::new(&setup).sends(), 0);
}
