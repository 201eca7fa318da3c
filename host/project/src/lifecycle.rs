//! Commands that start from the state: going on with a build, cancelling it, forgetting.

use std::collections::BTreeSet;

use std::collections::BTreeMap;

use super::context::{Options, ProjectContext};
use super::execute::{answer_origin, report, runtime};
use super::gc::lock_open_builds;
use super::plugins::read_pipeline;
use super::{BuildOrder, CleanReport, Project, ProjectError, Report};
use synix_core::digest::Digest;
use synix_core::printable;
use synix_engine::batch::{self, BatchEvent};
use synix_engine::build::{BuildError, Event, Observer, WaitPolicy};
use synix_engine::view::{FindError, Status, find_build};
use synix_prices::Prices;
use synix_store::{AnswerOrigin, BuildId, BuildKind, BuildRow, Reader, StoreError};
use synix_transforms::FIRST_PARTY;

/// Returns the build that a user names, or the newest batch build.
fn chosen(reader: &Reader, build: Option<&str>) -> Result<BuildRow, ProjectError> {
    if let Some(name) = build {
        return Ok(find_build(reader, name)?);
    }
    let newest = reader.builds(Some(BuildKind::Batch))?.into_iter().next();
    newest.ok_or_else(|| BuildError::NoBuild.into())
}

/// Reads a build again, which another process may have driven meanwhile.
fn again(reader: &Reader, build: BuildId) -> Result<BuildRow, ProjectError> {
    reader
        .build(build)?
        .ok_or_else(|| BuildError::NoBuild.into())
}

/// Returns where a build stands, or the newest batch build; in a project without state every build is unknown.
pub fn status(options: &Options, build: Option<&str>) -> Result<Status, ProjectError> {
    let reader = match archive(options) {
        Err(ProjectError::Store(StoreError::Absent { .. })) => {
            return Err(match build {
                Some(name) => FindError::NoBuild {
                    name: name.to_owned(),
                    nearest: None,
                }
                .into(),
                None => BuildError::NoBuild.into(),
            });
        }
        other => other?,
    };
    let row = chosen(&reader, build)?;
    let prices = prices(options, &reader, Some(row.id))?;
    Ok(Status::of(&reader, row.id, &prices)?)
}

/// Takes a batch build up again, with the pipeline it was opened with (L2).
pub fn resume(
    options: &Options,
    build: Option<&str>,
    order: &BuildOrder,
    observer: Observer<'_>,
) -> Result<Report, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    context.need_own_state()?;
    let store = match context.store() {
        // With the state its builds are lost; the pipeline starts over in a new one.
        Err(ProjectError::Store(StoreError::Damaged { .. })) if order.reset_state => {
            return Project::open(options)?.run_batch(order, observer);
        }
        other => other?,
    };
    let row = chosen(&store, build)?;
    refuse_ended(&store, &row)?;
    let project = context.project_of(&row, options)?;
    project.check_recording()?;
    let cassette = project.replay()?;
    if cassette.is_none() {
        project.admit()?;
    }
    let words = |answer_origin: AnswerOrigin| {
        if answer_origin == AnswerOrigin::Live {
            "live"
        } else {
            "from a cassette"
        }
    };
    if (row.answer_origin == AnswerOrigin::Live) != cassette.is_none() {
        let now = words(answer_origin(cassette.as_ref()));
        return Err(BuildError::OtherAnswers {
            build: row.id,
            opened: words(row.answer_origin),
            now,
        }
        .into());
    }
    let lock = project.lock(&store, row.id)?;
    // Whoever held the lock a moment ago may have brought it to its end.
    let row = again(&store, row.id)?;
    refuse_ended(&store, &row)?;
    if !project.ready.parts.has_fingerprint(row.fingerprint) && !order.allow_mismatch {
        return Err(BuildError::Mismatch {
            build: row.id,
            changes: project.ready.parts.changes_since(&row.parts),
        }
        .into());
    }
    // Also where only the form of the fingerprint is another: an earlier version of synix opened the build.
    if row.fingerprint != project.ready.fingerprint {
        let parts = serde_json::to_string(&project.ready.parts).unwrap_or_default();
        store.write(|tx| tx.set_build_fingerprint(row.id, project.ready.fingerprint, &parts))?;
    }
    store.write(|tx| tx.close_build(row.id, None))?;
    let report = project.drive(&store, row.id, row.kind, cassette.as_ref(), order, observer);
    drop(lock);
    report
}

/// Refuses a build that has nothing left to do.
fn refuse_ended(store: &Reader, row: &BuildRow) -> Result<(), ProjectError> {
    let status = if row.cancelled {
        "cancelled"
    } else if Status::of(store, row.id, &Prices::default())?.status == "completed" {
        "completed"
    } else {
        return Ok(());
    };
    let build = row.id;
    Err(BuildError::Ended { build, status }.into())
}

