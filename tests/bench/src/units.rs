//! Measures the replay of many small documents: a first build, a build without stale units, and the start of the command.

use std::path::Path;
use std::time::Duration;

use crate::child::{self, ResourceUsage};
use crate::corpus::{self, Corpus, Transform};
use crate::report::{row, seconds};
use crate::{Options, Outcome, floor};

const UNITS: u32 = 10_000;

/// The number of runs of each measurement, of which the median counts.
const RUNS: usize = 5;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let folder = crate::temporary_folder()?;
    let bench = UnitsBenchmark {
        folder: folder.path(),
        binary: &options.binary,
    };
    let units = options.units.unwrap_or(UNITS);
    let demo = bench.demo()?;
    let map = Transform::map()?;
    let corpus = Corpus::create(&folder.path().join("corpus"), units, &map)?;
    let floor = per_second(units, floor::time(&corpus, &map)?);
    let first = bench.first_builds(corpus.root())?;
    let again = bench.repeated(&["build"], corpus.root())?;
    let version = bench.repeated(&["--version"], folder.path())?;

    let rate = per_second(units, first.wall);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{units} small documents through `map`, replayed, {cores} cores, median of {RUNS}\n");
    row(
        "fresh instances on one core",
        &format!("{floor:.0} units/s"),
        "the floor",
    );
    row(
        "first build",
        &format!("{rate:.0} units/s"),
        &format!("{:.2} of the floor", rate / floor),
    );
    row("  in all", &seconds(first.wall), "");
    row("  peak memory", &first.memory(), "");
    row(
        "build again, nothing changed",
        &seconds(again.wall),
        "goal 0.5 s",
    );
    row("  peak memory", &again.memory(), "");
    row(
        "the demo again, nothing changed",
        &seconds(demo.wall),
        "goal 0.1 s",
    );
    row("synix --version", &seconds(version.wall), "goal 0.02 s");
    Ok(())
}

struct UnitsBenchmark<'a> {
    folder: &'a Path,
    binary: &'a Path,
}

impl UnitsBenchmark<'_> {
    /// Builds the demo, which also compiles the transforms, then measures it without stale units.
    fn demo(&self) -> Outcome<ResourceUsage> {
        let root = self.folder.join("demo");
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/team-report");
        corpus::copy(Path::new(template), &root)?;
        self.run(&["build"], &root)?;
        self.repeated(&["build"], &root)
    }

    /// Builds the corpus without a state, several times.
    fn first_builds(&self, root: &Path) -> Outcome<ResourceUsage> {
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let state = root.join(".synix");
            if state.exists() {
                std::fs::remove_dir_all(&state)?;
            }
            runs.push(self.run(&["build"], root)?);
        }
        Ok(ResourceUsage::median(runs))
    }

    fn repeated(&self, arguments: &[&str], root: &Path) -> Outcome<ResourceUsage> {
        let runs = (0..RUNS)
            .map(|_| self.run(arguments, root))
            .collect::<Outcome<Vec<_>>>()?;
        Ok(ResourceUsage::median(runs))
    }

    fn run(&self, arguments: &[&str], root: &Path) -> Outcome<ResourceUsage> {
        let mut command = child::synix(self.binary, arguments, root)?;
        command.env("SYNIX_CASSETTE_MODE", "replay");
        child::run(&mut command, &self.folder.join("log"))
    }
}

fn per_second(units: u32, time: Duration) -> f64 {
    f64::from(units) / time.as_secs_f64()
}
