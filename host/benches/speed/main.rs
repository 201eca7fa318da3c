//! Measures the command on many small documents, beside the floor that one core allows.
//!
//! `cargo bench --package synix --bench speed -- [--units N] [--binary FILE]`.
//! It prints numbers and judges none: machines differ, and a slow hour of one
//! is no fault of the code.

#![allow(clippy::print_stdout, reason = "a bench speaks")]

mod child;
mod corpus;
mod floor;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use child::Spent;
use corpus::Corpus;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const UNITS: u32 = 10_000;
/// Runs of a measure; the median counts.
const RUNS: usize = 5;

struct Options {
    units: u32,
    binary: PathBuf,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Under `cargo test --all-targets` there is nothing to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let options = Options::parse(&arguments)?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bench = Bench {
        folder: folder.path(),
        binary: &options.binary,
    };
    let demo = bench.demo()?;
    let corpus = Corpus::make(&folder.path().join("corpus"), options.units)?;
    let floor = per_second(options.units, floor::time(&corpus)?);
    let first = bench.first_builds(corpus.root())?;
    let again = bench.repeated(&["build"], corpus.root())?;
    let version = bench.repeated(&["--version"], folder.path())?;

    let units = options.units;
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

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            units: UNITS,
            binary: PathBuf::from(env!("CARGO_BIN_EXE_synix")),
        };
        let mut words = arguments.iter().filter(|word| *word != "--bench");
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--units" => options.units = value.parse()?,
                "--binary" => options.binary = PathBuf::from(value),
                _ => {
                    return Err(format!("unknown argument {word}: --units N, --binary FILE").into());
                }
            }
        }
        Ok(options)
    }
}

struct Bench<'a> {
    folder: &'a Path,
    binary: &'a Path,
}

impl Bench<'_> {
    /// Builds the demo, which also compiles the transforms, and then measures it with nothing to do.
    fn demo(&self) -> Outcome<Spent> {
        let root = self.folder.join("demo");
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/team-report");
        corpus::copy(Path::new(template), &root)?;
        self.run(&["build"], &root)?;
        self.repeated(&["build"], &root)
    }

    /// Builds the corpus from nothing, several times.
    fn first_builds(&self, root: &Path) -> Outcome<Spent> {
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let state = root.join(".synix");
            if state.exists() {
                std::fs::remove_dir_all(&state)?;
            }
            runs.push(self.run(&["build"], root)?);
        }
        Ok(Spent::median(runs))
    }

    fn repeated(&self, arguments: &[&str], root: &Path) -> Outcome<Spent> {
        let runs = (0..RUNS)
            .map(|_| self.run(arguments, root))
            .collect::<Outcome<Vec<_>>>()?;
        Ok(Spent::median(runs))
    }

    fn run(&self, arguments: &[&str], root: &Path) -> Outcome<Spent> {
        let mut command = Command::new(self.binary);
        command
            .args(arguments)
            .current_dir(root)
            .env_clear()
            .env("SYNIX_CACHE_DIR", self.folder.join("cache"))
            .env("SYNIX_CASSETTE_MODE", "replay");
        child::run(&mut command, &self.folder.join("talk"))
    }
}

fn per_second(units: u32, time: Duration) -> f64 {
    f64::from(units) / time.as_secs_f64()
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn row(what: &str, found: &str, beside: &str) {
    println!("{what:<34}{found:>18}   {beside}");
}
