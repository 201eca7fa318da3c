//! The points of a check and what came of each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

/// One thing that a plugin must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// It is a component of the contract's world.
    Component,
    /// Its description keeps the rules.
    Descriptor,
    /// Its config schema can be used.
    ConfigSchema,
    /// A default left out means the same as one written out.
    ConfigDefaults,
    /// A wrong config ends in words.
    ConfigRefusals,
    /// Ordinary units end well.
    OrdinaryUnits,
    /// What it uses is what it declares.
    Capabilities,
    /// The same call does the same.
    Deterministic,
    /// Nothing is kept from call to call.
    Stateless,
    /// A run with some answers is the start of a run with all.
    Replay,
    /// No answer makes it crash.
    Answers,
    /// A refused request fails the unit.
    RefusedRequests,
    /// Every input gets into a unit.
    Split,
    /// A unit keeps its key when other inputs come and go.
    UnitKeys,
    /// The order of the inputs changes nothing.
    InputOrder,
    /// Outputs keep the rules.
    Outputs,
    /// Labels are unique over all units.
    Labels,
    /// An input without text does not make it crash.
    EmptyInput,
    /// Any text does not make it crash.
    UnicodeInput,
    /// A long text does not make it crash.
    LongInput,
    /// An input that is not text does not make it crash.
    BytesInput,
    /// Odd or missing metadata do not make it crash.
    MetadataInput,
    /// It stays within the limits of a unit.
    Limits,
}

impl Point {
    /// Every point, in the order of a report.
    pub const ALL: [Self; 23] = [
        Self::Component,
        Self::Descriptor,
        Self::ConfigSchema,
        Self::ConfigDefaults,
        Self::ConfigRefusals,
        Self::OrdinaryUnits,
        Self::Capabilities,
        Self::Deterministic,
        Self::Stateless,
        Self::Replay,
        Self::Answers,
        Self::RefusedRequests,
        Self::Split,
        Self::UnitKeys,
        Self::InputOrder,
        Self::Outputs,
        Self::Labels,
        Self::EmptyInput,
        Self::UnicodeInput,
        Self::LongInput,
        Self::BytesInput,
        Self::MetadataInput,
        Self::Limits,
    ];

    /// Returns the name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Descriptor => "descriptor",
            Self::ConfigSchema => "config-schema",
            Self::ConfigDefaults => "config-defaults",
            Self::ConfigRefusals => "config-refusals",
            Self::OrdinaryUnits => "ordinary-units",
            Self::Capabilities => "capabilities",
            Self::Deterministic => "deterministic",
            Self::Stateless => "stateless",
            Self::Replay => "replay",
            Self::Answers => "answers",
            Self::RefusedRequests => "refused-requests",
            Self::Split => "split",
            Self::UnitKeys => "unit-keys",
            Self::InputOrder => "input-order",
            Self::Outputs => "outputs",
            Self::Labels => "labels",
            Self::EmptyInput => "empty-input",
            Self::UnicodeInput => "unicode-input",
            Self::LongInput => "long-input",
            Self::BytesInput => "bytes-input",
            Self::MetadataInput => "metadata-input",
            Self::Limits => "limits",
        }
    }

    /// Returns what is promised, in one sentence.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::Component => "It is a component of the contract's world and version.",
            Self::Descriptor => "Its description keeps the rules and is the same on every call.",
            Self::ConfigSchema => {
                "Its config schema describes an object; defaults, examples and choices fit."
            }
            Self::ConfigDefaults => "A default that is left out means the same as one written out.",
            Self::ConfigRefusals => {
                "A wrong config is refused in words, never by a crash or in silence."
            }
            Self::OrdinaryUnits => "Units of ordinary inputs end well.",
            Self::Capabilities => "It declares what it uses and uses what it declares.",
            Self::Deterministic => "The same call asks, makes and uses the same.",
            Self::Stateless => "It keeps nothing from call to call.",
            Self::Replay => "Cut off at any question and run again, it asks the same.",
            Self::Answers => "No answer makes it crash.",
            Self::RefusedRequests => "A request that is refused fails the unit.",
            Self::Split => "Each input gets into a unit, or the log says why not.",
            Self::UnitKeys => "A unit keeps its key while its inputs stay the same.",
            Self::InputOrder => "The order in which inputs come changes nothing.",
            Self::Outputs => "Labels, kinds, media types and metadata of outputs keep the rules.",
            Self::Labels => "Labels are unique over all units.",
            Self::EmptyInput => "An empty text does not make it crash.",
            Self::UnicodeInput => "Any characters, in texts and labels, do not make it crash.",
            Self::LongInput => "Long texts and labels, and many inputs, do not make it crash.",
            Self::BytesInput => "An input that is not text does not make it crash.",
            Self::MetadataInput => {
                "Odd or missing metadata, or another kind, do not make it crash."
            }
            Self::Limits => "It stays within fuel, memory, output, log and requests of a unit.",
        }
    }
}

/// What came of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be tried, or does not apply.
    Skip,
}

