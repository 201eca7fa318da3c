//! Drives a build: takes its lock, opens providers or a cassette, and records.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::context::CassetteMode;
use super::interrupt::{Interrupts, left};
use super::keys::KeyUse;
use super::spending::Spending;
use super::{BuildOrder, Project, ProjectError, Report};
use synix_disk::{FileLock, Folder, SymlinkPolicy};
use synix_engine::batch::BatchSettings;
use synix_engine::build::{
    self, BuildContext, BuildError, BuildOptions, Event, Observer, Providers,
};
use synix_engine::view::{ErrorView, Status};
use synix_manifest::ProviderProfile;
use synix_prices::{Amount, Prices};
use synix_providers::{Cassette, Endpoint, HttpSettings, Provider};
use synix_sandbox::InterruptHandle;
use synix_store::{AnswerOrigin, BuildId, BuildKind, RetrySelection, Store};

/// Attempts at a request through batches in one command, at most.
const BATCH_ATTEMPTS: u32 = 3;

impl Project {
    pub(super) fn start(
        &self,
        kind: BuildKind,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        self.check_recording()?;
        if let Some(lock) = &self.unwritten_lock {
            self.context.write_lock(lock)?;
        }
        let cassette = self.replay()?;
        if cassette.is_none() {
            self.admit()?;
        }
        let (store, lost) = self.state(order.reset_state)?;
        let new = self.build_context(cassette.as_ref()).new_build(kind);
        let (build, lock) = store.write(|tx| {
            let build = tx.open_build(&new)?;
            // Before anybody else can see the build: one that nobody drives is anybody's to take over.
            let lock = self.lock(&store, build)?;
            if let Some(lost) = &lost {
                tx.abandon_lost_batches(build, lost, new.opened)?;
            }
            Ok::<_, ProjectError>((build, lock))
        })?;
        if let Some(lost) = &lost {
            store.finish_reset()?;
            self.abandon(&store, build, lost, cassette.is_none(), observer)?;
        }
        let report = self.drive(&store, build, kind, cassette.as_ref(), order, observer);
        drop(lock);
        report
    }

    pub(super) fn lock(&self, store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
        let mut lock = take_lock(store, build)?;
        lock.write_holder(&format!(
            "process {} since {}",
            std::process::id(),
            self.context.clock.now()
        ))?;
        Ok(lock)
    }

    pub(super) fn drive(
        &self,
        store: &Store,
        build: BuildId,
        kind: BuildKind,
        cassette: Option<&Arc<Cassette>>,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        self.tell_lock_changes(observer);
        for message in self.warnings() {
            observer(&Event::Warning { message });
        }
        let (providers, missing_keys) = if cassette.is_some() {
            Default::default()
        } else {
            self.providers()?
        };
        let options = BuildOptions {
            providers: &providers,
            batches: self.batch_settings(order),
            missing_keys: &missing_keys,
            concurrency: self.context.concurrency,
            wait_policy: order.wait_policy,
            allow_partial: order.allow_partial,
            kind,
            retry_failed: order.retry_failed.clone(),
            budget: order
                .budget
                .or_else(|| self.pipeline.budget_usd.and_then(Amount::from_usd)),
            interrupt: CancellationToken::new(),
        };
        let leave = CancellationToken::new();
        let runtime = runtime()?;
        // A task of its own: a guest that divides its inputs runs on the thread that drives the build.
        runtime.spawn(wait_to_leave(
            self.interruption.clone(),
            // A replay has no calls that an end could lose.
            cassette.is_none().then(|| options.interrupt.clone()),
            leave.clone(),
        ));
        let money = Spending::new(store, build, &self.prices, observer);
        let watched = |event: &Event| {
            observer(event);
            money.look(event);
        };
        let span = tracing::info_span!("build", id = %build);
        let desk = self.build_context(cassette);
        let driven = async {
            tokio::select! {
                driven = build::run(desk, options, store, build, &watched) => Some(driven),
                () = leave.cancelled() => None,
            }
        };
        let outcome = runtime.block_on(driven.instrument(span));
        drop(runtime);
        // The project may be built again.
        self.interruption.resume();
        let replayed = cassette.is_some();
        match outcome {
            Some(Ok(_)) => {}
            None | Some(Err(BuildError::Interrupted)) => return Err(left(store, build, kind)?),
            Some(Err(error)) => {
                let view = ErrorView::of(error.kind(), error.hint(), &error);
                // The first error is the one to report.
                let kept = store.write(|tx| tx.set_build_error(build, Some(&view.kept())));
                if let (Ok(()), Ok(status)) = (kept, Status::of(store, build, &self.prices)) {
                    self.ended(&status, replayed, observer)?;
                }
                return Err(error.into());
            }
        }
        let recorded = if self.context.cassette_mode == CassetteMode::Record {
            self.record(store)
        } else {
            Ok(())
        };
        let report = report(store, build, &self.prices)?;
        tracing::info!(build = %build, status = report.status.status, "the build was driven as far as it goes now");
        if !report.waiting {
            self.ended(&report.status, replayed, observer)?;
        }
        recorded?;
        Ok(report)
    }

