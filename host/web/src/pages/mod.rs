//! The pages. Each is a function of what somebody asks for; the frame around them is in `frame`.

mod frame;
mod overview;

use maud::html;
use synix_engine::view::{ErrorView, FindError};
use synix_store::StoreError;

use crate::html;
use crate::library::State;
use crate::links::Links;
use crate::reply::{Reply, Status};
use crate::site::Site;
use crate::target::{Request, Target};
use frame::Page;

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
        _ => return unknown(&context),
    };
    match page {
        Ok(page) => page.into_reply(&context),
        Err(failure) => failed(&context, &failure),
    }
}

fn failed(context: &Context<'_>, failure: &Failure) -> Reply {
    let title = match failure.status() {
        Status::NotFound => "Not found",
        Status::Found | Status::Unavailable => "This cannot be shown",
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
