//! One call of an exported function, in a fresh instance with its own limits.

use std::thread;

use wasmtime::{Store, Trap};

use super::engine_error::{InstantiationError, ThreadError};
use super::error::PluginError;
use super::fault::Fault;
use super::imports::llm::Llm;
use super::imports::log::{Log, LogLine};
use super::imports::reading::{ReadingState, Unwound};
use super::imports::{State, Suspension};
use super::interruption::InterruptHandle;
use super::limits::{Limits, STACK_BYTES};
use super::meter::Meter;
use super::model::{Grants, Model, ModelAccess, Refusal};
use super::wasi::Wasi;
use super::world::Linked;
use synix_contract::bindings::{Transform, TransformPre};
use synix_core::digest::Digest;

/// How a call ended, with the values that are taken from its store.
pub(super) struct CallResult<R> {
    result: wasmtime::Result<R>,
    log: Log,
    pub(super) refusal: Option<Refusal>,
    /// The last lines that the guest wrote to stderr.
    stderr_tail: Option<String>,
    /// Why the host ended the run of a reader.
    fault: Option<Fault>,
    /// The fuel that the call did not use.
    pub(super) fuel_left: u64,
}

/// The checked result of a successful call.
pub(super) struct Finished<T> {
    pub(super) value: T,
    pub(super) log: Vec<LogLine>,
}

impl<R> CallResult<R> {
    pub(super) fn is_suspended(&self) -> bool {
        self.result
            .as_ref()
            .is_err_and(|error| error.is::<Suspension>())
    }

    /// Adds why the host ended the run of a reader.
    pub(super) fn with_fault(self, fault: Option<Fault>) -> Self {
        Self { fault, ..self }
    }

    /// Checks the guest's result with `check`. A failure has the guest's log.
    pub(super) fn finish<T>(
        self,
        plugin: &str,
        limits: &Limits,
        check: impl FnOnce(R) -> Result<T, Fault>,
    ) -> Result<Finished<T>, PluginError> {
        let last_error = self
            .log
            .last_error()
            .map(str::to_owned)
            .or(self.stderr_tail);
        let log = self.log.into_lines();
        let fault = self.fault;
        let result = self.result.map_err(|error| match fault {
            Some(fault) if error.is::<Unwound>() => fault,
            _ => Fault::of(&error, limits, last_error),
        });
        match result.and_then(check) {
            Ok(value) => Ok(Finished { value, log }),
            Err(fault) => Err(PluginError {
                refusal: self.refusal,
                log,
                ..PluginError::new(Some(plugin), fault)
            }),
        }
    }
}

/// A call into a plugin that is ready to be made.
pub(super) struct Invocation<'a, L> {
    pub(super) linked: &'a L,
    pub(super) interruption: &'a InterruptHandle,
    pub(super) limits: &'a Limits,
    /// The seed of the guest's random bytes.
    pub(super) seed: Digest,
}

impl Invocation<'_, TransformPre<State>> {
    /// Calls a function of a fresh instance, drops the instance and returns the model.
    pub(super) fn invoke<R, M: Model>(
        self,
        model: M,
        grants: Grants,
        act: impl FnOnce(&Transform, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> (CallResult<R>, M) {
        let (call_result, access, _) = self.run(ModelAccess::new(model, grants), None, act);
        (call_result, access.into_model())
    }
}

impl<L: Linked> Invocation<'_, L> {
    /// Calls a function of a fresh instance on a thread of its own and without a model: the caller may be inside an
    /// async runtime, where WASI must not block.
    pub(super) fn invoke_on_new_thread<R: Send>(
        self,
        act: impl FnOnce(&L::Instance, &mut Store<State>) -> wasmtime::Result<R> + Send,
    ) -> CallResult<R> {
        thread::scope(|scope| {
            let spawned = thread::Builder::new()
                .stack_size(2 * STACK_BYTES)
                .spawn_scoped(scope, || self.run(ModelAccess::none(), None, act).0);
            match spawned.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(call_result)) => call_result,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => CallResult {
                    result: Err(ThreadError(error).into()),
                    log: Log::new(),
                    refusal: None,
                    stderr_tail: None,
                    fault: None,
                    fuel_left: 0,
                },
            }
        })
    }

    /// Calls a function of a fresh instance, drops the instance and returns what it had of the caller.
    pub(super) fn run<R>(
        self,
        access: ModelAccess,
        reading: Option<ReadingState>,
        act: impl FnOnce(&L::Instance, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> (CallResult<R>, ModelAccess, Option<ReadingState>) {
        let Self {
            linked,
            interruption,
            limits,
            seed,
        } = self;
        let state = State {
            meter: Meter::new(limits),
            log: Log::new(),
            llm: Llm::new(access, limits),
            wasi: Wasi::new(seed),
            reading,
        };
        let mut store = Store::new(linked.component().engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.hostcall_bytes);
        store.set_epoch_deadline(1);
        let interrupt = interruption.clone();
        store.epoch_deadline_callback(move |context| {
            interrupt.check()?;
            // The engine's count may be out of date, but it is never too high.
            let charged = context.data().charged();
            if context.get_fuel()? < charged {
                return Err(Trap::OutOfFuel.into());
            }
            Ok(context.data().meter.check_time()?)
        });
        let mut result = store
            .set_fuel(limits.fuel)
            // A tick alone does not suffice: thousands of short calls may follow.
            .and_then(|()| Ok(interruption.check()?))
            .and_then(|()| {
                let instance = linked.instantiate(&mut store);
                instance.map_err(InstantiationError::of)
            })
            .and_then(|instance| act(&instance, &mut store));
        let left = store.get_fuel().unwrap_or_default();
        // A call that used too much fails for that reason, even if it ended before the next tick.
        let fuel_left = match left.checked_sub(store.data().charged()) {
            Some(left) => left,
            None => {
                result = Err(Trap::OutOfFuel.into());
                0
            }
        };
        let State {
            mut log,
            llm,
            wasi,
            reading,
            ..
        } = store.into_data();
        let stderr_tail = wasi.close(&mut log);
        if result.is_err() {
            log.join_crash();
        }
        let (access, refusal) = llm.into_parts();
        let call_result = CallResult {
            result,
            log,
            refusal,
            stderr_tail,
            fault: None,
            fuel_left,
        };
        (call_result, access, reading)
    }
}
