//! The main loop: runs units, passes their requests to the answerer, and waits for outcomes.
//!
//! A unit starts as soon as its own inputs exist, even if other units of the
//! upstream layer still wait. [`super::spawn`] creates units, and [`super::apply`]
//! handles the results of runs and requests.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, PoolState};
use super::event::{Event, Observer};
use super::file_digests::{FileDigests, Reread};
use super::layer_run::{LayerRun, Unit};
use super::layers::{ReadyPipeline, ReadyTransform};
use super::limit_excess::{LimitExcess, LimitKind};
use super::limits::BuildLimits;
use super::pool::{Pool, PoolReport};
use super::previous::Previous;
use super::recorder::{Record as _, Recorder};
use super::trial::{Sample, Selection};
use crate::pending::PendingRequest;
use synix_core::request::{Failure, RequestKey};
use synix_sandbox::{InterruptHandle, Shape};
use synix_sources::ProjectFolder;
use synix_store::{AnswerOrigin, BuildLayer, Reader};

/// The pipeline that a scheduler builds, and its surroundings.
#[derive(Clone, Copy)]
pub(super) struct SchedulerContext<'a> {
    pub(super) pipeline: &'a ReadyPipeline,
    pub(super) folder: &'a ProjectFolder,
    /// `None` before the first build.
    pub(super) reader: Option<&'a Reader>,
    pub(super) answer_origin: AnswerOrigin,
    pub(super) allow_partial: bool,
    /// The units that are built; `None`: all.
    pub(super) selection: Option<&'a Selection>,
    /// Which source files are read although nothing about them changed.
    pub(super) reread: Reread,
    pub(super) interruption: &'a InterruptHandle,
    pub(super) observer: Observer<'a>,
}

/// A scheduler within a transaction of its recorder. Units are created and settled only within one.
pub(super) struct Step<'s, 't, 'a, A: Answerer> {
    pub(super) scheduler: &'s mut Scheduler<'a, A>,
    pub(super) record: <A::Recorder as Recorder>::Record<'t>,
}

impl<'a, A: Answerer> Deref for Step<'_, '_, 'a, A> {
    type Target = Scheduler<'a, A>;

    fn deref(&self) -> &Self::Target {
        self.scheduler
    }
}

impl<A: Answerer> DerefMut for Step<'_, '_, '_, A> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.scheduler
    }
}

pub(super) struct Scheduler<'a, A: Answerer> {
    pub(super) context: SchedulerContext<'a>,
    pub(super) recorder: A::Recorder,
    pub(super) answerer: A,
    pub(super) layers: Vec<LayerRun>,
    /// By number; `None` once settled, so that memory is proportional to the work in flight.
    pub(super) units: Vec<Option<Box<Unit>>>,
    pub(super) runnable: VecDeque<usize>,
    /// Units that wait for a request.
    pub(super) waiters: HashMap<RequestKey, Vec<usize>>,
    /// Requests that settled without an answer; they are not sent again in this process.
    pub(super) failed_requests: HashMap<RequestKey, Failure>,
    /// Requests whose answer is truncated; they are not sent again in this process, either.
    pub(super) truncated_requests: HashSet<RequestKey>,
    /// Layers with complete inputs, to be divided into units by their plugins.
    pub(super) to_split: VecDeque<usize>,
    /// Requests for the answerer, once their units are recorded.
    pub(super) to_enqueue: Vec<PendingRequest<<A::Recorder as Recorder>::Request>>,
    pub(super) previous: Previous<'a>,
    pub(super) files: FileDigests,
    pub(super) sample: Sample<'a>,
    /// Set once the sources are read; no unit is created before.
    pub(super) limits: Option<BuildLimits>,
    /// The exceeded limit: no more units are created and no more requests are sent.
    excess: Option<LimitExcess>,
    /// Whether a guest was stopped because the build was interrupted.
    is_interrupted: bool,
    /// Whether the answerer was stopped.
    is_stopping: bool,
    /// The layers as they were last recorded.
    recorded_layers: Vec<BuildLayer>,
}

