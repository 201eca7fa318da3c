//! One layer: what is stale and why, its failures, its settings, and a page of its artifacts.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;
use synix_core::fingerprint::{LayerParts, LayerSettings, PipelineParts};
use synix_engine::plan::{PlanLayer, PlanUnit};
use synix_engine::view::{ArtifactPage, SnapshotView};

use super::frame::Page;
use super::{Context, Failure, failures};
use crate::html;
use crate::library::State;
use crate::target::Target;

/// The number of artifacts on a page.
pub(crate) const PAGE: usize = 100;
/// The number of reasons that are shown for stale units, and of units that are named for one.
const MAX_REASONS: usize = 20;
const MAX_NAMED: usize = 5;

pub(super) fn page(
    context: &Context<'_>,
    layer: &str,
    after: Option<&str>,
) -> Result<Page, Failure> {
    let state = context.state()?;
    let view = context.view(&state)?;
    view.required()?;
    let listed = view.page(layer, after, PAGE)?;
    let content = html! {
        (artifacts(context, layer, &listed))
        @if context.request.snapshot.is_none() {
            (stale(context, &state, layer))
            (failed(context, &state, &view, layer)?)
        }
        (settings(context, &state, &view, layer)?)
    };
    Ok(Page::new(layer, content))
}

fn artifacts(context: &Context<'_>, layer: &str, listed: &ArtifactPage) -> Markup {
    let links = context.links;
    let first = listed.before + 1;
    let last = listed.before + listed.artifacts.len() as u64;
    let at = |after: &str| Target::Layer {
        name: layer.to_owned(),
        after: Some(after.to_owned()).filter(|after| !after.is_empty()),
    };
    let next = listed.artifacts.last().filter(|_| listed.more);
    html! {
        p.lead { (html::counted(listed.total, "artifact")) }
        @if !listed.artifacts.is_empty() {
            div.scroll role="region" aria-label="Artifacts" tabindex="0" {
                table {
                    caption { "Artifacts " (html::number(first)) " to " (html::number(last)) ", by label" }
                    thead { tr {
                        th scope="col" { "Label" }
                        th scope="col" { "Kind" }
                        th scope="col" { "Id" }
                        th scope="col" { "Made by" }
                    } }
                    tbody {
                        @for artifact in &listed.artifacts {
                            tr {
                                th scope="row" {
                                    (html::artifact_link(links, &artifact.layer, &artifact.label))
                                    @if let Some(stale) = &artifact.stale {
                                        div.note {
                                            span.warn { "! not in " (html::name(&stale.newest)) } " ("
                                            (html::name(&stale.kind.replace('_', " "))) "): " (html::message(&stale.message))
                                        }
                                    }
                                }
                                td { (html::name(&artifact.kind)) }
                                td { code { (html::shortened(&artifact.id, 12)) } }
                                td.line { (html::build_link(links, &artifact.build)) }
                            }
                        }
                    }
                }
            }
        }
        nav.pages aria-label="Pages of artifacts" {
            @if let Some(previous) = &listed.previous {
                (html::link(links, &at(previous), "← Previous"))
            }
            " "
            @if let Some(next) = next {
                (html::link(links, &at(&next.label), "Next →"))
            }
        }
        @if links.is_live() && (listed.more || listed.before > 0) {
            form.search method="get" action=(at("").path()) {
                input type="hidden" name="name" value=(layer);
                @if let Some(snapshot) = &context.request.snapshot {
                    input type="hidden" name="snapshot" value=(snapshot);
                }
                label for="after" { "Go to labels after" }
                input #after type="text" name="after" autocomplete="off";
                button type="submit" { "Go" }
            }
        }
    }
}

fn stale(context: &Context<'_>, state: &State, layer: &str) -> Markup {
    let Some(planned) = context.site.planned(Some(state), context.request.is_update) else {
        return section(
            "stale",
            "Stale units",
            &html! { p.note { "The pipeline is being planned. Reload the page to see what is stale." } },
        );
    };
    let plan = planned.value.as_ref().as_ref();
    let plan = plan.ok().and_then(|planned| planned.plan.as_ref());
    let found = plan.and_then(|plan| plan.layers.iter().find(|one| one.name == layer));
    let text = match found {
        None => {
            html! { p { "What is stale is not known, or the pipeline no longer has the layer." } }
        }
        Some(found) if found.stale == 0 && found.stale_guess.is_none() => {
            html! { p { span.good { "✓ " } "Every unit is up to date." } }
        }
        Some(found) => stale_units(found),
    };
    section(
        "stale",
        "Stale units",
        &html! { (super::age(planned.age)) (text) },
    )
}

