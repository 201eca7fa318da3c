//! A command of a case: a thread with everything that a process has in memory. It takes one instruction at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::super::{BatchContext, BatchError, Batches, LostCreatePolicy, NextStep};
use super::provider_fault::QUESTIONS;
use super::setup::{key, open_build, provider, request, settings};
use crate::pending::{PendingRequest, Target};
use synix_core::clock::{Clock, Timestamp};
use synix_core::request::Wire;
use synix_store::{BuildId, Store};

/// The project of a case.
#[derive(Debug, Clone)]
pub(super) struct TestProject {
    pub(super) folder: PathBuf,
    pub(super) wire: Wire,
    pub(super) base_url: String,
    /// Input tokens that may be in flight at once.
    pub(super) limit: Option<u64>,
}

/// How a command starts.
#[derive(Debug, Clone)]
pub(super) struct CommandStart {
    /// The build to resume; `None` opens one.
    pub(super) build: Option<BuildId>,
    pub(super) lost_create: LostCreatePolicy,
    /// Whether billed failures are retried.
    pub(super) retry_failed: bool,
}

#[derive(Debug)]
pub(super) enum Instruction {
    Ask(Vec<usize>),
    Step,
    /// Takes steps until nothing is left to wait for.
    Poll,
    Refresh,
    FinishCalls,
    Cancel,
}

/// The reply of a command to an instruction.
#[derive(Debug)]
pub(super) enum Reply {
    /// Its state.
    State(CommandState),
    /// It ended with an error.
    Ended(BatchError),
}

#[derive(Debug, Clone, Default)]
pub(super) struct CommandState {
    /// Whether the step had work to do.
    pub(super) had_work: bool,
    /// Whether it waits for answers.
    pub(super) is_waiting: bool,
    /// The failures so far, by question.
    pub(super) failed: BTreeMap<usize, String>,
}

/// A running command.
pub(super) struct Command {
    pub(super) build: BuildId,
    instructions: Option<Sender<Instruction>>,
    replies: Receiver<Reply>,
    thread: Option<JoinHandle<()>>,
}

impl Command {
    /// Starts a command; `None` if another one drives its build.
    pub(super) fn start(project: &TestProject, start: CommandStart) -> Option<Self> {
        let (instructions, taken) = channel();
        let (reply_sender, replies) = channel();
        let (start_sender, started) = channel();
        let project = project.clone();
        let thread = std::thread::spawn(move || {
            run_command(&project, start, &taken, &reply_sender, &start_sender);
        });
        let build = started.recv().expect("a command that started");
        Some(Self {
            build: build?,
            instructions: Some(instructions),
            replies,
            thread: Some(thread),
        })
    }

    pub(super) fn instruction(&self, instruction: Instruction) -> Reply {
        let instructions = self.instructions.as_ref().expect("a command that lives");
        instructions
            .send(instruction)
            .expect("a command that listens");
        self.replies
            .recv()
            .expect("a command that did not break off")
    }
}

/// Kills the command: its memory is lost and its calls are aborted.
impl Drop for Command {
    fn drop(&mut self) {
        drop(self.instructions.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(
                ended.is_none_or(|ended| ended.is_ok()),
                "a command broke off"
            );
        }
    }
}

fn run_command(
    project: &TestProject,
    start: CommandStart,
    instructions: &Receiver<Instruction>,
    reply_sender: &Sender<Reply>,
    start_sender: &Sender<Option<BuildId>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = Store::open(&project.folder).unwrap();
    let build = start.build.unwrap_or_else(|| open_build(&store));
    let Some(_lock) = store.lock_build(build).unwrap() else {
        start_sender.send(None).unwrap();
        return;
    };
    start_sender.send(Some(build)).unwrap();
    let providers = BTreeMap::from([("there".to_owned(), Arc::new(provider(project)))]);
    let clock = Clock::simulated(Timestamp(1_000_000));
    let settings = settings(project, start, &store);
    let batches = Batches::new(BatchContext {
        store: &store,
        build,
        providers: &providers,
        settings,
        clock: &clock,
        observer: &|_| {},
    });
    let mut command = CommandThread {
        project,
        store: &store,
        build,
        runtime: &runtime,
        batches,
        state: CommandState::default(),
    };
    for instruction in instructions {
        let replies = match command.execute(instruction) {
            Ok(()) => Reply::State(command.state.clone()),
            Err(error) => Reply::Ended(error),
        };
        reply_sender.send(replies).unwrap();
    }
}

