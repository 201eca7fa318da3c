//! The outputs of a trial beside those of the newest snapshot: in two columns, if the terminal is wide enough.

use synix_engine::view::{Line, OutputContent, Side, TextDiff, TrialOutput};

use super::diff::{marked, push_text};
use crate::lines::Lines;
use crate::side_by_side::{SideBySide, Sides};

/// The maximum number of outputs that are shown, and of lines of each. `--json` has the rest.
const MAX_OUTPUTS: usize = 20;
const MAX_LINES: usize = 12;
/// The maximum number of lines of a difference.
const MAX_DIFF_LINES: usize = 40;
/// The maximum number of unchanged outputs that are named.
const MAX_SAME: usize = 5;

pub(super) fn add(outputs: &[TrialOutput], trial: &str, lines: &mut Lines) {
    if outputs.is_empty() {
        return;
    }
    lines.heading("outputs:");
    let (same, others): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| is_same(output));
    for output in others.iter().take(MAX_OUTPUTS) {
        add_output(output, trial, lines);
    }
    let more = others.len().saturating_sub(MAX_OUTPUTS);
    if more > 0 {
        lines.heading(format!("and {more} more; pass --json to see all"));
    }
    if !same.is_empty() {
        lines.heading(same_outputs(&same));
    }
}

fn is_same(output: &TrialOutput) -> bool {
    let main = output.main.as_ref();
    main.is_some_and(|main| main.id == output.trial.id)
}

fn same_outputs(same: &[&TrialOutput]) -> String {
    let named = same.iter().take(MAX_SAME);
    let names: Vec<_> = named
        .map(|output| format!("{}/{}", output.layer, output.label))
        .collect();
    let more = same.len().saturating_sub(MAX_SAME);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let names = names.join(", ");
    format!("the same as in the newest snapshot: {names}{more}")
}

fn add_output(output: &TrialOutput, trial: &str, lines: &mut Lines) {
    let state = match &output.main {
        None => "only in the trial",
        Some(_) => "differs from the newest snapshot",
    };
    lines.heading(format!("{}/{}: {state}", output.layer, output.label));
    match &output.diff {
        Some(diff) => add_diff(diff, trial, lines),
        None => add_content(&output.trial, lines),
    }
}

fn add_diff(diff: &TextDiff, trial: &str, lines: &mut Lines) {
    let more = |count: usize| format!("and {count} more lines; `synix diff @ {trial}` shows all");
    let mut narrow = Lines::default();
    push_text(&mut narrow, diff);
    let left_out = narrow
        .truncate(MAX_DIFF_LINES)
        .saturating_sub(MAX_DIFF_LINES);
    if left_out > 0 {
        narrow.push(format!("  {}", more(left_out)));
    }
    let mut wide = columns(diff);
    let left_out = wide.truncate(MAX_DIFF_LINES);
    if left_out > 0 {
        wide.note(more(left_out));
    }
    lines.side_by_side(wide, narrow);
}

/// Returns the passages that differ, with the lines of the newest snapshot on the left.
fn columns(diff: &TextDiff) -> SideBySide {
    let mut texts = SideBySide::default();
    let headings = ["newest snapshot", "trial"].map(|heading| Some(heading.to_owned()));
    let [left, right] = headings;
    texts.push(left, right, Sides::Same);
    for (position, passage) in diff.passages.iter().enumerate() {
        if position > 0 {
            texts.note("...");
        }
        let mut rest = passage.lines.as_slice();
        while let Some((line, after)) = rest.split_first() {
            if line.side == Side::Both {
                let text = marked(line, "", "");
                texts.push(Some(text.clone()), Some(text), Sides::Same);
                rest = after;
                continue;
            }
            let changed = rest.iter().take_while(|line| line.side != Side::Both);
            let count = changed.count();
            add_changed(&rest[..count], &mut texts);
            rest = &rest[count..];
        }
    }
    texts
}

/// Puts the lines of a change beside those that replace them.
fn add_changed(changed: &[Line], texts: &mut SideBySide) {
    let of = |side: Side, open: &'static str, close: &'static str| {
        let lines = changed.iter().filter(move |line| line.side == side);
        lines.map(move |line| marked(line, open, close))
    };
    let mut before = of(Side::Before, "[-", "-]");
    let mut after = of(Side::After, "{+", "+}");
    loop {
        let (left, right) = (before.next(), after.next());
        if left.is_none() && right.is_none() {
            return;
        }
        // The end of a text without a line break counts as a difference, and shows none.
        let sides = if left == right {
            Sides::Same
        } else {
            Sides::Different
        };
        texts.push(left, right, sides);
    }
}

fn add_content(content: &OutputContent, lines: &mut Lines) {
    let Some(text) = &content.content else {
        let media_type = content.media_type.as_deref().unwrap_or_default();
        lines.push(format!("  content of the type {media_type}"));
        return;
    };
    let mut all = text.lines();
    for line in all.by_ref().take(MAX_LINES) {
        lines.push(format!("  {line}"));
    }
    let more = all.count();
    if more > 0 {
        lines.push(format!("  and {more} more lines"));
    }
}
