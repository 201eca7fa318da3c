//! A search by words, by meaning or by both.

use maud::{Markup, html};
use synix_engine::view::SnapshotView;
use synix_search::{Answer, EMBEDDING_KIND, Match, Mode, Search, SearchResult};

use super::frame::Page;
use super::{Context, Failure};
use crate::export::SEARCH_SCRIPTS;
use crate::html;

/// The number of results.
const RESULTS: usize = 30;
/// The number of sources that are named for a result.
const MAX_SOURCES: usize = 5;

pub(super) struct Asked<'a> {
    pub(super) query: &'a str,
    pub(super) mode: &'a str,
    pub(super) layer: &'a str,
}

impl Asked<'_> {
    /// Returns the layer; `None`: all of them.
    fn layer(&self) -> Option<String> {
        Some(self.layer.to_owned()).filter(|layer| !layer.is_empty())
    }
}

pub(super) fn page(context: &Context<'_>, asked: &Asked<'_>) -> Result<Page, Failure> {
    let state = context.state()?;
    let view = context.view(&state)?;
    if !context.links.is_live() {
        return Ok(Page {
            scripts: &SEARCH_SCRIPTS,
            ..Page::new("Search", exported_form())
        });
    }
    // Words cost nothing, so they are what a reader gets who chooses nothing.
    let mode = asked.mode.parse().unwrap_or(Mode::Words);
    let page = Page::new("Search", form(context, asked, mode, &view)?);
    if asked.query.trim().is_empty() || (mode != Mode::Words && !context.request.is_sent) {
        return Ok(page);
    }
    let (results, is_live) = if mode == Mode::Words {
        let snapshot = context.request.snapshot.clone();
        let key = (asked.query.to_owned(), asked.layer(), snapshot);
        match context.site.search(&state, &key, RESULTS) {
            None => (super::waiting("The artifacts are being searched."), true),
            Some(found) => {
                let results = match found.value.as_ref() {
                    Ok(answer) => answer_markup(context, answer),
                    Err(error) => html::error(error),
                };
                (results, found.age.is_some())
            }
        }
    } else {
        let results = match find(context, asked, mode) {
            Ok(answer) => answer_markup(context, &answer),
            Err(Failure(error)) => html::error(&error),
        };
        (results, false)
    };
    Ok(Page {
        live: Some(results),
        live_is_last: true,
        is_live,
        ..page
    })
}

/// The search of exported pages, which a script does.
fn exported_form() -> Markup {
    html! {
        form.search role="search" {
            label for="q" { "Search for" }
            input #q type="search" autocomplete="off" aria-describedby="syntax";
            button type="submit" { "Search words" }
        }
        p.note #syntax {
            "These pages have no server, so a script compares the labels and the first 1,000 bytes of each artifact that "
            "has a page. All words must occur. " code { "synix view" } " and " code { "synix search" } " compare everything."
        }
        noscript { p.note { "The search needs scripts. All other pages work without them." } }
        p #count role="status" {}
        ol.results #results {}
    }
}

/// Searches by meaning, which may cost money: once for each form that is sent.
fn find(context: &Context<'_>, asked: &Asked<'_>, mode: Mode) -> Result<Answer, Failure> {
    let wanted = Search {
        query: asked.query.to_owned(),
        layers: asked.layer().into_iter().collect(),
        conditions: Vec::new(),
        mode: Some(mode),
        limit: RESULTS,
    };
    let snapshot = context.request.snapshot.as_deref();
    Ok(context.site.library().search(&wanted, snapshot)?)
}

/// Returns whether a layer has embeddings. Its first artifact answers for the others, because reading the kinds of a
/// million artifacts takes longer than a form may.
fn has_embeddings(view: &SnapshotView<'_>) -> Result<bool, Failure> {
    for layer in view.layers() {
        let first = view.page(layer, None, 1)?.artifacts;
        if first.iter().any(|artifact| artifact.kind == EMBEDDING_KIND) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn form(
    context: &Context<'_>,
    asked: &Asked<'_>,
    mode: Mode,
    view: &SnapshotView<'_>,
) -> Result<Markup, Failure> {
    let has_embeddings = has_embeddings(view)?;
    let path = context.request.target.path();
    let layers: Vec<&str> = view
        .snapshot()
        .map(|snapshot| snapshot.layers().collect())
        .unwrap_or_default();
    Ok(html! {
        form.search role="search" method="get" action=(path) {
            label for="q" { "Search for" }
            input #q type="search" name="q" value=(asked.query) autocomplete="off" aria-describedby="syntax";
            label for="layer" { "in" }
            select #layer name="layer" {
                option value="" { "all layers" }
                @for layer in layers {
                    option value=(layer) selected[layer == asked.layer] { (html::name(layer)) }
                }
            }
            @if let Some(snapshot) = &context.request.snapshot {
                input type="hidden" name="snapshot" value=(snapshot);
            }
            button type="submit" { "Search words" }
            @if has_embeddings {
                // Reading an address sends nothing to a provider. These two buttons may.
                button type="submit" formmethod="post" name="mode" value=(Mode::Meaning.name()) { "Search meaning" }
                button type="submit" formmethod="post" name="mode" value=(Mode::Hybrid.name()) { "Search both" }
            }
        }
        p.note #syntax {
            "All words must occur; " code { "\"a phrase\"" } ", " code { "begin*" } " and " code { "-without" }
            " work. A search for words costs nothing."
            @if has_embeddings { " The other two send the query to the provider of the embeddings, once." }
        }
        @if has_embeddings && !context.request.is_sent && mode != Mode::Words {
            p.note { "This address does not search by " (mode.name()) ", because that can cost money. Use the button." }
        }
    })
}

fn answer_markup(context: &Context<'_>, answer: &Answer) -> Markup {
    html! {
        section aria-labelledby="results" {
            h2 #results {
                @if answer.results.is_empty() { "Nothing found" }
                @else { (html::counted(answer.results.len() as u64, "result")) " by " (answer.mode.name()) }
            }
            @if answer.connection == Match::Any {
                p.note { "No artifact has all words; these have some of them." }
            }
            @if let Some(error) = &answer.unused_embeddings {
                p.note { "Searched by words only: " (html::message(&synix_core::causes::with_causes(error))) }
            }
            ol.results {
                @for result in &answer.results { li { (result_markup(context, result)) } }
            }
            @if answer.has_more { p.note { "There are more results. Add a word to find fewer." } }
        }
    }
}

fn result_markup(context: &Context<'_>, result: &SearchResult) -> Markup {
    let sources = result.sources.labels.as_slice();
    let is_own = sources == [result.label.as_str()];
    html! {
        p.result {
            (html::artifact_link(context.links, &result.layer, &result.label))
            " " span.note { (html::name(&result.kind)) " in " (html::layer_link(context.links, &result.layer)) }
        }
        p.snippet {
            @for (text, is_match) in &result.snippet.pieces {
                @if *is_match { mark { (html::content(text)) } } @else { (html::content(text)) }
            }
        }
        @if !sources.is_empty() && !is_own {
            p.note {
                "Sources: "
                @for (at, source) in sources.iter().take(MAX_SOURCES).enumerate() {
                    @if at > 0 { ", " } (html::name(source))
                }
                @if result.sources.has_more || sources.len() > MAX_SOURCES { " and more" }
            }
        }
        @if let Some(similarity) = result.why.similarity {
            p.note { "Similarity " (format!("{similarity:.2}")) }
        }
    }
}