impl<'a, A: Answerer> Scheduler<'a, A> {
    pub(super) fn new(
        context: SchedulerContext<'a>,
        recorder: A::Recorder,
        answerer: A,
    ) -> Result<Self, BuildError> {
        let mut layers: Vec<LayerRun> = context
            .pipeline
            .layers
            .iter()
            .map(|_| LayerRun::default())
            .collect();
        for (position, layer) in context.pipeline.layers.iter().enumerate() {
            if let Some(transform) = layer.body.transform() {
                let gathers = transform.plugin.descriptor().shape != Shape::PerInput;
                for input in &transform.inputs {
                    layers[*input].downstream.push(position);
                    layers[*input].is_gathered |= gathers;
                }
            }
        }
        let sample = Sample::new(context.pipeline, context.selection);
        for (position, layer) in layers.iter_mut().enumerate() {
            if !sample.is_built(position) {
                layer.progress.leave_out();
            }
        }
        Ok(Self {
            sample,
            previous: Previous::open(context.reader, &context.pipeline.file)?,
            files: FileDigests::open(context.reader, context.reread)?,
            context,
            recorder,
            answerer,
            layers,
            units: Vec::new(),
            runnable: VecDeque::new(),
            waiters: HashMap::new(),
            failed_requests: HashMap::new(),
            truncated_requests: HashSet::new(),
            to_split: VecDeque::new(),
            to_enqueue: Vec::new(),
            limits: None,
            excess: None,
            is_interrupted: false,
            is_stopping: false,
            recorded_layers: Vec::new(),
        })
    }

    /// Divides the layers whose inputs are complete into units.
    fn divide_ready(&mut self) -> Result<(), BuildError> {
        while let Some(layer) = self.to_split.pop_front() {
            self.spawn_by_split(layer)?;
        }
        Ok(())
    }

    /// Finds the units that are known before any of them runs.
    pub(super) fn begin(&mut self) -> Result<(), BuildError> {
        self.read_sources()?;
        // The units of a layer whose inputs are all fresh are known only once its plugin has divided it.
        self.divide_ready()?;
        self.check_selection()
    }

    /// Runs until every unit is settled or no more requests will settle.
    pub(super) async fn run(&mut self, mut pool: Pool) -> Result<(), BuildError> {
        self.begin()?;
        loop {
            self.divide_ready()?;
            self.stop_early()?;
            self.dispatch(&mut pool);
            if !self.to_enqueue.is_empty() {
                let requests = std::mem::take(&mut self.to_enqueue);
                self.answerer.enqueue(requests)?;
                self.record_layers()?;
            }
            self.report_layers();
            if pool.is_idle() {
                if self.waiters.is_empty() && !self.is_stopping {
                    break;
                }
                let settled = self.answerer.next_settled(PoolState::Idle).await?;
                self.record_layers()?;
                match settled {
                    Some(settled) => self.in_transaction(|step| step.apply_outcomes(settled))?,
                    None => break,
                }
                continue;
            }
            tokio::select! {
                biased;
                report = pool.next_report() => self.apply_report(report)?,
                settled = self.answerer.next_settled(PoolState::Running) => {
                    if let Some(settled) = settled? {
                        self.in_transaction(|step| step.apply_outcomes(settled))?;
                    } else {
                        self.apply_report(pool.next_report().await)?;
                    }
                }
            }
        }
        self.check_selection()?;
        self.record_layers()
    }

    /// Applies a report of the pool; `None`: a thread panicked.
    fn apply_report(&mut self, report: Option<PoolReport>) -> Result<(), BuildError> {
        match report.ok_or(BuildError::ThreadPanicked)? {
            PoolReport::Results(results) => self.in_transaction(|step| step.apply_results(results)),
            PoolReport::EngineWaits { url, reason } => {
                (self.context.observer)(&Event::WaitingForEngine { url, reason });
                Ok(())
            }
        }
    }

