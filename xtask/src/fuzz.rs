//! Runs the fuzz targets of `fuzz/` with the stable compiler.
//!
//! They are built from the dependencies of every other build: only the library itself is instrumented, and for that this
//! program stands between cargo and rustc. A C++ compiler is needed for libFuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::probe::{make_folder, target_folder};
use crate::setup::{self, Way};
use crate::shell::{self, Failure, root, say};

/// How long each target runs unless told otherwise.
pub(crate) const SECONDS: &str = "60";

/// Each target with the project's own files that it starts from, beside its folder in `fuzz/seeds`.
const TARGETS: [(&str, &[&str]); 4] = [
    ("pipeline", &["templates/team-report/synix.toml"]),
    (
        "cassette",
        &["templates/team-report/cassettes/team-report.json"],
    ),
    ("rows", &[]),
    ("component", &["tests/guests/by_hand/smallest.wat"]),
];

/// What makes libFuzzer see which ways an input took; all of it stable.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// One input may take so long, in seconds: a plugin that spins ends at its fuel before.
const TIMEOUT: u32 = 60;
const MEGABYTES: u32 = 2048;

/// Runs every target, or `only` one.
pub(crate) fn run(seconds: &str, only: Option<&str>) -> Result<(), Failure> {
    if seconds.parse::<u64>().is_err() {
        return Err(Failure(format!("{seconds:?} is no number of seconds")));
    }
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        let known = TARGETS.map(|(name, _)| name).join(", ");
        return Err(Failure(format!("the fuzz targets are {known}")));
    }
    if !shell::works("c++", &["--version"]) {
        return Err(Failure(
            "libFuzzer needs a C++ compiler; to get it: apt-get install g++".to_owned(),
        ));
    }
    setup::run(Way::Easiest)?;
    println!("fuzz");
    let folder = target_folder("fuzz")?;
    build(&folder)?;
    for (name, files) in chosen {
        run_target(&folder, name, files, seconds)?;
    }
    Ok(())
}

/// Builds all targets; features stay those of the whole workspace, so that its dependencies are taken as they are.
fn build(folder: &Path) -> Result<(), Failure> {
    let this = std::env::current_exe()
        .map_err(|error| Failure(format!("cannot tell this program's path: {error}")))?;
    // A copy that cargo does not replace in the middle of its own run.
    let wrapper = folder.join(this.file_name().unwrap_or_default());
    fs::copy(&this, &wrapper).map_err(|error| {
        Failure(format!(
            "cannot copy this program to {}: {error}",
            wrapper.display()
        ))
    })?;
    let mut command = shell::cargo();
    command.args(["build", "--workspace", "--locked"]);
    command.args(["--features", "synix-fuzz/libfuzzer"]);
    for (name, _) in TARGETS {
        command.arg("--bin").arg(format!("fuzz-{name}"));
    }
    shell::run(
        command
            .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
            .env("CARGO_INCREMENTAL", "0")
            .current_dir(root()),
    )
}

fn run_target(folder: &Path, name: &str, files: &[&str], seconds: &str) -> Result<(), Failure> {
    say(&format!("{name}: {seconds} s"));
    let corpus = folder.join(name).join("corpus");
    let found = folder.join(name).join("found/");
    let seeds = folder.join(name).join("seeds");
    for made in [&corpus, &found, &seeds] {
        make_folder(made)?;
    }
    for file in files {
        copy(&root().join(file), &seeds)?;
    }
    let program = program(folder, name)?;
    let mut command = Command::new(program);
    command
        .args([&corpus, &seeds, &root().join("fuzz/seeds").join(name)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEGABYTES}"))
        .arg(format!("-artifact_prefix={}", found.display()))
        .args(["-print_final_stats=1", "-print_funcs=0", "-verbosity=0"])
        .arg("-max_len=65536")
        .current_dir(root());
    shell::run(&mut command).map_err(|Failure(text)| {
        Failure(format!(
            "{text}\nthe input stands in {}; run the program with it alone to see it again",
            found.display()
        ))
    })
}

fn program(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let program = folder.with_file_name("debug").join(format!("fuzz-{name}"));
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure(format!("cargo has not made {}", program.display())))
    }
}

fn copy(file: &Path, into: &Path) -> Result<(), Failure> {
    let copied = fs::copy(file, into.join(file.file_name().unwrap_or_default()));
    copied.map(drop).map_err(|error| {
        Failure(format!(
            "cannot copy {} to {}: {error}",
            file.display(),
            into.display()
        ))
    })
}

/// Tells whether cargo calls this program in rustc's place.
pub(crate) fn is_rustc(word: &str) -> bool {
    Path::new(word)
        .file_stem()
        .is_some_and(|stem| stem == "rustc")
}

/// Runs rustc, with [`COVERAGE`] where it compiles a library of synix.
pub(crate) fn instrument(arguments: &[String]) -> ExitCode {
    let [rustc, rest @ ..] = arguments else {
        return ExitCode::FAILURE;
    };
    let value = |flag: &str| {
        rest.windows(2)
            .find(|words| words[0] == flag)
            .map(|words| words[1].as_str())
    };
    let mut command = Command::new(rustc);
    command.args(rest);
    let is_room = value("--crate-name").is_some_and(|name| name.starts_with("synix_"));
    if is_room && value("--crate-type") == Some("lib") {
        command.args(COVERAGE);
    }
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: cannot start {rustc}: {error}");
            ExitCode::FAILURE
        }
    }
}
