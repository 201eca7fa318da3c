//! The events of a case, and how they are printed.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

use super::provider_fault::{ProviderFault, QUESTIONS, fault};

/// The number of concurrent commands.
pub(super) const COMMANDS: usize = 2;

/// An event of a case.
#[derive(Clone, PartialEq)]
pub(super) enum Event {
    /// From now on the provider has these faults and no others.
    SetFaults(Vec<ProviderFault>),
    /// A command asks questions.
    Ask(usize, Vec<usize>),
    /// A command takes this number of steps.
    Step(usize, usize),
    /// A command reads the list of submissions.
    Refresh(usize),
    /// The calls of a command end, but the command does not handle their results.
    FinishCalls(usize),
    /// A command is killed; the next one resumes its build, or opens a new one.
    Kill(usize, AfterKill),
    /// A command is killed and its build is cancelled.
    Cancel(usize),
}

/// What happens after a command is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterKill {
    Resume,
    NewBuild,
}

/// Generates a sequence of events.
pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let command = prop_oneof![3 => Just(0_usize), 1 => Just(1_usize)];
    let questions = proptest::collection::vec(0..QUESTIONS, 1..=QUESTIONS);
    let next = select(vec![AfterKill::Resume, AfterKill::NewBuild]);
    let event = prop_oneof![
        4 => proptest::collection::vec(fault(), 0..4).prop_map(Event::SetFaults),
        4 => (command.clone(), questions).prop_map(|(command, questions)| Event::Ask(command, questions)),
        8 => (command.clone(), 1..9_usize).prop_map(|(command, steps)| Event::Step(command, steps)),
        2 => command.clone().prop_map(Event::Refresh),
        2 => command.clone().prop_map(Event::FinishCalls),
        3 => (command.clone(), next).prop_map(|(command, next)| Event::Kill(command, next)),
        1 => command.prop_map(Event::Cancel),
    ];
    proptest::collection::vec(event, 1..24).prop_map(|mut events| {
        keep_one_hide_fault(&mut events);
        events
    })
}

/// Nothing can be promised if a list lacks a batch for longer than all searches of a command.
fn keep_one_hide_fault(events: &mut [Event]) {
    let mut hidden = false;
    for event in events {
        if let Event::SetFaults(faults) = event {
            faults.retain(|fault| {
                !matches!(fault, ProviderFault::HideNewest(..))
                    || !std::mem::replace(&mut hidden, true)
            });
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetFaults(faults) if faults.is_empty() => {
                f.write_str("from now on nothing goes wrong at the provider")
            }
            Self::SetFaults(faults) => write!(f, "from now on, at the provider: {faults:?}"),
            Self::Ask(command, questions) => {
                write!(f, "command {command} asks the questions {questions:?}")
            }
            Self::Step(command, steps) => write!(f, "command {command} takes {steps} steps"),
            Self::Refresh(command) => {
                write!(f, "command {command} reads which submissions there are")
            }
            Self::FinishCalls(command) => {
                write!(
                    f,
                    "the calls of command {command} end, and it has not heard of it"
                )
            }
            Self::Kill(command, AfterKill::Resume) => {
                write!(
                    f,
                    "command {command} is killed; the next one resumes its build"
                )
            }
            Self::Kill(command, AfterKill::NewBuild) => {
                write!(f, "command {command} is killed; the next one opens a build")
            }
            Self::Cancel(command) => {
                write!(f, "command {command} is killed and its build is cancelled")
            }
        }
    }
}
