//! Finds a config with which ordinary files give artifacts, and checks that they do.

use serde_json::{Map, Value};

use super::runner::{ReadTrial, ReaderRunner};
use super::{LOG_BYTES, SampleFile, sample_files};
use crate::check::failure::FailureCause;
use crate::check::point::Point;
use crate::check::report::ReportBuilder;
use crate::check::{CheckOptions, point_of, sample};

/// The most ordinary files. Further ones only take time.
const MAX_FILES: usize = 4;

/// A config and files, and the runs over them. Other checks compare with these runs.
pub(super) struct Baseline {
    pub(super) config: Map<String, Value>,
    pub(super) files: Vec<(SampleFile, ReadTrial)>,
    /// Whether the check made the files up, so that the reader may refuse them.
    is_generated: bool,
}

impl Baseline {
    fn artifacts(&self) -> usize {
        self.files
            .iter()
            .map(|(_, trial)| trial.artifacts.len())
            .sum()
    }

    /// Returns the first run that ended with something else than an error in words.
    fn crash(&self) -> Option<&(SampleFile, ReadTrial)> {
        self.files.iter().find(|(_, trial)| {
            let failure = trial.failure.as_ref();
            failure.is_some_and(|failure| {
                !failure.is_reported() && failure.cause != FailureCause::NothingRead
            })
        })
    }
}

/// Finds a config with which files give artifacts. Stops at the first crash.
pub(super) fn find(
    runner: &ReaderRunner<'_>,
    options: &CheckOptions,
) -> Result<Baseline, (Point, String)> {
    let configs = match &options.config {
        Some(config) => vec![config.clone()],
        None => sample::configs(&runner.reader.descriptor().config_schema),
    };
    let is_generated = options.files.is_empty();
    let files = if is_generated {
        sample_files::ordinary()
    } else {
        options.files.clone()
    };
    let mut best: Option<Baseline> = None;
    for config in configs {
        let mut found = Baseline {
            files: Vec::new(),
            is_generated,
            config,
        };
        for file in &files {
            let trial = runner.read(file, &found.config);
            found.files.push((file.clone(), trial));
            if found.crash().is_some() {
                return Ok(found);
            }
        }
        let least = best.as_ref().map(Baseline::artifacts);
        if least.is_none_or(|least| found.artifacts() > least) {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| best.artifacts() > 0) {
            break;
        }
    }
    let mut best = best.ok_or_else(|| {
        let detail = "no valid config could be generated from the schema; pass one with --config";
        (Point::OrdinaryFiles, detail.to_owned())
    })?;
    if is_generated {
        // Files of other formats first, if there is nothing else.
        best.files
            .sort_by_key(|(_, trial)| (trial.artifacts.is_empty(), trial.skipped.is_empty()));
        let useful = best
            .files
            .iter()
            .take_while(|(_, trial)| !trial.artifacts.is_empty())
            .count();
        best.files.truncate(useful.clamp(1, MAX_FILES));
    }
    Ok(best)
}

impl Baseline {
    /// Checks the ordinary files. Returns whether the other checks can run.
    pub(super) fn check(&self, report: &mut ReportBuilder) -> bool {
        let point = Point::OrdinaryFiles;
        for (file, trial) in &self.files {
            let name = &file.name;
            if let Some((label, first, second)) = trial.duplicate_label() {
                report.fail(
                    Point::Labels,
                    format!("{name} gives the label {label:?} twice, at {first:?} and {second:?}"),
                );
            }
            let bytes: usize = trial.log.iter().map(|line| line.message.len() + 64).sum();
            if bytes >= LOG_BYTES {
                let detail = format!("{name} fills the log of a run: at least {bytes} bytes");
                report.fail(Point::Limits, detail);
                return false;
            }
            let Some(failure) = &trial.failure else {
                continue;
            };
            let may_refuse = self.is_generated
                && (failure.is_reported() || failure.cause == FailureCause::NothingRead);
            if let Some(problem) = failure.message_problem(file.bytes.len()) {
                report.fail(point, format!("{name}: {problem}: {}", failure.message));
                return false;
            }
            if !may_refuse {
                report.fail(
                    point_of(failure, point),
                    format!("{name}: {}", failure.message),
                );
                return false;
            }
        }
        let artifacts = self.artifacts();
        match (artifacts, self.is_generated) {
            (0, true) => report.skip(
                point,
                "no generated file gives an artifact; pass files that it reads with --input",
            ),
            (0, false) => {
                report.fail(point, "no file gives an artifact");
                return false;
            }
            _ => report.pass(
                point,
                format!("{artifacts} artifacts from {} files", self.files.len()),
            ),
        }
        true
    }
}
