//! `lineage`: shows everything that an artifact was made from.

use std::collections::{BTreeMap, HashSet};
use synix_core::exit_code::ExitCode;
use synix_engine::view::{Lineage, Node, NodeKind};

use super::reading::{SnapshotReader, note_if_stale};
use crate::args::{self, Global};
use crate::render::Screen;

pub(super) fn run(
    global: &Global,
    args: &args::Lineage,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.name.snapshot)?;
    let found = snapshots.view()?.find(&args.name.name)?;
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, Some(found.build))?;
    let names = synix_project::component_names(&snapshots.options)?;
    let lineage = Lineage::of(&snapshots.reader, &found, &prices, &names, args.depth)?;
    note_if_stale(&found, screen);
    screen.print_result(&lineage, || tree_lines(&lineage))?;
    Ok(ExitCode::Success)
}

/// Returns the graph as a tree. A node that was already shown is not expanded again.
fn tree_lines(lineage: &Lineage) -> Vec<String> {
    let nodes: BTreeMap<&str, &Node> = lineage
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut origins_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in &lineage.edges {
        origins_of.entry(&edge.to).or_default().push(&edge.from);
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
        let origins = origins_of.get(id).map_or(&[][..], Vec::as_slice);
        let is_repeated = !shown.insert(id) && !origins.is_empty();
        let mark = if is_repeated { " (see above)" } else { "" };
        lines.push(format!(
            "{}{}{mark}",
            "  ".repeat(depth),
            describe(&node.kind)
        ));
        if !is_repeated {
            open.extend(origins.iter().rev().map(|origin| (*origin, depth + 1)));
        }
    }
    if lineage.is_truncated {
        lines.push("the graph goes further back; pass a higher --depth to see more".to_owned());
    }
    lines
}

fn describe(kind: &NodeKind) -> String {
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
        NodeKind::Component { digest, name, kind } => match name {
            Some(name) => format!("{kind} {name}  {}", digest.short()),
            None => format!("component {}", digest.short()),
        },
        NodeKind::Request(request) => {
            let model = request.answered_by.as_ref().unwrap_or(&request.model);
            let batch = request
                .batch
                .as_ref()
                .map_or_else(String::new, |batch| format!(", batch {batch}"));
            format!(
                "request {}  {} {model}, {} tokens in, {} out, cost {}{batch}",
                request.key.0.short(),
                request.provider,
                super::outcome::format_tokens(request.input_tokens),
                super::outcome::format_tokens(request.output_tokens),
                super::outcome::format_cost(request.cost_usd)
            )
        }
    }
}
