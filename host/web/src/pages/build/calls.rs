//! The sync calls of a build over time.

use maud::{Markup, html};
use synix_engine::view::CallRates;

use crate::html;
use crate::plot::{Bar, Bars};

pub(super) fn show(calls: &CallRates) -> Markup {
    let per_second = |count: u64| {
        let tenths = count * 10 / calls.seconds.max(1);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    let bars = calls.intervals.iter().map(|interval| Bar {
        label: interval.at.to_string(),
        value: interval.settled,
        text: html::counted(interval.settled, "call"),
    });
    let newest = calls.intervals.last();
    html! {
        section aria-labelledby="calls" {
            h2 #calls { "Requests over time" }
            @if let Some(newest) = newest {
                p {
                    "In the newest " (html::counted(calls.seconds, "second")) ": "
                    strong { (per_second(newest.sent)) } " requests sent and "
                    strong { (per_second(newest.settled)) } " settled per second."
                }
            }
            (Bars { id: "calls-plot", title: "Calls that were settled", bars: bars.collect() }.draw())
            details {
                summary { "The numbers as a table" }
                div.scroll role="region" aria-label="Calls over time" tabindex="0" {
                    table {
                        caption { "Intervals of " (html::counted(calls.seconds, "second")) }
                        thead { tr {
                            th scope="col" { "From" }
                            th.number scope="col" { "Sent" }
                            th.number scope="col" { "Settled" }
                        } }
                        tbody {
                            @for interval in &calls.intervals {
                                tr {
                                    th scope="row" { (html::time(interval.at)) }
                                    td.number { (html::number(interval.sent)) }
                                    td.number { (html::number(interval.settled)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
