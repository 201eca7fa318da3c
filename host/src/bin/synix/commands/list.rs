//! `list`.

use serde_json::json;
use synix::project;
use synix::view::{self, Listed};

use crate::args::{Global, List};
use crate::failure::Exit;
use crate::render::{Column, Screen, table};

/// Digits of an id that a person is shown.
const SHORT: usize = 12;

pub(super) fn run(global: &Global, args: &List, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = project::archive(&global.options(None))?;
    let artifacts = view::list(&reader, args.layer.as_deref())?;
    screen.answer(&json!({ "artifacts": artifacts }), || text(&artifacts))?;
    Ok(Exit::Done)
}

fn text(artifacts: &[Listed]) -> String {
    let rows: Vec<_> = artifacts
        .iter()
        .map(|artifact| {
            let id = artifact.id.chars().take(SHORT).collect();
            [
                artifact.layer.clone(),
                artifact.label.clone(),
                artifact.kind.clone(),
                id,
            ]
        })
        .collect();
    let columns = [
        Column::Left("layer"),
        Column::Left("label"),
        Column::Left("kind"),
        Column::Left("id"),
    ];
    table(columns, &rows).join("\n")
}
