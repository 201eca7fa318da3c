//! Holds the guests of units with many rounds while they wait for answers.
//!
//! A unit runs again from its start for each answer that it waits for, so a fold of n steps would repeat n²/2 of them. A
//! held guest continues instead. It is only a copy of what a run would repeat: if the process ends, or if too many
//! units wait, the unit runs again with its transcript.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::known_answers::KnownAnswers;
use super::unit::{OwnedCall, RunOutcome, run_end};
use super::unit_model::UnitModel;
use synix_core::request::GuestRequest;
use synix_sandbox::{HELD_INSTANCES, Model, ModelResponse, PluginError, Run, STACK_BYTES};

/// The number of earlier requests from which a guest is held. Fewer are cheap to repeat, and a repetition checks that
/// the plugin is deterministic.
pub(super) const MIN_REQUESTS: usize = 4;

/// The held guests of a pool, by the number of their unit. The oldest comes first.
#[derive(Debug, Default)]
pub(super) struct HeldRuns(Mutex<VecDeque<(usize, HeldRun)>>);

impl HeldRuns {
    /// Removes and returns the held run of a unit.
    pub(super) fn take(&self, unit: usize) -> Option<HeldRun> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = runs.iter().position(|(other, _)| *other == unit)?;
        runs.remove(position).map(|(_, run)| run)
    }

    /// Holds a run. If too many are held, the oldest ends: its unit will run again from its start.
    fn hold(&self, unit: usize, run: HeldRun) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (runs.len() >= HELD_INSTANCES).then(|| runs.pop_front());
        runs.push_back((unit, run));
        drop(runs);
        // Dropped without the lock, because this waits for the thread of the guest.
        drop(oldest);
    }
}

/// A guest that waits for the answers to a round.
#[derive(Debug)]
pub(super) struct HeldRun {
    model: UnitModel,
    round: Vec<GuestRequest>,
    guest: GuestThread,
}

impl HeldRun {
    /// Continues a run whose answers may be known now.
    pub(super) fn resume(self, unit: usize, known: &KnownAnswers, held: &HeldRuns) -> RunOutcome {
        let Self {
            model,
            round,
            guest,
        } = self;
        drive(unit, model, (guest, Some(round)), known, held)
    }
}

/// Runs a unit in a guest that can be held.
pub(super) fn run(
    unit: usize,
    guest: GuestThread,
    model: UnitModel,
    known: &KnownAnswers,
    held: &HeldRuns,
) -> RunOutcome {
    drive(unit, model, (guest, None), known, held)
}

/// Answers the guest until it ends or waits; a guest that waits is held. `pending` is the round that it waits for.
fn drive(
    unit: usize,
    mut model: UnitModel,
    (mut guest, mut pending): (GuestThread, Option<Vec<GuestRequest>>),
    known: &KnownAnswers,
    held: &HeldRuns,
) -> RunOutcome {
    loop {
        let round = match pending.take() {
            Some(round) => round,
            None => match guest.next_event() {
                GuestEvent::Round(round) => round,
                GuestEvent::Ended(run) => {
                    let end = run_end(&mut model, known, *run);
                    return model.into_outcome(unit, end);
                }
            },
        };
        let response = model.answer_round(known, round.clone());
        if matches!(response, ModelResponse::Suspend) && model.stopped.is_none() {
            let outcome = model.report_suspended(unit);
            let run = HeldRun {
                model,
                round,
                guest,
            };
            held.hold(unit, run);
            return outcome;
        }
        guest.respond(response);
    }
}

/// What a guest on another thread does.
#[derive(Debug)]
enum GuestEvent {
    /// It asks these requests and waits.
    Round(Vec<GuestRequest>),
    Ended(Box<Result<Run, PluginError>>),
}

/// A guest on its own thread, because the call of a guest cannot leave its stack.
#[derive(Debug)]
pub(super) struct GuestThread {
    events: Receiver<GuestEvent>,
    /// `None` once the guest must end.
    responses: Option<Sender<ModelResponse>>,
    thread: Option<JoinHandle<()>>,
}

impl GuestThread {
    /// Starts a guest; fails if this machine has no thread for it.
    pub(super) fn start(call: &Arc<OwnedCall>) -> std::io::Result<Self> {
        let call = Arc::clone(call);
        let (event_sender, events) = channel();
        let (responses, response_receiver) = channel();
        let model = RemoteModel {
            events: event_sender.clone(),
            responses: response_receiver,
        };
        let thread = thread::Builder::new()
            .stack_size(2 * STACK_BYTES)
            .spawn(move || {
                let run = call.execute(model).run;
                // Nobody waits for the end of a guest that was dropped.
                let _ = event_sender.send(GuestEvent::Ended(Box::new(run)));
            })?;
        Ok(Self {
            events,
            responses: Some(responses),
            thread: Some(thread),
        })
    }

    /// Waits until the guest asks or ends.
    fn next_event(&mut self) -> GuestEvent {
        if let Ok(event) = self.events.recv() {
            return event;
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            _ => unreachable!("a guest reports its end"),
        }
    }

    /// Returns the answers of a round to the guest.
    fn respond(&self, response: ModelResponse) {
        if let Some(responses) = &self.responses {
            // A guest that is gone reports its end.
            let _ = responses.send(response);
        }
    }
}

impl Drop for GuestThread {
    fn drop(&mut self) {
        self.responses = None;
        if let Some(thread) = self.thread.take() {
            // The instance must be gone when the next one is made. A thread that panicked has none.
            let _ = thread.join();
        }
    }
}

/// The model of a guest on another thread.
struct RemoteModel {
    events: Sender<GuestEvent>,
    responses: Receiver<ModelResponse>,
}

impl Model for RemoteModel {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        if self.events.send(GuestEvent::Round(requests)).is_err() {
            return ModelResponse::Suspend;
        }
        // Without a sender, the run is not held any longer.
        self.responses.recv().unwrap_or(ModelResponse::Suspend)
    }
}

#[cfg(test)]
mod tests;
