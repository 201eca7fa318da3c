//! The simulation of a case: a project, a provider and commands, and the checks at its end.

use std::collections::BTreeSet;

use proptest::test_runner::TestCaseError;
use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;

use super::super::{BatchError, LostCreatePolicy};
use super::command::{Command, CommandStart, CommandState, Instruction, Reply, TestProject};
use super::event::{AfterKill, COMMANDS, Event};
use super::provider_fault::{ProviderFault, QUESTIONS, script};
use super::setup::key;
use synix_core::request::Wire;
use synix_store::{BuildId, Reader};

type Checked<T> = Result<T, TestCaseError>;

/// The number of steps after which an undisturbed command counts as stuck.
const MAX_STEPS: usize = 2_000;

/// The number of commands after the last fault. The first may still meet the consequences of faults.
const LAST_COMMANDS: usize = 3;

/// A slot for consecutive commands.
#[derive(Default)]
struct CommandSlot {
    command: Option<Command>,
    build: Option<BuildId>,
    lost_create: LostCreatePolicy,
}

pub(super) struct Simulation {
    // Declared before the folder, so that commands end before their project is deleted.
    slots: [CommandSlot; COMMANDS],
    project: TestProject,
    provider: ScriptedProvider,
    folder: TempDir,
    asked: BTreeSet<usize>,
    /// How often the provider may have lost the row of each question.
    lost_rows: [usize; QUESTIONS],
}

impl Simulation {
    pub(super) fn new(wire: Wire, limit: Option<u64>) -> Self {
        // A kill is not a power failure, so the folder may be in memory, which is faster.
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let provider = ScriptedProvider::start(script(wire, &[]));
        let base_url = match wire {
            Wire::OpenAi => provider.openai_url(),
            Wire::Anthropic => provider.anthropic_url(),
        };
        Self {
            slots: Default::default(),
            project: TestProject {
                folder: folder.path().to_owned(),
                wire,
                base_url,
                limit,
            },
            provider,
            folder,
            asked: BTreeSet::new(),
            lost_rows: [0; QUESTIONS],
        }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::SetFaults(faults) => {
                for fault in faults {
                    if let ProviderFault::Row(number, kind) = fault {
                        self.lost_rows[*number] += usize::from(kind.is_lost());
                    }
                }
                self.set(script(self.project.wire, faults));
            }
            Event::Ask(slot, questions) => {
                self.asked.extend(questions);
                self.instruction(*slot, Instruction::Ask(questions.clone()));
            }
            Event::Step(slot, steps) => {
                for _ in 0..*steps {
                    self.instruction(*slot, Instruction::Step);
                }
            }
            Event::Refresh(slot) => self.instruction(*slot, Instruction::Refresh),
            Event::FinishCalls(slot) => self.instruction(*slot, Instruction::FinishCalls),
            Event::Kill(slot, next) => {
                self.slots[*slot].command = None;
                if *next == AfterKill::NewBuild {
                    self.slots[*slot].build = None;
                }
            }
            Event::Cancel(slot) => {
                self.slots[*slot].command = None;
                if self.slots[*slot].build.is_some() {
                    self.instruction(*slot, Instruction::Cancel);
                }
                let slot = &mut self.slots[*slot];
                (slot.command, slot.build) = (None, None);
            }
        }
    }

    pub(super) fn finish_batches(&self) {
        self.provider.finish_batches();
    }

    fn set(&self, script: Script) {
        self.provider.script(script);
    }

    /// Gives an instruction to the command in a slot, and starts one if there is none.
    pub(super) fn instruction(&mut self, slot: usize, instruction: Instruction) {
        let slot = &mut self.slots[slot];
        if slot.command.is_none() {
            let start = CommandStart {
                build: slot.build,
                lost_create: std::mem::take(&mut slot.lost_create),
                retry_failed: false,
            };
            slot.command = Command::start(&self.project, start);
        }
        // There is no command if another one drives the build.
        let Some(command) = &slot.command else {
            slot.build = None;
            return;
        };
        slot.build = Some(command.build);
        if let Reply::Ended(error) = command.instruction(instruction) {
            slot.command = None;
            slot.lost_create = policy_after(error);
        }
    }

    /// Runs everything to its end and checks it.
    pub(super) fn end(mut self) -> Checked<()> {
        self.set(script(self.project.wire, &[]));
        for slot in &mut self.slots {
            slot.command = None;
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
        self.check_payments()?;
        self.check_state()
    }

    /// Runs a command to its end without faults.
    fn last_command(&self) -> Checked<CommandState> {
        let mut lost_create = LostCreatePolicy::Ask;
        // The user may have to name the batch more than once.
        for _ in 0..QUESTIONS * 4 {
            let start = CommandStart {
                build: None,
                lost_create,
                retry_failed: true,
            };
            let command = Command::start(&self.project, start).expect("a build of its own");
            match self.run(&command)? {
                Ok(state) => return Ok(state),
                Err(error @ BatchError::Ambiguous { .. }) => lost_create = policy_after(error),
                Err(error) => return Err(TestCaseError::fail(format!("a command ended: {error}"))),
            }
        }
        Err(TestCaseError::fail("no batch is the right one"))
    }

    fn run(&self, command: &Command) -> Checked<Result<CommandState, BatchError>> {
        let mut instruction = Instruction::Ask(self.asked.iter().copied().collect());
        let mut idle_steps = 0;
        for _ in 0..MAX_STEPS {
            let state = match command.instruction(instruction) {
                Reply::State(state) => state,
                Reply::Ended(error) => return Ok(Err(error)),
            };
            idle_steps = if state.had_work { 0 } else { idle_steps + 1 };
            // What it does not wait for may still go on: batches of others are its business, too.
            if !state.is_waiting && idle_steps > 2 && self.unsettled() == 0 {
                return Ok(Ok(state));
            }
            instruction = if idle_steps > 0 {
                Instruction::Refresh
            } else {
                Instruction::Step
            };
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
        let key = key(self.project.wire, number);
        self.reader().answer(key, false).unwrap().is_some()
    }

    /// Checks that no request was sent again after its answer was delivered, or while it was in a live batch.
    fn check_payments(&self) -> Checked<()> {
        let ledger = self.provider.ledger();
        check(ledger.pending.is_empty(), || {
            format!("batches that nobody knows: {:?}", ledger.pending)
        })?;
        for number in 0..QUESTIONS {
            let id = key(self.project.wire, number).to_string();
            let endpoints: Vec<_> = ledger
                .executed
                .iter()
                .filter(|row| row.custom_id.as_deref() == Some(&id))
                .map(|row| &row.endpoint)
                .collect();
            check(endpoints.len() <= 1 + self.lost_rows[number], || {
                format!("question {number} was paid in {endpoints:?}")
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
        let known = super::documented_steps();
        for pair in steps.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let step = (pair[0].1.as_str(), pair[1].1.as_str());
            check(known.contains(&step), || {
                format!("the step {step:?} is not in docs/batch.md")
            })?;
        }
        Ok(())
    }
}

/// Chooses like a user who cannot tell the candidates apart.
fn policy_after(error: BatchError) -> LostCreatePolicy {
    let BatchError::Ambiguous { mut candidates, .. } = error else {
        return LostCreatePolicy::Ask;
    };
    candidates
        .pop()
        .map_or(LostCreatePolicy::Ask, LostCreatePolicy::Adopt)
}

fn check(retry_times: bool, message: impl FnOnce() -> String) -> Checked<()> {
    if retry_times {
        return Ok(());
    }
    Err(TestCaseError::fail(message()))
}
