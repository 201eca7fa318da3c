//! `snapshots`: lists the snapshots.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_engine::view::{self, SnapshotSummary};

use crate::args::Global;
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let reader = synix_project::open_reader(&global.options(None))?;
    let snapshots = view::snapshots(&reader)?;
    screen.print_result(&json!({ "snapshots": snapshots }), || {
        result_lines(&snapshots)
    })?;
    if snapshots.is_empty() {
        screen.note("no build has ended yet; run `synix builds` to list those that were started");
    }
    Ok(ExitCode::Success)
}

fn result_lines(snapshots: &[SnapshotSummary]) -> Lines {
    let row = |snapshot: &SnapshotSummary| {
        [
            snapshot.id.clone(),
            snapshot.build.clone(),
            snapshot.pipeline.clone(),
            snapshot.taken.to_string(),
            snapshot.artifacts.to_string(),
        ]
    };
    let columns = [
        Column::Left("snapshot"),
        Column::Left("build"),
        Column::Left("pipeline"),
        Column::Left("taken"),
        Column::Right("artifacts"),
    ];
    let mut lines = Lines::default();
    if snapshots.iter().all(|snapshot| snapshot.name.is_none()) {
        lines.table(columns, snapshots.iter().map(row).collect());
        return lines;
    }
    let named = |snapshot: &SnapshotSummary| {
        let [id, build, pipeline, taken, artifacts] = row(snapshot);
        let name = snapshot.name.clone().unwrap_or_default();
        [id, name, build, pipeline, taken, artifacts]
    };
    let [id, build, pipeline, taken, artifacts] = columns;
    let columns = [id, Column::Left("trial"), build, pipeline, taken, artifacts];
    lines.table(columns, snapshots.iter().map(named).collect());
    lines
}
