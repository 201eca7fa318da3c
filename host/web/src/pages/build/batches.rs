//! The batches of a build on a line of time, with every state that they entered.

use maud::{Markup, html};
use synix_core::clock::Timestamp;
use synix_engine::view::BatchView;

use crate::html;

/// The picture: the width of the time, of the names beside it, and the height of a batch.
const WIDTH: u64 = 560;
const NAMES: u64 = 180;
const ROW: u64 = 34;
/// The number of batches in the picture. The table has all of them.
const MAX_DRAWN: usize = 60;

pub(super) fn show(batches: &[BatchView]) -> Markup {
    html! {
        section aria-labelledby="batches" {
            h2 #batches { "Batches" }
            (picture(batches))
            (table(batches))
        }
    }
}

/// Returns the name of a batch: its id, or its number before it has one.
fn name(at: usize, batch: &BatchView) -> String {
    match &batch.id {
        Some(id) => html::shortened(id, 18),
        None => format!("batch {} (no id yet)", at + 1),
    }
}

fn picture(batches: &[BatchView]) -> Markup {
    let times = || {
        batches
            .iter()
            .flat_map(|batch| &batch.steps)
            .map(|step| step.at.0)
    };
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return html! {};
    };
    let drawn = &batches[..batches.len().min(MAX_DRAWN)];
    let height = drawn.len() as u64 * ROW + 24;
    let x = |at: Timestamp| {
        let range = u128::from((last - first).max(1));
        let since = u128::from(at.0.saturating_sub(first));
        NAMES + 8 + u64::try_from(since * u128::from(WIDTH - 16) / range).unwrap_or(0)
    };
    html! {
        div.plot role="region" aria-label="Batches over time" tabindex="0" {
            svg role="img" aria-labelledby="batches-title batches-text" width=(NAMES + WIDTH) height=(height)
                viewBox=(format!("0 0 {} {height}", NAMES + WIDTH)) {
                title #batches-title { "When each batch entered its states" }
                desc #batches-text { "The table below has the same times." }
                @for (at, batch) in drawn.iter().enumerate() {
                    @let y = at as u64 * ROW + 17;
                    text x="0" y=(y + 4) { (name(at, batch)) }
                    @if let (Some(begin), Some(end)) = (batch.steps.first(), batch.steps.last()) {
                        line.span x1=(x(begin.at)) y1=(y) x2=(x(end.at)) y2=(y) {}
                    }
                    @for step in &batch.steps {
                        circle.step cx=(x(step.at)) cy=(y) r="5" {
                            title { (step.state) " at " (step.at.to_string()) }
                        }
                    }
                }
                text.axis x=(NAMES) y=(height - 4) { (Timestamp(first).to_string()) }
                text.axis x=(NAMES + WIDTH) y=(height - 4) text-anchor="end" { (Timestamp(last).to_string()) }
            }
        }
    }
}

fn table(batches: &[BatchView]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Batches" tabindex="0" {
            table {
                caption.hidden { "The batches of the build" }
                thead { tr {
                    th scope="col" { "Batch" }
                    th scope="col" { "Layers" }
                    th scope="col" { "Status" }
                    th.number scope="col" { "Requests" }
                    th.number scope="col" { "Answered" }
                    th.number scope="col" { "Failed" }
                    th.number scope="col" { "Attempt" }
                    th.number scope="col" { "Cost" }
                } }
                tbody {
                    @for (at, batch) in batches.iter().enumerate() {
                        tr {
                            th scope="row" { code { (name(at, batch)) } div.note { (html::name(&batch.provider)) } }
                            td { (html::name(&batch.layer)) }
                            td {
                                (html::status(&batch.status))
                                @if let Some(note) = &batch.note { div.note { (html::message(note)) } }
                            }
                            td.number { (html::number(batch.requests)) }
                            td.number { (html::number(batch.succeeded)) }
                            td.number.bad[batch.failed > 0] { (html::number(batch.failed)) }
                            td.number { (batch.attempt) }
                            td.number { (html::cost(batch.cost_usd)) }
                        }
                        tr.detail { td colspan="8" {
                            ol.steps {
                                @for step in &batch.steps { li { (step.state) " " (html::time(step.at)) } }
                            }
                        } }
                    }
                }
            }
        }
    }
}
