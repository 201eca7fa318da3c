//! One artifact: its content, how it was made, what was made from it, and its earlier versions.

mod content;
mod lineage;
mod markdown;
mod requests;
mod versions;

use maud::{Markup, html};
use serde_json::Value;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_engine::view::{FoundArtifact, SnapshotView};
use synix_store::{Reader, StoredUnit};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::reply::Reply;
use crate::target::Target;

pub(super) fn page(context: &Context<'_>, layer: &str, label: &str) -> Result<Page, Failure> {
    let state = context.state()?;
    let view = context.view(&state)?;
    let found = find(&view, layer, label)?;
    let traced = context
        .site
        .lineage(context.request.snapshot.as_deref(), &state, &found);
    let (live, is_live) = lineage::show(context, traced)?;
    if context.request.is_update {
        // What does not change is not read again.
        return Ok(Page {
            live: Some(live),
            is_live,
            ..Page::new(label, html! {})
        });
    }
    let artifact = state.reader.artifact(found.artifact.artifact.id)?;
    let unit = state.reader.unit(found.artifact.artifact.unit)?;
    let prices = context
        .site
        .library()
        .prices(&state.reader, Some(found.build))?;
    let content = html! {
        p.lead {
            (html::name(artifact.kind.as_str())) " in " (html::layer_link(context.links, layer)) ", from "
            (html::build_link(context.links, &found.build.to_string()))
        }
        @if let Some(stale) = &found.stale {
            p.note {
                span.warn { "! " (html::build_link(context.links, &stale.newest)) " does not have it" } " ("
                (html::name(&stale.kind.replace('_', " "))) "): " (html::message(&stale.message))
            }
        }
        (shown(context, layer, label, &artifact))
        (metadata(&artifact.metadata))
        (requests::show(&state.reader, &unit, &prices)?)
        (provenance(context, &state.reader, &found, &unit)?)
        (versions::show(context, &state, &view, &found)?)
    };
    Ok(Page {
        live: Some(live),
        is_live,
        live_is_last: true,
        ..Page::new(label, content)
    })
}

/// Returns the content of an artifact as a file that a browser shows as text, or saves.
pub(super) fn raw(context: &Context<'_>, layer: &str, label: &str) -> Result<Reply, Failure> {
    let state = context.state()?;
    let view = context.view(&state)?;
    let found = find(&view, layer, label)?;
    let artifact = state.reader.artifact(found.artifact.artifact.id)?;
    Ok(match artifact.content {
        Content::Text(text) => Reply::file(Reply::TEXT, text),
        // The media type is what a plugin says, and a browser must not believe it.
        Content::Bytes { data, .. } => Reply {
            is_download: true,
            ..Reply::file("application/octet-stream", data)
        },
    })
}

/// Finds an artifact by its names alone. A label of one layer may look like the name of another artifact.
pub(crate) fn find(
    view: &SnapshotView<'_>,
    layer: &str,
    label: &str,
) -> Result<FoundArtifact, Failure> {
    let snapshot = view.required()?;
    let named = view.reader().labelled_artifacts(snapshot, layer, label)?;
    match named.into_iter().next() {
        Some(artifact) => Ok(FoundArtifact {
            artifact,
            build: snapshot.build,
            stale: None,
        }),
        None => Ok(view.find(&format!("{layer}/{label}"))?),
    }
}

fn shown(context: &Context<'_>, layer: &str, label: &str, artifact: &Artifact) -> Markup {
    let target = Target::Raw {
        layer: layer.to_owned(),
        label: label.to_owned(),
    };
    let raw = context.links.to(&target);
    html! {
        section aria-labelledby="content" {
            h2 #content { "Content" }
            (content::show(&artifact.content, raw.as_deref()))
        }
    }
}

fn metadata(metadata: &Metadata) -> Markup {
    html! {
        @if !metadata.is_empty() {
            section aria-labelledby="metadata" {
                h2 #metadata { "Metadata" }
                dl {
                    @for (name, value) in metadata {
                        dt { (html::name(name)) }
                        dd {
                            @match value {
                                Value::String(text) => (html::message(text)),
                                Value::Null | Value::Bool(_) | Value::Number(_) => (value.to_string()),
                                Value::Array(_) | Value::Object(_) => code { (html::message(&value.to_string())) },
                            }
                        }
                    }
                }
            }
        }
    }
}

fn provenance(
    context: &Context<'_>,
    reader: &Reader,
    found: &FoundArtifact,
    unit: &StoredUnit,
) -> Result<Markup, Failure> {
    let names = context.site.library().component_names()?;
    let parts = synix_core::fingerprint::StoredParts::read(&unit.parts);
    let component = parts.map(|parts| parts.layer.component);
    let size = reader.artifact_size(found.artifact.artifact.id)?;
    Ok(html! {
        section aria-labelledby="provenance" {
            h2 #provenance { "Provenance" }
            dl {
                dt { "Id" } dd { code { (found.artifact.artifact.digest.to_string()) } }
                dt { "Size" } dd { (html::size(size)) }
                dt { "Unit" } dd { code { (html::name(&unit.key)) } }
                dt { "Made in" } dd { (html::build_link(context.links, &unit.build.to_string())) }
                @if let Some(component) = component {
                    dt { "Component" }
                    dd {
                        @if let Some(name) = names.get(&component) { (html::name(name)) " " }
                        code { (component.to_string()) }
                    }
                }
                dt { "Fingerprint" } dd { code { (unit.fingerprint.to_string()) } }
                @if unit.partial {
                    dt { "Partial" } dd { span.warn { "! " } "An input was missing." }
                }
                @if unit.answer_origin != synix_store::AnswerOrigin::Live {
                    dt { "Replayed" } dd { "The answers came from a cassette." }
                }
            }
        }
    })
}
