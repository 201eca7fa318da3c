//! Calls into a plugin, each in a fresh instance.

use std::thread;

use wasmtime::{Store, Trap};

use super::descriptor::Shape;
use super::error::{Fault, NoThread, NotStarted, PluginError};
use super::imports::llm::Llm;
use super::imports::log::{Log, LogLine};
use super::imports::{State, Suspension};
use super::interruption::Interruption;
use super::limits::{Limits, Meter, STACK_BYTES};
use super::model::{Model, ModelAccess, Refusal};
use super::split::{self, UnitSpec};
use super::wasi::Wasi;
use super::{Header, Plugin, convert};
use synix_contract::bindings::{Transform, TransformPre};
use synix_core::artifact::Artifact;
use synix_core::digest::{Digest, Encoder};

/// What `execute` is called with.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The unit.
    pub unit: &'a UnitSpec,
    /// The unit's inputs in its order, each with its digest.
    pub inputs: &'a [(Artifact, Digest)],
    /// The layer's config with the unit's additions: a JSON object as text.
    pub config: &'a str,
    /// What the call may use.
    pub limits: &'a Limits,
    /// Whether the pipeline grants the capability `llm`.
    pub grants_llm: bool,
}

/// How a run of a unit ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Run {
    /// The unit is done.
    Done {
        /// The artifacts it made, checked.
        outputs: Vec<Artifact>,
        /// What it logged.
        log: Vec<LogLine>,
    },
    /// It waits for an answer; when that is known, it is run again from its start.
    Suspended,
}

/// A run of a unit that has ended.
#[derive(Debug)]
pub struct Executed<M> {
    /// How it ended.
    pub run: Result<Run, PluginError>,
    /// The instructions it took, roughly; the same on every machine.
    pub fuel: u64,
    /// The last request that the host refused, also where the plugin took no notice.
    pub refusal: Option<Refusal>,
    /// The model that the caller gave.
    pub model: M,
}

impl Plugin {
    /// Divides inputs into units; `config` is the layer's, a JSON object as text.
    pub fn split(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
    ) -> Result<Vec<UnitSpec>, PluginError> {
        self.split_within(headers, config, limits, u64::MAX)
    }

    /// Divides inputs into `most` units at the most; more are counted and not made.
    pub fn split_within(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
        most: u64,
    ) -> Result<Vec<UnitSpec>, PluginError> {
        let shape = self.descriptor().shape;
        if shape == Shape::PerInput {
            return split::per_input(headers.iter().map(|header| &header.label))
                .map_err(|invalid| self.fails(Fault::InvalidSplit(invalid)));
        }
        let inputs = headers
            .iter()
            .map(convert::header)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                self.fails(Fault::Host {
                    detail: error.to_string(),
                })
            })?;
        let seed = self.seed_of_split(headers, config);
        let ended = self
            .entry(limits, seed)
            .enter_aside(|transform, store| transform.call_split(store, &inputs, config));
        let units = ended.settle(self.name(), limits, |units| {
            let units = units.map_err(convert::transform_error)?;
            let count = units.len() as u64;
            if count > most {
                return Err(Fault::TooManyUnits { count, most });
            }
            let claimed = convert::claimed_units(units);
            split::check(claimed, headers.len(), shape).map_err(Fault::InvalidSplit)
        })?;
        Ok(units.value)
    }

    /// Runs one unit, with `model` for its questions.
    pub fn execute<M: Model>(&self, call: &Call<'_>, model: M) -> Executed<M> {
        let crossed = || {
            let inputs = call
                .inputs
                .iter()
                .map(|(artifact, digest)| convert::input(artifact, *digest));
            Ok((
                convert::unit(call.unit)?,
                inputs.collect::<Result<Vec<_>, _>>()?,
            ))
        };
        let (unit, inputs) = match crossed() {
            Ok(crossed) => crossed,
            Err(error) => {
                let error: synix_core::json::UnsafeNumber = error;
                let detail = error.to_string();
                return Executed {
                    run: Err(self.fails(Fault::Host { detail })),
                    fuel: 0,
                    refusal: None,
                    model,
                };
            }
        };
        let granted = call.grants_llm && self.descriptor().declares_llm();
        let entry = self.entry(call.limits, self.seed_of_execute(call));
        let (ended, model) = entry.enter(model, granted, |transform, store| {
            transform.call_execute(store, &unit, &inputs, call.config)
        });
        let fuel = call.limits.fuel.saturating_sub(ended.fuel_left);
        let refusal = ended.refusal.clone();
        let run = if ended.is_suspended() {
            Ok(Run::Suspended)
        } else {
            let settled = ended.settle(self.name(), call.limits, |outputs| {
                convert::artifacts(outputs.map_err(convert::transform_error)?, call.limits)
            });
            settled.map(|done| Run::Done {
                outputs: done.value,
                log: done.log,
            })
        };
        Executed {
            run,
            fuel,
            refusal,
            model,
        }
    }

    /// Prepares a call of this plugin.
    pub(super) fn entry<'a>(&'a self, limits: &'a Limits, seed: Digest) -> Entry<'a> {
        Entry {
            transform: &self.loaded.transform,
            interruption: &self.loaded.core.interruption,
            limits,
            seed,
        }
    }

    /// Returns the seed of a call of `split`.
    pub(super) fn seed_of_split(&self, headers: &[Header], config: &str) -> Digest {
        self.seed("synix.split.v1", |encoder| {
            let encoder = encoder.text(config).list(headers.len());
            headers
                .iter()
                .fold(encoder, |encoder, header| encoder.digest(header.digest))
        })
    }

    /// Returns the seed of a call of `execute`.
    pub(super) fn seed_of_execute(&self, call: &Call<'_>) -> Digest {
        self.seed("synix.execute.v1", |encoder| {
            let encoder = encoder
                .text(call.unit.key.as_str())
                .text(call.config)
                .list(call.inputs.len());
            call.inputs
                .iter()
                .fold(encoder, |encoder, (_, digest)| encoder.digest(*digest))
        })
    }

    /// Makes the seed of a call's random bytes from all it is given; only WASI has random bytes.
    fn seed(&self, scheme: &str, given: impl FnOnce(Encoder) -> Encoder) -> Digest {
        if self.loaded.needs_wasi {
            given(Encoder::new(scheme).digest(self.digest())).finish()
        } else {
            self.digest()
        }
    }

    pub(super) fn fails(&self, fault: Fault) -> PluginError {
        PluginError::new(Some(self.name()), fault)
    }
}

