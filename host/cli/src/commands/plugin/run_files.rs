//! `plugin run` of a reader: reads raw files outside any project and shows the artifacts and what is skipped.

use std::ops::ControlFlow;

use serde::Serialize;
use synix_authoring::file_run::{self, FileArtifact, FileRunError, FileRunRecord, InputFile};
use synix_authoring::unit_run::{self, RunStatus};
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_sandbox::ReaderPlugin;

use super::GivenConfig;
use super::run::{Args, output_lines, usage};
use crate::args::Global;
use crate::failure::Usage;
use crate::render::Screen;

/// The result in JSON.
#[derive(Serialize)]
struct Document<'a> {
    artifacts: &'a [FileArtifact],
    #[serde(flatten)]
    record: &'a FileRunRecord,
}

pub(super) fn run(
    global: &Global,
    args: &Args,
    screen: &Screen,
    reader: &ReaderPlugin,
) -> anyhow::Result<ExitCode> {
    refuse_flags(args)?;
    let GivenConfig { members, folder } = super::config(global, &args.config)?;
    let schema = &reader.descriptor().config_schema;
    let config = unit_run::prepare_config(schema, &members, &folder).map_err(usage)?;
    let mut files = Vec::new();
    for given in &args.input {
        files.push(
            InputFile::open(&global.resolve(given), given).map_err(|error| file_usage(&error))?,
        );
    }
    let mut shown = Ok(());
    let mut number = 0_usize;
    let mut artifacts = Vec::new();
    let mut on_artifact = |artifact: FileArtifact| {
        number += 1;
        if global.json {
            artifacts.push(artifact);
            return ControlFlow::Continue(());
        }
        // Print each artifact at once, because all of them may need more memory than there is.
        shown = screen.print_part(|| artifact_lines(number, &artifact));
        match shown {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    };
    let record = file_run::read_files(reader, &config, files, &mut on_artifact);
    shown?;
    // A build keeps no artifact of a file that failed.
    artifacts.retain(|one| !record.errors.iter().any(|error| error.file == one.file));
    let document = Document {
        artifacts: &artifacts,
        record: &record,
    };
    screen.print_result(&document, || result_lines(number, &record))?;
    Ok(match record.status {
        RunStatus::Done => ExitCode::Success,
        RunStatus::Waiting | RunStatus::Failed => ExitCode::Failure,
    })
}

/// Refuses the flags that only a transform has.
fn refuse_flags(args: &Args) -> Result<(), Usage> {
    let flags = [
        ("--unit", args.unit.is_some()),
        ("--reply", args.reply.is_some()),
        ("--replies", args.replies.is_some()),
    ];
    match flags.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(Usage(format!(
            "{} is a reader, which has no units and asks no model; remove {flag}",
            args.file.display()
        ))),
    }
}

fn file_usage(error: &FileRunError) -> anyhow::Error {
    match std::error::Error::source(error) {
        Some(cause) => Usage(format!("--input: {error}: {cause}")).into(),
        None => Usage(format!("--input: {error}")).into(),
    }
}

fn artifact_lines(number: usize, artifact: &FileArtifact) -> Vec<String> {
    let [first, content] = output_lines(&format!("artifact {number}"), &artifact.output);
    let from = place(&artifact.file, &artifact.place);
    vec![format!("{first} from {from}"), content]
}

/// Names a place in a file.
fn place(file: &str, place: &str) -> String {
    let parts = [file, place].map(printable::escape_line);
    let parts: Vec<&str> = parts
        .iter()
        .map(AsRef::as_ref)
        .filter(|part: &&str| !part.is_empty())
        .collect();
    parts.join(": ")
}

/// Returns the lines after the artifacts: what was skipped, the log and the result.
fn result_lines(artifacts: usize, record: &FileRunRecord) -> Vec<String> {
    let mut lines = Vec::new();
    for skipped in &record.skipped {
        lines.push(format!("skipped {} ({})", skipped.count, skipped.reason));
        for example in &skipped.examples {
            lines.push(format!("  {}", printable::escape_line(example)));
        }
    }
    for (level, message) in &record.log {
        lines.push(format!("log {level}: {message}"));
    }
    let skipped: u64 = record.skipped.iter().map(|one| one.count).sum();
    lines.push(format!(
        "{artifacts} artifacts, {skipped} skipped, fuel {}",
        record.fuel
    ));
    for error in &record.errors {
        lines.push(format!(
            "failed: {}: {}",
            place(&error.file, &error.place),
            error.message
        ));
    }
    lines
}
