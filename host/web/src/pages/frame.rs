//! The frame of every page: head, navigation, choice of the snapshot.

use maud::{DOCTYPE, Markup, html};

use super::Context;
use crate::html;
use crate::reply::{Reply, Status};
use crate::target::Target;

/// A page without its frame.
pub(crate) struct Page {
    pub(crate) status: Status,
    pub(crate) title: String,
    /// What the page shows for as long as it is open.
    pub(crate) content: Markup,
    /// What changes while a build runs; `None` if nothing does.
    pub(crate) live: Option<Markup>,
    /// Whether that is below the content.
    pub(crate) live_is_last: bool,
    /// Whether it may still change.
    pub(crate) is_live: bool,
    /// The scripts of an exported page, which are files beside it.
    pub(crate) scripts: &'static [&'static str],
}

impl Page {
    pub(crate) fn new(title: &str, content: Markup) -> Self {
        Self {
            status: Status::Found,
            title: title.to_owned(),
            content,
            live: None,
            live_is_last: false,
            is_live: false,
            scripts: &[],
        }
    }

    /// Puts the frame around the page, or returns the part that changes if somebody wants that alone.
    pub(crate) fn into_reply(self, context: &Context<'_>) -> Reply {
        if context.request.is_update {
            let live = self.live.unwrap_or_default().into_string();
            return Reply {
                is_live: self.is_live,
                ..Reply::html(self.status, live)
            };
        }
        let status = self.status;
        Reply::html(status, self.framed(context).into_string())
    }

    fn framed(self, context: &Context<'_>) -> Markup {
        let links = context.links;
        let is_polled = self.is_live && links.is_live();
        let live = html! {
            @if let Some(live) = &self.live {
                div #live data-live[is_polled] { (live) }
            }
        };
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (html::name(&self.title)) " · synix" }
                    @if let Some(style) = links.to(&Target::Style) {
                        link rel="stylesheet" href=(style);
                    }
                    @if is_polled && let Some(script) = links.to(&Target::Script) {
                        script src=(script) defer {}
                    }
                    @for script in self.scripts {
                        script src=(script) defer {}
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.top {
                        p.brand { (html::link(links, &Target::Overview, "synix")) }
                        (navigation(context))
                    }
                    main #main {
                        h1 { (html::name(&self.title)) }
                        @if let Some(snapshot) = &context.request.snapshot {
                            p.note {
                                "You are reading " strong { (html::name(snapshot)) } ", not the newest snapshot. "
                                a href=(context.request.target.address(None)) { "Read the newest" }
                            }
                        }
                        @if is_polled {
                            p.reload {
                                a href=(context.request.target.address(context.request.snapshot.as_deref())) { "Reload" }
                                " " span #connection role="status" {}
                            }
                        }
                        @if self.live_is_last { (self.content) (live) } @else { (live) (self.content) }
                    }
                    footer {
                        p { "synix " (env!("CARGO_PKG_VERSION")) " · this page changes nothing" }
                    }
                }
            }
        }
    }
}

fn navigation(context: &Context<'_>) -> Markup {
    let pages = [
        (Target::Overview, "Overview"),
        (Target::Builds { before: None }, "Builds"),
        (Target::Snapshots, "Snapshots"),
        (
            Target::Search {
                query: String::new(),
                mode: String::new(),
                layer: String::new(),
            },
            "Search",
        ),
        (Target::Costs, "Costs"),
        (Target::Plugins, "Plugins"),
    ];
    let here = context.request.target.path();
    html! {
        nav aria-label="Pages" {
            ul {
                @for (target, text) in pages {
                    @if let Some(address) = context.links.to(&target) {
                        li {
                            a href=(address) aria-current=[(target.path() == here).then_some("page")] { (text) }
                        }
                    }
                }
            }
        }
    }
}
