//! `list`: lists the artifacts of a snapshot.

use serde::Serialize;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_engine::view::{ArtifactView, SnapshotView};

use super::reading::SnapshotReader;
use crate::args::{Global, List};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

/// The number of digits that are shown of an id.
const SHORT_ID_DIGITS: usize = 12;

/// What `--json` prints. It borrows the artifacts, because there may be a million.
#[derive(Serialize)]
struct Document<'a, T> {
    build: Option<String>,
    pipeline: Option<&'a str>,
    #[serde(flatten)]
    listed: T,
}

#[derive(Serialize)]
struct AllArtifacts<'a> {
    artifacts: &'a [ArtifactView],
}

impl<'a, T: Serialize> Document<'a, T> {
    fn new(view: &'a SnapshotView<'_>, listed: T) -> Self {
        Self {
            build: view.build().map(|build| build.to_string()),
            pipeline: view.pipeline(),
            listed,
        }
    }
}

pub(super) fn run(global: &Global, args: &List, screen: &Screen) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.snapshot)?;
    let view = snapshots.view()?;
    let is_page = args.limit.is_some() || args.after.is_some();
    if let Some(layer) = args.layer.as_deref().filter(|_| is_page) {
        let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
        let page = view.page(layer, args.after.as_deref(), limit)?;
        screen.print_result(&Document::new(&view, &page), || {
            result_lines(&page.artifacts)
        })?;
        if page.more
            && let Some(last) = page.artifacts.last()
        {
            screen.note(&format!(
                "{} of {}; pass --after {} to list the next",
                printable::pluralize(page.before + page.artifacts.len() as u64, "artifact"),
                page.total,
                printable::shell_quote(&last.label),
            ));
        }
    } else {
        let artifacts = view.list(args.layer.as_deref())?;
        let document = Document::new(
            &view,
            AllArtifacts {
                artifacts: &artifacts,
            },
        );
        screen.print_result(&document, || result_lines(&artifacts))?;
    }
    if view.build().is_none() {
        screen.note("no build has ended yet; run `synix builds` to list those that were started");
    }
    Ok(ExitCode::Success)
}

fn result_lines(artifacts: &[ArtifactView]) -> Lines {
    let short = |artifact: &ArtifactView| artifact.id.chars().take(SHORT_ID_DIGITS).collect();
    let mut lines = Lines::default();
    let stale: Vec<&ArtifactView> = artifacts
        .iter()
        .filter(|artifact| artifact.stale.is_some())
        .collect();
    let row = |artifact: &ArtifactView| {
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
    let marked = |artifact: &ArtifactView| {
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
        "{} failed in {}, so an earlier version is listed; run `synix batch-build status {}` to see why",
        printable::pluralize(stale.len() as u64, "stale artifact"),
        why.newest,
        why.newest
    ));
    lines
}
