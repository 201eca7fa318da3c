//! Seeded sequences of faults and kills: nothing paid twice, nothing lost, nothing stuck.
//!
//! `cargo xtask torture [SEEDS]` runs many; the suite runs enough for 200 kills.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Script, StatusReply};

use crate::batch::messages;
use crate::crash::assert_paid_once;
use crate::workbench::{BATCH, RESUME, Workbench};

/// Kills that the suite wants to see.
const KILLS: u64 = 200;

/// Commands of one sequence before the last ones, which nothing disturbs.
const COMMANDS: u64 = 8;

/// A command that has not ended by then is stuck.
const STUCK: Duration = Duration::from_secs(300);

type Artifacts = BTreeSet<(String, String)>;

/// A generator of its own, so that a seed means the same on every machine (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.below(choices.len() as u64);
        choices[usize::try_from(at).unwrap()]
    }
}

/// Where kills fell in the life of the submissions.
#[derive(Debug, Default)]
struct Tally {
    sequences: AtomicU64,
    commands: AtomicU64,
    before: AtomicU64,
    inside: AtomicU64,
    after: AtomicU64,
    asked: AtomicU64,
}

impl Tally {
    fn kills(&self) -> u64 {
        [&self.before, &self.inside, &self.after]
            .map(|count| count.load(Ordering::SeqCst))
            .iter()
            .sum()
    }

