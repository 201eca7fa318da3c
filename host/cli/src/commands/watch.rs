//! `batch-build status --watch`: follows a build that another process drives.

use std::time::Duration;

use synix_engine::view::Status;
use synix_project::Options;
use synix_store::BuildId;

use crate::render::Screen;

/// Tells what changes, from `seen` until the build has ended.
pub(super) fn to_the_end(
    options: &Options,
    mut seen: Status,
    interval: Duration,
    screen: &Screen,
) -> anyhow::Result<Status> {
    let build: BuildId = seen.build.parse()?;
    let mut told = Vec::new();
    loop {
        let now = lines(&seen);
        for line in now.iter().filter(|line| !told.contains(*line)) {
            screen.talk(line);
        }
        told = now;
        if !seen.is_open() {
            return Ok(seen);
        }
        std::thread::sleep(interval);
        // Opened anew: the state may have been restored meanwhile.
        let reader = synix_project::archive(options)?;
        let prices = synix_project::prices(options, &reader, Some(build))?;
        seen = Status::of(&reader, build, &prices)?;
    }
}

/// Where a build stands, a line for each thing that can change.
fn lines(status: &Status) -> Vec<String> {
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
