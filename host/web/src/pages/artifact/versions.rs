//! The versions of an artifact in other snapshots of its pipeline.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use maud::{Markup, html};
use synix_engine::view::{FoundArtifact, SnapshotView};
use synix_store::SnapshotId;

use super::super::{Context, Failure};
use crate::html;
use crate::library::State;
use crate::links::Links;
use crate::target::Target;

/// The number of snapshots that are looked at.
const MAX_SNAPSHOTS: usize = 20;

pub(super) fn show(
    context: &Context<'_>,
    state: &State,
    view: &SnapshotView<'_>,
    found: &FoundArtifact,
) -> Result<Markup, Failure> {
    let selected = view.required()?;
    let (layer, label) = (
        &found.artifact.layer,
        found.artifact.artifact.label.as_str(),
    );
    let mut sets: BTreeMap<i64, Option<String>> = BTreeMap::new();
    let mut versions: Vec<(SnapshotId, String)> = Vec::new();
    let snapshots = state.reader.snapshots()?;
    let own = snapshots
        .iter()
        .filter(|snapshot| snapshot.pipeline == selected.pipeline);
    for snapshot in own.take(MAX_SNAPSHOTS) {
        let Some(set) = snapshot.set(layer) else {
            continue;
        };
        let id = match sets.entry(set) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let named = state.reader.labelled_artifacts(snapshot, layer, label)?;
                let id = named.first().map(|one| one.artifact.digest.to_string());
                new.insert(id)
            }
        };
        if let Some(id) = id {
            versions.push((snapshot.id, id.clone()));
        }
    }
    if versions.len() < 2 {
        return Ok(html! {});
    }
    Ok(html! {
        section aria-labelledby="versions" {
            h2 #versions { "Versions" }
            div.scroll role="region" aria-label="Versions" tabindex="0" {
                table {
                    caption { "In the newest " (html::counted(MAX_SNAPSHOTS as u64, "snapshot")) " of the pipeline" }
                    thead { tr { th scope="col" { "Snapshot" } th scope="col" { "Id" } th scope="col" { "" } } }
                    tbody {
                        @for (at, (snapshot, id)) in versions.iter().enumerate() {
                            @let older = versions.get(at + 1);
                            tr {
                                th scope="row" { (version_link(context, *snapshot, found)) }
                                td { code { (html::shortened(id, 12)) } }
                                td.line {
                                    @if let Some((before, old)) = older.filter(|(_, old)| old != id) {
                                        (compare(context, *before, *snapshot, layer))
                                        " " span.note { "was " code { (html::shortened(old, 12)) } }
                                    } @else if older.is_some() { span.note { "unchanged" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

fn version_link(context: &Context<'_>, snapshot: SnapshotId, found: &FoundArtifact) -> Markup {
    let name = snapshot.to_string();
    let target = Target::Artifact {
        layer: found.artifact.layer.clone(),
        label: found.artifact.artifact.label.to_string(),
    };
    html! {
        @if context.links.is_live() {
            (html::link(&Links::Server(Some(&name)), &target, &name))
        } @else { (name) }
    }
}

fn compare(context: &Context<'_>, before: SnapshotId, after: SnapshotId, layer: &str) -> Markup {
    let diff = Target::Diff {
        before: before.to_string(),
        after: after.to_string(),
        layer: layer.to_owned(),
    };
    html::link(context.links, &diff, "Compare")
}
