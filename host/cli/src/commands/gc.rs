//! `gc`: deletes old data of the state.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_project::GcOptions;
use synix_store::GcReport;

use crate::args::{Gc, Global};
use crate::quantity;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Gc, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = GcOptions {
        older_than: args.older_than,
        max_size: args.max_size,
        keep_snapshots: args.keep_snapshots,
        answers: args.answers,
        dry_run: args.dry_run,
    };
    let freed = synix_project::gc(&global.options(None), &options)?;
    let document = json!({
        "dry_run": args.dry_run,
        "snapshots": freed.snapshots,
        "units": freed.units,
        "artifacts": freed.artifacts,
        "requests": freed.requests,
        "answers": freed.answers,
        "objects": freed.objects,
        "files": freed.files,
        "freed_bytes": freed.bytes,
        "left_bytes": freed.left,
    });
    screen.print_result(&document, || result_lines(&freed, args.dry_run))?;
    Ok(ExitCode::Success)
}

fn result_lines(freed: &GcReport, dry_run: bool) -> Vec<String> {
    let counts = [
        (freed.snapshots, "snapshot"),
        (freed.units, "unit"),
        (freed.artifacts, "artifact"),
        (freed.requests, "request text"),
        (freed.answers, "answer"),
        (freed.objects, "large content"),
        (freed.files, "leftover file"),
    ];
    let verb = if dry_run { "would remove" } else { "removed" };
    let mut lines: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{verb} {}", printable::pluralize(*count, what)))
        .collect();
    let freed_bytes = quantity::bytes(freed.bytes);
    let left = quantity::bytes(freed.left);
    lines.push(if dry_run {
        format!("would free {freed_bytes}; {left} would remain")
    } else {
        format!("freed {freed_bytes}; {left} remain")
    });
    lines
}
