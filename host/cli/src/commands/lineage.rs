//! `lineage`.

use std::collections::{BTreeMap, HashSet};
use synix_core::exit_code::ExitCode;
use synix_engine::view::{Lineage, Node, NodeKind};

use super::reading::{Archive, tell_stale};
use crate::args::{self, Global};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &args::Lineage, screen: &Screen) -> anyhow::Result<ExitCode> {
    let archive = Archive::open(global, &args.name.snapshot)?;
    let found = archive.view()?.find(&args.name.name)?;
    let prices = synix_project::prices(&archive.options, &archive.reader, Some(found.build))?;
    let names = synix_project::component_names(&archive.options)?;
    let lineage = Lineage::of(&archive.reader, &found, &prices, &names, args.depth)?;
    tell_stale(&found, screen);
    screen.answer(&lineage, || text(&lineage))?;
    Ok(ExitCode::Success)
}

/// Returns the graph as a tree; what was shown above is not unfolded again.
fn text(lineage: &Lineage) -> Vec<String> {
    let nodes: BTreeMap<&str, &Node> = lineage
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in &lineage.edges {
        above.entry(&edge.to).or_default().push(&edge.from);
    }
    let (mut lines, mut shown) = (Vec::new(), HashSet::new());
    let mut open: Vec<(&str, usize)> = lineage
        .nodes
        .first()
        .map(|root| (root.id.as_str(), 0))
        .into_iter()
        .collect();
    while let Some((id, depth)) = open.pop() {
        let Some(node) = nodes.get(id) else { continue };
        let origins = above.get(id).map_or(&[][..], Vec::as_slice);
        let again = !shown.insert(id) && !origins.is_empty();
        let mark = if again { " (see above)" } else { "" };
        lines.push(format!("{}{}{mark}", "  ".repeat(depth), words(&node.kind)));
        if !again {
            open.extend(origins.iter().rev().map(|origin| (*origin, depth + 1)));
        }
    }
    if lineage.cut {
        lines.push("more lies further back; a higher --depth shows it".to_owned());
    }
    lines
}

fn words(kind: &NodeKind) -> String {
    match kind {
        NodeKind::Artifact {
            layer,
            label,
            kind,
            digest,
            ..
        } => {
            format!("{layer}/{label}  {kind}  {}", digest.short())
        }
        NodeKind::SourceFile { path, digest } => format!("source file {path}  {}", digest.short()),
        NodeKind::File { path, digest } => format!("file {path}  {}", digest.short()),
        NodeKind::Component { digest, name } => match name {
            Some(name) => format!("transform {name}  {}", digest.short()),
            None => format!("component {}", digest.short()),
        },
        NodeKind::Request(asked) => {
            let model = asked.answered_by.as_ref().unwrap_or(&asked.model);
            let batch = asked
                .batch
                .as_ref()
                .map_or_else(String::new, |batch| format!(", batch {batch}"));
            format!(
                "request {}  {} {model}, {} tokens in, {} out, cost {}{batch}",
                asked.key.0.short(),
                asked.provider,
                super::outcome::count(asked.input_tokens),
                super::outcome::count(asked.output_tokens),
                super::outcome::cost(asked.cost_usd)
            )
        }
    }
}
