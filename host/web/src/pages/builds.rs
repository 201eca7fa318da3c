//! The builds, the newest first.

use maud::{Markup, html};
use synix_engine::view::{BuildView, build_page};
use synix_store::BuildId;

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::target::Target;

/// The number of builds on a page.
pub(crate) const PAGE: usize = 50;

pub(super) fn page(context: &Context<'_>, before: Option<u64>) -> Result<Page, Failure> {
    let state = context.state()?;
    let after = before.and_then(|id| i64::try_from(id).ok()).map(BuildId);
    let listed = build_page(&state.reader, None, after, PAGE)?;
    let last = listed.builds.last().filter(|_| listed.more);
    let next = last.and_then(|build| build.build.parse::<BuildId>().ok());
    let content = html! {
        @if listed.builds.is_empty() {
            p { "There are no builds here." }
        } @else {
            (table(context, &listed.builds))
        }
        @if let Some(next) = next {
            p {
                (html::link(context.links, &Target::Builds { before: Some(next.0.unsigned_abs()) }, "Older builds"))
            }
        }
    };
    Ok(Page {
        live: Some(content),
        is_live: before.is_none(),
        ..Page::new("Builds", html! {})
    })
}

fn table(context: &Context<'_>, builds: &[BuildView]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Builds" tabindex="0" {
            table {
                caption { "All builds of this project, the newest first" }
                thead { tr {
                    th scope="col" { "Build" }
                    th scope="col" { "Status" }
                    th scope="col" { "Opened" }
                    th scope="col" { "Took" }
                    th scope="col" { "Pipeline" }
                } }
                tbody {
                    @for build in builds {
                        tr {
                            th scope="row" {
                                (html::build_link(context.links, &build.build))
                                @if build.kind != "build" { " " span.note { (html::name(&build.kind)) } }
                                @if let Some(trial) = &build.trial { " " span.note { "trial " (html::name(trial)) } }
                            }
                            td {
                                (html::status(build.status))
                                @if let Some(error) = &build.error { div.note { (html::message(&error.message)) } }
                            }
                            td { (html::time(build.opened)) }
                            td.line {
                                @match build.closed {
                                    Some(closed) => (html::duration(closed.0.saturating_sub(build.opened.0))),
                                    None => "not closed",
                                }
                            }
                            td { code { (html::name(&build.pipeline)) } }
                        }
                    }
                }
            }
        }
    }
}
