//! `promote`: writes the settings of a trial into the pipeline file.

use serde_json::Value;
use synix_core::exit_code::ExitCode;
use synix_project::{PromotedChange, Promotion};

use crate::args::{Global, Promote};
use crate::lines::Lines;
use crate::render::Screen;

/// The maximum number of characters of a value. `--json` has the rest.
const MAX_VALUE: usize = 200;

pub(super) fn run(global: &Global, args: &Promote, screen: &Screen) -> anyhow::Result<ExitCode> {
    let promotion = synix_project::promote(&global.options(None), &args.trial)?;
    screen.print_result(&promotion, || lines(&promotion))?;
    Ok(ExitCode::Success)
}

fn lines(promotion: &Promotion) -> Lines {
    let mut lines = Lines::default();
    if promotion.changes.is_empty() {
        let why = if promotion.unchanged > 0 {
            "the files have its settings already"
        } else {
            "it changed no settings"
        };
        lines.push(format!(
            "nothing to write for trial {}: {why}",
            promotion.trial
        ));
        return lines;
    }
    for change in &promotion.changes {
        lines.push(described(change));
    }
    lines.push("`synix build` now builds the whole pipeline with these settings");
    lines
}

fn described(change: &PromotedChange) -> String {
    let PromotedChange {
        file,
        key,
        old,
        new,
    } = change;
    match key {
        Some(key) if new.is_null() => format!("{file}: {key} is removed (was {})", shown(old)),
        Some(key) if old.is_null() => format!("{file}: {key} = {}", shown(new)),
        Some(key) => format!("{file}: {key} = {} (was {})", shown(new), shown(old)),
        None => format!("{file}: the prompt of the trial"),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().nth(MAX_VALUE).is_none() {
        return text;
    }
    let start: String = text.chars().take(MAX_VALUE).collect();
    format!("{start}…")
}
