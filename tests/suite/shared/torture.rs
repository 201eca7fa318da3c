//! Seeded sequences of kills and pauses: eight projects with one store, each on a machine with another clock.
//!
//! `cargo xtask torture [SEEDS]` runs many. `synix-shared` does the same with its client alone, in virtual time, which also
//! loses calls and replies; `scale::s3` loses them between these processes and a bucket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::heartbeats::Heartbeats;
use crate::support::crashes::was_killed;
use crate::support::folders::copy;
use crate::support::pipelines::{BATCH_BUILD, RESUME, TEAM};
use crate::support::processes::send_signal;
use crate::support::random::SeededRandom;
use crate::support::team::{TeamStore, ok};
use crate::support::test_project::{TestProject, command_in, number_from_environment};

const MACHINES: usize = 8;

/// The seeds of a run of the suite.
const SEEDS: u64 = 2;

const LEASE: Duration = Duration::from_secs(6);

/// A command that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(300);

/// What all sequences had.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sequences: AtomicUsize,
    commands: AtomicUsize,
    kills: AtomicUsize,
    pauses: AtomicUsize,
    /// Processes without a sign in the store for a lease.
    silent: AtomicUsize,
    /// Processes that sent without claims, because the store did not reply in time.
    away: AtomicUsize,
    /// Calls of processes that were killed, which may be billed.
    unclear: AtomicUsize,
    /// Answers that were paid for twice because a sender was silent or cut off from the store.
    beyond_leases: AtomicUsize,
}

impl Counts {
    pub(crate) fn has_kills(&self) -> bool {
        self.kills.load(Ordering::SeqCst) > 0
    }
}

/// A machine with its project.
struct Machine<'a> {
    folder: PathBuf,
    store: &'a TeamStore,
    heartbeats: &'a Heartbeats,
    counts: &'a Counts,
    /// The rate of its clock in eighths.
    rate: u64,
    is_batch: bool,
    /// Whether one of its processes was silent, or cut off from the store.
    is_excused: bool,
    /// Whether its last process was cut off from the store, and left its answers to be published by the next one.
    is_away: bool,
    context: String,
}

