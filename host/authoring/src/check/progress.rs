//! Reports the progress of a check: its stage, and the number of runs so far.

use std::cell::Cell;

use super::report::CheckProgress;

/// The progress of a check.
pub(super) struct Progress<'a> {
    /// Is called at each stage and before each run.
    on_progress: &'a dyn Fn(CheckProgress),
    stage: Cell<&'static str>,
    runs: Cell<u64>,
}

impl<'a> Progress<'a> {
    /// Reports the first stage of a check: the component is loaded.
    pub(super) fn start(on_progress: &'a dyn Fn(CheckProgress)) -> Self {
        let progress = Self {
            on_progress,
            stage: Cell::new("load the component"),
            runs: Cell::new(0),
        };
        progress.report();
        progress
    }

    pub(super) fn start_stage(&self, stage: &'static str) {
        self.stage.set(stage);
        self.report();
    }

    /// Counts a run that is about to start.
    pub(super) fn count_run(&self) {
        self.runs.set(self.runs.get() + 1);
        self.report();
    }

    fn report(&self) {
        (self.on_progress)(CheckProgress {
            stage: self.stage.get(),
            runs: self.runs.get(),
        });
    }
}
