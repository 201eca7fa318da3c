//! `plugin run`: runs one unit of a transform outside any project, with replies from the command line.
//!
//! `run_files` is the same for a reader.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Map;
use synix_authoring::LoadedPlugin;
use synix_authoring::unit_run::{
    self, Exchange, Replies, RunOutput, RunRecord, RunStatus, UnitRun, UnitRunError,
};
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_core::request::{Part, Role};
use synix_project as project;

use super::GivenConfig;
use crate::args::Global;
use crate::failure::{self, Usage};
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component, or the name of a first-party plugin
    pub(super) file: PathBuf,
    /// An input; its label is the name of the file without the extension. For a reader, a file to read
    #[arg(long, value_name = "FILE", required = true)]
    pub(super) input: Vec<PathBuf>,
    /// The layer's config
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(super) config: String,
    /// Run the unit with this key, if the inputs make several units
    #[arg(long, value_name = "KEY")]
    pub(super) unit: Option<String>,
    /// Answer every request with this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) reply: Option<String>,
    /// Answer the requests with the texts of a JSON list, in order
    #[arg(long, value_name = "FILE", conflicts_with = "reply")]
    pub(super) replies: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let (name, bytes) = super::component(global, &args.file)?;
    let sandbox = project::sandbox(&global.options(None))?;
    let plugin = match LoadedPlugin::load(&sandbox, &name, &bytes)? {
        LoadedPlugin::Transform(plugin) => plugin,
        LoadedPlugin::Reader(reader) => {
            return super::run_files::run(global, args, screen, &reader);
        }
    };
    let GivenConfig { members, folder } = super::config(global, &args.config)?;
    let replies = replies(global, args.reply.as_deref(), args.replies.as_deref())?;
    let schema = &plugin.descriptor().config_schema;
    let config = unit_run::prepare_config(schema, &members, &folder).map_err(usage)?;
    let inputs = unit_run::read_inputs(&super::resolve_all(global, &args.input)).map_err(usage)?;
    // Print each exchange at once, so that an interrupted run shows its progress.
    let mut shown = Ok(());
    let mut on_exchange = |position: usize, new: &Exchange| {
        if shown.is_ok() {
            shown = screen.print_part(|| exchange(position, new));
        }
    };
    let unit = UnitRun {
        config: &config,
        inputs: &inputs,
        key: args.unit.as_deref(),
        replies: &replies,
    };
    let record = unit_run::run_unit(&plugin, &unit, &mut on_exchange);
    shown?;
    let record = record.map_err(usage)?;
    screen.print_result(&record, || result_lines(&record))?;
    Ok(match record.status {
        RunStatus::Done => ExitCode::Success,
        RunStatus::Waiting => {
            screen.note("an answer is missing; pass --reply or --replies");
            ExitCode::Waiting
        }
        RunStatus::Failed => ExitCode::Failure,
    })
}

/// Converts an error that the user can fix with another argument.
pub(super) fn usage(error: UnitRunError) -> anyhow::Error {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    match (&error, cause) {
        (UnitRunError::Split(_), _) => error.into(),
        (_, None) => Usage(error.to_string()).into(),
        (_, Some(cause)) => Usage(format!("{error}: {cause}")).into(),
    }
}

/// Reads the values of `--reply` and `--replies`.
pub(super) fn replies(
    global: &Global,
    reply: Option<&str>,
    file: Option<&Path>,
) -> anyhow::Result<Replies> {
    let replies = match (reply, file) {
        (Some(text), _) => Replies::Always(text.to_owned()),
        (None, Some(path)) => {
            let bytes =
                synix_disk::read_limited(&global.resolve(path), super::MAX_ARGUMENT_FILE_BYTES)
                    .context("cannot read the replies")?;
            let texts = serde_json::from_slice(&bytes).map_err(|error| {
                Usage(format!(
                    "{} is not a JSON list of texts: {error}",
                    path.display()
                ))
            })?;
            Replies::InOrder(texts)
        }
        (None, None) => return Ok(Replies::None),
    };
    let is_empty = match &replies {
        Replies::Always(text) => text.is_empty(),
        Replies::InOrder(texts) => texts.iter().any(String::is_empty),
        Replies::None => false,
    };
    if is_empty {
        return Err(Usage(
            "a reply must not be empty, because an empty answer of a provider fails the unit"
                .to_owned(),
        )
        .into());
    }
    Ok(replies)
}

/// Returns the lines of a request and its answer, with an empty line at the end.
fn exchange(position: usize, exchange: &Exchange) -> Vec<String> {
    let number = position + 1;
    let mut lines = vec![format!("request {number}{}", settings(exchange))];
    for message in &exchange.messages {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        for part in &message.parts {
            lines.push(format!("  {role}: {}", shown(part)));
        }
    }
    match &exchange.answer {
        Some(answer) => {
            lines.push(format!("answer {number}"));
            lines.push(format!("  {answer}"));
        }
        None => lines.push(format!("answer {number}: not known")),
    }
    lines.push(String::new());
    lines
}

/// Returns the lines of the outputs, the log and the result.
fn result_lines(record: &RunRecord) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, output) in record.outputs.iter().enumerate() {
        lines.extend(output_lines(&format!("output {}", number + 1), output));
    }
    for (level, message) in &record.log {
        lines.push(format!("log {level}: {message}"));
    }
    lines.push(format!(
        "unit {}, fuel {}",
        printable::escape_line(&record.unit),
        record.fuel
    ));
    if let Some(error) = &record.error {
        lines.push(format!("failed: {error}"));
    }
    lines
}

/// Returns the lines of an output: its names and metadata after `heading`, then its content.
pub(super) fn output_lines(heading: &str, output: &RunOutput) -> [String; 2] {
    let metadata = if output.metadata == Map::new() {
        String::new()
    } else {
        format!(" {}", serde_json::Value::Object(output.metadata.clone()))
    };
    let first = format!(
        "{heading}: {} ({}){metadata}",
        printable::escape_line(&output.label),
        printable::escape_line(&output.kind)
    );
    let content = match (&output.content, &output.media_type) {
        (Some(text), _) => format!("  {text}"),
        (None, media_type) => format!(
            "  {} bytes of {}",
            output.bytes,
            media_type.as_deref().unwrap_or_default()
        ),
    };
    [first, content]
}

/// Returns the settings of a request, apart from its messages.
fn settings(exchange: &Exchange) -> String {
    let mut settings = Vec::new();
    settings.extend(
        exchange
            .model
            .as_ref()
            .map(|role| format!("model {}", printable::escape_line(role))),
    );
    settings.extend(exchange.max_tokens.map(|max| format!("max-tokens {max}")));
    settings.extend(
        exchange
            .temperature
            .map(|temperature| format!("temperature {temperature}")),
    );
    if exchange.sample > 0 {
        settings.push(format!("sample {}", exchange.sample));
    }
    if !exchange.stop.is_empty() {
        settings.push(format!("stop {:?}", exchange.stop));
    }
    settings.extend(
        exchange
            .response_format
            .as_ref()
            .map(|format| format!("format {}", printable::escape_line(&format.to_string()))),
    );
    if settings.is_empty() {
        String::new()
    } else {
        format!(" ({})", settings.join(", "))
    }
}

fn shown(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Image { media_type, data } => {
            format!("[{media_type}, {} bytes in base64]", data.len())
        }
    }
}