impl Machine<'_> {
    fn spawn(&self, arguments: &[&str], crash_at: u64) -> Child {
        self.counts.commands.fetch_add(1, Ordering::SeqCst);
        let command = self.store.share(command_in(&self.folder, arguments));
        command
            .process()
            .env("SYNIX_CRASH_AT", crash_at.to_string())
            .env("SYNIX_CLOCK_EIGHTHS", self.rate.to_string())
            .stdout(Stdio::null())
            .stderr(File::create(self.log()).unwrap())
            .spawn()
            .unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("stderr")
    }

    fn wait_for_end(&mut self, mut child: Child) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                if self.heartbeats.was_silent(child.id()) {
                    self.counts.silent.fetch_add(1, Ordering::SeqCst);
                    self.is_excused = true;
                }
                let said = fs::read_to_string(self.log()).unwrap();
                self.is_away = said.contains("continues without them");
                if self.is_away {
                    self.counts.away.fetch_add(1, Ordering::SeqCst);
                    self.is_excused = true;
                }
                return status;
            }
            if started.elapsed() > STUCK {
                child.kill().unwrap();
                panic!("{} is stuck", self.context);
            }
            std::thread::park_timeout(Duration::from_millis(3));
        }
    }

    /// Runs commands that are killed or paused.
    fn disturb(&mut self, random: &mut SeededRandom) {
        let command: &[&str] = if self.is_batch {
            &BATCH_BUILD
        } else {
            &["build"]
        };
        for _ in 0..random.below(3) {
            let crash_at = if random.below(4) == 0 {
                0
            } else {
                random.below(120) + 1
            };
            let child = self.spawn(command, crash_at);
            if random.below(4) == 0 {
                std::thread::park_timeout(Duration::from_millis(random.below(1_500)));
                self.counts.pauses.fetch_add(1, Ordering::SeqCst);
                send_signal(&child, "-STOP");
                std::thread::park_timeout(Duration::from_millis(random.below(10_000)));
                send_signal(&child, "-CONT");
            }
            let status = self.wait_for_end(child);
            if was_killed(status) {
                self.counts.kills.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Runs commands without faults, until one reaches the store.
    fn finish(&mut self) {
        let commands: &[&[&str]] = if self.is_batch {
            // There may be no build to resume.
            &[&RESUME, &BATCH_BUILD]
        } else {
            &[&["build"]]
        };
        let (last, before) = commands.split_last().unwrap();
        for command in before {
            let child = self.spawn(command, 0);
            self.wait_for_end(child);
        }
        loop {
            let child = self.spawn(last, 0);
            assert!(self.wait_for_end(child).success(), "{}", self.context);
            if !self.is_away {
                return;
            }
        }
    }

    /// Returns the numbers of answered and of unclear attempts by request key.
    fn attempts(&self) -> BTreeMap<Vec<u8>, (usize, usize)> {
        let database = Connection::open(self.folder.join(".synix/state.sqlite3")).unwrap();
        let mut statement = database
            .prepare(
                "SELECT r.key, count(*) FILTER (WHERE t.state = 1), count(*) FILTER (WHERE t.state = 3)
                 FROM attempt t JOIN request r ON r.id = t.request GROUP BY r.key",
            )
            .unwrap();
        let count = |row: &rusqlite::Row<'_>, at| {
            row.get::<_, i64>(at)
                .map(|count| usize::try_from(count).unwrap())
        };
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, (count(row, 1)?, count(row, 2)?)))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

/// Asserts that an answer is paid for twice only by machines that were silent for a lease or cut off from the store.
fn assert_paid_once(project: &TestProject, machines: &[Machine<'_>], counts: &Counts, seed: u64) {
    let mut answered: BTreeMap<Vec<u8>, (usize, usize)> = BTreeMap::new();
    let (mut paid, mut unclear) = (0, 0);
    for machine in machines {
        for (key, (answers, lost)) in machine.attempts() {
            let (all, excused) = answered.entry(key).or_default();
            *all += answers;
            *excused += if machine.is_excused { answers } else { 0 };
            paid += answers;
            unclear += lost;
        }
    }
    for (all, excused) in answered.into_values() {
        assert!(
            all <= 1 + excused,
            "seed {seed}: {all} paid, {excused} by machines that were silent or cut off"
        );
        counts
            .beyond_leases
            .fetch_add(all.saturating_sub(1), Ordering::SeqCst);
    }
    counts.unclear.fetch_add(unclear, Ordering::SeqCst);
    // Nothing was sent without a record.
    let billed = project.ledger().executed.len();
    assert!(
        (paid..=paid + unclear).contains(&billed),
        "seed {seed}: {billed} billed, {paid} paid"
    );
}

fn copies(project: &TestProject, folder: &Path) -> Vec<PathBuf> {
    let copies = (0..=MACHINES).map(|number| folder.join(format!("machine-{number}")));
    copies.inspect(|to| copy(&project.path(""), to)).collect()
}

fn run_sequence(seed: u64, store: &TeamStore, observed: &TeamStore, counts: &Counts) {
    let project = TestProject::team();
    let lease = format!("{TEAM}\n[shared]\nlease = {}\n", LEASE.as_secs());
    project.pipeline("synix.toml", &lease);
    let temporary = TempDir::new().unwrap();
    let mut folders = copies(&project, temporary.path());
    let last = folders.pop().unwrap();
    let mut random = SeededRandom(seed);
    let heartbeats = Heartbeats::default();
    let mut machines: Vec<Machine<'_>> = folders
        .into_iter()
        .enumerate()
        .map(|(number, folder)| Machine {
            folder,
            store,
            heartbeats: &heartbeats,
            counts,
            rate: 7 + random.below(3),
            is_batch: random.below(3) == 0,
            is_excused: false,
            is_away: false,
            context: format!("seed {seed}, machine {number}"),
        })
        .collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| heartbeats.watch(observed, &is_over));
        let running: Vec<_> = machines
            .iter_mut()
            .map(|machine| {
                let mut random = SeededRandom(random.draw());
                scope.spawn(move || {
                    machine.disturb(&mut random);
                    machine.finish();
                })
            })
            .collect();
        let ends: Vec<_> = running.into_iter().map(|machine| machine.join()).collect();
        is_over.store(true, Ordering::SeqCst);
        watcher.join().unwrap();
        assert!(ends.iter().all(Result::is_ok), "seed {seed}");
    });
    assert_paid_once(&project, &machines, counts, seed);
    // Every answer is there, and nobody waits for anything.
    let sent = project.sent();
    ok(&observed.share(command_in(&last, &["build", "--no-wait"])));
    assert_eq!(project.sent(), sent, "seed {seed}");
    let collected = ok(&observed.share(command_in(&last, &["shared", "gc", "--json"])));
    assert_eq!(
        collected.json()["retained"],
        0,
        "seed {seed}: {collected:?}"
    );
}

/// Runs the sequences that the environment asks for, each over a store of its own. With the store goes another way to it
/// for the one who checks the result.
pub(crate) fn run_sequences(make: &dyn Fn(u64) -> (TeamStore, TeamStore), seeds: u64) -> Counts {
    let seeds = number_from_environment("SYNIX_TORTURE").unwrap_or(seeds);
    let first = number_from_environment("SYNIX_TORTURE_SEED").unwrap_or(1);
    let counts = Counts::default();
    for seed in first..first + seeds {
        let (store, observed) = make(seed);
        run_sequence(seed, &store, &observed, &counts);
        counts.sequences.fetch_add(1, Ordering::SeqCst);
    }
    counts
}

/// M1, M2, A3, L12
#[test]
fn no_sequence_of_kills_and_pauses_loses_an_answer_or_pays_for_it_twice() {
    let folder = TempDir::new().unwrap();
    let make = |seed: u64| {
        let folder = folder.path().join(seed.to_string());
        fs::create_dir(&folder).unwrap();
        let store = TeamStore::folder(&folder);
        (store.clone(), store)
    };
    let counts = run_sequences(&make, SEEDS);
    println!("{counts:?}: 0 paid twice beyond a lease, 0 lost, 0 stuck");
    assert!(counts.has_kills());
}
