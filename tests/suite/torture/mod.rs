//! Seeded sequences of faults, unusual replies, kills and concurrent commands: nothing is paid twice, lost or stuck.
//!
//! `cargo xtask torture [SEEDS]` runs many; the suite runs enough for 200 kills.

mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use synix_scripted_provider::Script;

use crate::support::crashes::{assert_only_unclear_calls_paid_twice, was_killed};
use crate::support::pipelines::{BATCH_BUILD, RESUME, embedded_team, message_batch_project};
use crate::support::random::SeededRandom;
use crate::support::test_project::TestProject;
use crate::torture::faults::script;

/// The number of kills in a run of the suite.
const KILLS: u64 = 200;

/// The number of rounds of a sequence before its last command, which runs without faults.
const ROUNDS: u64 = 8;

/// A command that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(300);

type Artifacts = BTreeSet<(String, String)>;

/// Counts commands, and kills by the states of the submissions.
#[derive(Debug, Default)]
struct Counts {
    sequences: AtomicU64,
    /// Sequences with concurrent commands.
    concurrent_sequences: AtomicU64,
    commands: AtomicU64,
    /// Commands that ran beside another one.
    concurrent_commands: AtomicU64,
    kills_before_submission: AtomicU64,
    kills_during_submission: AtomicU64,
    kills_after_submission: AtomicU64,
    adopted_by_user: AtomicU64,
}

impl Counts {
    fn kills(&self) -> u64 {
        [
            &self.kills_before_submission,
            &self.kills_during_submission,
            &self.kills_after_submission,
        ]
        .map(|count| count.load(Ordering::SeqCst))
        .iter()
        .sum()
    }

    fn count_kill(&self, project: &TestProject) {
        let states = states(project);
        let during_submission = ["claimed", "uploading", "uploaded", "creating", "unclear"];
        let count = if states
            .iter()
            .any(|state| during_submission.contains(&state.as_str()))
        {
            &self.kills_during_submission
        } else if states.is_empty() {
            &self.kills_before_submission
        } else {
            &self.kills_after_submission
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
fn wait_for_end(mut child: Child, started: Instant, context: &str) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > STUCK {
            child.kill().unwrap();
            panic!("{context} is stuck");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Finishes a build without faults.
fn finish_without_faults(project: &TestProject, counts: &Counts, context: &str) {
    project.script(Script::new());
    // There may be no build, an open or a finished one; or two candidates for a lost batch, of which one is right.
    let resumed = project.run(&RESUME);
    if resumed.code == 5 && resumed.says("--adopt") {
        counts.adopted_by_user.fetch_add(1, Ordering::SeqCst);
        let (_, list) = resumed.stderr.split_once("may be it: ").unwrap();
        let id = list.split([',', ';']).next().unwrap();
        project.run(&[&RESUME[..], &["--adopt", id]].concat());
    }
    let final_build = project.run(&BATCH_BUILD);
    assert_eq!(final_build.code, 0, "{context}: {final_build:?}");
}

/// Returns what a build without faults makes of the same sources.
fn artifacts_without_faults(
    make: fn() -> TestProject,
    bios: &BTreeMap<String, String>,
) -> Artifacts {
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
fn provider_calls(project: &TestProject) -> u64 {
    project.ledger().calls.values().sum()
}

fn is_running((child, _): &mut (Child, &[&str])) -> bool {
    child.try_wait().unwrap().is_none()
}

fn run_sequence(seed: u64, counts: &Counts) {
    let mut context = format!("seed {seed}");
    let mut random = SeededRandom(seed);
    let make = random.one_of(&[TestProject::team, message_batch_project, embedded_team]);
    let project = make();
    let mut bios = BTreeMap::new();
    // A third of the sequences has no concurrent commands.
    let is_concurrent = random.below(3) > 0;
    counts
        .concurrent_sequences
        .fetch_add(u64::from(is_concurrent), Ordering::SeqCst);
    for round in 0..ROUNDS {
        if random.below(2) == 0 {
            let name = random.one_of(&["amara", "bela", "chitra"]);
            let text = format!("I am {name} in round {round}.");
            project.write(&format!("bios/{name}.md"), &text);
            bios.insert(format!("bios/{name}.md"), text);
        }
        let script = script(&mut random);
        write!(context, "\n{round}: {script:?}").unwrap();
        project.script(script);
        let mut running = Vec::new();
        let commands = if is_concurrent {
            random.below(2) + 1
        } else {
            1
        };
        // `build` polls a batch that no process drives every 30 seconds, which is longer than everything else.
        let waits = random.below(3) == 0 && !is_submitted(&project);
        let calls_before = provider_calls(&project);
        for place in 0..commands {
            let choice = random.below(12);
            let command: &[&str] = match choice {
                _ if waits && choice < 11 => &["build"],
                0..4 => &BATCH_BUILD,
                4 | 5 => &["batch-build", "run"],
                6 => &["batch-build", "resume", "--latest"],
                7 | 8 => &RESUME,
                9 | 10 => &["build", "--no-wait"],
                _ if place == 0 => &["build", "--no-wait"],
                _ => random.one_of(&[
                    &["clean"][..],
                    &["gc", "--older-than", "0s"],
                    &["plan"],
                    &["batch-build", "cancel"],
                ]),
            };
            let crash_at = if random.below(5) == 0 {
                0
            } else {
                random.below(50) + 1
            };
            if place > 0 {
                let seen = calls_before + random.below(6);
                while provider_calls(&project) < seen && running.iter_mut().any(is_running) {
                    std::thread::yield_now();
                }
                counts.concurrent_commands.fetch_add(1, Ordering::SeqCst);
            }
            write!(
                context,
                "\n{round}.{place}: {command:?}, dies at {crash_at}"
            )
            .unwrap();
            running.push((start(&project, command, crash_at), command));
        }
        let started = Instant::now();
        for (child, command) in running {
            let status = wait_for_end(child, started, &format!("{context}\n{command:?}"));
            counts.commands.fetch_add(1, Ordering::SeqCst);
            if was_killed(status) {
                counts.count_kill(&project);
            }
        }
    }
    finish_without_faults(&project, counts, &context);
    assert_eq!(
        project.artifacts(),
        artifacts_without_faults(make, &bios),
        "{context}"
    );
    assert_only_unclear_calls_paid_twice(&project, &context);
    counts.sequences.fetch_add(1, Ordering::SeqCst);
}

/// M1, M2, M5, M6, A3, A4, A5, L4, L5, L16
#[test]
fn no_sequence_of_faults_and_kills_costs_or_loses_an_answer() {
    let sequences_wanted: Option<u64> =
        crate::support::test_project::number_from_environment("SYNIX_TORTURE");
    let first: u64 =
        crate::support::test_project::number_from_environment("SYNIX_TORTURE_SEED").unwrap_or(1);
    let counts = Counts::default();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let done = match sequences_wanted {
                        Some(sequences_wanted) => number >= sequences_wanted,
                        None => counts.kills() >= KILLS,
                    };
                    if done {
                        return;
                    }
                    run_sequence(first + number, &counts);
                }
            });
        }
    });
    println!(
        "{counts:?}; seeds from {first}: 0 paid twice, 0 lost, 0 stuck; {} kills",
        counts.kills()
    );
    assert!(
        counts.kills_during_submission.into_inner() > 0
            && counts.kills_after_submission.into_inner() > 0
    );
    assert!(counts.concurrent_commands.into_inner() > 0);
}
