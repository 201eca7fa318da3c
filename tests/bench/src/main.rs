//! Measures the command, and compares it with the floors that the machine allows.
//!
//! `cargo xtask bench [PART…] [--units N] [--language NAME] [--binary FILE]`.
//! It prints numbers without a verdict, because machines differ and other processes disturb a measurement.

#![allow(clippy::print_stdout, reason = "a bench speaks")]

mod batches;
mod child;
mod corpus;
mod export;
mod files;
mod floor;
mod flow;
mod fold;
mod languages;
mod million;
mod project;
mod readers;
mod report;
mod search;
mod sync;
mod units;
mod view;
mod words;

use std::path::PathBuf;

use tempfile::TempDir;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

type Part = fn(&Options) -> Outcome<()>;

/// The parts, in the order in which they run.
const PARTS: [(&str, Part); 12] = [
    ("units", units::run),
    ("files", files::run),
    ("million", million::run),
    ("readers", readers::run),
    ("export", export::run),
    ("sync", sync::run),
    ("batches", batches::run),
    ("flow", flow::run),
    ("search", search::run),
    ("view", view::run),
    ("fold", fold::run),
    ("languages", languages::run),
];

pub(crate) struct Options {
    parts: Vec<String>,
    /// The number of documents; `None` for the default of each part.
    units: Option<u32>,
    /// The only language to measure.
    language: Option<String>,
    binary: PathBuf,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::parse(&arguments)?;
    for (name, run) in PARTS {
        if options.parts.is_empty() || options.parts.iter().any(|part| part == name) {
            run(&options)?;
            println!();
        }
    }
    Ok(())
}

/// Returns the path of a file next to this program, in the folder where cargo puts programs.
fn neighbour(name: &str) -> Outcome<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// Returns the folder for what is measured. It is on the disk of the target folder, because `/tmp` may be in memory.
fn work_folder() -> Outcome<PathBuf> {
    let folder = neighbour("bench-work")?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns a folder for projects. It looks like a repository of its own: the command keeps no compiled code in the
/// repository of a project, and the cache is next to this folder.
fn temporary_folder() -> Outcome<TempDir> {
    let folder = tempfile::tempdir_in(work_folder()?)?;
    std::fs::create_dir(folder.path().join(".git"))?;
    Ok(folder)
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            parts: Vec::new(),
            units: None,
            language: None,
            binary: neighbour("synix")?,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--units" => options.units = Some(value()?.parse()?),
                "--language" => options.language = Some(value()?.clone()),
                "--binary" => options.binary = PathBuf::from(value()?),
                part if PARTS.iter().any(|(name, _)| *name == part) => {
                    options.parts.push(part.to_owned());
                }
                _ => {
                    let parts = PARTS.map(|(name, _)| name).join(", ");
                    let usage = format!(
                        "unknown argument {word}: {parts}, --units N, --language NAME, --binary FILE"
                    );
                    return Err(usage.into());
                }
            }
        }
        Ok(options)
    }
}