    fn note_kill(&self, bench: &Workbench) {
        let states = states(bench);
        let inside = ["claimed", "uploading", "uploaded", "creating", "unclear"];
        let count = if states.iter().any(|state| inside.contains(&state.as_str())) {
            &self.inside
        } else if states.is_empty() {
            &self.before
        } else {
            &self.after
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// The states of all submissions; none where there is no state yet.
fn states(bench: &Workbench) -> Vec<String> {
    if !bench.path(".synix/state.sqlite3").exists() {
        return Vec::new();
    }
    let database = bench.database();
    let Ok(mut statement) = database.prepare("SELECT state FROM submission") else {
        return Vec::new();
    };
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Everything that may go wrong on the way of a batch, each for a bounded number of calls.
fn fault(dice: &mut Dice) -> Fault {
    use Endpoint as E;
    let calls = [
        E::Chat,
        E::Messages,
        E::FilesUpload,
        E::FilesContent,
        E::BatchesCreate,
        E::BatchesList,
        E::BatchesRetrieve,
        E::MessageBatchesCreate,
        E::MessageBatchesList,
        E::MessageBatchesRetrieve,
        E::MessageBatchesResults,
    ];
    let creates = [E::BatchesCreate, E::MessageBatchesCreate];
    let (endpoint, kind) = match dice.below(12) {
        0 => (dice.one_of(&calls), FaultKind::LoseReply),
        1 => (dice.one_of(&creates), FaultKind::LoseReply),
        2 => (dice.one_of(&calls), FaultKind::Refuse),
        3 => {
            let reply = StatusReply::new(dice.one_of(&[429, 500, 503]));
            (dice.one_of(&calls), FaultKind::Status(reply))
        }
        4 => {
            let reply = StatusReply::new(dice.one_of(&[500, 503, 504]));
            (dice.one_of(&calls), FaultKind::Status(reply.executed()))
        }
        5 => (
            dice.one_of(&[E::FilesContent, E::MessageBatchesResults]),
            FaultKind::Truncate {
                drop: 20,
                hidden: dice.below(2) == 0,
            },
        ),
        6 => (
            dice.one_of(&[E::BatchesList, E::MessageBatchesList]),
            FaultKind::HideNewest { batches: 1 },
        ),
        7 => (
            dice.one_of(&creates),
            FaultKind::ExpireAfter {
                rows: usize::try_from(dice.below(3)).unwrap(),
            },
        ),
        8 => (
            dice.one_of(&creates),
            FaultKind::CancelAfter {
                rows: usize::try_from(dice.below(3)).unwrap(),
            },
        ),
        9 => (
            dice.one_of(&creates),
            FaultKind::OutputLate {
                polls: dice.below(3) + 1,
            },
        ),
        10 => (dice.one_of(&creates), FaultKind::NoCounts),
        _ => (
            dice.one_of(&[E::BatchesRetrieve, E::MessageBatchesRetrieve]),
            FaultKind::NotFound,
        ),
    };
    Fault::on(endpoint, kind).nth(dice.below(3) + 1)
}

fn script(dice: &mut Dice) -> Script {
    let pace = Pace {
        retry_after: 0,
        ..Pace::in_progress(dice.below(3))
    };
    let mut script = Script::new().batches(pace);
    for _ in 0..dice.below(4) {
        script = script.fault(fault(dice));
    }
    script
}

/// Runs a command to its end, which must come.
fn run(
    bench: &Workbench,
    arguments: &[&str],
    crash_at: u64,
    what: &str,
) -> std::process::ExitStatus {
    let mut command: Command = bench.command(arguments);
    command
        .env("SYNIX_CRASH_AT", crash_at.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > STUCK {
            child.kill().unwrap();
            panic!("{what}: {arguments:?} is stuck");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The last words on a build: nothing goes wrong any more, so it must end whole.
fn finish(bench: &Workbench, tally: &Tally, what: &str) {
    bench.script(Script::new().batches(Pace {
        retry_after: 0,
        ..Pace::default()
    }));
    // What it finds is none, an open build, or one that has ended; or two batches of which one is ours.
    let resumed = bench.run(&RESUME);
    if resumed.code == 5 && resumed.says("--adopt") {
        tally.asked.fetch_add(1, Ordering::SeqCst);
        let (_, list) = resumed.stderr.split_once("may be it: ").unwrap();
        let id = list.split([',', ';']).next().unwrap();
        bench.run(&[&RESUME[..], &["--adopt", id]].concat());
    }
    let last = bench.run(&BATCH);
    assert_eq!(last.code, 0, "{what}: {last:?}");
}

/// What an undisturbed build makes of the same sources.
fn undisturbed(make: fn() -> Workbench, bios: &BTreeMap<String, String>) -> Artifacts {
    let bench = make();
    for (file, text) in bios {
        bench.write(file, text);
    }
    bench.ok(&BATCH);
    bench.artifacts()
}

fn sequence(seed: u64, tally: &Tally) {
    let what = format!("seed {seed}");
    let mut dice = Dice(seed);
    let make = dice.one_of(&[Workbench::team, messages]);
    let bench = make();
    let mut bios = BTreeMap::new();
    for round in 0..COMMANDS {
        if dice.below(2) == 0 {
            let name = dice.one_of(&["amara", "bela", "chitra"]);
            let text = format!("I am {name} in round {round}.");
            bench.write(&format!("bios/{name}.md"), &text);
            bios.insert(format!("bios/{name}.md"), text);
        }
        bench.script(script(&mut dice));
        let command: &[&str] = match dice.below(5) {
            0 | 1 => &BATCH,
            2 => &["batch-build", "run"],
            3 => &["batch-build", "resume", "--latest"],
            _ => &RESUME,
        };
        let crash_at = if dice.below(5) == 0 {
            0
        } else {
            dice.below(50) + 1
        };
        let status = run(&bench, command, crash_at, &what);
        tally.commands.fetch_add(1, Ordering::SeqCst);
        if status.signal() == Some(9) {
            tally.note_kill(&bench);
        }
    }
    finish(&bench, tally, &what);
    assert_eq!(bench.artifacts(), undisturbed(make, &bios), "{what}");
    assert_paid_once(&bench, &what);
    tally.sequences.fetch_add(1, Ordering::SeqCst);
}

/// M1, M2, M5, M6, A3, A4, A5, L4, L5, L16: whatever happens, in whatever order.
#[test]
fn no_sequence_of_faults_and_kills_costs_or_loses_an_answer() {
    let wanted: Option<u64> = crate::workbench::number_in("SYNIX_TORTURE");
    let first: u64 = crate::workbench::number_in("SYNIX_TORTURE_SEED").unwrap_or(1);
    let tally = Tally::default();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let done = match wanted {
                        Some(wanted) => number >= wanted,
                        None => tally.kills() >= KILLS,
                    };
                    if done {
                        return;
                    }
                    sequence(first + number, &tally);
                }
            });
        }
    });
    println!(
        "{tally:?}; seeds from {first}: 0 paid twice, 0 lost, 0 stuck; {} kills",
        tally.kills()
    );
    assert!(tally.inside.into_inner() > 0 && tally.after.into_inner() > 0);
}
