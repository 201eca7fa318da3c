//! `diff`: shows what differs between two snapshots, and why.

use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_engine::view::{ArtifactChange, Detail, Line, Piece, Side, SnapshotDiff, TextDiff};

use super::reading::SnapshotReader;
use crate::args::{Diff, Global};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(global: &Global, args: &Diff, screen: &Screen) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open_at(global, None)?;
    let before = snapshots.view_of(Some(&args.before))?;
    let after = snapshots.view_of(Some(&args.after))?;
    let detail = if args.stat {
        Detail::Counts
    } else {
        Detail::Artifacts
    };
    let layer = args.layer.as_deref();
    let found = SnapshotDiff::of(&snapshots.reader, (&before, &after), layer, detail)?;
    screen.print_result(&found, || result_lines(&found))?;
    Ok(ExitCode::Success)
}

fn result_lines(found: &SnapshotDiff) -> Lines {
    let mut lines = Lines::default();
    let (before, after) = (&found.before, &found.after);
    lines.push(format!(
        "{} ({}) to {} ({})",
        before.id, before.build, after.id, after.build
    ));
    if found.layers.is_empty() {
        lines.push("nothing differs");
        lines.extend(outside(found));
        return lines;
    }
    for (word, changes) in [
        ("added", &found.added),
        ("removed", &found.removed),
        ("changed", &found.changed),
    ] {
        for change in changes {
            push_change(&mut lines, word, change);
        }
    }
    lines.push("");
    let rows = found.layers.iter().map(|layer| {
        [
            layer.name.clone(),
            layer.added.to_string(),
            layer.removed.to_string(),
            layer.changed.to_string(),
        ]
    });
    let columns = [
        Column::Left("layer"),
        Column::Right("added"),
        Column::Right("removed"),
        Column::Right("changed"),
    ];
    lines.table(columns, rows.collect());
    lines.extend(outside(found));
    lines
}

/// Describes what a trial leaves out.
fn outside(found: &SnapshotDiff) -> Option<String> {
    let count = found.outside as u64;
    (count > 0).then(|| {
        let artifacts = printable::pluralize(count, "artifact");
        format!("{artifacts} not compared, because the trial does not build their units")
    })
}

fn push_change(lines: &mut Lines, word: &str, change: &ArtifactChange) {
    let why: Vec<String> = change.why.iter().map(ToString::to_string).collect();
    lines.heading(format!(
        "{word} {}/{}: {}",
        change.layer,
        change.label,
        why.join("; ")
    ));
    match &change.diff {
        Some(diff) => push_text(lines, diff),
        None if change.before.is_some() && change.after.is_some() => {
            lines.push("  no text differs, or the texts are too large to compare");
        }
        None => {}
    }
}

/// Adds changed lines with their words marked as by `git diff --word-diff`.
pub(super) fn push_text(lines: &mut Lines, diff: &TextDiff) {
    for (position, passage) in diff.passages.iter().enumerate() {
        if position > 0 {
            lines.push("  ...");
        }
        for line in &passage.lines {
            let (sign, open, close) = match line.side {
                Side::Both => (' ', "", ""),
                Side::Before => ('-', "[-", "-]"),
                Side::After => ('+', "{+", "+}"),
            };
            let text = marked(line, open, close);
            lines.push(format!("  {sign}{text}"));
        }
    }
}

/// Returns a line with marks around its changed words. A line that differs as a whole needs none.
pub(super) fn marked(line: &Line, open: &str, close: &str) -> String {
    let is_partial = line.pieces.iter().any(|piece| !piece.is_changed);
    let marked = |Piece { text, is_changed }: &Piece| {
        if *is_changed && is_partial {
            format!("{open}{text}{close}")
        } else {
            text.clone()
        }
    };
    line.pieces.iter().map(marked).collect()
}
