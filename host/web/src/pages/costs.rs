//! What the builds of the pipeline cost: by day as a plot, and by layer and model.

use maud::{Markup, html};
use synix_engine::view::{CostGroup, CostSum, Costs};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::plot::{Bar, Bars};
use crate::site::CostsBy;

pub(super) fn page(context: &Context<'_>) -> Result<Page, Failure> {
    let state = context.state()?;
    let found = context.site.costs(&state);
    let (live, is_live) = match found {
        None => (super::waiting("The costs are being added up."), true),
        Some(found) => {
            let costs = found.value.as_ref().as_ref();
            let costs = costs.map_err(|error| Failure(error.clone()))?;
            (
                html! { (super::age(found.age)) (show(costs)) },
                found.age.is_some(),
            )
        }
    };
    Ok(Page {
        live: Some(live),
        is_live,
        ..Page::new("Costs", html! {})
    })
}

fn show(costs: &CostsBy) -> Markup {
    let total = &costs.day.total;
    html! {
        p.lead {
            "All builds of " code { (html::name(&costs.day.pipeline)) } " cost "
            strong { (html::cost(total.cost_usd)) } " for "
            (html::counted(requests(total), "request")) "."
        }
        @for line in &total.unpriced { p.note { (html::message(line)) } }
        @if costs.day.costs.is_empty() {
            p { "Nothing was sent yet." }
        } @else {
            section aria-labelledby="days" {
                h2 #days { "By day" }
                (plot(&costs.day))
                (table("Day (UTC)", CostGroup::Day, &costs.day))
            }
            section aria-labelledby="by-layer" {
                h2 #by-layer { "By layer" }
                (table("Layer", CostGroup::Layer, &costs.layer))
            }
            section aria-labelledby="by-model" {
                h2 #by-model { "By model" }
                (table("Model", CostGroup::Model, &costs.model))
            }
        }
    }
}

fn plot(costs: &Costs) -> Markup {
    let bars = costs.costs.iter().map(|sum| {
        // Millionths of a dollar are fine enough for a picture.
        let dollars = sum.cost_usd.map_or(0.0, synix_prices::Amount::usd);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an amount is not negative, and the conversion saturates"
        )]
        let value = (dollars * 1e6) as u64;
        Bar {
            label: sum.day.clone().unwrap_or_default(),
            value,
            text: html::cost(sum.cost_usd),
        }
    });
    Bars {
        id: "costs-plot",
        title: "Cost by day",
        bars: bars.collect(),
    }
    .draw()
}

fn requests(sum: &CostSum) -> u64 {
    sum.requests.sync + sum.requests.batch + sum.requests.unclear
}

fn table(title: &str, group: CostGroup, costs: &Costs) -> Markup {
    let name = |sum: &CostSum| {
        let name = match group {
            CostGroup::Day => &sum.day,
            CostGroup::Layer => &sum.layer,
            CostGroup::Model => &sum.model,
            CostGroup::Build => &sum.build,
        };
        let name = name.as_deref().unwrap_or_default();
        if name.is_empty() {
            "not recorded".to_owned()
        } else {
            html::name(name)
        }
    };
    html! {
        div.scroll role="region" aria-label=(format!("Costs: {title}")) tabindex="0" {
            table {
                caption.hidden { "Costs: " (title) }
                thead { tr {
                    th scope="col" { (title) }
                    th.number scope="col" { "In calls" }
                    th.number scope="col" { "In batches" }
                    th.number scope="col" { "Tokens in" }
                    th.number scope="col" { "Tokens out" }
                    th.number scope="col" { "Cost" }
                } }
                tbody {
                    @for sum in &costs.costs {
                        tr {
                            th scope="row" { (name(sum)) }
                            td.number { (html::number(sum.requests.sync)) }
                            td.number { (html::number(sum.requests.batch)) }
                            td.number { (html::tokens(sum.tokens.input)) }
                            td.number { (html::tokens(sum.tokens.output)) }
                            td.number { (html::cost(sum.cost_usd)) }
                        }
                    }
                }
            }
        }
    }
}
