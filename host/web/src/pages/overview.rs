//! The overview: the pipeline as a graph, what is stale, what runs, and what it has cost.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};
use synix_core::fingerprint::{LayerSettings, PipelineParts};
use synix_engine::view::{FailureGroup, LastBuild, OpenBuild, Overview, OverviewLayer};
use synix_prices::Amount;
use synix_store::{BuildId, Reader};

use super::frame::Page;
use super::{Context, Failure, failures};
use crate::graph::{self, Box, Graph};
use crate::html;
use crate::library::{Planned, State};
use crate::target::Target;

pub(super) fn page(context: &Context<'_>) -> Result<Page, Failure> {
    // Without a state there is still a plan.
    let state = context.state();
    let planned = context
        .site
        .planned(state.as_ref().ok(), context.request.is_update);
    let live = match planned {
        None => super::waiting("The pipeline is being planned."),
        Some(planned) => {
            let value = planned.value.as_ref().as_ref();
            let Planned { overview, .. } = value.map_err(|error| Failure(error.clone()))?;
            show(context, state.as_ref().ok(), overview, planned.age)?
        }
    };
    Ok(Page {
        live: Some(live),
        is_live: true,
        ..Page::new("Overview", html! {})
    })
}

fn show(
    context: &Context<'_>,
    state: Option<&State>,
    overview: &Overview,
    age: Option<Duration>,
) -> Result<Markup, Failure> {
    let mut facts = match state {
        Some(state) => Facts::of(context, state, &overview.builds)?,
        None => Facts::default(),
    };
    // A pipeline file that was changed since the newest build has its own edges.
    match (context.site.library().inputs(), state) {
        (Ok(inputs), _) => facts.inputs = inputs,
        (Err(_), Some(state)) => facts.inputs = inputs(&state.reader, &overview.pipeline)?,
        (Err(_), None) => {}
    }
    Ok(html! {
        p.lead {
            code { (html::name(&overview.pipeline)) } ": "
            @match &overview.snapshot {
                Some(build) => { "as of " (html::build_link(context.links, build)) },
                None => "no build has ended yet",
            }
            ". " (stale(overview))
        }
        (super::age(age))
        @if let Some(error) = &overview.error {
            (html::error(error))
        }
        @for build in &overview.builds { (open_build(context, build)) }
        section aria-labelledby="layers" {
            h2 #layers { "Layers" }
            @if overview.layers.is_empty() {
                p { "There are no layers yet." }
            } @else {
                (graph::draw_beside(
                    &Graph { boxes: boxes(context, overview, &facts) },
                    &table(context, overview, &facts),
                ))
            }
        }
        @if let Some(last) = &overview.last { (last_build(context, last)) }
        section aria-labelledby="money" {
            h2 #money { "Money" }
            p { "All builds of this pipeline cost " strong { (html::cost(overview.cost_usd)) } "." }
            @if !overview.unpriced.is_empty() {
                ul { @for line in &overview.unpriced { li { (html::message(line)) } } }
            }
        }
    })
}

fn stale(overview: &Overview) -> Markup {
    let layers = overview.layers.iter();
    let is_guess = overview
        .layers
        .iter()
        .any(|layer| layer.stale_guess.is_some());
    let units: u64 = layers
        .map(|layer| layer.stale_guess.or(layer.stale).unwrap_or(0))
        .sum();
    html! {
        @if overview.error.is_some() {
            "What is stale is not known."
        } @else if units == 0 {
            "Everything is up to date."
        } @else {
            strong { @if is_guess { "About " } (html::counted(units, "stale unit")) }
            ". Run " code { "synix plan" } " to see the cost, and " code { "synix build" } " to build."
        }
    }
}

/// What the page shows of layers besides the overview.
#[derive(Default)]
struct Facts {
    /// The input layers of each layer.
    inputs: BTreeMap<String, Vec<String>>,
    /// What was spent for each layer; empty until it is added up.
    costs: BTreeMap<String, Option<Amount>>,
    /// The settled and all units of the layers at which an open build works.
    running: BTreeMap<String, (u64, u64)>,
}

impl Facts {
    fn of(context: &Context<'_>, state: &State, builds: &[OpenBuild]) -> Result<Self, Failure> {
        let mut facts = Self::default();
        if let Some(costs) = context.site.costs(state)
            && let Ok(costs) = costs.value.as_ref()
        {
            let sums = costs.layer.costs.iter();
            let sums = sums.map(|sum| (sum.layer.clone().unwrap_or_default(), sum.cost_usd));
            facts.costs.extend(sums);
        }
        for build in builds {
            let Ok(build) = build.build.parse::<BuildId>() else {
                continue;
            };
            for layer in state.reader.build_layers(build)? {
                let tally = state.reader.layer_tally(build, layer.position)?;
                if tally.waiting > 0 {
                    let settled = layer.fresh + tally.done + tally.failed;
                    let units = (settled, settled + tally.waiting);
                    facts.running.insert(layer.name, units);
                }
            }
        }
        Ok(facts)
    }

    fn cost(&self, layer: &str) -> Option<String> {
        let cost = self.costs.get(layer)?;
        Some(html::cost(*cost))
    }
}

