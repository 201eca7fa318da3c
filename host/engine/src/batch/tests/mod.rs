//! Tests the state machine with random sequences of faults, kills and concurrent commands.
//!
//! Everything except the provider is real: calls over loopback, a database on
//! disk, builds with their locks. The clock is simulated, so a case does not
//! depend on timing. A case that fails is shrunk and printed in words.

mod command;
mod event;
mod provider_fault;
mod setup;
mod simulation;

use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use command::Instruction;
use event::{AfterKill, Event, events};
use provider_fault::{BatchFault, Call, CallFault, ProviderFault};
use simulation::Simulation;

use synix_core::request::Wire;

/// The number of cases that the suite runs.
const CASES: u32 = 150;

/// The number of cases for each sequence of a long run.
const CASES_PER_SEQUENCE: u32 = 20;

/// A sequence of events and the provider for it.
#[derive(Clone)]
struct Case {
    wire: Wire,
    limit: Option<u64>,
    events: Vec<Event>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = self.wire.name();
        match self.limit {
            None => writeln!(f, "batches at {wire}:")?,
            Some(limit) => writeln!(f, "batches at {wire}, {limit} tokens at once:")?,
        }
        for event in &self.events {
            writeln!(f, "- {event:?};")?;
        }
        f.write_str("- then nothing goes wrong any more.")
    }
}

fn case() -> impl Strategy<Value = Case> {
    let wire = select(vec![Wire::OpenAi, Wire::Anthropic]);
    let limit = prop_oneof![3 => Just(None), 1 => Just(Some(150_u64))];
    (wire, limit, events()).prop_map(|(wire, limit, events)| Case {
        wire,
        limit,
        events,
    })
}

fn run(case: &Case) -> Result<(), TestCaseError> {
    let mut simulation = Simulation::new(case.wire, case.limit);
    for event in &case.events {
        simulation.apply(event);
    }
    simulation.end()
}

fn read_number(variable: &str) -> Option<u32> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the length of a long run is the runner's choice"
    )]
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// M1, M2, M5, M6, M7, A2, A3, A4, A5, L4, L5, L16: after any sequence of faults, every request is answered or
/// reported as failed, nothing is paid twice, and every submission ends.
#[test]
fn no_sequence_of_faults_breaks_the_state_machine() {
    let seed = read_number("SYNIX_TORTURE_SEED").unwrap_or(1);
    let sequences = read_number("SYNIX_TORTURE");
    let cases_wanted = sequences.map_or(CASES, |many| many.saturating_mul(CASES_PER_SEQUENCE));
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: cases_wanted,
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, random).run(&case(), |case| run(&case));
    match outcome {
        Ok(()) => println!("{cases_wanted} cases from seed {seed}: 0 paid twice, 0 lost, 0 stuck"),
        Err(TestError::Fail(why, case)) => panic!("seed {seed}: {why}\n{case:?}"),
        Err(error @ TestError::Abort(_)) => panic!("seed {seed}: {error}"),
    }
}

/// M1: the list contains a settled batch with the same question, older than the newest known batch.
#[test]
fn a_settled_batch_is_never_adopted() {
    let faults = vec![
        ProviderFault::Batch(BatchFault::ExpiresAfter(0), 1),
        ProviderFault::HideNewest(2, 1),
        ProviderFault::Call(Call::Create, CallFault::LostReply, 2, 1),
    ];
    let case = Case {
        wire: Wire::Anthropic,
        limit: None,
        events: vec![
            Event::SetFaults(faults),
            Event::Ask(0, vec![0]),
            Event::Step(0, 30),
        ],
    };
    run(&case).unwrap();
}

/// A5, M1: rows that are truncated twice at the same position exist nevertheless, and are billed.
#[test]
fn a_file_that_is_truncated_twice_is_not_taken_as_complete() {
    let cut = ProviderFault::Call(Call::Download, CallFault::ChunkSize { hidden: true }, 1, 2);
    let case = Case {
        wire: Wire::Anthropic,
        limit: None,
        events: vec![
            Event::SetFaults(vec![cut]),
            Event::Ask(0, vec![0]),
            Event::Step(0, 5),
        ],
    };
    run(&case).unwrap();
}

/// L5: a command polls every batch with an answer that it needs, even one that another command created later.
#[test]
fn a_batch_that_another_command_created_later_is_polled() {
    let mut simulation = Simulation::new(Wire::OpenAi, None);
    simulation.instruction(0, Instruction::Poll);
    simulation.apply(&Event::SetFaults(vec![ProviderFault::SlowBatches(1 << 40)]));
    simulation.apply(&Event::Ask(1, vec![0]));
    simulation.apply(&Event::Step(1, 4));
    simulation.apply(&Event::Kill(1, AfterKill::Resume));
    simulation.finish_batches();
    simulation.instruction(0, Instruction::Ask(vec![0]));
    simulation.instruction(0, Instruction::Poll);
    assert!(simulation.is_answered(0));
}

/// Returns the steps that `docs/batch.md` lists.
pub(super) fn documented_steps() -> BTreeSet<(&'static str, &'static str)> {
    let documents = include_str!("../../../../../docs/batch.md");
    let (_, table) = documents.split_once("| from | to |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().skip(2).filter_map(|line| {
        line.strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")
    });
    rows.flat_map(|(from, to)| to.split(", ").map(move |to| (from, to)))
        .collect()
}
