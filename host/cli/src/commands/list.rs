//! `list`.

use serde_json::json;
use synix_core::printable;
use synix_core::exit_code::ExitCode;
use synix_engine::view::Listed;

use super::reading::Archive;
use crate::args::{Global, List};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

/// Digits of an id that a person is shown.
const SHORT: usize = 12;

pub(super) fn run(global: &Global, args: &List, screen: &Screen) -> anyhow::Result<ExitCode> {
    let archive = Archive::open(global, &args.snapshot)?;
    let view = archive.view()?;
    let artifacts = view.list(args.layer.as_deref())?;
    let document = json!({
        "build": view.build().map(|build| build.to_string()),
        "pipeline": view.pipeline(),
        "artifacts": artifacts,
    });
    screen.answer(&document, || text(&artifacts))?;
    if view.build().is_none() {
        screen
            .talk("no build has come to its end yet; `synix builds` lists those that were started");
    }
    Ok(ExitCode::Success)
}

fn text(artifacts: &[Listed]) -> Lines {
    let short = |artifact: &Listed| artifact.id.chars().take(SHORT).collect();
    let mut lines = Lines::default();
    let stale: Vec<&Listed> = artifacts
        .iter()
        .filter(|artifact| artifact.stale.is_some())
        .collect();
    let row = |artifact: &Listed| {
        [
            artifact.layer.clone(),
            artifact.label.clone(),
            artifact.kind.clone(),
            short(artifact),
        ]
    };
    let columns = [
        Column::Left("layer"),
        Column::Left("label"),
        Column::Left("kind"),
        Column::Left("id"),
    ];
    let Some(why) = stale.first().and_then(|artifact| artifact.stale.as_ref()) else {
        lines.table(columns, artifacts.iter().map(row).collect());
        return lines;
    };
    let marked = |artifact: &Listed| {
        let [layer, label, kind, id] = row(artifact);
        let of = match artifact.stale {
            Some(_) => format!("stale, of {}", artifact.build),
            None => String::new(),
        };
        [layer, label, kind, id, of]
    };
    let [layer, label, kind, id] = columns;
    lines.table(
        [layer, label, kind, id, Column::Left("state")],
        artifacts.iter().map(marked).collect(),
    );
    lines.heading(format!(
        "{} failed in {} and stand as they were last made; `synix batch-build status {}` says why",
        printable::pluralize(stale.len() as u64, "stale artifact"),
        why.newest,
        why.newest
    ));
    lines
}
