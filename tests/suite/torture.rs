//! Seeded sequences of faults, unusual replies, kills and concurrent commands: nothing is paid twice, lost or stuck.
//!
//! `cargo xtask torture [SEEDS]` runs many; the suite runs enough for 200 kills.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use synix_scripted_provider::{
    Coding, Endpoint, Fault, FaultKind, Mode as Only, Pace, RawReply, Reply, Rule, Script,
    StatusReply,
};

use crate::batch::messages;
use crate::crash::{assert_paid_once, was_killed};
use crate::test_project::{BATCH_BUILD, RESUME, TestProject};

/// The number of kills in a run of the suite.
const KILLS: u64 = 200;

/// The number of rounds of a sequence before its last command, which runs without faults.
const COMMANDS: u64 = 8;

/// A command that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(300);

type Artifacts = BTreeSet<(String, String)>;

/// A random number generator whose seeds mean the same on every machine (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.below(choices.len() as u64);
        choices[usize::try_from(at).unwrap()]
    }
}

/// Counts commands, and kills by the states of the submissions.
#[derive(Debug, Default)]
struct Tally {
    sequences: AtomicU64,
    /// Sequences with concurrent commands.
    beside: AtomicU64,
    commands: AtomicU64,
    /// Commands that ran beside another one.
    second: AtomicU64,
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

