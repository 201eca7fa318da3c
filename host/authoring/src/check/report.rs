//! The report of a check: the result of each point.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::point::Point;
use crate::PluginKind;

/// The outcome of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PointOutcome {
    /// The plugin keeps the promise.
    Pass,
    /// It does not keep it.
    Fail,
    /// It could not be checked, or does not apply.
    Skip,
}

/// The result of a point.
#[derive(Debug, Clone, Serialize)]
pub struct PointResult {
    /// The point.
    pub point: Point,
    /// The outcome.
    pub outcome: PointOutcome,
    /// The promise, in one sentence.
    pub promise: &'static str,
    /// What the check observed, in one sentence.
    pub detail: String,
}

/// The results of a check.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The name of the plugin, or of its file if it cannot be loaded.
    pub plugin: String,
    /// Its version.
    pub version: Option<String>,
    /// What it is.
    pub kind: PluginKind,
    /// The number of points that passed.
    pub passed: usize,
    /// The number of points that failed.
    pub failed: usize,
    /// The number of points that were skipped.
    pub skipped: usize,
    /// Every point of its kind, in the order of [`Point::all`].
    pub points: Vec<PointResult>,
}

/// The progress of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckProgress {
    /// What is being checked.
    pub stage: &'static str,
    /// The number of calls of the plugin so far.
    pub runs: u64,
}

/// Collects the result of each point. Later results do not replace a failure.
///
/// After the deadline it ignores further results, because the interrupted run
/// causes them and not the plugin.
#[derive(Debug, Default)]
pub(super) struct ReportBuilder {
    kind: PluginKind,
    results: BTreeMap<Point, (PointOutcome, String)>,
    deadline: Deadline,
}

/// The time limit of a check.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadline {
    /// The moment, and the time limit that it came from; `None` for no limit.
    until: Option<(Instant, Duration)>,
}

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self {
            until: Instant::now().checked_add(time).map(|until| (until, time)),
        }
    }

    /// Returns the remaining time; `None` for no limit.
    pub(super) fn remaining(self) -> Option<Duration> {
        let (until, _) = self.until?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    pub(super) fn is_over(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}

impl ReportBuilder {
    pub(super) fn new(kind: PluginKind, deadline: Deadline) -> Self {
        Self {
            kind,
            deadline,
            ..Self::default()
        }
    }

    /// Makes the report. If the deadline has passed, the check failed for that reason.
    pub(super) fn finish(
        mut self,
        plugin: String,
        version: Option<String>,
        reason: &str,
    ) -> CheckReport {
        if !self.deadline.is_over() {
            return self.build(plugin, version, reason);
        }
        let seconds = self.deadline.until.map_or(0, |(_, time)| time.as_secs());
        let detail = format!(
            "the check did not finish within {seconds} s; make the plugin faster, or allow more time with --timeout"
        );
        self.results
            .insert(Point::Limits, (PointOutcome::Fail, detail));
        self.build(plugin, version, "not checked: the time limit was reached")
    }

    pub(super) fn pass(&mut self, point: Point, detail: impl Into<String>) {
        if self.deadline.is_over() {
            return;
        }
        self.results
            .entry(point)
            .or_insert_with(|| (PointOutcome::Pass, detail.into()));
    }

    pub(super) fn fail(&mut self, point: Point, detail: impl Into<String>) {
        if !self.has_failed(point) && !self.deadline.is_over() {
            self.results
                .insert(point, (PointOutcome::Fail, detail.into()));
        }
    }

    pub(super) fn skip(&mut self, point: Point, reason: impl Into<String>) {
        if self.deadline.is_over() {
            return;
        }
        self.results
            .entry(point)
            .or_insert_with(|| (PointOutcome::Skip, reason.into()));
    }

    pub(super) fn has_failed(&self, point: Point) -> bool {
        self.results
            .get(&point)
            .is_some_and(|(outcome, _)| *outcome == PointOutcome::Fail)
    }

    /// Makes the report. Points without a result are skipped for `reason`.
    pub(super) fn build(
        self,
        plugin: String,
        version: Option<String>,
        reason: &str,
    ) -> CheckReport {
        let mut results = self.results;
        let kind = self.kind;
        let points: Vec<PointResult> = Point::all(kind)
            .iter()
            .map(|&point| {
                let (outcome, detail) = results
                    .remove(&point)
                    .unwrap_or_else(|| (PointOutcome::Skip, reason.to_owned()));
                PointResult {
                    point,
                    outcome,
                    promise: point.promise(kind),
                    detail,
                }
            })
            .collect();
        let count = |outcome| points.iter().filter(|one| one.outcome == outcome).count();
        CheckReport {
            plugin,
            version,
            kind,
            passed: count(PointOutcome::Pass),
            failed: count(PointOutcome::Fail),
            skipped: count(PointOutcome::Skip),
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_results_do_not_replace_a_failure() {
        let mut report = ReportBuilder::default();
        report.pass(Point::Labels, "fine");
        report.fail(Point::Labels, "twice");
        report.pass(Point::Labels, "fine again");
        let report = report.build("x".to_owned(), None, "not checked");
        let labels = report
            .points
            .iter()
            .find(|one| one.point == Point::Labels)
            .unwrap();
        assert_eq!(
            (labels.outcome, labels.detail.as_str()),
            (PointOutcome::Fail, "twice")
        );
        assert_eq!(
            (report.failed, report.skipped),
            (1, Point::all(PluginKind::Transform).len() - 1)
        );
    }

    /// The interrupted run causes results after the deadline.
    #[test]
    fn a_check_past_its_deadline_fails_only_for_that_reason() {
        let mut report = ReportBuilder::new(PluginKind::Transform, Deadline::after(Duration::ZERO));
        report.fail(Point::Replay, "cut off");
        report.pass(Point::Labels, "fine");
        let report = report.finish("x".to_owned(), None, "not checked");
        assert_eq!((report.passed, report.failed), (0, 1));
        let failed = report
            .points
            .iter()
            .find(|one| one.outcome == PointOutcome::Fail);
        assert!(
            failed
                .is_some_and(|one| one.point == Point::Limits && one.detail.contains("--timeout"))
        );
    }
}
