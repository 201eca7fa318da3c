//! `lineage`: shows everything that an artifact was made from, or what was made from it.

use std::collections::{BTreeMap, HashSet};
use synix_core::exit_code::ExitCode;
use synix_engine::view::{FindError, Lineage, Node, NodeKind};

use super::reading::{SnapshotReader, note_if_stale};
use crate::args::{self, Global};
use crate::render::Screen;

pub(super) fn run(
    global: &Global,
    args: &args::Lineage,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.name.snapshot)?;
    let view = snapshots.view()?;
    let (name, depth) = (&args.name.name, args.depth);
    let found = match view.find(name) {
        Err(error @ FindError::NotFound { .. }) if args.down => {
            let of_file = Lineage::downstream_of_file(&view, name, depth)?;
            return print(&of_file.ok_or(error)?, args.down, screen);
        }
        found => found?,
    };
    note_if_stale(&found, screen);
    if args.down {
        return print(
            &Lineage::downstream(&view, &found, depth)?,
            args.down,
            screen,
        );
    }
    let prices = synix_project::prices(&snapshots.options, &snapshots.reader, Some(found.build))?;
    let names = synix_project::component_names(&snapshots.options)?;
    let mut lineage = Lineage::of(&snapshots.reader, &found, &prices, &names, depth)?;
    if args.roots {
        lineage = lineage.roots();
    }
    print(&lineage, args.down, screen)
}

fn print(lineage: &Lineage, is_down: bool, screen: &Screen) -> anyhow::Result<ExitCode> {
    screen.print_result(lineage, || tree_lines(lineage, is_down))?;
    Ok(ExitCode::Success)
}

/// Returns the graph as a tree. A node that was already shown is not expanded again.
fn tree_lines(lineage: &Lineage, is_down: bool) -> Vec<String> {
    let nodes: BTreeMap<&str, &Node> = lineage
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut next_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in &lineage.edges {
        let (node, next) = if is_down {
            (&edge.from, &edge.to)
        } else {
            (&edge.to, &edge.from)
        };
        next_of.entry(node).or_default().push(next);
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
        let next = next_of.get(id).map_or(&[][..], Vec::as_slice);
        let is_repeated = !shown.insert(id) && !next.is_empty();
        let mark = if is_repeated { " (see above)" } else { "" };
        lines.push(format!(
            "{}{}{mark}",
            "  ".repeat(depth),
            describe(&node.kind)
        ));
        if !is_repeated {
            open.extend(next.iter().rev().map(|next| (*next, depth + 1)));
        }
    }
    if lineage.is_truncated {
        lines.push("the graph goes further; pass a higher --depth to see more".to_owned());
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
            let shared = request.shared.as_ref().map_or_else(String::new, |shared| {
                let batch = shared
                    .batch
                    .as_ref()
                    .map_or_else(String::new, |batch| format!(", batch {batch}"));
                format!(
                    ", from shared answers in {}, {}{batch}",
                    shared.url, shared.time
                )
            });
            format!(
                "request {}  {} {model}, {} tokens in, {} out, cost {}{batch}{shared}",
                request.key.0.short(),
                request.provider,
                super::outcome::format_tokens(request.input_tokens),
                super::outcome::format_tokens(request.output_tokens),
                super::outcome::format_cost(request.cost_usd)
            )
        }
    }
}