/// A point with what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The point.
    pub point: Point,
    /// What came of it.
    pub outcome: Outcome,
    /// What is promised.
    pub promise: &'static str,
    /// What was seen, in one sentence.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The plugin: its name, or the file's where it could not be loaded.
    pub plugin: String,
    /// Its version.
    pub version: Option<String>,
    /// Points that hold.
    pub passed: usize,
    /// Points that do not.
    pub failed: usize,
    /// Points that were not tried.
    pub skipped: usize,
    /// Every point, in the order of [`Point::ALL`].
    pub points: Vec<Finding>,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being tried.
    pub stage: &'static str,
    /// Calls of the plugin so far.
    pub runs: u64,
}

/// Takes down what comes of each point. A failure stays, whatever comes later.
///
/// When the time of the check is over, nothing more is taken down: what is
/// seen then is the end of the time, not the plugin.
#[derive(Debug, Default)]
pub(super) struct Notes {
    noted: BTreeMap<Point, (Outcome, String)>,
    deadline: Deadline,
}

/// When a check ends, whether it has come to its end or not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadline {
    /// The moment, and how long it was away; `None`: never.
    until: Option<(Instant, Duration)>,
}

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self {
            until: Instant::now().checked_add(time).map(|until| (until, time)),
        }
    }

    /// Returns the time that is left; `None`: as much as anybody wants.
    pub(super) fn left(self) -> Option<Duration> {
        let (until, _) = self.until?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    pub(super) fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

impl Notes {
    pub(super) fn until(deadline: Deadline) -> Self {
        Self {
            deadline,
            ..Self::default()
        }
    }

    /// Ends the check, where it was cut off as what it is.
    pub(super) fn finish_in_time(
        mut self,
        plugin: String,
        version: Option<String>,
        reason: &str,
    ) -> Report {
        if !self.deadline.is_over() {
            return self.finish(plugin, version, reason);
        }
        let seconds = self.deadline.until.map_or(0, |(_, time)| time.as_secs());
        let detail = format!(
            "the check was not done after {seconds} s: make units cheaper, or give it longer with --timeout"
        );
        self.noted.insert(Point::Limits, (Outcome::Fail, detail));
        self.finish(plugin, version, "not tried: the time of the check was over")
    }

    pub(super) fn pass(&mut self, point: Point, detail: impl Into<String>) {
        if self.deadline.is_over() {
            return;
        }
        self.noted
            .entry(point)
            .or_insert_with(|| (Outcome::Pass, detail.into()));
    }

    pub(super) fn fail(&mut self, point: Point, detail: impl Into<String>) {
        if !self.has_failed(point) && !self.deadline.is_over() {
            self.noted.insert(point, (Outcome::Fail, detail.into()));
        }
    }

    pub(super) fn skip(&mut self, point: Point, reason: impl Into<String>) {
        if self.deadline.is_over() {
            return;
        }
        self.noted
            .entry(point)
            .or_insert_with(|| (Outcome::Skip, reason.into()));
    }

    pub(super) fn has_failed(&self, point: Point) -> bool {
        self.noted
            .get(&point)
            .is_some_and(|(outcome, _)| *outcome == Outcome::Fail)
    }

    /// Ends the check; points nobody came to are skipped for `reason`.
    pub(super) fn finish(self, plugin: String, version: Option<String>, reason: &str) -> Report {
        let mut noted = self.noted;
        let points: Vec<Finding> = Point::ALL
            .into_iter()
            .map(|point| {
                let (outcome, detail) = noted
                    .remove(&point)
                    .unwrap_or_else(|| (Outcome::Skip, reason.to_owned()));
                Finding {
                    point,
                    outcome,
                    promise: point.promise(),
                    detail,
                }
            })
            .collect();
        let count = |outcome| points.iter().filter(|one| one.outcome == outcome).count();
        Report {
            plugin,
            version,
            passed: count(Outcome::Pass),
            failed: count(Outcome::Fail),
            skipped: count(Outcome::Skip),
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stays_whatever_comes_later() {
        let mut notes = Notes::default();
        notes.pass(Point::Labels, "fine");
        notes.fail(Point::Labels, "twice");
        notes.pass(Point::Labels, "fine again");
        let report = notes.finish("x".to_owned(), None, "not tried");
        let labels = report
            .points
            .iter()
            .find(|one| one.point == Point::Labels)
            .unwrap();
        assert_eq!(
            (labels.outcome, labels.detail.as_str()),
            (Outcome::Fail, "twice")
        );
        assert_eq!((report.failed, report.skipped), (1, Point::ALL.len() - 1));
    }

    /// What is seen after the time is over is the end of the time.
    #[test]
    fn a_check_whose_time_is_over_says_so_and_blames_the_plugin_for_nothing_else() {
        let mut notes = Notes::until(Deadline::after(Duration::ZERO));
        notes.fail(Point::Replay, "cut off");
        notes.pass(Point::Labels, "fine");
        let report = notes.finish_in_time("x".to_owned(), None, "not tried");
        assert_eq!((report.passed, report.failed), (0, 1));
        let failed = report
            .points
            .iter()
            .find(|one| one.outcome == Outcome::Fail);
        assert!(
            failed
                .is_some_and(|one| one.point == Point::Limits && one.detail.contains("--timeout"))
        );
    }
}
