//! The snapshots, from which the reader chooses one to read or two to compare.

use maud::{Markup, html};
use synix_engine::view::{SnapshotSummary, snapshots};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::links::Links;
use crate::target::Target;

/// The number of snapshots that are listed. There are few, because `gc` keeps 3 of each pipeline.
const MAX_LISTED: usize = 500;

pub(super) fn page(context: &Context<'_>) -> Result<Page, Failure> {
    let state = context.state()?;
    let mut listed = snapshots(&state.reader)?;
    let all = listed.len();
    listed.truncate(MAX_LISTED);
    let content = html! {
        @if listed.is_empty() {
            p { "There is no snapshot yet. Run " code { "synix build" } " to make one." }
        } @else {
            (choice(context, &listed))
            (table(context, &listed))
        }
        @if all > listed.len() {
            p.note { (html::counted((all - listed.len()) as u64, "older snapshot")) " not listed" }
        }
    };
    Ok(Page::new("Snapshots", content))
}

/// Lets the reader choose two snapshots to compare.
fn choice(context: &Context<'_>, listed: &[SnapshotSummary]) -> Markup {
    let diff = Target::Diff {
        before: String::new(),
        after: String::new(),
        layer: String::new(),
    };
    let select = |name: &str, title: &str, chosen: usize| {
        html! {
            label for=(name) { (title) }
            select id=(name) name=(name) {
                @for (at, snapshot) in listed.iter().enumerate() {
                    option value=(snapshot.id) selected[at == chosen.min(listed.len() - 1)] { (title_of(snapshot)) }
                }
            }
        }
    };
    html! {
        @if context.links.is_live() {
            form.search method="get" action=(diff.path()) {
                (select("before", "Compare", 1))
                (select("after", "with", 0))
                button type="submit" { "Compare" }
            }
        } @else {
            p { (html::link(context.links, &diff, "Compare the newest snapshot with the one before")) }
        }
    }
}

/// Returns the name of a snapshot for people, with its id.
fn title_of(snapshot: &SnapshotSummary) -> String {
    match &snapshot.name {
        Some(name) => format!("{} ({})", html::name(name), html::name(&snapshot.id)),
        None => html::name(&snapshot.id),
    }
}

fn table(context: &Context<'_>, listed: &[SnapshotSummary]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Snapshots" tabindex="0" {
            table {
                caption { "All snapshots of this project, the newest first" }
                thead { tr {
                    th scope="col" { "Snapshot" }
                    th scope="col" { "Taken" }
                    th scope="col" { "Build" }
                    th scope="col" { "Pipeline" }
                    th.number scope="col" { "Artifacts" }
                } }
                tbody {
                    @for snapshot in listed {
                        tr {
                            th scope="row" {
                                @if context.links.is_live() {
                                    a href=(address(snapshot)) { (title_of(snapshot)) }
                                } @else { (title_of(snapshot)) }
                            }
                            td { (html::time(snapshot.taken)) }
                            td.line { (html::build_link(context.links, &snapshot.build)) }
                            td { code { (html::name(&snapshot.pipeline)) } }
                            td.number { (html::number(snapshot.artifacts)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the address of the contents of a snapshot.
fn address(snapshot: &SnapshotSummary) -> String {
    let links = Links::Server(Some(&snapshot.id));
    links.to(&Target::Overview).unwrap_or_default()
}
