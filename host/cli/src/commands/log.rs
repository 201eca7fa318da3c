//! `builds show`: shows the status of a build, or with `--log` what happened in it.

use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_engine::view::{BuildLog, LogEvent, LoggedEvent};
use synix_store::LogPage;

use super::batch_build;
use crate::args::{Global, ShowBuild};
use crate::lines::Lines;
use crate::render::Screen;

/// The number of digits of a key, and the maximum number of characters of a message, in a line.
const KEY_DIGITS: usize = 12;
const MAX_MESSAGE_CHARACTERS: usize = 200;

pub(super) fn run(global: &Global, args: &ShowBuild, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = global.options(None);
    if !args.log {
        batch_build::show(&synix_project::status(&options, Some(&args.build))?, screen)?;
        return Ok(ExitCode::Success);
    }
    let page = LogPage {
        after: args.after,
        limit: args.limit.into(),
        since: None,
    };
    let log = synix_project::build_log(&options, &args.build, page)?;
    screen.print_result(&log, || log_lines(&log))?;
    if log.more {
        let next = args.after.saturating_add(args.limit.into());
        screen.note(&format!(
            "there are later events; pass `--after {next}` to see them, or a greater `--limit`"
        ));
    }
    Ok(ExitCode::Success)
}

pub(super) fn log_lines(log: &BuildLog) -> Lines {
    let mut lines = Lines::default();
    lines.push(format!("{} {}", log.build, log.status.replace('_', " ")));
    lines.extend(log.events.iter().map(event_line));
    lines
}

pub(super) fn event_line(event: &LogEvent) -> String {
    let what = match &event.what {
        LoggedEvent::Opened => "opened".to_owned(),
        LoggedEvent::Resumed => "resumed".to_owned(),
        LoggedEvent::Interrupted => "interrupted".to_owned(),
        LoggedEvent::Stopped => "stopped by an error".to_owned(),
        LoggedEvent::Cancelled => "cancelled".to_owned(),
        LoggedEvent::Closed => "closed".to_owned(),
        LoggedEvent::Submission {
            layer,
            provider,
            requests,
            state,
            batch,
            ..
        } => format!(
            "batch {} of {layer} to {provider}, {}: {state}",
            batch.as_deref().unwrap_or("without an id"),
            printable::pluralize(*requests, "request")
        ),
        LoggedEvent::Request {
            layer,
            key,
            model,
            outcome,
            kind,
            message,
            input_tokens,
            output_tokens,
            duration_ms,
            ..
        } => {
            let key: String = key.chars().take(KEY_DIGITS).collect();
            let layer = if layer.is_empty() { "?" } else { layer };
            let tokens = match (input_tokens, output_tokens) {
                (Some(input), Some(output)) => format!(", {input} tokens in, {output} out"),
                _ => String::new(),
            };
            format!(
                "request {key} of {layer} to {model} {}{}{tokens}{}",
                outcome.replace('_', " "),
                after(*duration_ms),
                because(kind.as_deref(), message.as_deref())
            )
        }
        LoggedEvent::Unit {
            layer,
            unit,
            outcome,
            kind,
            message,
            duration_ms,
        } => format!(
            "unit {layer}/{unit} {outcome}{}{}",
            after(*duration_ms),
            because(kind.as_deref(), message.as_deref())
        ),
        LoggedEvent::Layer {
            layer,
            mode,
            fresh,
            done,
            failed,
        } => {
            let mode = mode
                .as_deref()
                .map_or_else(String::new, |mode| format!(" ({mode})"));
            format!("layer {layer}{mode}: {fresh} fresh, {done} made, {failed} failed")
        }
    };
    // The text of others must not look like the next event.
    format!("{}  {}", event.at, printable::escape_line(&what))
}

fn after(duration_ms: Option<u64>) -> String {
    duration_ms.map_or_else(String::new, |duration| {
        let (seconds, milliseconds) = (duration / 1000, duration % 1000);
        format!(" after {seconds}.{milliseconds:03} s")
    })
}

fn because(kind: Option<&str>, message: Option<&str>) -> String {
    let (Some(kind), Some(message)) = (kind, message) else {
        return String::new();
    };
    let mut shown: String = message.chars().take(MAX_MESSAGE_CHARACTERS).collect();
    if shown.len() < message.len() {
        shown.push('…');
    }
    format!(": {kind}: {shown}")
}
