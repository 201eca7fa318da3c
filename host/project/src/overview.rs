//! The overview that `status` shows. It writes nothing and uses no network.

use super::context::{Options, ProjectContext};
use super::reading::{current_pipeline, newest_prices};
use super::{Project, ProjectError};
use synix_engine::plan::Plan;
use synix_engine::view::{Overview, SnapshotSelection};
use synix_prices::Prices;
use synix_store::{BuildKind, Reader, StoreError};

/// Returns the overview of the current pipeline. If it cannot be planned, its past builds are still shown.
pub fn overview(options: &Options) -> Result<Overview, ProjectError> {
    planned_overview(options).map(|(overview, _)| overview)
}

/// Returns the overview with the plan that says what is stale; `None` if the pipeline cannot be planned.
pub fn planned_overview(options: &Options) -> Result<(Overview, Option<Plan>), ProjectError> {
    let options = &Options {
        offline: true,
        ..options.clone()
    };
    let context = ProjectContext::with_state(options)?;
    let reader = match Reader::open(&context.state()) {
        Ok(reader) => Some(reader),
        Err(StoreError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let plan = match Project::open(options).and_then(|project| project.plan(BuildKind::Build)) {
        // If the plan cannot read the state, nothing else can.
        Err(error @ ProjectError::Store(_)) => return Err(error),
        other => other,
    };
    let current_pipeline = current_pipeline(options)?;
    let wanted = SnapshotSelection {
        pipeline: &current_pipeline.file,
        is_certain: current_pipeline.is_certain,
        snapshot: None,
    };
    let prices = match &reader {
        Some(reader) => newest_prices(options, reader, &current_pipeline.file)?,
        None => Prices::default(),
    };
    let why = plan.as_ref().map_err(ProjectError::view);
    let overview = Overview::of(reader.as_ref(), &wanted, why, &prices)?;
    Ok((overview, plan.ok()))
}