/// Cancels a batch build: its live batches at the provider, and what has not left the machine yet.
pub fn cancel(
    options: &Options,
    build: Option<&str>,
    observer: Observer<'_>,
) -> Result<Report, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    context.need_own_state()?;
    let store = context.store()?;
    let row = chosen(&store, build)?;
    // Batches cost money; a difference in the lock file must not keep them alive.
    let project = context.project_of(
        &row,
        &Options {
            locked: Some(false),
            ..options.clone()
        },
    )?;
    project.admit()?;
    project.tell_lock_changes(observer);
    refuse_to_cancel(&store, &row)?;
    let lock = project.lock(&store, row.id)?;
    // Whoever held the lock a moment ago may have brought it to its end.
    let row = again(&store, row.id)?;
    refuse_to_cancel(&store, &row)?;
    let (providers, missing) = project.providers()?;
    for submission in store.unsettled_submissions()? {
        if let (true, Some(variable)) = (
            submission.build == row.id,
            missing.get(&submission.provider),
        ) {
            return Err(BuildError::MissingKey {
                provider: submission.provider,
                variable: variable.clone(),
            }
            .into());
        }
    }
    let tell = |event: &BatchEvent| observer(&Event::Batch(event.clone()));
    let settings = project.batch_settings(&BuildOrder {
        wait_policy: WaitPolicy::Leave,
        allow_partial: false,
        allow_mismatch: false,
        sync_after: None,
        lost_create: batch::LostCreatePolicy::Ask,
        budget: None,
        reset_state: false,
        retry_failed: BTreeSet::new(),
    });
    let mut batches = batch::Batches::new(batch::BatchContext {
        store: &store,
        build: row.id,
        providers: &providers,
        settings,
        clock: &project.context.clock,
        observer: &tell,
    });
    runtime()?
        .block_on(batches.cancel(row.id))
        .map_err(BuildError::from)?;
    store.write(|tx| tx.cancel_build(row.id))?;
    drop(lock);
    let report = report(&store, row.id, &project.prices)?;
    project.ended(
        &report.status,
        row.answer_origin != AnswerOrigin::Live,
        observer,
    )?;
    Ok(report)
}

/// Refuses a build of which nothing can be cancelled any more.
fn refuse_to_cancel(store: &Reader, row: &BuildRow) -> Result<(), ProjectError> {
    let under_way = store
        .unsettled_submissions()?
        .iter()
        .any(|submission| submission.build == row.id);
    // A provider may have refused the first cancel, and its batch goes on and is billed.
    if row.closed.is_none() && (!row.cancelled || under_way) {
        return Ok(());
    }
    let status = if row.cancelled {
        "cancelled"
    } else {
        "completed"
    };
    let build = row.id;
    Err(BuildError::Ended { build, status }.into())
}

/// Opens the state of a project for reading; its pipeline file need not be valid.
pub fn archive(options: &Options) -> Result<Reader, ProjectError> {
    Ok(Reader::open(&ProjectContext::with_state(options)?.state())?)
}

/// The pipeline file that a reading command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentPipeline {
    /// Its path relative to the project.
    pub file: String,
    /// Whether the user named it or it is there.
    pub is_certain: bool,
}

/// Returns the pipeline file at hand, which need not be there as long as its state is.
pub fn current_pipeline(options: &Options) -> Result<CurrentPipeline, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let is_named = options.named_file().is_some();
    Ok(CurrentPipeline {
        is_certain: is_named || context.root.join(&context.file).is_file(),
        file: context.file,
    })
}

/// Returns what components are called: those that come with synix, and those that the lock file pins.
pub fn component_names(options: &Options) -> Result<BTreeMap<Digest, String>, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let mut names: BTreeMap<Digest, String> = FIRST_PARTY
        .iter()
        .map(|(name, bytes)| (Digest::of(bytes), (*name).to_owned()))
        .collect();
    // A name is a help to read by, no reason to fail.
    if let Ok(lock) = context.lock() {
        names.extend(
            lock.pins()
                .map(|(reference, pin)| (pin.digest, reference.to_owned())),
        );
    }
    Ok(names)
}

/// Returns the prices in force for a build, or (`None`) for the newest snapshot: those of its pipeline file as it is now.
///
/// While that file is gone or wrong, no price is known: it may hold some.
pub fn prices(
    options: &Options,
    reader: &Reader,
    build: Option<BuildId>,
) -> Result<Prices, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let build = match build {
        Some(build) => Some(build),
        None => reader.newest_snapshot()?.map(|snapshot| snapshot.build),
    };
    let row = build
        .map(|build| reader.build(build))
        .transpose()?
        .flatten();
    let file = row.map_or(context.file, |row| row.pipeline);
    let path = options
        .named_file()
        .unwrap_or_else(|| context.root.join(file));
    let unusable = |why: String| Prices::unavailable(why);
    let bytes = match read_pipeline(&path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(unusable(error.to_string())),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(match synix_manifest::parse(&text) {
        Ok(pipeline) => super::prices_of(&pipeline),
        Err(_) => unusable(format!("{} is wrong", path.display())),
    })
}

/// Forgets what the pipeline makes now, so that everything is made again from the answers on record.
///
/// Answers, batches and builds stay: they stand for money.
pub fn clean(options: &Options) -> Result<CleanReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let store = context.store()?;
    // A build that is driven now would lose what it stands on.
    let units = loop {
        let (builds, locks) = lock_open_builds(&store)?;
        let forgotten = store.write(|tx| -> Result<_, StoreError> {
            // Another build was opened meanwhile: it is locked too, or the command is refused.
            if tx.open_builds()?.iter().all(|open| builds.contains(open)) {
                tx.delete_units().map(Some)
            } else {
                Ok(None)
            }
        })?;
        drop(locks);
        if let Some(units) = forgotten {
            break units;
        }
    };
    let removed = if units == 0 {
        Vec::new()
    } else {
        vec![format!(
            "{} with their artifacts",
            printable::pluralize(units as u64, "unit")
        )]
    };
    Ok(CleanReport { removed })
}
