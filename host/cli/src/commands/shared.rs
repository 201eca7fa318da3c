//! `shared`: shows and cleans the store of shared answers.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable::{self, pluralize};
use synix_project::SharedReport;
use synix_shared::{ClaimMode, DamagedObject, Lease};

use crate::args::{Global, SharedCommand};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(
    global: &Global,
    command: &SharedCommand,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    match command {
        SharedCommand::Status(pipeline) => {
            let report = synix_project::shared_status(&global.options(pipeline.pipeline.as_ref()))?;
            screen.print_result(&document(report.as_ref()), || match &report {
                Some(report) => status_lines(report),
                None => {
                    let mut lines = Lines::default();
                    lines.push("this project shares no answers");
                    lines
                }
            })?;
        }
        SharedCommand::Gc(pipeline) => {
            let deleted = synix_project::shared_gc(&global.options(pipeline.pipeline.as_ref()))?;
            let document = json!({
                "claims": deleted.claims,
                "heartbeats": deleted.heartbeats,
                "retained": deleted.retained,
            });
            screen.print_result(&document, || {
                vec![
                    format!(
                        "deleted {} on answered requests and {} of processes that are gone",
                        pluralize(deleted.claims, "claim"),
                        pluralize(deleted.heartbeats, "heartbeat"),
                    ),
                    format!(
                        "retained {} on requests without an answer: they decide who may send",
                        pluralize(deleted.retained, "claim")
                    ),
                ]
            })?;
        }
    }
    Ok(ExitCode::Success)
}

fn document(report: Option<&SharedReport>) -> serde_json::Value {
    let Some(report) = report else {
        return json!({
            "url": null, "namespace": null, "reachable": false, "error": null,
            "read_only": false, "unpublished": 0, "leases": [], "damaged": [],
        });
    };
    let store = &report.store;
    let leases: Vec<_> = store.leases.iter().map(lease_document).collect();
    let damaged = store.damaged.iter();
    let damaged: Vec<_> = damaged
        .map(|object| json!({ "path": object.path, "reason": object.reason }))
        .collect();
    json!({
        "url": store.url,
        "namespace": store.namespace,
        "reachable": store.unreachable.is_none(),
        "error": store.unreachable,
        "read_only": report.read_only,
        "unpublished": report.unpublished,
        "leases": leases,
        "damaged": damaged,
    })
}

fn lease_document(lease: &Lease) -> serde_json::Value {
    json!({
        "key": lease.key.to_string(),
        "holder": lease.held_by.holder,
        "mode": mode_name(lease.held_by.mode),
        "since": lease.held_by.since,
        "last_heartbeat": lease.last_heartbeat,
    })
}

const fn mode_name(mode: ClaimMode) -> &'static str {
    match mode {
        ClaimMode::Call => "call",
        ClaimMode::Batch => "batch",
    }
}

fn status_lines(report: &SharedReport) -> Lines {
    let store = &report.store;
    let mut lines = Lines::default();
    let access = if report.read_only { ", read only" } else { "" };
    lines.push(format!(
        "shared answers in {}, namespace {}{access}",
        printable::escape_line(&store.url),
        printable::escape_line(&store.namespace)
    ));
    if let Some(reason) = &store.unreachable {
        lines.push(format!("unavailable: {}", printable::escape_line(reason)));
    }
    if report.unpublished > 0 {
        lines.push(format!(
            "{} of this project are not published yet; `synix build` publishes them",
            pluralize(report.unpublished, "answer")
        ));
    }
    for DamagedObject { path, reason } in &store.damaged {
        lines.push(format!(
            "damaged: {}: {}",
            printable::escape_line(path),
            printable::escape_line(reason)
        ));
    }
    if store.unreachable.is_none() && store.leases.is_empty() {
        lines.push("no request is claimed");
    }
    if !store.leases.is_empty() {
        claim_lines(report, &mut lines);
    }
    lines
}

fn claim_lines(report: &SharedReport, lines: &mut Lines) {
    lines.heading("claimed requests:");
    let columns = [
        Column::Left("request"),
        Column::Left("mode"),
        Column::Left("holder"),
        Column::Left("since"),
        Column::Left("last heartbeat"),
    ];
    let rows = report.store.leases.iter().map(|lease| {
        [
            lease.key.0.short(),
            mode_name(lease.held_by.mode).to_owned(),
            printable::escape_line(short_holder(&lease.held_by.holder)),
            lease.held_by.since.to_string(),
            match (lease.held_by.mode, lease.last_heartbeat) {
                (ClaimMode::Batch, _) => "not needed".to_owned(),
                (ClaimMode::Call, None) => "none".to_owned(),
                (ClaimMode::Call, Some(time)) => time.to_string(),
            },
        ]
    });
    lines.table(columns, rows.collect());
    lines.push(String::new());
    lines.push(format!(
        "A claim of mode `call` ends {} after the last heartbeat of its holder.",
        pluralize(report.lease.as_secs(), "second")
    ));
    lines.push("A claim of mode `batch` ends with its batch, or 48 hours after it began.");
    lines.push("A build that needs the request takes over a claim that has ended.");
}

/// Returns the id of a holder without most of its random digits.
fn short_holder(holder: &str) -> &str {
    const DIGITS: usize = 32;
    const SHOWN: usize = 8;
    let digits = holder.rsplit('-').next().unwrap_or(holder);
    if digits.len() == DIGITS {
        holder
            .get(..holder.len() - DIGITS + SHOWN)
            .unwrap_or(holder)
    } else {
        holder
    }
}
