//! Seeded sequences of kills, pauses, lost and late calls: 8 machines with clocks of different rates and one store.
//!
//! Everything runs in virtual time and in one thread, with the client as it is. `cargo xtask torture [SEEDS]` runs many;
//! the suite does the same with processes.

mod ledger;
mod machine;
mod random;
mod time;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use synix_core::digest::Digest;
use synix_core::request::{Ending, RequestKey};

use crate::paths::{DEFAULT_NAMESPACE, Paths};
use crate::{ClaimMode, Objects as _};
use ledger::Ledger;
use machine::Machine;
use random::SharedRandom;
use time::{Owner, Time};
use wire::{Bucket, Wire};

const LEASE: Duration = Duration::from_secs(60);
const MACHINES: usize = 8;
const REQUESTS: u8 = 6;

/// The seeds of a run of the tests.
const SEEDS: u64 = 50;

/// How long there are faults, kills and pauses.
const FAULTY: Duration = Duration::from_secs(6 * 60);
/// What is not done then is stuck: no batch takes longer than 10 minutes, and no claim lives longer than a lease.
const STUCK: Duration = Duration::from_secs(40 * 60);

const WORLD: Owner = None;

/// What all sequences had.
#[derive(Debug, Default)]
struct Counts {
    sends: usize,
    kills: usize,
    after_kills: usize,
    beyond_leases: usize,
}

fn key(number: u8) -> RequestKey {
    RequestKey(Digest::of(&[number]))
}

/// Makes the machines. Their clocks differ by at most a ratio of 9 to 7.
fn machines(time: &Time, random: &SharedRandom) -> Vec<Machine> {
    let bucket = Arc::<Bucket>::default();
    let ledger = Arc::<Mutex<Ledger>>::default();
    let machine = |number| Machine {
        number,
        rate: 7 + u32::try_from(random.below(3)).unwrap(),
        time: time.clone(),
        random: random.clone(),
        bucket: Arc::clone(&bucket),
        wire: Wire {
            time: time.clone(),
            bucket: Arc::clone(&bucket),
            random: random.clone(),
            faulty_until: FAULTY,
        },
        ledger: Arc::clone(&ledger),
        disk: Arc::default(),
        modes: Arc::new(
            (0..REQUESTS)
                .map(|number| (key(number), mode(random)))
                .collect(),
        ),
    };
    (0..MACHINES).map(machine).collect()
}

fn mode(random: &SharedRandom) -> ClaimMode {
    if random.once_in(3) {
        ClaimMode::Batch
    } else {
        ClaimMode::Call
    }
}

/// Kills and pauses machines. A killed one starts again after a while.
async fn disturb(time: Time, random: SharedRandom, machines: Vec<Machine>) {
    let mut processes = [1; MACHINES];
    while time.now() < FAULTY {
        time.sleep(random.milliseconds(20_000)).await;
        let at = usize::try_from(random.below(MACHINES as u64)).unwrap();
        if !random.once_in(3) {
            time.pause(at, random.milliseconds(150_000));
            continue;
        }
        time.kill(at);
        let machine = &machines[at];
        machine
            .ledger
            .lock()
            .unwrap()
            .killed
            .push((at, processes[at]));
        processes[at] += 1;
        let (machine, process) = (machine.clone(), processes[at]);
        // A quick one meets calls of the dead process that are still on their way.
        let pause = if random.once_in(2) { 500 } else { 90_000 };
        let pause = random.milliseconds(pause);
        let clock = time.clone();
        // Owned by the machine: a second kill in the meantime would start it twice otherwise.
        time.spawn(Some(at), async move {
            clock.sleep(pause).await;
            machine.start(process);
        });
    }
}

fn run_sequence(seed: u64, counts: &mut Counts) {
    let (time, random) = (Time::default(), SharedRandom::new(seed));
    let machines = machines(&time, &random);
    machines.iter().for_each(|machine| machine.start(1));
    time.spawn(
        WORLD,
        disturb(time.clone(), random.clone(), machines.clone()),
    );
    time.run(STUCK, || {
        time.now() > FAULTY && machines.iter().all(Machine::is_done)
    });
    let stuck: Vec<_> = machines
        .iter()
        .filter(|machine| !machine.is_done())
        .collect();
    assert!(stuck.is_empty(), "seed {seed} is stuck: {stuck:#?}");
    check_store(seed, &time, &machines[0]);
    let ledger = machines[0].ledger.lock().unwrap();
    counts.sends += ledger.sends.values().map(Vec::len).sum::<usize>();
    counts.kills += ledger.killed.len();
    counts.after_kills += ledger.after_kills;
    counts.beyond_leases += ledger.beyond_leases;
}

/// Every answer is in the store, and is one that was paid for.
fn check_store(seed: u64, time: &Time, machine: &Machine) {
    let found = Arc::new(Mutex::new(BTreeMap::new()));
    let (filled, store) = (Arc::clone(&found), Arc::clone(&machine.bucket));
    time.spawn(WORLD, async move {
        for number in 0..REQUESTS {
            let path = Paths::new(DEFAULT_NAMESPACE).answer(key(number), Ending::Complete);
            let bytes = store.objects.get(&path, 1 << 20).await.unwrap();
            filled.lock().unwrap().insert(number, bytes);
        }
    });
    time.run(time.now() + LEASE, || {
        found.lock().unwrap().len() == usize::from(REQUESTS)
    });
    for (number, bytes) in found.lock().unwrap().iter() {
        let bytes = bytes
            .as_ref()
            .unwrap_or_else(|| panic!("seed {seed} lost {number}"));
        let answer = crate::SharedAnswer::from_bytes(key(*number), bytes).unwrap();
        assert!(answer.answer.text.starts_with("machine"), "seed {seed}");
    }
}

/// M1, M2, A3, L12
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests chooses their length"
)]
fn no_sequence_of_faults_loses_an_answer_or_pays_for_it_twice() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = number("SYNIX_TORTURE").unwrap_or(SEEDS);
    let first = number("SYNIX_TORTURE_SEED").unwrap_or(1);
    let mut counts = Counts::default();
    for seed in first..first + seeds {
        // It is shown only if this one fails.
        println!("seed {seed}");
        run_sequence(seed, &mut counts);
    }
    println!(
        "{seeds} seeds from {first}: {counts:?}; 0 paid twice beyond a lease, 0 lost, 0 stuck"
    );
    assert!(counts.after_kills > 0 && counts.beyond_leases > 0);
}
