//! `clean`.

use serde_json::json;
use synix::project;

use crate::args::Global;
use crate::failure::Exit;
use crate::render::Screen;

pub(super) fn run(global: &Global, screen: &Screen) -> anyhow::Result<Exit> {
    let removed = project::clean(&global.options(None))?.removed;
    screen.answer(&json!({ "removed": removed }), || {
        if removed.is_empty() {
            return "nothing to remove".to_owned();
        }
        let lines: Vec<_> = removed
            .iter()
            .map(|what| format!("removed {what}"))
            .collect();
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}
