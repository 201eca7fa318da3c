//! The world of a case: a project, a provider and the commands between them, and what must be true at its end.

use std::collections::BTreeSet;

use proptest::test_runner::TestCaseError;
use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;

use super::super::{BatchError, LostCreatePolicy};
use super::command::{Command, Order, Place, Standing, Start, Told, key};
use super::event::{COMMANDS, Event, Next};
use super::mishap::{Mishap, QUESTIONS, script};
use synix_core::request::Wire;
use synix_store::{BuildId, Reader};

type Checked<T> = Result<T, TestCaseError>;

/// Steps after which an undisturbed command is stuck.
const STUCK: usize = 2_000;

/// Commands after the last mishap. The first may still find what mishaps left behind.
const LAST_COMMANDS: usize = 3;

/// A seat for one command after the other.
#[derive(Default)]
struct Seat {
    command: Option<Command>,
    build: Option<BuildId>,
    lost_create: LostCreatePolicy,
}

pub(super) struct World {
    // Before the folder: commands end before their project goes.
    seats: [Seat; COMMANDS],
    place: Place,
    provider: ScriptedProvider,
    folder: TempDir,
    asked: BTreeSet<usize>,
    /// How often the provider may have lost the row of each question.
    lossy: [usize; QUESTIONS],
}

impl World {
    pub(super) fn new(wire: Wire, limit: Option<u64>) -> Self {
        // Kills here are no power cuts: a disk would only make every case wait.
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let provider = ScriptedProvider::start(script(wire, &[]));
        let base_url = match wire {
            Wire::OpenAi => provider.openai_url(),
            Wire::Anthropic => provider.anthropic_url(),
        };
        Self {
            seats: Default::default(),
            place: Place {
                folder: folder.path().to_owned(),
                wire,
                base_url,
                limit,
            },
            provider,
            folder,
            asked: BTreeSet::new(),
            lossy: [0; QUESTIONS],
        }
    }

    pub(super) fn happen(&mut self, event: &Event) {
        match event {
            Event::Weather(mishaps) => {
                for mishap in mishaps {
                    if let Mishap::Row(number, fate) = mishap {
                        self.lossy[*number] += usize::from(fate.loses());
                    }
                }
                self.set(script(self.place.wire, mishaps));
            }
            Event::Ask(seat, questions) => {
                self.asked.extend(questions);
                self.order(*seat, Order::Ask(questions.clone()));
            }
            Event::Step(seat, steps) => {
                for _ in 0..*steps {
                    self.order(*seat, Order::Step);
                }
            }
            Event::Survey(seat) => self.order(*seat, Order::Survey),
            Event::Land(seat) => self.order(*seat, Order::Land),
            Event::Kill(seat, next) => {
                self.seats[*seat].command = None;
                if *next == Next::NewBuild {
                    self.seats[*seat].build = None;
                }
            }
            Event::Cancel(seat) => {
                self.seats[*seat].command = None;
                if self.seats[*seat].build.is_some() {
                    self.order(*seat, Order::Cancel);
                }
                let seat = &mut self.seats[*seat];
                (seat.command, seat.build) = (None, None);
            }
        }
    }

    pub(super) fn finish_batches(&self) {
        self.provider.finish_batches();
    }

    fn set(&self, script: Script) {
        self.provider.script(script);
    }

    /// Gives an order to the command in a seat, which is started if there is none.
    pub(super) fn order(&mut self, seat: usize, order: Order) {
        let seat = &mut self.seats[seat];
        if seat.command.is_none() {
            let start = Start {
                build: seat.build,
                lost_create: std::mem::take(&mut seat.lost_create),
                retry_failed: false,
            };
            seat.command = Command::start(&self.place, start);
        }
        // Without one, another command drives its build: it is refused.
        let Some(command) = &seat.command else {
            seat.build = None;
            return;
        };
        seat.build = Some(command.build);
        if let Told::Ended(error) = command.order(order) {
            seat.command = None;
            seat.lost_create = policy_on(error);
        }
    }

    /// Lets everything come to its end and checks it.
    pub(super) fn end(mut self) -> Checked<()> {
        self.set(script(self.place.wire, &[]));
        for seat in &mut self.seats {
            seat.command = None;
        }
        for _ in 0..LAST_COMMANDS {
            let failed = self.last_command()?.failed;
            for number in &self.asked {
                let answered = self.is_answered(*number);
                check(answered || failed.contains_key(number), || {
                    format!("question {number} is neither answered nor named as failed")
                })?;
            }
        }
        for number in &self.asked {
            check(self.is_answered(*number), || {
                format!("question {number} could be answered and is not")
            })?;
        }
        self.check_paid()?;
        self.check_state()
    }

