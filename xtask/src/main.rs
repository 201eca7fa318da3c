//! The tasks of contributors: `cargo xtask TASK`.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints its progress"
)]

mod bench;
mod browser;
mod components;
mod debian;
mod demo;
mod dist;
mod docs;
mod fuzz;
mod languages;
mod package;
mod pictures;
mod probe;
mod provider;
mod record;
mod scale;
mod setup;
mod shell;
mod simulate;
mod test;
mod torture;
mod webdriver;

use std::process::ExitCode;

use shell::Failure;

const USAGE: &str = "\
cargo xtask setup [--from-debian]   install what the build needs and check it
cargo xtask setup --languages       install the tools for plugins in other languages into target/languages
cargo xtask setup --browser         install Chromium and its driver for the tests of the web page
cargo xtask demo                    build the command and run the demonstration project
cargo xtask dist [TARGET]           build the release binary, and pack an archive and a wheel in target/dist
cargo xtask docs                    update the config tables in docs/transforms.md and docs/sources.md
cargo xtask package                 package the published crates and compile the packages
cargo xtask record                  record the cassettes and golden files of the templates again
cargo xtask components              compile the first-party transforms and readers into host/components/packed
cargo xtask test                    run every setup, build everything and run all tests
cargo xtask test --quick            run the tests that need only Rust and a C compiler
cargo xtask test --scale            run the tests that need the servers of several machines, from package registries
cargo xtask bench [PART...]         build the release binary and measure it:
                                    units, batches, flow, languages [default: all]
cargo xtask pictures DIR            take pictures of the web page in both themes and two widths
cargo xtask simulate [SEED]         simulate many hosts with one set of answers, in virtual time
cargo xtask torture [N] [SEED]      run N sequences of faults and kills from SEED on [default: 1000, 1], then fuzz
cargo xtask fuzz [SECONDS] [TARGET] run each fuzz target, or one, for SECONDS [default: 60]

--from-debian   compile the standard library for guests from Debian's source package,
                as setup does if rustup cannot install it
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["setup"] => setup::run(setup::LibrarySource::Easiest),
        ["setup", "--from-debian"] => setup::run(setup::LibrarySource::Debian),
        ["setup", "--languages"] => languages::run_setup().map(drop),
        ["setup", "--browser"] => browser::run_setup(),
        ["demo"] => demo::run(),
        ["dist"] => dist::run(None),
        ["dist", target] => dist::run(Some(target)),
        ["docs"] => docs::run(),
        ["package"] => package::run(),
        ["record"] => record::run(),
        ["components"] => components::run(),
        ["test"] => test::run(),
        ["test", "--quick"] => test::run_quick(),
        ["test", "--scale"] => scale::run(),
        ["bench", ref parts @ ..] => bench::run(parts),
        ["pictures", folder] => pictures::run(folder),
        ["fuzz"] => fuzz::run(fuzz::SECONDS, None),
        ["fuzz", seconds] => fuzz::run(seconds, None),
        ["fuzz", seconds, target] => fuzz::run(seconds, Some(target)),
        [rustc, ..] if fuzz::is_rustc(rustc) => return fuzz::instrument(&arguments),
        ["simulate"] => simulate::run("1"),
        ["simulate", seed] => simulate::run(seed),
        ["torture"] => torture::run("1000", "1"),
        ["torture", sequences] => torture::run(sequences, "1"),
        ["torture", sequences, seed] => torture::run(sequences, seed),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}
