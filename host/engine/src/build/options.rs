//! The arguments of a build: the pipeline, its surroundings, and how to run it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::BuildError;
use super::known_answers::{AnswerSource, KnownAnswers};
use super::layers::ReadyPipeline;
use super::pool::{Machines, Pool};
use super::provider_answerer::WaitPolicy;
use super::remote::RemoteUnits;
use super::sync::Providers;
use super::trial::Trial;
use crate::batch::{BatchSettings, LostCreatePolicy};
use synix_core::clock::Clock;
use synix_core::request::FailureKind;
use synix_prices::{Amount, Prices};
use synix_providers::Cassette;
use synix_sandbox::InterruptHandle;
use synix_shared::SharedAnswers;
use synix_sources::ProjectFolder;
use synix_store::{AnswerOrigin, BuildKind, NewBuild, Reader, RetrySelection};
use synix_units::UnitEngine;

/// What every build and plan of a project needs.
#[derive(Debug, Clone, Copy)]
pub struct BuildContext<'a> {
    /// The pipeline.
    pub pipeline: &'a ReadyPipeline,
    /// The project's folder.
    pub folder: &'a ProjectFolder,
    /// A cassette to replay; `None`: live.
    pub replay: Option<&'a Arc<Cassette>>,
    /// The clock.
    pub clock: &'a Clock,
    /// The prices of models.
    pub prices: &'a Prices,
    /// Whether source files are hashed although their size and time are unchanged.
    pub rehash: bool,
    /// Which part of the pipeline is built, if the build is a trial.
    pub trial: Option<&'a Trial>,
    /// Ends the reading of files early; that of the sandbox, whose guests it ends too.
    pub interruption: &'a InterruptHandle,
}

/// How a build is driven.
#[derive(Debug, Clone)]
pub struct BuildOptions<'a> {
    /// The providers; unused in a replay.
    pub providers: &'a Providers,
    /// How batches are driven.
    pub batches: BatchSettings,
    /// Providers without their credential, and the variable that should hold it.
    pub missing_keys: &'a BTreeMap<String, String>,
    /// The maximum number of concurrent sync calls.
    pub concurrency: NonZero<usize>,
    /// How long to wait for what is in flight.
    pub wait_policy: WaitPolicy,
    /// Whether to build units with missing inputs.
    pub allow_partial: bool,
    /// The kind of the build.
    pub kind: BuildKind,
    /// The kinds of failure that are retried although they were billed; with [`FailureKind::Guest`], the files that their
    /// readers could not read are read again.
    pub retry_failed: BTreeSet<FailureKind>,
    /// The answers that several machines share; `None`: only those in the state are used. A replay ignores them.
    pub shared: Option<SharedAnswers>,
    /// The machines that run the units of transforms; `None`: this one does. The pipeline must have been prepared with
    /// [`PrepareContext::keep_components`](super::PrepareContext::keep_components).
    pub engine: Option<Arc<dyn UnitEngine>>,
    /// The maximum cost of the build.
    pub budget: Option<Amount>,
    /// Ends the build with [`BuildError::Interrupted`] after the calls in flight.
    /// The owner of the sandbox must stop guests.
    pub interrupt: CancellationToken,
}

/// The maximum number of batches for a request in one command.
const BATCH_ATTEMPTS: u32 = 3;

/// The default of [`BuildOptions::concurrency`].
pub const DEFAULT_CONCURRENCY: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(15);

static NO_MISSING_KEYS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> BuildOptions<'a> {
    /// Returns the settings of `synix build`: sync calls, 16 at a time, no budget. Change the fields that should differ.
    pub fn new(pipeline: &ReadyPipeline, providers: &'a Providers) -> Self {
        let names = pipeline.layers.iter().map(|layer| layer.name.to_string());
        Self {
            providers,
            batches: BatchSettings {
                search_pauses: HashMap::new(),
                attempts: BATCH_ATTEMPTS,
                layers: names.collect(),
                interval: None,
                batch_requests: HashMap::new(),
                enqueued_tokens: HashMap::new(),
                sync_after: None,
                lost_create: LostCreatePolicy::default(),
                retry: RetrySelection::default(),
            },
            missing_keys: &NO_MISSING_KEYS,
            concurrency: DEFAULT_CONCURRENCY,
            wait_policy: WaitPolicy::PollOnce,
            allow_partial: false,
            kind: BuildKind::Build,
            retry_failed: BTreeSet::new(),
            shared: None,
            engine: None,
            budget: None,
            interrupt: CancellationToken::new(),
        }
    }
}

impl BuildContext<'_> {
    /// Returns a new build of the pipeline, which the caller opens in the store and locks.
    pub fn new_build(&self, kind: BuildKind) -> NewBuild {
        NewBuild {
            kind,
            pipeline: self.pipeline.file.clone(),
            fingerprint: self.pipeline.fingerprint,
            parts: serde_json::to_string(&self.pipeline.parts).unwrap_or_default(),
            answer_origin: self.answer_origin(),
            opened: self.clock.now(),
        }
    }

    pub(super) fn answer_origin(&self) -> AnswerOrigin {
        self.replay.map_or(AnswerOrigin::Live, |cassette| {
            AnswerOrigin::Replay(cassette.digest())
        })
    }

    pub(super) fn answer_source(&self) -> AnswerSource {
        self.replay.map_or(AnswerSource::Store, |cassette| {
            AnswerSource::Cassette(Arc::clone(cassette))
        })
    }

    /// Starts the pool; `retry` says which failed requests are sent again, and `engine` what runs the units instead of
    /// this machine, until it is interrupted.
    pub(super) fn pool(
        &self,
        reader: Option<&Reader>,
        retry: RetrySelection,
        engine: Option<(&Arc<dyn UnitEngine>, &CancellationToken)>,
    ) -> Result<Pool, BuildError> {
        let machines = match engine {
            None => {
                let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
                Machines::This(threads)
            }
            Some((engine, interrupt)) => Machines::Others(Arc::new(RemoteUnits::new(
                Arc::clone(engine),
                self.pipeline.components.clone(),
                interrupt.child_token(),
            ))),
        };
        let reader = reader.map(Reader::try_clone).transpose()?;
        let known = KnownAnswers::new(self.answer_source(), reader, retry);
        Ok(Pool::start(machines, &known, &self.pipeline.roles)?)
    }
}
