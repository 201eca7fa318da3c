//! `clean`: deletes the artifacts.

use serde_json::json;

use crate::args::Global;
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

pub(super) fn run(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let removed = synix_project::clean(&global.options(None))?.removed;
    screen.print_result(&json!({ "removed": removed }), || {
        if removed.is_empty() {
            return vec!["nothing to remove".to_owned()];
        }
        removed
            .iter()
            .map(|what| format!("removed {what}"))
            .collect()
    })?;
    Ok(ExitCode::Success)
}
