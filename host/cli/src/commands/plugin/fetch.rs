//! `plugin fetch`: downloads the pinned plugins.

use std::path::PathBuf;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_project::{FetchedPlugin, Options};

use crate::args::{Global, TrustFlag};
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The pipeline file or its folder, as with --pipeline
    #[arg(id = "FILE", value_name = "PIPELINE", conflicts_with = "pipeline")]
    pipeline: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustFlag,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let fetched = synix_project::fetch_plugins(&Options {
        trust: args.trust.trust,
        ..global.options(args.pipeline.as_ref())
    })?;
    let documents: Vec<_> = fetched.iter().map(document).collect();
    screen.print_result(&json!({ "plugins": documents }), || {
        if fetched.is_empty() {
            return vec!["the pipeline uses no plugin from a server".to_owned()];
        }
        fetched.iter().map(line).collect()
    })?;
    Ok(ExitCode::Success)
}

fn document(plugin: &FetchedPlugin) -> serde_json::Value {
    json!({
        "reference": plugin.reference,
        "digest": plugin.pin.digest,
        "size": plugin.pin.size,
        "downloaded": plugin.downloaded,
    })
}

fn line(plugin: &FetchedPlugin) -> String {
    let how = if plugin.downloaded {
        "downloaded"
    } else {
        "already in the cache"
    };
    format!("{}: {how}, {}", plugin.reference, plugin.pin)
}
