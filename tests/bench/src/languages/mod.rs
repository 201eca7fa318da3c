//! Measures each language: the time to build, load and run its scaffold, compared with the floor of its guest.

mod guest;
mod raw;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use synix_sandbox::{CompileCache, Plugin, Sandbox};

use crate::child;
use crate::corpus::{self, Corpus, Transform};
use crate::{Options, Outcome};

const LABEL: &str = "note";
const QUESTION: &str =
    "We met at noon, spoke about the plan for the quarter and agreed on what comes next.";
const ANSWER: &str = "People meet, speak about the quarter and agree on the next steps.";

/// The minimum duration of a measurement.
const LEAST: Duration = Duration::from_secs(1);

/// A language, the file with the transform of its scaffold, and a guest that sends one request.
struct Language {
    name: &'static str,
    file: &'static str,
    source: &'static str,
    /// The documented floor: microseconds of a fresh instance with one completion.
    on_record: f64,
    /// The number of units of a pipeline.
    units: u32,
}

const LANGUAGES: [Language; 6] = [
    Language {
        name: "rust",
        file: "src/lib.rs",
        source: include_str!("guests/lib.rs"),
        on_record: 12.7,
        units: 20_000,
    },
    Language {
        name: "c",
        file: "plugin.c",
        source: include_str!("guests/plugin.c"),
        on_record: 30.0,
        units: 20_000,
    },
    Language {
        name: "js",
        file: "plugin.js",
        source: include_str!("guests/plugin.js"),
        on_record: 178.0,
        units: 5_000,
    },
    Language {
        name: "ts",
        file: "plugin.ts",
        source: include_str!("guests/plugin.ts"),
        on_record: 178.0,
        units: 5_000,
    },
    Language {
        name: "python",
        file: "plugin.py",
        source: include_str!("guests/plugin.py"),
        on_record: 1000.0,
        units: 2_000,
    },
    Language {
        name: "go",
        file: "plugin.go",
        source: include_str!("guests/plugin.go"),
        on_record: 1400.0,
        units: 2_000,
    },
];

/// Measures the languages and prints a table for the documentation.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("plugins by language, one completion for each unit, one core\n");
    println!(
        "| language | build | component | first load | cached load | units/s through the scheduler | \
         per unit | the engine alone | ratio | floor on record | memory per unit |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for language in &LANGUAGES {
        if options
            .language
            .as_deref()
            .is_some_and(|only| only != language.name)
        {
            continue;
        }
        println!("{}", measure(options, language)?);
    }
    Ok(())
}

fn measure(options: &Options, language: &Language) -> Outcome<String> {
    let folder = crate::temporary_folder()?;
    let home = folder.path().join("plugin");
    let tools = Tools {
        binary: &options.binary,
        cache: folder.path().join("cache"),
        log: folder.path().join("log"),
    };
    let kind = ["new", "items", "--lang", language.name];
    tools.plugin(&kind, &home)?;
    let build = tools.plugin(&["build"], &home)?;
    let size = fs::metadata(home.join("items.wasm"))?.len();
    corpus::write(&home.join(language.file), language.source)?;
    tools.plugin(&["build"], &home)?;
    let bytes = fs::read(home.join("items.wasm"))?;

    let kept = folder.path().join("compiled");
    let (first, _) = load(&bytes, &kept)?;
    let (cached, plugin) = load(&bytes, &kept)?;
    let per_unit = guest::time(&plugin, LEAST)?;
    let floor = raw::time(&bytes, LEAST)?;
    let memory = guest::memory(&plugin)?;
    let rate = scheduled(&tools, language, &bytes)?;
    Ok(format!(
        "| {} | {:.1} s | {} KB | {:.0} ms | {:.1} ms | {rate:.0} | {:.1} µs | {:.1} µs | {:.2} | {:.1} µs | {memory} KB |",
        language.name,
        build.as_secs_f64(),
        size / 1000,
        first.as_secs_f64() * 1e3,
        cached.as_secs_f64() * 1e3,
        per_unit.as_secs_f64() * 1e6,
        floor.as_secs_f64() * 1e6,
        per_unit.as_secs_f64() / floor.as_secs_f64(),
        language.on_record,
    ))
}

/// Opens a sandbox and loads the plugin.
fn load(bytes: &[u8], cache: &Path) -> Outcome<(Duration, Plugin)> {
    let sandbox = Sandbox::new(
        guest::DEPTH,
        Some(CompileCache {
            folder: cache.join("compiled"),
            secrets: cache.join("secrets"),
        }),
    )?;
    let start = Instant::now();
    let plugin = sandbox.load("items", bytes)?;
    Ok((start.elapsed(), plugin))
}

/// Returns the number of units per processor second if all answers are known and nothing is written.
///
/// A plan of a pipeline whose cassette has every answer runs each unit completely. A plan of the sources alone takes the
/// time to start and to read cassette and sources, which is subtracted.
fn scheduled(tools: &Tools<'_>, language: &Language, bytes: &[u8]) -> Outcome<f64> {
    let folder = crate::temporary_folder()?;
    let transform = Transform::custom(bytes)?;
    let corpus = Corpus::create(folder.path(), language.units, &transform)?;
    let plan = |file: &str| -> Outcome<Duration> {
        let mut least = Duration::MAX;
        for _ in 0..3 {
            let mut command = tools.on_one_core();
            command
                .args(["plan", file])
                .current_dir(corpus.root())
                .env("SYNIX_CASSETTE_MODE", "replay");
            least = least.min(child::run(&mut command, &tools.log)?.processor);
        }
        Ok(least)
    };
    let units = plan("synix.toml")?.saturating_sub(plan(corpus::SOURCES_FILE)?);
    Ok(f64::from(language.units) / units.as_secs_f64())
}

/// The command and the compilers.
struct Tools<'a> {
    binary: &'a Path,
    cache: PathBuf,
    log: PathBuf,
}

impl Tools<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(arguments).env("SYNIX_CACHE_DIR", &self.cache);
        command
    }

    /// Returns the command on a single core, because threads that share page tables slow each other down.
    fn on_one_core(&self) -> Command {
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", "0"])
            .arg(self.binary)
            .env("SYNIX_CACHE_DIR", &self.cache);
        command
    }

    fn plugin(&self, arguments: &[&str], folder: &Path) -> Outcome<Duration> {
        let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/languages/bin");
        let mut command = self.command(&["plugin"]);
        command
            .args(arguments)
            .arg(folder)
            .env("SYNIX_TOOLS", tools);
        Ok(child::run(&mut command, &self.log)?.wall)
    }
}

/// Returns the average time of `one`, measured for at least `least`, without the cost of the first call.
fn per_unit(least: Duration, mut one: impl FnMut() -> Outcome<()>) -> Outcome<Duration> {
    for _ in 0..20 {
        one()?;
    }
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < least {
        for _ in 0..10 {
            one()?;
        }
        count += 10;
    }
    Ok(start.elapsed() / count)
}
