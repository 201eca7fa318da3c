//! Measures the first-party readers beside their parsers as native functions, on files of each format.

pub(crate) mod chatgpt;
mod documents;
pub(crate) mod native;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use synix_chats::Chats;
use synix_documents::Documents;
use synix_mail::Mail;
use synix_rows::Rows;

use crate::child::{self, ResourceUsage};
use crate::corpus::write;
use crate::{Options, Outcome};
use native::NativeRun;

/// So many bytes of each format, unpacked.
const BYTES: u64 = 64 << 20;

/// The number of runs of each measurement, of which the median counts.
const RUNS: usize = 3;

/// The config of `rows`, as JSON and as TOML.
const ROWS: [&str; 2] = [
    r#"{"content":["title","body"],"label":"id"}"#,
    "content = [\"title\", \"body\"]\nlabel = \"id\"\n",
];
const NO_CONFIG: [&str; 2] = ["{}", ""];

/// A format of files.
struct Format {
    name: &'static str,
    reader: &'static str,
    config: [&'static str; 2],
    /// Writes files of about this size and returns their size, unpacked.
    write: fn(&Path, u64) -> Outcome<u64>,
    native: fn(&[PathBuf], &str) -> Outcome<NativeRun>,
}

const FORMATS: [Format; 9] = [
    Format {
        name: "JSON Lines",
        reader: "rows",
        config: ROWS,
        write: texts::jsonl,
        native: native::run::<Rows>,
    },
    Format {
        name: "CSV",
        reader: "rows",
        config: ROWS,
        write: texts::csv,
        native: native::run::<Rows>,
    },
    Format {
        name: "JSON Lines, gzip",
        reader: "rows",
        config: ROWS,
        write: texts::jsonl_gz,
        native: native::run::<Rows>,
    },
    Format {
        name: "ChatGPT, zip",
        reader: "chats",
        config: NO_CONFIG,
        write: chatgpt_export,
        native: native::run::<Chats>,
    },
    Format {
        name: "Claude Code",
        reader: "chats",
        config: NO_CONFIG,
        write: texts::claude_code,
        native: native::run::<Chats>,
    },
    Format {
        name: "mbox",
        reader: "mail",
        config: NO_CONFIG,
        write: texts::mbox,
        native: native::run::<Mail>,
    },
    Format {
        name: "HTML",
        reader: "documents",
        config: NO_CONFIG,
        write: texts::html,
        native: native::run::<Documents>,
    },
    Format {
        name: "DOCX",
        reader: "documents",
        config: NO_CONFIG,
        write: documents::docx,
        native: native::run::<Documents>,
    },
    Format {
        name: "PDF",
        reader: "documents",
        config: NO_CONFIG,
        write: documents::pdf,
        native: native::run::<Documents>,
    },
];

fn chatgpt_export(folder: &Path, bytes: u64) -> Outcome<u64> {
    let conversations = (0..bytes / 48_000).map(|number| (number, chatgpt::MESSAGES));
    chatgpt::write(&folder.join("export.zip"), conversations)
}

pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("readers, MB of unpacked bytes, per second of processor time, median of {RUNS}\n");
    println!(
        "{:<18}{:>6}{:>10}{:>8}{:>8}{:>8}{:>8}{:>10}{:>9}",
        "", "files", "artifacts", "MB", "native", "plan", "build", "files/s", "memory"
    );
    for format in &FORMATS {
        measure(options, format)?;
    }
    println!(
        "\nnative: the parser without a sandbox. plan: hashes, reads and keeps the artifacts in a temporary file.\n\
         build: also writes them to the state. files/s and memory are those of the plan."
    );
    Ok(())
}

fn measure(options: &Options, format: &Format) -> Outcome<()> {
    let folder = crate::temporary_folder()?;
    let files = folder.path().join("in");
    fs::create_dir(&files)?;
    let bytes = (format.write)(&files, BYTES)?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(&files)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let [json, toml] = format.config;
    write(
        &folder.path().join("synix.toml"),
        &pipeline(format.reader, toml, ""),
    )?;
    let mut native = Vec::new();
    let mut plans = Vec::new();
    // The first run of all compiles the reader.
    command(options, folder.path(), &["plan"])?;
    for _ in 0..RUNS {
        native.push((format.native)(&paths, json)?);
        plans.push(command(options, folder.path(), &["plan"])?);
    }
    native.sort_by_key(|run| run.time);
    let native = &native[RUNS / 2];
    let plan = ResourceUsage::median(plans);
    let build = command(options, folder.path(), &["build"])?;
    println!(
        "{:<18}{:>6}{:>10}{:>8.0}{:>8.0}{:>8.0}{:>8.0}{:>10.1}{:>9}",
        format.name,
        paths.len(),
        native.artifacts,
        megabytes(bytes),
        megabytes(bytes) / native.time.as_secs_f64(),
        megabytes(bytes) / plan.processor.as_secs_f64(),
        megabytes(bytes) / build.processor.as_secs_f64(),
        per_second(paths.len(), plan.processor),
        plan.memory(),
    );
    Ok(())
}

/// Returns a pipeline with the files of the folder `in`, and further layers.
pub(crate) fn pipeline(reader: &str, config: &str, more: &str) -> String {
    format!(
        "[pipeline]\nname = \"readers\"\n[layers.read]\nsource = \"in/*\"\nread = \"{reader}\"\non_duplicate = \"newest\"\n\
         [layers.read.config]\n{config}{more}"
    )
}

/// Runs the command in a project. Its compiled readers are shared by all projects.
pub(crate) fn command(
    options: &Options,
    project: &Path,
    arguments: &[&str],
) -> Outcome<ResourceUsage> {
    let mut command = child::synix(&options.binary, arguments, project)?;
    child::run(&mut command, &project.join("log"))
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
