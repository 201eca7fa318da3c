//! Reports builds to a receiver of OpenTelemetry, if the user's own environment names one.
//!
//! The variables are never read from `.env`: a project must not decide who sees what its user builds.

use synix_engine::build::{Event, Observer};
use synix_telemetry::{BuildEnd, Settings, Telemetry, TracedBuild};

use super::execute::LockedBuild;
use super::trust::read_state_id;
use super::{BuildReport, Project, ProjectError};
use synix_core::clock::Timestamp;

/// The report of a build; it does nothing if telemetry is off.
pub(super) struct BuildTelemetry<'a> {
    running: Option<Telemetry>,
    observer: Observer<'a>,
}

impl Project {
    /// Starts to report a build. Whatever is wrong with it is a warning, never an error of the build.
    pub(super) fn telemetry<'a>(
        &self,
        build: &LockedBuild<'_>,
        observer: Observer<'a>,
    ) -> BuildTelemetry<'a> {
        let environment = &self.context.environment;
        let (settings, warnings) = Settings::read(&|name| environment.get(name));
        for message in warnings {
            let message = format!("telemetry: {message}");
            observer(&Event::Warning { message });
        }
        let running = settings.and_then(|settings| {
            let started = self.start_telemetry(&settings, build);
            if let Err(error) = &started {
                let message = format!("telemetry: nothing is sent: {error}");
                observer(&Event::Warning { message });
            }
            started.ok()
        });
        BuildTelemetry { running, observer }
    }

    fn start_telemetry(
        &self,
        settings: &Settings,
        build: &LockedBuild<'_>,
    ) -> Result<Telemetry, synix_telemetry::StartError> {
        let state = self.context.state();
        let state = read_state_id(&state).unwrap_or_else(|| {
            let path = state.canonicalize().unwrap_or(state);
            path.display().to_string()
        });
        let layers = self.ready.layers.iter();
        let traced = TracedBuild {
            build: build.id,
            project: state,
            layers: layers.map(|layer| layer.name.to_string()).collect(),
        };
        let reader = build.store.try_clone()?;
        Telemetry::start(settings, traced, reader, self.prices.clone())
    }
}

impl BuildTelemetry<'_> {
    /// Notes what an event of the build says.
    pub(super) fn observe(&self, event: &Event) {
        let Some(running) = &self.running else {
            return;
        };
        if let Event::Done { layer, unit } | Event::Failed { layer, unit, .. } = event {
            running.unit_settled(layer, unit);
        }
    }

    /// Sends the rest within a limited time, and warns once if something was not delivered.
    pub(super) fn finish(self, result: &Result<BuildReport, ProjectError>, now: Timestamp) {
        let Some(running) = self.running else {
            return;
        };
        let delivery = running.finish(end_of(result), now);
        if delivery.lost == 0 && !delivery.is_more {
            return;
        }
        let more = if delivery.is_more { "at least " } else { "" };
        let reason = delivery.reason.unwrap_or_default();
        let message = format!(
            "telemetry: {more}{} spans and data points were not delivered: {reason}",
            delivery.lost
        );
        (self.observer)(&Event::Warning { message });
    }
}

fn end_of(result: &Result<BuildReport, ProjectError>) -> BuildEnd {
    match result {
        Ok(report) if report.waiting => BuildEnd::Waits,
        Ok(report) => BuildEnd::Ended(report.status.status.clone()),
        Err(ProjectError::Interrupted { .. }) => BuildEnd::Interrupted,
        Err(_) => BuildEnd::Ended("failed".into()),
    }
}
