//! Two snapshots side by side, and why they differ.

use maud::{Markup, html};
use synix_engine::view::{
    ArtifactChange, LayerDiff, Line, Side, SnapshotDiff, SnapshotSummary, TextDiff,
};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::target::Target;

/// The number of lines that are shown of one difference.
const MAX_LINES: usize = 400;

pub(super) struct Asked<'a> {
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    pub(super) layer: &'a str,
}

impl Asked<'_> {
    const fn or<'s>(name: &'s str, default: &'s str) -> &'s str {
        if name.is_empty() { default } else { name }
    }
}

pub(super) fn page(context: &Context<'_>, asked: &Asked<'_>) -> Result<Page, Failure> {
    let state = context.state()?;
    let key = (
        Asked::or(asked.before, "@-1").to_owned(),
        Asked::or(asked.after, "@").to_owned(),
        Some(asked.layer.to_owned()).filter(|layer| !layer.is_empty()),
    );
    let (live, is_live) = match context.site.diff(&state, &key) {
        None => (super::waiting("The snapshots are being compared."), true),
        Some(found) => {
            let diff = found.value.as_ref().as_ref();
            let diff = diff.map_err(|error| Failure(error.clone()))?;
            (show(context, diff), found.age.is_some())
        }
    };
    Ok(Page {
        live: Some(live),
        is_live,
        ..Page::new("Difference", html! {})
    })
}

fn show(context: &Context<'_>, diff: &SnapshotDiff) -> Markup {
    let is_counted = diff.added.is_empty() && diff.removed.is_empty() && diff.changed.is_empty();
    html! {
        p.lead {
            "From " (snapshot(&diff.before)) " to " (snapshot(&diff.after))
        }
        @if diff.layers.is_empty() {
            p { "The two snapshots are equal." }
        } @else {
            (layers(context, diff))
            @if is_counted {
                p.note { "Too many artifacts differ to show each of them. Choose a layer above, or run " code { "synix diff" } "." }
            }
        }
        (changes(context, diff, "Changed", &diff.changed))
        (changes(context, diff, "Added", &diff.added))
        (changes(context, diff, "Removed", &diff.removed))
    }
}

fn snapshot(snapshot: &SnapshotSummary) -> Markup {
    html! {
        strong { (html::name(&snapshot.id)) }
        @if let Some(name) = &snapshot.name { " (" (html::name(name)) ")" }
        " of " (html::time(snapshot.taken))
    }
}

fn layers(context: &Context<'_>, diff: &SnapshotDiff) -> Markup {
    let target = |layer: &LayerDiff| Target::Diff {
        before: diff.before.id.clone(),
        after: diff.after.id.clone(),
        layer: layer.name.clone(),
    };
    html! {
        div.scroll role="region" aria-label="Layers that differ" tabindex="0" {
            table {
                caption { "The layers in which something differs" }
                thead { tr {
                    th scope="col" { "Layer" }
                    th.number scope="col" { "Added" }
                    th.number scope="col" { "Removed" }
                    th.number scope="col" { "Changed" }
                } }
                tbody {
                    @for layer in &diff.layers {
                        tr {
                            th scope="row" { (html::link(context.links, &target(layer), &html::name(&layer.name))) }
                            td.number { (html::number(layer.added as u64)) }
                            td.number { (html::number(layer.removed as u64)) }
                            td.number { (html::number(layer.changed as u64)) }
                        }
                    }
                }
            }
        }
    }
}

fn changes(
    context: &Context<'_>,
    diff: &SnapshotDiff,
    title: &str,
    changes: &[ArtifactChange],
) -> Markup {
    html! {
        @if !changes.is_empty() {
            section aria-label=(title) {
                h2 { (title) }
                @for change in changes { (change_markup(context, diff, change)) }
            }
        }
    }
}

fn change_markup(context: &Context<'_>, diff: &SnapshotDiff, change: &ArtifactChange) -> Markup {
    let why = change.why.iter().map(ToString::to_string);
    let why = why.collect::<Vec<_>>().join(", ");
    // What was removed is only in the first snapshot.
    let snapshot = if change.after.is_some() {
        &diff.after.id
    } else {
        &diff.before.id
    };
    let target = Target::Artifact {
        layer: change.layer.clone(),
        label: change.label.clone(),
    };
    html! {
        article.change {
            h3 {
                (html::name(&change.layer)) " / "
                @if context.links.is_live() {
                    a href=(target.address(Some(snapshot))) { (html::name(&change.label)) }
                } @else { (html::artifact_link(context.links, &change.layer, &change.label)) }
            }
            p.note { "Why: " (html::message(&why)) }
            @if let Some(texts) = &change.diff { (side_by_side(texts)) }
        }
    }
}

/// A row of the comparison: a line of each text, if there is one.
type Row<'a> = (Option<&'a Line>, Option<&'a Line>);

fn side_by_side(texts: &TextDiff) -> Markup {
    let mut left = MAX_LINES;
    let mut passages = Vec::new();
    for passage in &texts.passages {
        let shown = &passage.lines[..passage.lines.len().min(left)];
        left -= shown.len();
        if !shown.is_empty() {
            passages.push(rows(shown));
        }
    }
    html! {
        @for rows in &passages {
            div.sides role="table" aria-label="Before and after" {
                @for (before, after) in rows {
                    div.row role="row" { (side(*before, "before")) (side(*after, "after")) }
                }
            }
        }
        @if left == 0 { p.note { "The rest of the difference is not shown." } }
    }
}

/// Puts removed and added lines that follow each other side by side.
fn rows(lines: &[Line]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut begin = 0;
    for line in lines {
        match line.side {
            Side::Both => {
                rows.push((Some(line), Some(line)));
                begin = rows.len();
            }
            Side::Before => rows.push((Some(line), None)),
            Side::After => {
                let free = rows.iter_mut().skip(begin).find(|row| row.1.is_none());
                match free {
                    Some(row) => row.1 = Some(line),
                    None => rows.push((None, Some(line))),
                }
            }
        }
    }
    rows
}

fn side(line: Option<&Line>, which: &str) -> Markup {
    let Some(line) = line else {
        return html! { div class=(format!("side none {which}")) role="cell" {} };
    };
    let (class, sign, words) = match line.side {
        Side::Both => ("both", " ", ""),
        Side::Before => ("removed", "−", "removed: "),
        Side::After => ("added", "+", "added: "),
    };
    html! {
        div class=(format!("side {class} {which}")) role="cell" {
            span.sign aria-hidden="true" { (sign) }
            span.hidden { (words) }
            span.text {
                @for piece in &line.pieces {
                    @if piece.is_changed { mark { (html::content(&piece.text)) } }
                    @else { (html::content(&piece.text)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<(bool, bool)> {
        let diff = TextDiff::of(before, after);
        let lines = &diff.passages[0].lines;
        let rows = rows(lines);
        rows.iter()
            .map(|row| (row.0.is_some(), row.1.is_some()))
            .collect()
    }

    #[test]
    fn a_changed_line_is_beside_its_new_version() {
        assert_eq!(shown("a\nb\nc\n", "a\nB\nc\n"), [(true, true); 3]);
    }

    #[test]
    fn an_added_line_has_nothing_beside_it() {
        assert_eq!(
            shown("a\nb\n", "a\nx\nb\n"),
            [(true, true), (false, true), (true, true)]
        );
        assert_eq!(
            shown("a\nx\ny\nb\n", "a\nz\nb\n"),
            [(true, true), (true, true), (true, false), (true, true)]
        );
    }
}