/// How a call ended, and what is left of its store.
pub(super) struct Ended<R> {
    result: wasmtime::Result<R>,
    log: Log,
    refusal: Option<Refusal>,
    /// The end of what it wrote to stderr.
    said: Option<String>,
    /// What the call did not use.
    pub(super) fuel_left: u64,
}

/// A call that went well.
pub(super) struct Settled<T> {
    pub(super) value: T,
    pub(super) log: Vec<LogLine>,
}

impl<R> Ended<R> {
    fn is_suspended(&self) -> bool {
        self.result
            .as_ref()
            .is_err_and(|error| error.is::<Suspension>())
    }

    /// Takes the guest's result through `check`; a failure keeps what the guest logged.
    pub(super) fn settle<T>(
        self,
        plugin: &str,
        limits: &Limits,
        check: impl FnOnce(R) -> Result<T, Fault>,
    ) -> Result<Settled<T>, PluginError> {
        let last_error = self.log.last_error().map(str::to_owned).or(self.said);
        let log = self.log.into_lines();
        let result = self
            .result
            .map_err(|error| Fault::of(&error, limits, last_error));
        match result.and_then(check) {
            Ok(value) => Ok(Settled { value, log }),
            Err(fault) => Err(PluginError {
                refusal: self.refusal,
                log,
                ..PluginError::new(Some(plugin), fault)
            }),
        }
    }
}

/// What every call into a plugin needs.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) transform: &'a TransformPre<State>,
    pub(super) interruption: &'a Interruption,
    pub(super) limits: &'a Limits,
    /// The seed of the guest's random bytes.
    pub(super) seed: Digest,
}

impl Entry<'_> {
    /// Calls a function of a fresh instance, which is dropped afterwards, and hands back the model.
    pub(super) fn enter<R, M: Model>(
        self,
        model: M,
        granted: bool,
        act: impl FnOnce(&Transform, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> (Ended<R>, M) {
        let (ended, access) = self.run(ModelAccess::new(model, granted), act);
        (ended, access.into_model())
    }

    /// The same on a thread of its own, without a model: the caller may be inside an async runtime, where WASI cannot
    /// wait.
    pub(super) fn enter_aside<R: Send>(
        self,
        act: impl FnOnce(&Transform, &mut Store<State>) -> wasmtime::Result<R> + Send,
    ) -> Ended<R> {
        thread::scope(|scope| {
            let called = thread::Builder::new()
                .stack_size(2 * STACK_BYTES)
                .spawn_scoped(scope, || self.run(ModelAccess::none(), act).0);
            match called.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(ended)) => ended,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Ended {
                    result: Err(NoThread(error).into()),
                    log: Log::new(),
                    refusal: None,
                    said: None,
                    fuel_left: 0,
                },
            }
        })
    }

    fn run<R>(
        self,
        access: ModelAccess,
        act: impl FnOnce(&Transform, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> (Ended<R>, ModelAccess) {
        let Self {
            transform,
            interruption,
            limits,
            seed,
        } = self;
        let state = State {
            meter: Meter::new(limits),
            log: Log::new(),
            llm: Llm::new(access, limits),
            wasi: Wasi::new(seed),
        };
        let mut store = Store::new(transform.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.hostcall_bytes);
        store.set_epoch_deadline(1);
        let stopped = interruption.clone();
        store.epoch_deadline_callback(move |context| {
            stopped.check()?;
            // What the engine counted may be a moment old, and never too much.
            let charged = context.data().charged();
            if context.get_fuel()? < charged {
                return Err(Trap::OutOfFuel.into());
            }
            Ok(context.data().meter.at_deadline()?)
        });
        let mut result = store
            .set_fuel(limits.fuel)
            // Not only at a tick: thousands of calls may still be to come.
            .and_then(|()| Ok(interruption.check()?))
            .and_then(|()| {
                let instance = transform.instantiate(&mut store);
                instance.map_err(NotStarted::of)
            })
            .and_then(|instance| act(&instance, &mut store));
        let left = store.get_fuel().unwrap_or_default();
        // Whoever used too much fails by that, also where a tick came too late to say so.
        let fuel_left = match left.checked_sub(store.data().charged()) {
            Some(left) => left,
            None => {
                result = Err(Trap::OutOfFuel.into());
                0
            }
        };
        let State {
            mut log, llm, wasi, ..
        } = store.into_data();
        let said = wasi.close(&mut log);
        if result.is_err() {
            log.join_crash();
        }
        let (access, refusal) = llm.into_parts();
        let ended = Ended {
            result,
            log,
            refusal,
            said,
            fuel_left,
        };
        (ended, access)
    }
}
