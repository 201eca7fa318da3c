//! `plugin update`: pins plugins to their current versions.

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_fetch::{LockFileChange, Pin};
use synix_project::Options;

use crate::args::{Global, TrustFlag};
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Update only these references, written as in `transform` [default: all; pins that are not used are removed]
    #[arg(value_name = "REFERENCE")]
    references: Vec<String>,
    #[command(flatten)]
    trust: TrustFlag,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = Options {
        trust: args.trust.trust,
        ..global.options(None)
    };
    let changes = synix_project::update_plugins(&options, &args.references)?;
    let documents: Vec<_> = changes.iter().map(document).collect();
    screen.print_result(&json!({ "changes": documents }), || {
        if changes.is_empty() {
            return vec!["all pins are up to date".to_owned()];
        }
        changes.iter().map(ToString::to_string).collect()
    })?;
    Ok(ExitCode::Success)
}

fn document(change: &LockFileChange) -> serde_json::Value {
    let digest = |pin: Option<Pin>| pin.map(|pin| pin.digest);
    json!({
        "reference": change.reference,
        "old": digest(change.old),
        "new": digest(change.new),
        "size": change.new.map(|pin| pin.size),
    })
}
