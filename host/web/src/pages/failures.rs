//! Failed units: grouped by their cause, and a page of them for a layer of a build.

use maud::{Markup, html};
use synix_engine::view::{FailureGroup, FailureView, FindError, find_build};
use synix_store::{BuildId, FailedPage};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::library::State;
use crate::target::Target;

/// The number of units on a page.
const PAGE: usize = 100;
/// The maximum number of failed units of a layer that are grouped by their causes.
const MAX_GROUPED: usize = 1000;
/// The number of causes that are shown. A cause can be as rare as one unit, and there can be a million units.
const MAX_GROUPS: usize = 50;

/// Returns the failed units of a layer of a build, grouped by their cause; `None` without any.
pub(super) fn of_layer(
    context: &Context<'_>,
    state: &State,
    build: BuildId,
    (position, layer): (usize, &str),
) -> Result<Option<Markup>, Failure> {
    let failed = state.reader.layer_tally(build, position)?.failed;
    if failed == 0 {
        return Ok(None);
    }
    // A layer can have a million of them.
    let first = state.reader.failed_page(build, position, "", MAX_GROUPED)?;
    let units = first.units.into_iter().map(|unit| FailureView {
        layer: layer.to_owned(),
        unit: unit.key,
        kind: unit.kind,
        message: unit.message,
    });
    let build = build.to_string();
    let units: Vec<FailureView> = units.collect();
    Ok(Some(html! {
        p {
            (link(context, &build, layer, &html::counted(failed, "unit")))
            " without a result in " (html::build_link(context.links, &build)) "."
            @if first.more { " The causes are those of the first " (html::number(units.len() as u64)) "." }
        }
        (groups(&FailureGroup::group(&units)))
    }))
}

/// Returns failures grouped by cause, with what to do.
pub(super) fn groups(groups: &[FailureGroup]) -> Markup {
    let others = groups.get(MAX_GROUPS..).unwrap_or_default();
    let units: u64 = others.iter().map(|group| group.count as u64).sum();
    html! {
        @if !groups.is_empty() {
            ul.failures {
                @for group in groups.iter().take(MAX_GROUPS) {
                    li {
                        p { strong { (html::number(group.count as u64)) " × " (html::name(&group.kind.replace('_', " "))) } ": " (html::message(&group.message)) }
                        p.detail { "for example " @for (at, example) in group.examples.iter().enumerate() {
                            @if at > 0 { ", " } code { (html::name(example)) }
                        } }
                        p.hint { "What to do: " (group.hint) }
                    }
                }
            }
        }
        @if !others.is_empty() {
            p.note {
                "and " (html::counted(units, "unit")) " with " (html::counted(others.len() as u64, "other cause"))
            }
        }
    }
}

/// Returns a link to the failed units of a layer of a build.
pub(super) fn link(context: &Context<'_>, build: &str, layer: &str, text: &str) -> Markup {
    html::link(context.links, &target(build, layer, ""), text)
}

fn target(build: &str, layer: &str, after: &str) -> Target {
    Target::Failures {
        build: build.to_owned(),
        layer: layer.to_owned(),
        after: after.to_owned(),
    }
}

pub(super) fn page(
    context: &Context<'_>,
    build: &str,
    layer: &str,
    after: &str,
) -> Result<Page, Failure> {
    let state = context.state()?;
    let build = find_build(&state.reader, build)?.id;
    let layers = state.reader.build_layers(build)?;
    let Some(found) = layers.iter().find(|one| one.name == layer) else {
        let known = layers.iter().map(|one| one.name.as_str());
        return Err(FindError::no_layer(layer, known).into());
    };
    let listed = state
        .reader
        .failed_page(build, found.position, after, PAGE)?;
    let failed = state.reader.layer_tally(build, found.position)?.failed;
    let build = build.to_string();
    let content = html! {
        p.lead {
            (html::counted(failed, "unit")) " of " (html::layer_link(context.links, layer))
            " without a result in " (html::build_link(context.links, &build))
        }
        @if !listed.units.is_empty() { (table(&listed)) }
        nav.pages aria-label="Pages of failed units" {
            @if let Some(previous) = &listed.previous {
                (html::link(context.links, &target(&build, layer, previous), "← Previous"))
            }
            " "
            @if let Some(last) = listed.units.last().filter(|_| listed.more) {
                (html::link(context.links, &target(&build, layer, &last.key), "Next →"))
            }
        }
    };
    Ok(Page::new(
        &format!("Failed units of {}", html::name(layer)),
        content,
    ))
}

fn table(listed: &FailedPage) -> Markup {
    let last = listed.before + listed.units.len() as u64;
    html! {
        div.scroll role="region" aria-label="Failed units" tabindex="0" {
            table.failed-units {
                caption {
                    "Failed units " (html::number(listed.before + 1)) " to " (html::number(last)) ", by name"
                }
                thead { tr {
                    th scope="col" { "Unit" }
                    th scope="col" { "Kind" }
                    th scope="col" { "Message" }
                } }
                tbody {
                    @for unit in &listed.units {
                        tr {
                            th scope="row" { (html::name(&unit.key)) }
                            td { (html::name(&unit.kind.replace('_', " "))) }
                            td.message { (html::message(&unit.message)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: usize) -> FailureGroup {
        FailureGroup {
            kind: "guest".to_owned(),
            message: format!("cause {number}."),
            count: 2,
            examples: vec!["notes/a".to_owned()],
            hint: "correct it".into(),
        }
    }

    #[test]
    fn rare_causes_are_counted_together() {
        let shown = |count: usize| {
            let all: Vec<_> = (0..count).map(group).collect();
            groups(&all).into_string()
        };
        assert!(!shown(MAX_GROUPS).contains("other cause"));
        let page = shown(MAX_GROUPS + 3);
        assert_eq!(page.matches("<li>").count(), MAX_GROUPS);
        assert!(page.contains("and 6 units with 3 other causes"), "{page}");
    }
}