fn stale_units(layer: &PlanLayer) -> Markup {
    let groups = grouped(&layer.stale_units);
    html! {
        p {
            @match layer.stale_guess {
                Some(guess) => { "About " (html::counted(guess, "stale unit")) },
                None => (html::counted(layer.stale, "stale unit")),
            }
            " of " (html::number(layer.units)) ". "
            @match layer.planned.cost_usd_max {
                Some(most) => { "Building costs at most " (html::cost(Some(most))) "." },
                None => "What building costs at most is not known.",
            }
        }
        ul {
            @for (reason, units) in groups.iter().take(MAX_REASONS) {
                li {
                    strong { (html::counted(units.len() as u64, "unit")) } ": " (html::message(reason))
                    div.note {
                        @for (at, unit) in units.iter().take(MAX_NAMED).enumerate() {
                            @if at > 0 { ", " } code { (html::name(&unit.unit)) }
                        }
                        @if units.len() > MAX_NAMED { " and " (html::number((units.len() - MAX_NAMED) as u64)) " more" }
                    }
                }
            }
            @if groups.len() > MAX_REASONS {
                li { "and " (html::number((groups.len() - MAX_REASONS) as u64)) " other reasons" }
            }
        }
        @for failure in layer.failures.iter().take(MAX_NAMED) {
            p.note { code { (html::name(&failure.unit)) } " would fail: " (html::message(&failure.message)) }
        }
    }
}

/// Groups stale units by their reasons, the largest group first.
fn grouped(units: &[PlanUnit]) -> Vec<(String, Vec<&PlanUnit>)> {
    let mut groups: BTreeMap<String, Vec<&PlanUnit>> = BTreeMap::new();
    for unit in units {
        let mut reasons: Vec<String> = Vec::new();
        for reason in &unit.reasons {
            let reason = reason.summary();
            if !reason.is_empty() && !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let likely = if unit.guess { "likely, " } else { "" };
        groups
            .entry(format!("{likely}{}", reasons.join(", ")))
            .or_default()
            .push(unit);
    }
    // The reasons of a single unit can name its inputs.
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(reason, units)| match units[..] {
            [unit] => {
                let reasons = unit.reasons.iter().map(ToString::to_string);
                (reasons.collect::<Vec<_>>().join(", "), units)
            }
            _ => (reason, units),
        })
        .collect();
    groups.sort_by_key(|(_, units)| std::cmp::Reverse(units.len()));
    groups
}

/// Shows what failed in the last complete build of the pipeline.
fn failed(
    context: &Context<'_>,
    state: &State,
    view: &SnapshotView<'_>,
    layer: &str,
) -> Result<Markup, Failure> {
    let Some(pipeline) = view.pipeline() else {
        return Ok(html! {});
    };
    let Some(build) = state.reader.newest_complete_build(pipeline)? else {
        return Ok(html! {});
    };
    let layers = state.reader.build_layers(build)?;
    let Some(position) = layers.iter().find(|one| one.name == layer) else {
        return Ok(html! {});
    };
    let text = failures::of_layer(context, state, build, (position.position, layer))?;
    Ok(text.map_or_else(|| html! {}, |text| section("failures", "Failures", &text)))
}

fn settings(
    context: &Context<'_>,
    state: &State,
    view: &SnapshotView<'_>,
    layer: &str,
) -> Result<Markup, Failure> {
    let record = view.required()?;
    let build = state.reader.build(record.build)?;
    let parts = build.and_then(|build| PipelineParts::read(&build.parts));
    let Some(settings) = parts.and_then(|mut parts| parts.layers.remove(layer)) else {
        return Ok(html! {});
    };
    let names = context.site.library().component_names()?;
    let layer_parts = |parts: &LayerParts| {
        let component = names.get(&parts.component);
        html! {
            dt { "Component" }
            dd {
                @if let Some(name) = component { (html::name(name)) " " }
                code { (parts.component.short()) }
            }
            @if let Some(model) = &parts.model {
                dt { "Model" }
                dd {
                    (html::name(&model.model)) " at " (html::name(&model.provider))
                    @if let Some(tokens) = model.max_tokens { ", max_tokens " (tokens) }
                    @if let Some(temperature) = model.temperature { ", temperature " (temperature) }
                }
            }
            @if !parts.requests.revision.is_empty() {
                dt { "Revision" } dd { (html::name(&parts.requests.revision)) }
            }
            @for (pointer, file) in &parts.files {
                dt { "File " code { (html::name(pointer)) } }
                dd { code { (html::name(&file.path)) } " " span.note { (file.digest.short()) } }
            }
            dt { "Config" }
            dd { pre.config { (html::content(&pretty(&parts.config))) } }
        }
    };
    let text = html! {
        p.note { "As of " (html::build_link(context.links, &record.build.to_string())) }
        dl {
            @match &settings {
                LayerSettings::Source { glob, kind } => {
                    dt { "Source" } dd { code { (html::name(glob)) } }
                    dt { "Kind" } dd { (html::name(kind)) }
                },
                LayerSettings::Reader(reader) => {
                    dt { "Source" } dd { code { (html::name(&reader.globs.join(", "))) } }
                    @if reader.newest { dt { "On duplicate" } dd { "newest" } }
                    (layer_parts(&reader.parts))
                },
                LayerSettings::Transform(transform) => {
                    dt { "Made from" }
                    dd {
                        @for (at, input) in transform.inputs.iter().enumerate() {
                            @if at > 0 { ", " } (html::layer_link(context.links, input))
                        }
                    }
                    (layer_parts(&transform.parts))
                },
            }
        }
    };
    Ok(section("settings", "Settings", &text))
}

/// Returns a JSON text with line breaks, or the text itself if it is none.
fn pretty(json: &str) -> String {
    let value = serde_json::from_str::<Value>(json).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| json.to_owned())
}

fn section(id: &str, title: &str, text: &Markup) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            (text)
        }
    }
}
