//! What may happen in a case, in words.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

use super::mishap::{Mishap, QUESTIONS, mishap};

/// Commands that run side by side.
pub(super) const COMMANDS: usize = 2;

/// One thing that happens.
#[derive(Clone, PartialEq)]
pub(super) enum Event {
    /// From now on the provider misbehaves like this, and no longer as before.
    Weather(Vec<Mishap>),
    /// A command wants answers.
    Ask(usize, Vec<usize>),
    /// A command takes so many steps.
    Step(usize, usize),
    /// A command reads which submissions there are.
    Survey(usize),
    /// The calls of a command come to their end, and it does not learn of it.
    Land(usize),
    /// A command is killed; the next one resumes its build, or opens a new one.
    Kill(usize, Next),
    /// A command is killed and its build is cancelled.
    Cancel(usize),
}

/// What follows a killed command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Resume,
    NewBuild,
}

/// Any sequence of events.
pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let command = prop_oneof![3 => Just(0_usize), 1 => Just(1_usize)];
    let questions = proptest::collection::vec(0..QUESTIONS, 1..=QUESTIONS);
    let next = select(vec![Next::Resume, Next::NewBuild]);
    let event = prop_oneof![
        4 => proptest::collection::vec(mishap(), 0..4).prop_map(Event::Weather),
        4 => (command.clone(), questions).prop_map(|(command, questions)| Event::Ask(command, questions)),
        8 => (command.clone(), 1..9_usize).prop_map(|(command, steps)| Event::Step(command, steps)),
        2 => command.clone().prop_map(Event::Survey),
        2 => command.clone().prop_map(Event::Land),
        3 => (command.clone(), next).prop_map(|(command, next)| Event::Kill(command, next)),
        1 => command.prop_map(Event::Cancel),
    ];
    proptest::collection::vec(event, 1..24).prop_map(|mut events| {
        hide_once(&mut events);
        events
    })
}

/// A list that lacks a batch for longer than all looks of a command is beyond what can be promised.
fn hide_once(events: &mut [Event]) {
    let mut hidden = false;
    for event in events {
        if let Event::Weather(mishaps) = event {
            mishaps.retain(|mishap| {
                !matches!(mishap, Mishap::Hidden(..)) || !std::mem::replace(&mut hidden, true)
            });
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weather(mishaps) if mishaps.is_empty() => {
                f.write_str("from now on nothing goes wrong at the provider")
            }
            Self::Weather(mishaps) => write!(f, "from now on, at the provider: {mishaps:?}"),
            Self::Ask(command, questions) => {
                write!(f, "command {command} asks the questions {questions:?}")
            }
            Self::Step(command, steps) => write!(f, "command {command} takes {steps} steps"),
            Self::Survey(command) => {
                write!(f, "command {command} reads which submissions there are")
            }
            Self::Land(command) => {
                write!(
                    f,
                    "the calls of command {command} end, and it has not heard of it"
                )
            }
            Self::Kill(command, Next::Resume) => {
                write!(
                    f,
                    "command {command} is killed; the next one resumes its build"
                )
            }
            Self::Kill(command, Next::NewBuild) => {
                write!(f, "command {command} is killed; the next one opens a build")
            }
            Self::Cancel(command) => {
                write!(f, "command {command} is killed and its build is cancelled")
            }
        }
    }
}