    /// Refuses a damaged cassette before money is spent on what it should hold.
    pub(super) fn check_recording(&self) -> Result<(), ProjectError> {
        if self.context.cassette_mode == CassetteMode::Record {
            Cassette::load_if_exists(&self.cassette_path()?)?;
        }
        Ok(())
    }

    /// Writes every answer behind the snapshot to the cassette, also those an earlier build got.
    fn record(&self, store: &Store) -> Result<(), ProjectError> {
        let path = self.cassette_path()?;
        let mut cassette = Cassette::load_if_exists(&path)?.unwrap_or_default();
        let Some(snapshot) = store.newest_snapshot_of(&self.context.file)? else {
            return Ok(());
        };
        for layer in snapshot.layers() {
            for unit in store.snapshot_units(&snapshot, layer)? {
                for entry in store.transcript(unit.id)? {
                    if let Some(answer) = entry.answer {
                        let (answer, _) = store.transcript_answer(answer)?;
                        cassette.insert(store.request(entry.request)?, answer)?;
                    }
                }
            }
        }
        Ok(cassette.save(&path)?)
    }

    fn cassette_path(&self) -> Result<PathBuf, ProjectError> {
        let folder = &self.context.cassette_dir;
        // A folder that the user named may be a link, the project's own may not.
        if *folder == self.context.root.join("cassettes") {
            Folder::open(folder, SymlinkPolicy::Refuse)?;
        }
        Ok(folder.join(format!("{}.json", self.pipeline.name)))
    }

    pub(super) fn replay(&self) -> Result<Option<Arc<Cassette>>, ProjectError> {
        if self.context.cassette_mode != CassetteMode::Replay {
            return Ok(None);
        }
        Ok(Some(Arc::new(Cassette::load(&self.cassette_path()?)?)))
    }

