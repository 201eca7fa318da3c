//! Answers from providers: one call each, or through batches, as each layer's mode says.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::BuildError;
use super::answerer::{Answerer, Asked, Settled};
use super::budget::Budget;
use super::drive::Drive;
use super::event::{Event, Observer};
use super::modes::Modes;
use super::sync::SyncCalls;
use crate::batch::{Batches, Queued};
use crate::request::Outcome;
use crate::store::LayerMode;

/// How long to wait for what is in flight at a provider or in another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Look once and leave.
    Leave,
    /// Look again and again.
    Poll {
        /// Between two looks.
        interval: Duration,
        /// At most so long; `None`: for as long as it takes.
        timeout: Option<Duration>,
    },
}

/// How often another process's sync calls are looked for.
const LOOK_ELSEWHERE: Duration = Duration::from_millis(200);

/// What is in flight and not ours to speed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Only sync calls of other processes.
    Calls,
    /// Batches, too.
    Batches,
}

pub(super) struct Live<'a> {
    calls: SyncCalls<'a>,
    batches: Batches<'a>,
    budget: Budget<'a>,
    modes: Modes,
    /// Requests of layers whose mode is not decided yet.
    undecided: BTreeMap<usize, Vec<Asked>>,
    patience: Patience,
    started: Instant,
    /// Whether this command has looked at the batches already.
    looked: bool,
    told_waiting: bool,
    /// Providers without their credential, and the variable that should hold it.
    missing_keys: &'a BTreeMap<String, String>,
    /// Ends the build as soon as the calls in flight have brought their answers.
    stop: Option<BuildError>,
    observer: Observer<'a>,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        calls: SyncCalls<'a>,
        batches: Batches<'a>,
        budget: Budget<'a>,
        modes: Modes,
        drive: &Drive<'a>,
        observer: Observer<'a>,
    ) -> Self {
        Self {
            calls,
            batches,
            budget,
            modes,
            undecided: BTreeMap::new(),
            patience: drive.patience,
            missing_keys: drive.missing_keys,
            stop: None,
            started: Instant::now(),
            looked: false,
            told_waiting: false,
            observer,
        }
    }

    /// Sends requests, or none of them where the budget does not allow it.
    fn send(&mut self, wave: Vec<(Asked, LayerMode)>) -> Result<(), BuildError> {
        self.budget.admit(&wave)?;
        for (asked, mode) in wave {
            self.route(asked, mode);
        }
        Ok(())
    }

    fn route(&mut self, asked: Asked, mode: LayerMode) {
        match (mode, asked.id) {
            (LayerMode::Batch, Some(request)) => self.batches.queue(Queued {
                key: asked.key,
                request,
                layer: asked.layer,
                accept_truncated: asked.accept_truncated,
                provider: asked.request.provider.clone(),
                model: asked.request.model.clone(),
            }),
            _ => self.calls.ask(asked),
        }
    }

    fn decide(&mut self) -> Result<(), BuildError> {
        let mut wave = Vec::new();
        for (layer, asked) in std::mem::take(&mut self.undecided) {
            let mode = self.modes.decide(layer, asked.len() as u64);
            wave.extend(asked.into_iter().map(|asked| (asked, mode)));
        }
        self.send(wave)?;
        self.calls.start()
    }

    /// Waits until the next look is due; false when the timeout comes first.
    async fn wait(&self, awaited: Awaited) -> bool {
        let Patience::Poll { interval, timeout } = self.patience else {
            return false;
        };
        let mut pause = match (awaited, self.batches.next_look()) {
            (Awaited::Calls, _) => interval.min(LOOK_ELSEWHERE),
            (Awaited::Batches, Some(hint)) => hint.max(interval),
            (Awaited::Batches, None) => interval,
        };
        if let Some(timeout) = timeout {
            let left = timeout.saturating_sub(self.started.elapsed());
            if left.is_zero() {
                return false;
            }
            pause = pause.min(left);
        }
        tokio::time::sleep(pause).await;
        true
    }

    async fn settled_while_idle(&mut self) -> Result<Option<Vec<Settled>>, BuildError> {
        loop {
            // A mode is decided by all that is on record before anything must be waited for (C3).
            if !self.calls.is_busy() {
                self.decide()?;
            }
            if self.calls.is_busy() {
                return self.calls.settled().await.map(Some);
            }
            self.batches.submit().await?;
            let found = self.taken();
            if !found.is_empty() {
                return Ok(Some(found));
            }
            if !self.batches.is_waiting() && self.calls.elsewhere() == 0 {
                return Ok(None);
            }
            if self.calls.elsewhere() > 0 && !self.told_waiting {
                self.told_waiting = true;
                (self.observer)(&Event::WaitingForOthers {
                    requests: self.calls.elsewhere(),
                });
            }
            let awaited = if self.batches.is_waiting() || self.calls.waits_for_a_batch()? {
                Awaited::Batches
            } else {
                Awaited::Calls
            };
            // The first look is free of waiting (L1); batches made just now have nothing to show yet.
            if self.looked && !self.wait(awaited).await {
                return Ok(None);
            }
            // Whoever had them in flight may have died since.
            self.calls.take_over_orphans(self.observer)?;
            if !self.looked || awaited == Awaited::Batches {
                self.batches.look().await?;
            }
            self.looked = true;
            self.calls.retry_elsewhere();
            let found = self.taken();
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
    }

    fn taken(&mut self) -> Vec<Settled> {
        self.batches
            .take_settled()
            .into_iter()
            .map(|(key, outcome): (_, Outcome)| Settled { key, outcome })
            .collect()
    }
}

impl Answerer for Live<'_> {
    fn ask(&mut self, asked: Vec<Asked>) -> Result<(), BuildError> {
        let mut wave = Vec::new();
        for asked in asked {
            let provider = &asked.request.provider;
            if let Some(variable) = self.missing_keys.get(provider) {
                self.stop = Some(BuildError::MissingKey {
                    provider: provider.clone(),
                    variable: variable.clone(),
                });
                self.calls.stop();
            }
            if self.stop.is_some() {
                return Ok(());
            }
            match self.modes.decided(asked.layer) {
                Some(mode) => wave.push((asked, mode)),
                None => self.undecided.entry(asked.layer).or_default().push(asked),
            }
        }
        if let Err(error) = self.send(wave) {
            self.stop = Some(error);
            self.calls.stop();
        }
        self.calls.start()
    }

    async fn settled(&mut self, idle: bool) -> Result<Option<Vec<Settled>>, BuildError> {
        if let Some(error) = self.stop.take_if(|_| !self.calls.is_busy()) {
            return Err(error);
        }
        let settled = if idle && self.stop.is_none() {
            self.settled_while_idle().await?
        } else {
            if !self.calls.is_busy() {
                std::future::pending::<()>().await;
            }
            Some(self.calls.settled().await?)
        };
        self.budget.settle(settled.as_deref().unwrap_or_default());
        Ok(settled)
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
