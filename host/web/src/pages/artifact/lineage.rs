//! What an artifact was made from, back to the source files, and what was made from it.

use maud::{Markup, html};
use synix_engine::view::{ErrorView, Lineage, NodeKind};

use super::super::{Context, Failure};
use crate::html;
use crate::site::Traced;
use crate::slow::Aged;

pub(super) fn show(
    context: &Context<'_>,
    traced: Option<Aged<Result<Traced, ErrorView>>>,
) -> Result<(Markup, bool), Failure> {
    let Some(traced) = traced else {
        let text = super::super::waiting("The lineage is being traced.");
        return Ok((text, true));
    };
    let value = traced.value.as_ref().as_ref();
    let value = value.map_err(|error| Failure(error.clone()))?;
    let text = html! {
        section aria-labelledby="from" {
            h2 #from { "Made from" }
            (nodes(context, &value.up, "It was made from nothing else."))
        }
        section aria-labelledby="into" {
            h2 #into { "Used for" }
            (nodes(context, &value.down, "Nothing was made from it."))
        }
    };
    Ok((text, false))
}

fn nodes(context: &Context<'_>, lineage: &Lineage, nothing: &str) -> Markup {
    let groups = grouped(lineage);
    html! {
        @if groups.is_empty() { p { (nothing) } }
        @for (title, nodes) in &groups {
            h3 {
                @match title {
                    Title::Layer(layer) => (html::layer_link(context.links, layer)),
                    Title::Files => "Source files",
                    Title::Settings => "Files that a config names",
                }
            }
            ul.lineage { @for node in nodes { li { (shown(context, node)) } } }
        }
        @if lineage.is_truncated {
            p.note { "There is more. Run " code { "synix lineage" } " to see all of it." }
        }
    }
}

/// What the nodes of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Title<'a> {
    Layer(&'a str),
    Files,
    Settings,
}

/// Groups the nodes by what they are, the nearest first. Components and requests are shown elsewhere.
fn grouped(lineage: &Lineage) -> Vec<(Title<'_>, Vec<&NodeKind>)> {
    let mut groups: Vec<(Title<'_>, Vec<&NodeKind>)> = Vec::new();
    // The first node is the artifact itself.
    for node in lineage.nodes.iter().skip(1) {
        let title = match &node.kind {
            NodeKind::Artifact { layer, .. } => Title::Layer(layer),
            NodeKind::SourceFile { .. } => Title::Files,
            NodeKind::File { .. } => Title::Settings,
            NodeKind::Component { .. } | NodeKind::Request(_) => continue,
        };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, nodes)) => nodes.push(&node.kind),
            None => groups.push((title, vec![&node.kind])),
        }
    }
    groups
}

fn shown(context: &Context<'_>, kind: &NodeKind) -> Markup {
    html! {
        @match kind {
            NodeKind::Artifact { layer, label, .. } => (html::artifact_link(context.links, layer, label)),
            NodeKind::SourceFile { path, digest } | NodeKind::File { path, digest } => {
                code { (html::name(path)) } " " span.note { (digest.short()) }
            },
            NodeKind::Component { .. } | NodeKind::Request(_) => {},
        }
    }
}
