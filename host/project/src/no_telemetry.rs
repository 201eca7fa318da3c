//! Stands in for `telemetry` in a synix that is built without it.

use synix_engine::build::{Event, Observer};

use super::execute::LockedBuild;
use super::{BuildReport, Project, ProjectError};
use synix_core::clock::Timestamp;

/// The report of a build, which does nothing.
pub(super) struct BuildTelemetry;

impl Project {
    /// Warns if the user expects a report.
    pub(super) fn telemetry(&self, _: &LockedBuild<'_>, observer: Observer<'_>) -> BuildTelemetry {
        let is_set = |signal: &str| {
            let name = format!("OTEL_EXPORTER_OTLP_{signal}ENDPOINT");
            let value = self.context.environment.get(&name);
            value.is_some_and(|value| !value.trim().is_empty())
        };
        if ["", "TRACES_", "METRICS_"].into_iter().any(is_set) {
            let message = "telemetry: this synix was built without the feature `telemetry`";
            let message = message.to_owned();
            observer(&Event::Warning { message });
        }
        BuildTelemetry
    }
}

impl BuildTelemetry {
    pub(super) const fn observe(&self, _: &Event) {}

    pub(super) const fn finish(self, _: &Result<BuildReport, ProjectError>, _: Timestamp) {}
}