    fn note_kill(&self, project: &TestProject) {
        let states = states(project);
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

/// Returns the states of all submissions; none if there is no state yet.
fn states(project: &TestProject) -> Vec<String> {
    if !project.path(".synix/state.sqlite3").exists() {
        return Vec::new();
    }
    let database = project.database();
    let Ok(mut statement) = database.prepare("SELECT state FROM submission") else {
        return Vec::new();
    };
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Returns a fault of a batch, for a bounded number of calls.
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

/// Completes a rule with a complete answer in an unusual form, or with a transient error that costs nothing.
fn odd_reply(rule: Rule, dice: &mut Dice) -> Rule {
    let raw = match dice.below(10) {
        0 => RawReply::body("<<x:EFBBBF>><<reply>>"),
        // A stream has many lines, but a row of a batch is one line.
        1 => {
            let events = Reply::Raw(RawReply::body("<<events>>"));
            return rule.only(Only::Sync).reply(events);
        }
        // Half of a surrogate pair, in a member beside the answer.
        2 => RawReply::body("{\"odd\": \"\\ud83d\", <<members>>}"),
        3 => RawReply::with("/usage", json!(null)),
        4 => RawReply::with(
            "/usage",
            json!({"prompt_tokens": "12", "completion_tokens": 3.0}),
        ),
        5 => RawReply::body("{\"deep\": <<deep>>, <<members>>}"),
        6 => RawReply::body("{\"odd\": -Infinity, <<members>>}"),
        7 => RawReply::coded(Coding::Gzip),
        8 => RawReply::body("<<reply>>\r\n\r\n"),
        _ => {
            let error = json!({"error": {"code": 429, "message": "slow down"}});
            return rule.reply(Reply::Status(StatusReply::new(200).body(error)));
        }
    };
    rule.reply(Reply::Raw(raw))
}

/// Returns an invalid list of batches, or an unusual encoding of rows.
fn odd_transport(dice: &mut Dice) -> Fault {
    use Endpoint as E;
    let files = [E::FilesContent, E::MessageBatchesResults];
    let (endpoint, raw) = match dice.below(4) {
        0 => (
            dice.one_of(&[E::BatchesList, E::MessageBatchesList]),
            RawReply::body("{\"data\": [], \"has_more\": true}"),
        ),
        1 => (
            dice.one_of(&[E::BatchesList, E::MessageBatchesList]),
            RawReply::body("<html>"),
        ),
        2 => (dice.one_of(&files), RawReply::coded(Coding::Gzip)),
        _ => (dice.one_of(&files), RawReply::body("<<x:EFBBBF>><<reply>>")),
    };
    Fault::on(endpoint, FaultKind::Raw(raw)).nth(dice.below(3) + 1)
}

fn script(dice: &mut Dice) -> Script {
    let pace = Pace {
        retry_after: 0,
        ..Pace::in_progress(dice.below(3))
    };
    let mut script = Script::new().batches(pace).seed(dice.next());
    for _ in 0..dice.below(4) {
        script = script.fault(fault(dice));
    }
    if dice.below(3) == 0 {
        script = script.fault(odd_transport(dice));
    }
    if dice.below(3) == 0 {
        let name = dice.one_of(&["amara", "bela", "chitra", "Sum up"]);
        let times = dice.below(3) + 1;
        script = script.rule(odd_reply(Rule::on(name).times(times), dice));
    }
    // Now and then long enough that a command looks up another command's calls while its own are in flight.
    match dice.below(8) {
        0 => script.latency_ms(150, 400),
        1..4 => script.latency_ms(0, 30),
        _ => script,
    }
}

/// Starts a command that kills itself at a crash point.
fn start(project: &TestProject, arguments: &[&str], crash_at: u64) -> Child {
    let mut command = project.command(arguments).process();
    command
        .env("SYNIX_CRASH_AT", crash_at.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Waits until a command ends, which it must.
fn end(mut child: Child, started: Instant, what: &str) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > STUCK {
            child.kill().unwrap();
            panic!("{what} is stuck");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Finishes a build without faults.
fn finish(project: &TestProject, tally: &Tally, what: &str) {
    project.script(Script::new().batches(Pace {
        retry_after: 0,
        ..Pace::default()
    }));
    // There may be no build, an open or a finished one; or two candidates for a lost batch, of which one is right.
    let resumed = project.run(&RESUME);
    if resumed.code == 5 && resumed.says("--adopt") {
        tally.asked.fetch_add(1, Ordering::SeqCst);
        let (_, list) = resumed.stderr.split_once("may be it: ").unwrap();
        let id = list.split([',', ';']).next().unwrap();
        project.run(&[&RESUME[..], &["--adopt", id]].concat());
    }
    let last = project.run(&BATCH_BUILD);
    assert_eq!(last.code, 0, "{what}: {last:?}");
}

/// Returns what a build without faults makes of the same sources.
fn undisturbed(make: fn() -> TestProject, bios: &BTreeMap<String, String>) -> Artifacts {
    let project = make();
    for (file, text) in bios {
        project.write(file, text);
    }
    project.ok(&BATCH_BUILD);
    project.artifacts()
}

/// Returns whether a batch is in flight.
fn is_submitted(project: &TestProject) -> bool {
    let over = ["settled", "abandoned"];
    states(project)
        .iter()
        .any(|state| !over.contains(&state.as_str()))
}

/// Returns the number of calls that the provider received.
fn calls(project: &TestProject) -> u64 {
    project.ledger().calls.values().sum()
}

fn runs((child, _): &mut (Child, &[&str])) -> bool {
    child.try_wait().unwrap().is_none()
}

fn sequence(seed: u64, tally: &Tally) {
    let mut what = format!("seed {seed}");
    let mut dice = Dice(seed);
    let make = dice.one_of(&[TestProject::team, messages]);
    let project = make();
    let mut bios = BTreeMap::new();
    // A third of the sequences has no concurrent commands.
    let beside = dice.below(3) > 0;
    tally.beside.fetch_add(u64::from(beside), Ordering::SeqCst);
    for round in 0..COMMANDS {
        if dice.below(2) == 0 {
            let name = dice.one_of(&["amara", "bela", "chitra"]);
            let text = format!("I am {name} in round {round}.");
            project.write(&format!("bios/{name}.md"), &text);
            bios.insert(format!("bios/{name}.md"), text);
        }
        let script = script(&mut dice);
        write!(what, "\n{round}: {script:?}").unwrap();
        project.script(script);
        let mut running = Vec::new();
        let commands = if beside { dice.below(2) + 1 } else { 1 };
        // `build` polls a batch that no process drives every 30 seconds, which is longer than everything else.
        let waits = dice.below(3) == 0 && !is_submitted(&project);
        let before = calls(&project);
        for place in 0..commands {
            let choice = dice.below(12);
            let command: &[&str] = match choice {
                _ if waits && choice < 11 => &["build"],
                0..4 => &BATCH_BUILD,
                4 | 5 => &["batch-build", "run"],
                6 => &["batch-build", "resume", "--latest"],
                7 | 8 => &RESUME,
                9 | 10 => &["build", "--no-wait"],
                _ if place == 0 => &["build", "--no-wait"],
                _ => dice.one_of(&[
                    &["clean"][..],
                    &["gc", "--older-than", "0s"],
                    &["plan"],
                    &["batch-build", "cancel"],
                ]),
            };
            let crash_at = if dice.below(5) == 0 {
                0
            } else {
                dice.below(50) + 1
            };
            if place > 0 {
                let seen = before + dice.below(6);
                while calls(&project) < seen && running.iter_mut().any(runs) {
                    std::thread::yield_now();
                }
                tally.second.fetch_add(1, Ordering::SeqCst);
            }
            write!(what, "\n{round}.{place}: {command:?}, dies at {crash_at}").unwrap();
            running.push((start(&project, command, crash_at), command));
        }
        let started = Instant::now();
        for (child, command) in running {
            let status = end(child, started, &format!("{what}\n{command:?}"));
            tally.commands.fetch_add(1, Ordering::SeqCst);
            if was_killed(status) {
                tally.note_kill(&project);
            }
        }
    }
    finish(&project, tally, &what);
    assert_eq!(project.artifacts(), undisturbed(make, &bios), "{what}");
    assert_paid_once(&project, &what);
    tally.sequences.fetch_add(1, Ordering::SeqCst);
}

/// M1, M2, M5, M6, A3, A4, A5, L4, L5, L16
#[test]
fn no_sequence_of_faults_and_kills_costs_or_loses_an_answer() {
    let wanted: Option<u64> = crate::test_project::number_from_environment("SYNIX_TORTURE");
    let first: u64 =
        crate::test_project::number_from_environment("SYNIX_TORTURE_SEED").unwrap_or(1);
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
    assert!(tally.second.into_inner() > 0);
}
