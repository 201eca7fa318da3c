//! Runs the fuzz targets of `fuzz/` with the stable compiler.
//!
//! The targets use the same compiled dependencies as every other build. Only synix itself is instrumented, so this program
//! runs as a wrapper between cargo and rustc. libFuzzer needs a C++ compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::probe::{create_folder, target_folder};
use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root, say};

/// The default time of each target, in seconds.
pub(crate) const SECONDS: &str = "60";

/// Each target with the files of the project that it starts from, in addition to its folder in `fuzz/seeds`.
const TARGETS: [(&str, &[&str]); 4] = [
    ("pipeline", &["templates/team-report/synix.toml"]),
    (
        "cassette",
        &["templates/team-report/cassettes/team-report.json"],
    ),
    ("rows", &[]),
    ("component", &["tests/guests/by_hand/smallest.wat"]),
];

/// The options that let libFuzzer measure coverage. All of them are stable.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// The maximum time of one input in seconds. The fuel of a plugin with an endless loop ends before.
const TIMEOUT: u32 = 60;
const MEGABYTES: u32 = 2048;

/// Runs every target, or `only` one.
pub(crate) fn run(seconds: &str, only: Option<&str>) -> Result<(), Failure> {
    if seconds.parse::<u64>().is_err() {
        return Err(Failure(format!("{seconds:?} is not a number of seconds")));
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
            "libFuzzer needs a C++ compiler; run `apt-get install g++`".to_owned(),
        ));
    }
    setup::run(LibrarySource::Easiest)?;
    println!("fuzz");
    let folder = target_folder("fuzz")?;
    build(&folder)?;
    for (name, files) in chosen {
        run_target(&folder, name, files, seconds)?;
    }
    Ok(())
}

/// Builds all targets. The features are those of the whole workspace, so that its compiled dependencies are reused.
fn build(folder: &Path) -> Result<(), Failure> {
    let this = std::env::current_exe()
        .map_err(|error| Failure(format!("cannot find the path of this program: {error}")))?;
    // A copy, because cargo may replace the original while it runs.
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
        create_folder(made)?;
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
            "{text}\nthe input is in {}; run the program with only this file to reproduce it",
            found.display()
        ))
    })
}

fn program(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let program = folder.with_file_name("debug").join(format!("fuzz-{name}"));
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure(format!(
            "cargo did not build {}",
            program.display()
        )))
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

/// Returns whether cargo started this program as a wrapper of rustc.
pub(crate) fn is_rustc(argument: &str) -> bool {
    Path::new(argument)
        .file_stem()
        .is_some_and(|stem| stem == "rustc")
}

/// Runs rustc, with [`COVERAGE`] for the libraries of synix.
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
    let is_synix = value("--crate-name").is_some_and(|name| name.starts_with("synix_"));
    if is_synix && value("--crate-type") == Some("lib") {
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
