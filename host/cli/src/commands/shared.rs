//! `shared`: shows and cleans the store of shared answers.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable::{self, pluralize};
use synix_project::SharedReport;
use synix_shared::{ClaimMode, Lease};

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
                vec![format!(
                    "removed {} and {}; {} without an answer remain",
                    pluralize(deleted.claims, "claim"),
                    pluralize(deleted.heartbeats, "heartbeat"),
                    pluralize(deleted.retained, "claim")
                )]
            })?;
        }
    }
    Ok(ExitCode::Success)
}

fn document(report: Option<&SharedReport>) -> serde_json::Value {
    let Some(report) = report else {
        return json!({
            "url": null, "namespace": null, "reachable": false, "error": null,
            "read_only": false, "unpublished": 0, "leases": [],
        });
    };
    let store = &report.store;
    let leases: Vec<_> = store.leases.iter().map(lease_document).collect();
    json!({
        "url": store.url,
        "namespace": store.namespace,
        "reachable": store.unreachable.is_none(),
        "error": store.unreachable,
        "read_only": report.read_only,
        "unpublished": report.unpublished,
        "leases": leases,
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
    if store.leases.is_empty() {
        return lines;
    }
    lines.heading("claimed requests:");
    let columns = [
        Column::Left("request"),
        Column::Left("mode"),
        Column::Left("holder"),
        Column::Left("since"),
    ];
    let rows = store.leases.iter().map(|lease| {
        [
            lease.key.0.short(),
            mode_name(lease.held_by.mode).to_owned(),
            printable::escape_line(&lease.held_by.holder),
            lease.held_by.since.to_string(),
        ]
    });
    lines.table(columns, rows.collect());
    lines
}
