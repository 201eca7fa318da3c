//! What an artifact was made from, back to the source files, and what was made from it.

use maud::{Markup, html};
use synix_engine::view::{ErrorView, Lineage, Node, NodeKind};

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
    // The first node is the artifact itself. Components and requests are shown above.
    let is_listed = |node: &&Node| match &node.kind {
        NodeKind::Artifact { .. } | NodeKind::SourceFile { .. } | NodeKind::File { .. } => true,
        NodeKind::Component { .. } | NodeKind::Request(_) => false,
    };
    let listed: Vec<&Node> = lineage.nodes.iter().skip(1).filter(is_listed).collect();
    html! {
        @if listed.is_empty() { p { (nothing) } } @else {
            ul.lineage {
                @for node in &listed { li { (shown(context, &node.kind)) } }
            }
        }
        @if lineage.is_truncated {
            p.note { "There is more. Run " code { "synix lineage" } " to see all of it." }
        }
    }
}

fn shown(context: &Context<'_>, kind: &NodeKind) -> Markup {
    html! {
        @match kind {
            NodeKind::Artifact { layer, label, kind, .. } => {
                (html::layer_link(context.links, layer)) " / " (html::artifact_link(context.links, layer, label))
                " " span.note { (html::name(kind)) }
            },
            NodeKind::SourceFile { path, digest } => {
                "file " code { (html::name(path)) } " " span.note { (digest.short()) }
            },
            NodeKind::File { path, digest } => {
                "file of the config " code { (html::name(path)) } " " span.note { (digest.short()) }
            },
            NodeKind::Component { .. } | NodeKind::Request(_) => {},
        }
    }
}
