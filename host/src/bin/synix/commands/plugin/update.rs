//! `plugin update`.

use std::path::PathBuf;

use serde_json::json;
use synix::project;
use synix::registry::{LockChange, Pin};

use crate::args::Global;
use crate::failure::Exit;
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these, as they stand behind `transform` [default: all, and what is no longer used goes]
    #[arg(value_name = "REFERENCE")]
    references: Vec<String>,
    /// The pipeline file [default: synix.toml here or in the nearest folder above]
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    let options = global.options(args.pipeline.as_ref());
    let changes = project::update_plugins(&options, &args.references)?;
    let documents: Vec<_> = changes.iter().map(document).collect();
    screen.answer(&json!({ "changes": documents }), || {
        if changes.is_empty() {
            return "every plugin is the one that is pinned".to_owned();
        }
        let lines: Vec<_> = changes.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}

fn document(change: &LockChange) -> serde_json::Value {
    let digest = |pin: Option<Pin>| pin.map(|pin| pin.digest);
    json!({
        "reference": change.reference,
        "old": digest(change.old),
        "new": digest(change.new),
        "size": change.new.map(|pin| pin.size),
    })
}