/// Returns the input layers of each layer, as of the newest build of the pipeline.
fn inputs(reader: &Reader, pipeline: &str) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let newest = reader.builds_of(pipeline)?.into_iter().next();
    let build = newest.map(|(id, _)| reader.build(id)).transpose()?;
    let parts = build
        .flatten()
        .and_then(|build| PipelineParts::read(&build.parts));
    let layers = parts.map(|parts| parts.layers).unwrap_or_default();
    let inputs = layers.into_iter().map(|(name, settings)| match settings {
        LayerSettings::Transform(transform) => (name, transform.inputs),
        LayerSettings::Source { .. } | LayerSettings::Reader(_) => (name, Vec::new()),
    });
    Ok(inputs.collect())
}

fn boxes(context: &Context<'_>, overview: &Overview, facts: &Facts) -> Vec<Box> {
    let layers = overview.layers.iter().map(|layer| {
        let target = Target::Layer {
            name: layer.name.clone(),
            after: None,
        };
        let mut notes = Vec::new();
        if let Some((settled, all)) = facts.running.get(&layer.name) {
            let units = format!("{} of {}", html::number(*settled), html::number(*all));
            notes.push(("busy", format!("● {units}")));
        }
        if let Some(stale) = stale_count(layer).filter(|count| *count != "0") {
            notes.push(("stale", format!("{stale} stale")));
        }
        if layer.failed > 0 {
            notes.push(("failed", format!("{} failed", html::number(layer.failed))));
        }
        if notes.is_empty() {
            notes.push(("fresh", "up to date".to_owned()));
        }
        Box {
            name: layer.name.clone(),
            address: context.links.to(&target),
            count: match facts.cost(&layer.name) {
                Some(cost) => format!("{} · {cost}", html::counted(layer.artifacts, "artifact")),
                None => html::counted(layer.artifacts, "artifact"),
            },
            notes,
            inputs: facts.inputs.get(&layer.name).cloned().unwrap_or_default(),
        }
    });
    layers.collect()
}

/// Returns the number of stale units as text; `None` if it is not known.
fn stale_count(layer: &OverviewLayer) -> Option<String> {
    match (layer.stale, layer.stale_guess) {
        (_, Some(guess)) => Some(format!("~{}", html::number(guess))),
        (Some(stale), None) => Some(html::number(stale)),
        (None, None) => None,
    }
}

fn table(context: &Context<'_>, overview: &Overview, facts: &Facts) -> Markup {
    html! {
        div.scroll role="region" aria-label="Layers as a table" tabindex="0" {
            table {
                caption.hidden { "The layers of the pipeline" }
                thead { tr {
                    th scope="col" { "Layer" }
                    th.number scope="col" { "Artifacts" }
                    th.number scope="col" { "Stale" }
                    th.number scope="col" { "Failed" }
                    th.number scope="col" { "Running" }
                    th.number scope="col" { "Cost" }
                } }
                tbody {
                    @for layer in &overview.layers {
                        tr {
                            th scope="row" { (html::layer_link(context.links, &layer.name)) }
                            td.number { (html::number(layer.artifacts)) }
                            td.number { (stale_count(layer).unwrap_or_else(|| "?".to_owned())) }
                            td.number { (html::number(layer.failed)) }
                            td.number {
                                @if let Some((settled, all)) = facts.running.get(&layer.name) {
                                    (html::number(*settled)) " of " (html::number(*all))
                                } @else { "–" }
                            }
                            td.number { (facts.cost(&layer.name).unwrap_or_else(|| "–".to_owned())) }
                        }
                        @for skipped in &layer.skipped {
                            tr.detail {
                                td colspan="6" {
                                    "skipped " (html::number(skipped.count)) " ("
                                    (html::name(&skipped.reason)) ")"
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn open_build(context: &Context<'_>, build: &OpenBuild) -> Markup {
    let all = build.done + build.failed + build.waiting;
    html! {
        section.card aria-label=(format!("{} runs", build.build)) {
            h2 { (html::build_link(context.links, &build.build)) " " (html::status(&build.status)) }
            p {
                (html::number(build.done)) " of " (html::counted(all, "unit")) " done, "
                (html::number(build.failed)) " failed, " (html::number(build.waiting)) " waiting; cost so far "
                (html::cost(build.cost_usd))
            }
            (html::progress(&build.build, build.done, build.failed, all))
            @if !build.batches.is_empty() {
                ul {
                    @for batch in &build.batches {
                        li {
                            "batch " code { (html::name(batch.id.as_deref().unwrap_or("without an id"))) }
                            " at " (html::name(&batch.provider)) ": " (html::name(&batch.status)) ", "
                            (html::number(batch.succeeded + batch.failed)) " of "
                            (html::counted(batch.requests, "request")) " answered"
                        }
                    }
                }
            }
            @if build.kind != "build" {
                p.hint { "Run " code { "synix resume " (build.build) } " to continue it." }
            }
        }
    }
}

fn last_build(context: &Context<'_>, last: &LastBuild) -> Markup {
    html! {
        section aria-labelledby="last" {
            h2 #last { "Last build" }
            p {
                (html::build_link(context.links, &last.build)) " " (html::status(&last.status))
                @if let Some(closed) = last.closed { " at " (html::time(closed)) }
                "; cost " (html::cost(last.cost_usd))
            }
            @if let Some(error) = &last.error { (html::error(error)) }
            (failures::groups(&FailureGroup::group(&last.failures)))
        }
    }
}