struct CommandThread<'a> {
    project: &'a TestProject,
    store: &'a Store,
    build: BuildId,
    runtime: &'a Runtime,
    batches: Batches<'a>,
    state: CommandState,
}

impl CommandThread<'_> {
    fn execute(&mut self, instruction: Instruction) -> Result<(), BatchError> {
        match instruction {
            Instruction::Ask(questions) => self.ask(questions),
            Instruction::Step => self.step()?,
            Instruction::Poll => self.poll()?,
            Instruction::Refresh => {
                self.batches.next_refresh = Some(Instant::now());
                self.step()?;
            }
            Instruction::FinishCalls => self.runtime.block_on(async {
                while !self.batches.calls.have_all_ended() {
                    tokio::task::yield_now().await;
                }
            }),
            Instruction::Cancel => {
                self.batches.context.settings.interval = None;
                self.runtime.block_on(self.batches.cancel(self.build))?;
                self.store
                    .write(|tx| tx.cancel_build(self.build, Timestamp(2)))?;
            }
        }
        self.state.is_waiting = self.batches.is_waiting();
        Ok(())
    }

    fn ask(&mut self, questions: Vec<usize>) {
        for number in questions {
            let request = request(self.project.wire, number);
            let key = request.key().unwrap();
            let known = self.store.answer(key, false).unwrap().is_some();
            if known || self.batches.tracker.is_awaited(&key) {
                continue;
            }
            self.state.failed.remove(&number);
            let id = self.store.write(|tx| tx.add_request(key, &request));
            self.batches.queue(PendingRequest {
                kind: synix_core::request::RequestKind::Completion,
                key,
                request: id.unwrap(),
                layer: 0,
                accept_truncated: false,
                target: Arc::new(Target {
                    provider: request.provider,
                    model: request.model,
                }),
                repairs: crate::pending::RepairCount::default(),
            });
        }
    }

    /// What the build does between two awaits. Submissions are refreshed only by an instruction.
    fn step(&mut self) -> Result<(), BatchError> {
        let next_refresh = self
            .batches
            .next_refresh
            .take_if(|due| *due <= Instant::now());
        self.batches.next_refresh = next_refresh;
        self.batches.submit(&|_| true)?;
        self.take_settled();
        let now = Instant::now();
        let mut turns = self.batches.slots.values().map(|slot| slot.next_step);
        self.state.had_work = turns.any(|turn| turn == NextStep::AfterCall || turn.is_due(now));
        let entered = self.runtime.enter();
        self.batches.start_due()?;
        drop(entered);
        self.batches.next_refresh = None;
        if self.batches.calls.in_flight() > 0 {
            self.runtime.block_on(self.batches.progress())?;
        }
        self.take_settled();
        Ok(())
    }

    fn poll(&mut self) -> Result<(), BatchError> {
        loop {
            self.batches.submit(&|_| true)?;
            if self.batches.is_active() {
                self.runtime.block_on(self.batches.progress())?;
            }
            self.take_settled();
            if !(self.batches.is_waiting() && self.batches.is_active()) {
                return Ok(());
            }
        }
    }

    fn take_settled(&mut self) {
        for (key, outcome) in self.batches.take_settled() {
            if let Err(failure) = outcome {
                let number =
                    (0..QUESTIONS).find(|number| self::key(self.project.wire, *number) == key);
                let number = number.expect("a question that was asked");
                self.state.failed.insert(number, failure.message);
            }
        }
    }
}
