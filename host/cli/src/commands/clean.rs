//! `clean`.

use serde_json::json;

use synix_core::exit_code::ExitCode;
use crate::args::Global;
use crate::render::Screen;

pub(super) fn run(global: &Global, screen: &Screen) -> anyhow::Result<ExitCode> {
    let removed = synix_project::clean(&global.options(None))?.removed;
    screen.answer(&json!({ "removed": removed }), || {
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
