//! `batch-build status --watch`: follows a build that another process runs.

use std::time::Duration;

use synix_engine::view::Status;
use synix_project::Options;
use synix_store::BuildId;

use crate::render::Screen;

/// Prints the changes of a build, from `status` until it has ended.
pub(super) fn follow_build(
    options: &Options,
    mut status: Status,
    interval: Duration,
    screen: &Screen,
) -> anyhow::Result<Status> {
    let build: BuildId = status.build.parse()?;
    let mut printed = Vec::new();
    loop {
        let now = status_lines(&status);
        for line in now.iter().filter(|line| !printed.contains(*line)) {
            screen.note(line);
        }
        printed = now;
        if !status.is_open() {
            return Ok(status);
        }
        std::thread::sleep(interval);
        // Open the state again each time, because it may have been restored meanwhile.
        let reader = synix_project::open_reader(options)?;
        let prices = synix_project::prices(options, &reader, Some(build))?;
        status = Status::of(&reader, build, &prices)?;
    }
}

/// Returns the status of a build, with one line for each part that can change.
fn status_lines(status: &Status) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}",
        status.build,
        status.status.replace('_', " ")
    )];
    lines.extend(status.layers.iter().map(|layer| {
        format!(
            "{}: {} done, {} failed, {} waiting",
            layer.name, layer.done, layer.failed, layer.waiting
        )
    }));
    lines.extend(status.batches.iter().map(|batch| {
        let waiting = batch
            .requests
            .saturating_sub(batch.succeeded + batch.failed);
        format!(
            "batch {}: {}, {} succeeded, {} failed, {waiting} waiting",
            batch.id.as_deref().unwrap_or("without an id"),
            batch.status,
            batch.succeeded,
            batch.failed
        )
    }));
    lines
}