    pub(super) fn build_context<'a>(
        &'a self,
        replay: Option<&'a Arc<Cassette>>,
    ) -> BuildContext<'a> {
        BuildContext {
            pipeline: &self.ready,
            folder: &self.folder,
            replay,
            clock: &self.context.clock,
            prices: &self.prices,
        }
    }

    /// Returns how batches are driven, as the pipeline file and the command say.
    pub(super) fn batch_settings(&self, order: &BuildOrder) -> BatchSettings {
        let providers = &self.pipeline.providers;
        BatchSettings {
            look_again: providers
                .iter()
                .map(|(name, profile)| (name.clone(), profile.look_again.clone()))
                .collect(),
            attempts: BATCH_ATTEMPTS,
            layers: self
                .ready
                .layers
                .iter()
                .map(|layer| layer.name.to_string())
                .collect(),
            interval: order.wait_policy.interval(),
            batch_requests: providers
                .iter()
                .filter_map(|(name, profile)| Some((name.clone(), profile.batch_requests?)))
                .collect(),
            enqueued_tokens: providers
                .iter()
                .filter_map(|(name, profile)| Some((name.clone(), profile.enqueued_tokens?)))
                .collect(),
            sync_after: order.sync_after,
            lost_create: order.lost_create.clone(),
            retry: RetrySelection::default(),
        }
    }

    /// Opens the providers, with the keys that the user lets them have; those without their credential are named apart.
    pub(super) fn providers(&self) -> Result<(Providers, BTreeMap<String, String>), ProjectError> {
        self.admit()?;
        let dot_env = self.context.dot_env(&self.pipeline)?;
        let mut providers = Providers::new();
        let mut missing = BTreeMap::new();
        for (name, profile) in &self.pipeline.providers {
            let found = KeyUse::of(profile, &self.context.environment, &dot_env);
            found.check(name)?;
            let redirect = found.redirect.clone();
            let elsewhere = redirect.is_some() || !profile.uses_default_url();
            let key = found.into_key();
            if key.is_none() && (!elsewhere || profile.api_key_env.is_some()) {
                missing.insert(name.clone(), profile.key_variable().to_owned());
                continue;
            }
            providers.insert(
                name.clone(),
                Arc::new(Provider::open(endpoint(profile, redirect, key))?),
            );
        }
        Ok((providers, missing))
    }
}

/// Stops guests at the first interruption and leaves at the second; where there are no `calls` to wait for, at the first.
async fn wait_to_leave(
    guests: InterruptHandle,
    calls: Option<CancellationToken>,
    leave: CancellationToken,
) {
    let mut interrupts = Interrupts::listen();
    interrupts.next().await;
    guests.stop();
    if let Some(calls) = calls {
        calls.cancel();
        interrupts.next().await;
    }
    leave.cancel();
}

fn endpoint(
    profile: &ProviderProfile,
    redirect: Option<String>,
    key: Option<synix_providers::Secret>,
) -> Endpoint {
    Endpoint {
        name: profile.name.clone(),
        wire: profile.api,
        batch_api: profile.batch_api.unwrap_or_default(),
        base_url: redirect.unwrap_or_else(|| profile.url().to_owned()),
        key,
        http: HttpSettings {
            retries: profile.retries,
            backoff: profile.backoff,
            timeout: profile.timeout,
        },
    }
}

pub(super) fn answer_origin(cassette: Option<&Arc<Cassette>>) -> AnswerOrigin {
    cassette.map_or(AnswerOrigin::Live, |cassette| {
        AnswerOrigin::Replay(cassette.digest())
    })
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, ProjectError> {
    // What is told of this command's work comes from its threads, too.
    let told = tracing::dispatcher::get_default(Clone::clone);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || {
            // Until the thread ends.
            std::mem::forget(tracing::dispatcher::set_default(&told));
        })
        .enable_all()
        .build()
        .map_err(|source| ProjectError::Here { source })
}

pub(super) fn report(
    store: &Store,
    build: BuildId,
    prices: &Prices,
) -> Result<Report, ProjectError> {
    let status = Status::of(store, build, prices)?;
    let waiting = store
        .build(build)?
        .is_some_and(|build| build.closed.is_none());
    Ok(Report {
        build,
        status,
        waiting,
    })
}

/// Tries to take a lock that another process may only be looking at.
const TRIES: u32 = 5;

/// Between two of them.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Takes the lock on driving a build, or says who holds it.
pub(super) fn take_lock(store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
    for attempt in 1..=TRIES {
        if let Some(lock) = store.lock_build(build)? {
            return Ok(lock);
        }
        if attempt < TRIES {
            std::thread::sleep(BETWEEN_TRIES);
        }
    }
    let holder = store.build_holder(build);
    let holder = if holder.is_empty() {
        holder
    } else {
        format!(" ({holder})")
    };
    Err(BuildError::Held { build, holder }.into())
}
