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
    let rows = snapshots.iter().map(|snapshot| {
        [
            snapshot.id.clone(),
            snapshot.build.clone(),
            snapshot.pipeline.clone(),
            snapshot.taken.to_string(),
            snapshot.artifacts.to_string(),
        ]
    });
    let columns = [
        Column::Left("snapshot"),
        Column::Left("build"),
        Column::Left("pipeline"),
        Column::Left("taken"),
        Column::Right("artifacts"),
    ];
    let mut lines = Lines::default();
    lines.table(columns, rows.collect());
    lines
}
