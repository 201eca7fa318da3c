//! Shared answers of a project: where they are, whether the user permits it, and the commands on their store.
//!
//! The credentials of the store come from the user's own environment only, never from `.env`, and only the servers of
//! the store that the user has chosen or permitted get them.

#[cfg_attr(not(feature = "shared"), path = "no_store.rs")]
mod open;
mod unavailable;

#[cfg(feature = "restate")]
pub(super) use open::open as open_store;

use std::time::Duration;

use super::context::{Options, ProjectContext};
use super::environment::Environment;
use super::execute::runtime;
use super::trust::Permission;
use super::{Project, ProjectError};
use synix_manifest::{Pipeline, check_shared_url};
use synix_shared::{GcReport, SharedAnswers, SharedSettings, SharedStatus, SystemMonotonic};
use synix_store::{Reader, StoreError};

/// The variable with the URL of the store.
const URL_VARIABLE: &str = "SYNIX_SHARED_URL";

/// The store that a project uses.
struct SharedChoice {
    url: String,
    /// Whether only the pipeline file names it.
    is_from_file: bool,
    read_only: bool,
    lease: Duration,
}

/// The state of the shared answers of a project.
#[derive(Debug)]
pub struct SharedReport {
    /// What the store has.
    pub store: SharedStatus,
    /// Whether answers are only read.
    pub read_only: bool,
    /// How many answers of this project the next build publishes.
    pub unpublished: u64,
    /// How long a claim of mode `call` lives after the last heartbeat of its holder.
    pub lease: Duration,
}

impl ProjectContext {
    /// Returns the URL of the store, and whether only the pipeline file names it.
    pub(super) fn shared_url(&self, pipeline: &Pipeline) -> Option<(String, bool)> {
        let choice = self.shared_choice(pipeline)?;
        Some((choice.url, choice.is_from_file))
    }

    fn shared_choice(&self, pipeline: &Pipeline) -> Option<SharedChoice> {
        let shared = &pipeline.shared;
        let set = self.environment.shared_url();
        let is_from_file = set.is_none();
        Some(SharedChoice {
            url: set.or_else(|| shared.url.clone())?,
            is_from_file,
            read_only: shared.read_only || self.environment.shares_read_only(),
            lease: shared.lease,
        })
    }

    /// Returns the permission that the store needs if the pipeline file names it.
    pub(super) fn shared_permission(&self, pipeline: &Pipeline) -> Option<Permission> {
        let choice = self.shared_choice(pipeline)?;
        choice.is_from_file.then_some(Permission::Shared {
            url: choice.url,
            read_only: choice.read_only,
        })
    }

    /// Opens the shared answers, if the project has any. The user has granted the permission.
    fn open_shared(&self, pipeline: &Pipeline) -> Result<Option<SharedAnswers>, ProjectError> {
        let Some(choice) = self.shared_choice(pipeline) else {
            return Ok(None);
        };
        if let Err(rule) = check_shared_url(&choice.url) {
            return Err(ProjectError::Usage(format!("{URL_VARIABLE} must {rule}")));
        }
        let store = open::open(&choice.url, &self.environment)?;
        let settings = SharedSettings {
            name: store.name,
            namespace: store.namespace,
            read_only: choice.read_only,
            lease: choice.lease,
            holder_label: holder_label(&self.environment),
        };
        let url = settings.name.clone();
        let clock = SystemMonotonic::at_rate(self.environment.clock_eighths());
        let opened = SharedAnswers::with_clock(store.objects, settings, clock);
        let opened = opened.map_err(|source| ProjectError::Shared {
            url,
            source: Box::new(source),
        })?;
        Ok(Some(opened))
    }

    /// Opens the shared answers for a command on their store.
    fn permitted_shared(&self) -> Result<Option<SharedAnswers>, ProjectError> {
        let pipeline = self.pipeline()?;
        self.require(self.shared_permission(&pipeline).into_iter().collect())?;
        self.open_shared(&pipeline)
    }
}

impl Project {
    /// Opens the shared answers of a live build.
    pub(super) fn shared_answers(&self) -> Result<Option<SharedAnswers>, ProjectError> {
        self.require_permissions()?;
        self.context.open_shared(&self.pipeline)
    }
}

/// Returns the state of the shared answers; `None` if the project has none. An unavailable store is no error.
pub fn shared_status(options: &Options) -> Result<Option<SharedReport>, ProjectError> {
    let context = ProjectContext::find(options)?;
    let Some(shared) = context.permitted_shared()? else {
        return Ok(None);
    };
    let unpublished = match Reader::open(&context.state()) {
        Ok(reader) => reader.unpublished_answers(&shared.settings().name)?,
        Err(StoreError::Absent { .. }) => 0,
        Err(error) => return Err(error.into()),
    };
    Ok(Some(SharedReport {
        store: runtime()?.block_on(shared.status()),
        read_only: shared.settings().read_only,
        unpublished,
        lease: shared.settings().lease,
    }))
}

/// Deletes what nobody needs from the store of shared answers; never an answer.
pub fn shared_gc(options: &Options) -> Result<GcReport, ProjectError> {
    let context = ProjectContext::find(options)?;
    let Some(shared) = context.permitted_shared()? else {
        return Err(ProjectError::Usage(format!(
            "this project shares no answers; set `url` in [shared], or {URL_VARIABLE}"
        )));
    };
    if shared.settings().read_only {
        return Err(ProjectError::Usage(
            "the shared answers are only read; remove `read_only` or SYNIX_SHARED_READ_ONLY"
                .to_owned(),
        ));
    }
    let collected = runtime()?.block_on(async {
        let collected = shared.gc().await;
        // A heartbeat of this process that remains is deleted by a later one.
        let _ = shared.leave().await;
        collected
    });
    collected.map_err(|source| ProjectError::Shared {
        url: shared.settings().name.clone(),
        source: Box::new(source),
    })
}

/// Returns how the claims of this process are shown to others.
fn holder_label(environment: &Environment) -> String {
    let host = environment.host_name();
    let host = host.unwrap_or_else(|| "unnamed".to_owned());
    format!("{host} process {}", std::process::id())
}
