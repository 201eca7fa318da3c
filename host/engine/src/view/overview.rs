//! The overview of a pipeline: what is stale, what runs, what failed, and the cost.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::cost;
use super::error::ErrorView;
use super::find_error::FindError;
use super::snapshot::{SnapshotSelection, SnapshotView};
use super::status::{BatchView, FailureView, LayerView, Status, build_status, is_open};
use crate::plan::Plan;
use synix_core::clock::Timestamp;
use synix_core::skipped::SkippedCount;
use synix_prices::{Amount, Bill, Prices};
use synix_store::Reader;

/// The overview of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The build with the newest snapshot; `None` before the first complete build.
    pub snapshot: Option<String>,
    /// Its layers in the pipeline's order.
    pub layers: Vec<OverviewLayer>,
    /// Builds that have not ended, the newest first.
    pub builds: Vec<OpenBuild>,
    /// The newest build that ended.
    pub last: Option<LastBuild>,
    /// The cost of all builds of the pipeline in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// Why the cost is unknown, one line per cause.
    pub unpriced: Vec<String>,
    /// Why the pipeline cannot be planned, so that it is unknown what is stale.
    pub error: Option<ErrorView>,
}

/// A layer of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewLayer {
    /// Its name.
    pub name: String,
    /// Its artifacts in the newest snapshot.
    pub artifacts: u64,
    /// The known stale units; `None` if the pipeline cannot be planned.
    pub stale: Option<u64>,
    /// The predicted number of stale units; `None` if `stale` is exact, or if it is unknown.
    pub stale_guess: Option<u64>,
    /// Units that failed in the newest build, or were held back.
    pub failed: u64,
    /// What the reader of a source leaves out.
    pub skipped: Vec<SkippedCount>,
}

/// A build that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenBuild {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// Its status, as in [`Status::status`].
    pub status: Cow<'static, str>,
    /// When it was opened.
    pub opened: Timestamp,
    /// Units with their outputs, fresh ones included.
    pub done: u64,
    /// Units that failed or were held back.
    pub failed: u64,
    /// Units that wait for answers.
    pub waiting: u64,
    /// Its batches that have not ended.
    pub batches: Vec<BatchView>,
    /// Its cost so far in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
}

/// The newest build that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastBuild {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// Its status, as in [`Status::status`].
    pub status: Cow<'static, str>,
    /// Why it ended early, if it did.
    pub error: Option<ErrorView>,
    /// When it was completed.
    pub closed: Option<Timestamp>,
    /// Its failed units.
    pub failures: Vec<FailureView>,
    /// Its cost in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
}

impl Overview {
    /// Returns the overview of the selected pipeline. Without a state nothing was built yet.
    pub fn of(
        reader: Option<&Reader>,
        selection: &SnapshotSelection<'_>,
        plan: Result<&Plan, ErrorView>,
        prices: &Prices,
    ) -> Result<Self, FindError> {
        let (plan, error) = match plan {
            Ok(plan) => (Some(plan), None),
            Err(error) => (None, Some(error)),
        };
        let mut overview = Self {
            pipeline: selection.pipeline.to_owned(),
            snapshot: None,
            layers: plan.map_or_else(Vec::new, planned_layers),
            builds: Vec::new(),
            last: None,
            cost_usd: Some(Amount::ZERO),
            unpriced: Vec::new(),
            error,
        };
        let Some(reader) = reader else {
            return Ok(overview);
        };
        match SnapshotView::select(reader, selection) {
            Ok(view) => overview.count_artifacts(&view, plan.is_none())?,
            // Another pipeline was built here, but not this one.
            Err(FindError::NotBuilt { .. }) => {}
            Err(error) => return Err(error),
        }
        overview.add_builds(reader, prices)?;
        Ok(overview)
    }

    fn count_artifacts(
        &mut self,
        view: &SnapshotView<'_>,
        names_layers: bool,
    ) -> Result<(), FindError> {
        if let Some(pipeline) = view.pipeline() {
            pipeline.clone_into(&mut self.pipeline);
        }
        self.snapshot = view.build().map(|build| build.to_string());
        let Some(selected) = &view.selected else {
            return Ok(());
        };
        if names_layers {
            let layers = selected.layers();
            self.layers = layers.map(|name| OverviewLayer::new(name, None)).collect();
        }
        for layer in &mut self.layers {
            layer.artifacts = view.reader.count_layer_artifacts(selected, &layer.name)?;
        }
        Ok(())
    }

    fn add_builds(&mut self, reader: &Reader, prices: &Prices) -> Result<(), FindError> {
        let mut total = Bill::default();
        let mut is_newest = true;
        for row in reader.builds(None)? {
            if row.pipeline != self.pipeline {
                continue;
            }
            // Only the builds that are shown are read completely.
            let is_open = is_open(build_status(reader, &row)?);
            let is_trial = row.trial.is_some();
            if is_open || (self.last.is_none() && !is_trial) {
                let status = Status::of(reader, row.id, prices)?;
                if is_newest && !is_trial {
                    self.count_failures(&status);
                }
                if is_open {
                    self.builds.push(OpenBuild::of(status));
                } else {
                    self.last = Some(LastBuild::of(status));
                }
            }
            is_newest &= is_trial;
            cost::add_build_cost(&mut total, reader, row.id, prices)?;
        }
        self.cost_usd = total.cost();
        self.unpriced = total.unpriced().iter().map(ToString::to_string).collect();
        Ok(())
    }

    fn count_failures(&mut self, status: &Status) {
        for layer in &mut self.layers {
            let found = status.layers.iter().find(|found| found.name == layer.name);
            layer.failed = found.map_or(0, |found| found.failed);
        }
    }
}

fn planned_layers(plan: &Plan) -> Vec<OverviewLayer> {
    let layers = plan.layers.iter().map(|layer| OverviewLayer {
        stale_guess: layer.stale_guess,
        skipped: layer.skipped.clone(),
        ..OverviewLayer::new(&layer.name, Some(layer.stale))
    });
    layers.collect()
}

impl OverviewLayer {
    fn new(name: &str, stale: Option<u64>) -> Self {
        Self {
            name: name.to_owned(),
            artifacts: 0,
            stale,
            stale_guess: None,
            failed: 0,
            skipped: Vec::new(),
        }
    }
}

impl OpenBuild {
    fn of(status: Status) -> Self {
        let sum = |of: fn(&LayerView) -> u64| status.layers.iter().map(of).sum();
        Self {
            done: sum(|layer| layer.done),
            failed: sum(|layer| layer.failed),
            waiting: sum(|layer| layer.waiting),
            build: status.build,
            kind: status.kind,
            status: status.status,
            opened: status.opened,
            batches: status
                .batches
                .into_iter()
                .filter(|batch| batch.succeeded + batch.failed < batch.requests)
                .collect(),
            cost_usd: status.cost_usd,
        }
    }
}

impl LastBuild {
    fn of(status: Status) -> Self {
        Self {
            build: status.build,
            kind: status.kind,
            status: status.status,
            error: status.error,
            closed: status.closed,
            failures: status.failures,
            cost_usd: status.cost_usd,
        }
    }
}
