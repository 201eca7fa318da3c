//! One build: what each layer has done, what it waits for, its batches, its failures and its cost.

mod batches;
mod calls;

use maud::{Markup, html};
use synix_engine::view::{ForecastView, Status, find_build};

use super::frame::Page;
use super::{Context, Failure, failures};
use crate::html;

pub(super) fn page(context: &Context<'_>, id: &str) -> Result<Page, Failure> {
    let state = context.state()?;
    let build = find_build(&state.reader, id)?.id;
    let status = context.site.status(&state, build);
    let (live, is_live) = match status {
        None => (super::waiting("The build is being read."), true),
        Some(found) => {
            let status = found.value.as_ref().as_ref();
            let status = status.map_err(|error| Failure(error.clone()))?;
            let live = html! { (super::age(found.age)) (show(context, status)) };
            (live, status.is_open() || found.age.is_some())
        }
    };
    Ok(Page {
        live: Some(live),
        is_live,
        ..Page::new(&build.to_string(), html! {})
    })
}

fn show(context: &Context<'_>, status: &Status) -> Markup {
    html! {
        p.lead {
            (html::status(&status.status)) ", " (html::name(&status.kind)) " of "
            code { (html::name(&status.pipeline)) } ", opened " (html::time(status.opened))
            @if let Some(closed) = status.closed {
                ", took " (html::duration(closed.0.saturating_sub(status.opened.0)))
            }
        }
        @if let Some(trial) = &status.trial {
            p { "It is the trial " strong { (html::name(trial)) } ", whose snapshot is never the newest one." }
        }
        @if let Some(error) = &status.error { (html::error(error)) }
        (waits(status))
        section aria-labelledby="layers" {
            h2 #layers { "Layers" }
            (layers(context, status))
        }
        @if let Some(calls) = &status.calls { (calls::show(calls)) }
        @if !status.batches.is_empty() { (batches::show(&status.batches)) }
        @if !status.failure_groups.is_empty() {
            section aria-labelledby="failures" {
                h2 #failures { "Failures" }
                (failures::groups(&status.failure_groups))
            }
        }
        (cost(status))
    }
}

/// Says whom an open build waits for.
fn waits(status: &Status) -> Markup {
    let open: Vec<_> = status
        .batches
        .iter()
        .filter(|batch| batch.succeeded + batch.failed < batch.requests)
        .collect();
    let unanswered: u64 = open
        .iter()
        .map(|batch| batch.requests - batch.succeeded - batch.failed)
        .sum();
    let waiting: u64 = status.layers.iter().map(|layer| layer.waiting).sum();
    html! {
        @if status.is_open() || status.driver.is_some() {
            section.card aria-labelledby="waits" {
                h2 #waits { "Now" }
                ul {
                    @match &status.driver {
                        Some(driver) if driver.is_empty() => li { "A process drives the build." },
                        Some(driver) => li { "It is driven by " strong { (html::message(driver)) } "." },
                        None => li {
                            "No process drives the build. Run " code { "synix resume " (status.build) } " to continue it."
                        },
                    }
                    @if !open.is_empty() {
                        li {
                            (html::counted(open.len() as u64, "batch")) " at the provider: "
                            (html::counted(unanswered, "request")) " without an answer."
                        }
                    }
                    @if waiting > 0 {
                        li { (html::counted(waiting, "unit")) " wait for their run or for answers." }
                    }
                }
            }
        }
    }
}

fn layers(context: &Context<'_>, status: &Status) -> Markup {
    html! {
        div.scroll role="region" aria-label="Layers of the build" tabindex="0" {
            table {
                caption.hidden { "What each layer has done" }
                thead { tr {
                    th scope="col" { "Layer" }
                    th scope="col" { "Progress" }
                    th.number scope="col" { "Units" }
                    th.number scope="col" { "Done" }
                    th.number scope="col" { "Failed" }
                    th.number scope="col" { "Waiting" }
                    th.number scope="col" { "Tokens in" }
                    th.number scope="col" { "Tokens out" }
                    th.number scope="col" { "Cost" }
                } }
                tbody {
                    @for layer in &status.layers {
                        tr {
                            th scope="row" {
                                (html::layer_link(context.links, &layer.name))
                                @if let Some(mode) = &layer.mode { " " span.note { (mode) } }
                            }
                            td { (html::progress(&html::name(&layer.name), layer.done, layer.failed, layer.units)) }
                            td.number { (html::number(layer.units)) }
                            td.number { (html::number(layer.done)) }
                            td.number {
                                @if layer.failed == 0 { "0" } @else {
                                    (failures::link(context, &status.build, &layer.name, &html::number(layer.failed)))
                                }
                            }
                            td.number { (html::number(layer.waiting)) }
                            td.number { (html::tokens(layer.tokens.input)) }
                            td.number { (html::tokens(layer.tokens.output)) }
                            td.number { (html::cost(layer.cost_usd)) }
                        }
                        @for skipped in &layer.skipped {
                            tr.detail { td colspan="9" { div {
                                "skipped " (html::number(skipped.count)) " (" (html::name(&skipped.reason)) ")"
                                @if let Some(example) = skipped.examples.first() { ": " (html::message(example)) }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

fn cost(status: &Status) -> Markup {
    let requests = &status.requests;
    html! {
        section aria-labelledby="cost" {
            h2 #cost { "Cost" }
            dl {
                dt { "Cost" } dd { strong { (html::cost(status.cost_usd)) } }
                @if let Some(forecast) = &status.forecast { (expected(forecast)) }
                dt { "Requests" }
                dd {
                    (html::number(requests.sync)) " in calls, " (html::number(requests.batch)) " in batches, "
                    (html::number(requests.unclear)) " unclear"
                }
                dt { "Tokens" }
                dd {
                    (html::tokens(status.tokens.input)) " in (" (html::tokens(status.tokens.cached)) " cached), "
                    (html::tokens(status.tokens.output)) " out"
                }
            }
            @for line in &status.unpriced { p.note { (html::message(line)) } }
        }
    }
}

/// Says how far the expected cost was off.
fn expected(forecast: &ForecastView) -> Markup {
    html! {
        dt { "Expected" }
        dd {
            (html::cost(forecast.cost_usd_expected)) ", spent " (html::cost(forecast.cost_usd_spent))
            @if let Some(error) = forecast.error { (format!(" ({:+.0} %)", error * 100.0)) }
            @if forecast.requests < forecast.requests_billed {
                ", for " (html::number(forecast.requests)) " of "
                (html::counted(forecast.requests_billed, "request"))
            }
        }
    }
}