    /// Runs a command to its end; nothing disturbs it.
    fn last_command(&self) -> Checked<Standing> {
        let mut lost_create = LostCreatePolicy::Ask;
        // A person may have to say more than once which batch it is.
        for _ in 0..QUESTIONS * 4 {
            let start = Start {
                build: None,
                lost_create,
                retry_failed: true,
            };
            let command = Command::start(&self.place, start).expect("a build of its own");
            match self.run(&command)? {
                Ok(standing) => return Ok(standing),
                Err(error @ BatchError::Ambiguous { .. }) => lost_create = policy_on(error),
                Err(error) => return Err(TestCaseError::fail(format!("a command ended: {error}"))),
            }
        }
        Err(TestCaseError::fail("no batch is the right one"))
    }

    fn run(&self, command: &Command) -> Checked<Result<Standing, BatchError>> {
        let mut order = Order::Ask(self.asked.iter().copied().collect());
        let mut calm = 0;
        for _ in 0..STUCK {
            let standing = match command.order(order) {
                Told::Stands(standing) => standing,
                Told::Ended(error) => return Ok(Err(error)),
            };
            calm = if standing.moved { 0 } else { calm + 1 };
            // What it does not wait for may still go on: batches of others are its business, too.
            if !standing.waits && calm > 2 && self.unsettled() == 0 {
                return Ok(Ok(standing));
            }
            order = if calm > 0 { Order::Survey } else { Order::Step };
        }
        Err(TestCaseError::fail(format!(
            "a command is stuck; submissions: {:?}",
            self.reader().unsettled_submissions().unwrap()
        )))
    }

    fn reader(&self) -> Reader {
        Reader::open(self.folder.path()).unwrap()
    }

    fn unsettled(&self) -> usize {
        self.reader().unsettled_submissions().unwrap().len()
    }

    pub(super) fn is_answered(&self, number: usize) -> bool {
        let key = key(self.place.wire, number);
        self.reader().answer(key, false).unwrap().is_some()
    }

    /// No request whose answer was delivered, or that is in a live batch, was sent again.
    fn check_paid(&self) -> Checked<()> {
        let ledger = self.provider.ledger();
        check(ledger.pending.is_empty(), || {
            format!("batches that nobody knows: {:?}", ledger.pending)
        })?;
        for number in 0..QUESTIONS {
            let id = key(self.place.wire, number).to_string();
            let places: Vec<_> = ledger
                .executed
                .iter()
                .filter(|row| row.custom_id.as_deref() == Some(&id))
                .map(|row| &row.endpoint)
                .collect();
            check(places.len() <= 1 + self.lossy[number], || {
                format!("question {number} was paid in {places:?}")
            })?;
        }
        Ok(())
    }

    fn check_state(&self) -> Checked<()> {
        let database =
            rusqlite::Connection::open(self.folder.path().join("state.sqlite3")).unwrap();
        let count = |what: &str| -> i64 {
            let statement = format!("SELECT count(*) FROM {what}");
            database
                .query_row(&statement, [], |row| row.get(0))
                .unwrap()
        };
        let open = count("attempt WHERE state = 0");
        check(open == 0, || {
            format!("{open} requests are in flight for ever")
        })?;
        let left = count("submission WHERE state NOT IN ('settled', 'abandoned')");
        check(left == 0, || format!("{left} submissions have no end"))?;
        let mut statement = database
            .prepare("SELECT submission, state FROM submission_step ORDER BY submission, id")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let steps: Vec<(i64, String)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        let known = documented_steps();
        for pair in steps.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let step = (pair[0].1.as_str(), pair[1].1.as_str());
            check(known.contains(&step), || {
                format!("the step {step:?} is not in docs/batch.md")
            })?;
        }
        Ok(())
    }
}

/// What a person answers who knows no better.
fn policy_on(error: BatchError) -> LostCreatePolicy {
    let BatchError::Ambiguous { mut candidates, .. } = error else {
        return LostCreatePolicy::Ask;
    };
    candidates
        .pop()
        .map_or(LostCreatePolicy::Ask, LostCreatePolicy::Adopt)
}

fn check(holds: bool, words: impl FnOnce() -> String) -> Checked<()> {
    if holds {
        return Ok(());
    }
    Err(TestCaseError::fail(words()))
}

/// Returns the steps that `docs/batch.md` lists.
pub(in crate::batch) fn documented_steps() -> BTreeSet<(&'static str, &'static str)> {
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