    /// Counts units or requests of a layer; `false`: they exceed a limit, and the build stops.
    pub(super) fn try_count(&mut self, layer: usize, kind: LimitKind, more: u64) -> bool {
        self.excess.is_none() && self.count(layer, kind, more, false)
    }

    /// Returns how many more units a layer may have.
    pub(super) fn remaining_units(&self, layer: usize) -> u64 {
        let limits = self.limits.as_ref();
        limits.map_or(0, |limits| limits.remaining_units(layer))
    }

    /// Records that a layer would have `all` units, which exceeds its limit.
    pub(super) fn report_too_many_units(&mut self, layer: usize, all: u64) {
        self.count(layer, LimitKind::Units, all, true);
    }

    fn count(&mut self, layer: usize, kind: LimitKind, more: u64, is_exact: bool) -> bool {
        let name = self.layer_name(layer);
        let Some(limits) = &mut self.limits else {
            return true;
        };
        match limits.add((layer, name), kind, more, is_exact) {
            Ok(()) => true,
            Err(excess) => {
                self.excess.get_or_insert(excess);
                false
            }
        }
    }

    /// Records that a guest was stopped; its unit runs again in another command.
    pub(super) const fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// Stops the build after the requests in flight if a limit is exceeded or the build was interrupted.
    fn stop_early(&mut self) -> Result<(), BuildError> {
        let error = match &self.excess {
            Some(excess) => excess.clone().into(),
            None if self.is_interrupted => BuildError::Interrupted,
            None => return Ok(()),
        };
        self.runnable.clear();
        self.to_split.clear();
        self.to_enqueue.clear();
        if self.is_stopping {
            return Ok(());
        }
        self.is_stopping = true;
        self.answerer.stop(error)
    }

    /// Returns whether every unit of every layer is settled.
    pub(super) fn is_complete(&self) -> bool {
        self.layers.iter().all(|layer| layer.progress.is_complete())
    }

    /// Runs `act` in a transaction of the recorder.
    pub(super) fn in_transaction(
        &mut self,
        act: impl FnOnce(&mut Step<'_, '_, 'a, A>) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        self.recorder.in_transaction(|record| {
            act(&mut Step {
                scheduler: self,
                record,
            })
        })
    }

    /// Records how each layer is answered and how many of its units are fresh, if that changed.
    fn record_layers(&mut self) -> Result<(), BuildError> {
        let layers = self.layers.iter().enumerate();
        let layers: Vec<BuildLayer> = layers
            .map(|(position, layer)| BuildLayer {
                position,
                name: self.layer_name(position).to_owned(),
                mode: self.answerer.mode(position),
                fresh: layer.progress.fresh(),
                skipped: layer.skipped.clone(),
            })
            .collect();
        // Each answer would wait for the writing of the same rows.
        if layers != self.recorded_layers {
            self.in_transaction(|step| Ok(step.record.layers(&layers)?))?;
            self.recorded_layers = layers;
        }
        Ok(())
    }

    /// Returns an unsettled unit.
    pub(super) fn unit(&self, number: usize) -> &Unit {
        unit_at(&self.units, number)
    }

    /// Returns an unsettled unit.
    pub(super) fn unit_mut(&mut self, number: usize) -> &mut Unit {
        let Some(unit) = self.units[number].as_deref_mut() else {
            unreachable!("a unit that runs is not settled")
        };
        unit
    }

    pub(super) fn transform(&self, layer: usize) -> Arc<ReadyTransform> {
        match self.context.pipeline.layers[layer].body.transform() {
            Some(transform) => Arc::clone(transform),
            None => unreachable!("sources depend on nothing"),
        }
    }

    pub(super) fn layer_name(&self, layer: usize) -> &'a str {
        self.context.pipeline.layers[layer].name.as_str()
    }
}

pub(super) fn unit_at(units: &[Option<Box<Unit>>], number: usize) -> &Unit {
    let Some(unit) = units[number].as_deref() else {
        unreachable!("a unit that runs is not settled")
    };
    unit
}
