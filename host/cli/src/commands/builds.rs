//! `builds` and `batch-build list`: list builds.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_engine::view::{self, BuildView};
use synix_store::BuildKind;

use crate::args::{Builds, Global};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(global: &Global, args: &Builds, screen: &Screen) -> anyhow::Result<ExitCode> {
    let reader = synix_project::open_reader(&global.options(None))?;
    let after = match &args.after {
        Some(name) => Some(view::find_build(&reader, name)?.id),
        None => None,
    };
    let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let page = view::build_page(&reader, None, after, limit)?;
    screen.print_result(&page, || result_lines(&page.builds))?;
    if page.more
        && let Some(last) = page.builds.last()
    {
        screen.note(&format!(
            "there are older builds; run `synix builds --limit {limit} --after {}` to list them",
            last.build
        ));
    }
    Ok(ExitCode::Success)
}

pub(super) fn list_batch_builds(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let reader = synix_project::open_reader(&global.options(None))?;
    let builds = view::builds(&reader, Some(BuildKind::Batch))?;
    screen.print_result(&json!({ "builds": builds }), || result_lines(&builds))?;
    // Without this note, the user could think that a build of another kind is lost.
    let more = view::builds(&reader, None)?
        .len()
        .saturating_sub(builds.len());
    if more > 0 {
        let more = printable::pluralize(more as u64, "other build");
        screen.note(&format!(
            "{more} not listed here; run `synix builds` to list all builds"
        ));
    }
    Ok(ExitCode::Success)
}

fn result_lines(builds: &[BuildView]) -> Lines {
    let rows: Vec<_> = builds
        .iter()
        .map(|build| {
            [
                build.build.clone(),
                build.kind.clone(),
                build.pipeline.clone(),
                build.status.replace('_', " "),
                build.opened.to_string(),
                build
                    .closed
                    .map_or_else(|| "-".to_owned(), |closed| closed.to_string()),
            ]
        })
        .collect();
    let columns = [
        Column::Left("build"),
        Column::Left("kind"),
        Column::Left("pipeline"),
        Column::Left("status"),
        Column::Left("opened"),
        Column::Left("closed"),
    ];
    let mut lines = Lines::default();
    lines.table(columns, rows);
    lines
}
