//! The pages. Each is a function of what somebody asks for; the frame around them is in `frame`.

mod artifact;
mod build;
mod builds;
mod costs;
mod diff;
mod failures;
mod frame;
mod layer;
mod overview;
mod plugins;
mod search;
mod snapshots;

use std::time::Duration;

use maud::{Markup, html};
use synix_engine::view::{ErrorView, FindError, SnapshotView};
use synix_store::StoreError;

use crate::assets;
use crate::html;
use crate::library::State;
use crate::links::Links;
use crate::reply::{Reply, Status};
use crate::site::Site;
use crate::target::{Request, Target};
use frame::Page;

pub(crate) use artifact::find as find_artifact;
pub(crate) use builds::PAGE as BUILDS_ON_A_PAGE;
pub(crate) use layer::PAGE as LABELS_ON_A_PAGE;

/// What a page is made from.
pub(crate) struct Context<'a> {
    pub(crate) site: &'a Site,
    pub(crate) request: &'a Request,
    pub(crate) links: &'a Links<'a>,
}

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) ErrorView);

impl From<ErrorView> for Failure {
    fn from(error: ErrorView) -> Self {
        Self(error)
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        Self(ErrorView::of(error.kind(), error.hint(), &error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(ErrorView::of(error.kind(), error.hint(), &error))
    }
}

impl Failure {
    fn status(&self) -> Status {
        match self.0.kind.as_str() {
            "unknown_artifact" | "unknown_layer" | "unknown_snapshot" | "unknown_build"
            | "ambiguous" | "no_state" | "not_built" => Status::NotFound,
            _ => Status::Unavailable,
        }
    }
}

impl Context<'_> {
    /// Opens the state for reading.
    pub(crate) fn state(&self) -> Result<State, Failure> {
        Ok(self.site.library().open()?)
    }

    /// Returns the view of the snapshot that the reader chose.
    pub(crate) fn view<'s>(&'s self, state: &'s State) -> Result<SnapshotView<'s>, Failure> {
        let selection = state.selection(self.request.snapshot.as_deref());
        Ok(SnapshotView::select(&state.reader, &selection)?)
    }
}

/// Makes the page that somebody asks for, or one that says why there is none.
pub(crate) fn page(site: &Site, request: &Request, links: &Links<'_>) -> Reply {
    let context = Context {
        site,
        request,
        links,
    };
    let page = match &request.target {
        Target::Overview => overview::page(&context),
        Target::Builds { before } => builds::page(&context, *before),
        Target::Build { id } => build::page(&context, id),
        Target::Failures {
            build,
            layer,
            after,
        } => failures::page(&context, build, layer, after),
        Target::Layer { name, after } => layer::page(&context, name, after.as_deref()),
        Target::Artifact { layer, label } => artifact::page(&context, layer, label),
        Target::Raw { layer, label } => {
            let reply = artifact::raw(&context, layer, label);
            return reply.unwrap_or_else(|failure| failed(&context, &failure));
        }
        Target::Search { query, mode, layer } => {
            search::page(&context, &search::Asked { query, mode, layer })
        }
        Target::Snapshots => snapshots::page(&context),
        Target::Diff {
            before,
            after,
            layer,
        } => diff::page(
            &context,
            &diff::Asked {
                before,
                after,
                layer,
            },
        ),
        Target::Costs => costs::page(&context),
        Target::Plugins => plugins::page(&context),
        Target::Style => return Reply::file("text/css; charset=utf-8", assets::STYLE),
        Target::Script => return Reply::file("text/javascript; charset=utf-8", assets::SCRIPT),
        Target::Unknown => return unknown(&context),
    };
    match page {
        Ok(page) => page.into_reply(&context),
        Err(failure) => failed(&context, &failure),
    }
}

/// Says that a part of a page takes long. The page asks for it again.
fn waiting(text: &str) -> Markup {
    html! { p.note role="status" { (text) " This page shows it as soon as it is there." } }
}

/// Says how old the numbers of a page are, if newer ones are on their way.
fn age(age: Option<Duration>) -> Markup {
    html! {
        @if let Some(age) = age.filter(|age| age.as_secs() > 0) {
            p.note { "These numbers are " (html::counted(age.as_secs(), "second")) " old. Newer ones are being counted." }
        }
    }
}

fn failed(context: &Context<'_>, failure: &Failure) -> Reply {
    let title = match (failure.0.kind.as_str(), failure.status()) {
        ("no_state" | "not_built", _) => "Nothing is built yet",
        (_, Status::NotFound) => "Not found",
        (_, Status::Found | Status::Unavailable) => "This cannot be shown",
    };
    let page = Page {
        status: failure.status(),
        ..Page::new(title, html::error(&failure.0))
    };
    page.into_reply(context)
}

fn unknown(context: &Context<'_>) -> Reply {
    let text = html! {
        p { "There is no page at this address." }
        p { (html::link(context.links, &Target::Overview, "Go to the overview")) }
    };
    let page = Page {
        status: Status::NotFound,
        ..Page::new("Not found", text)
    };
    page.into_reply(context)
}
