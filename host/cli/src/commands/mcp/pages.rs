//! Divides long results, because an agent reads every byte of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use synix_engine::view::{ArtifactView, Lineage};
use synix_mcp::ListArguments;

/// The maximum number of characters of a content in one result.
const MAX_CONTENT: usize = 40_000;
/// The number of artifacts in a page, without and with a `limit`.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;
/// The maximum number of nodes of a lineage.
const MAX_NODES: usize = 400;

/// Cuts the member `content` of a document to the piece that begins after `offset` characters, and adds `next_offset`.
pub(super) fn content_page(document: &mut Value, offset: usize) {
    let Some(content) = document.get("content").and_then(Value::as_str) else {
        return;
    };
    let mut rest = content.char_indices().skip(offset).map(|(at, _)| at);
    let start = rest.next().unwrap_or(content.len());
    let end = rest.nth(MAX_CONTENT - 1);
    let piece = content.get(start..end.unwrap_or(content.len()));
    let piece = piece.unwrap_or_default().to_owned();
    document["content"] = piece.into();
    document["next_offset"] = end.map(|_| offset + MAX_CONTENT).into();
}

/// Returns the number of artifacts in a page.
pub(super) fn page_limit(wanted: Option<usize>) -> usize {
    wanted.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// Returns a page of a list, with the number of artifacts of each layer.
pub(super) fn list_page(artifacts: &[ArtifactView], arguments: &ListArguments) -> Value {
    let mut layers: Vec<&str> = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for artifact in artifacts {
        let count = counts.entry(&artifact.layer).or_default();
        if *count == 0 {
            layers.push(&artifact.layer);
        }
        *count += 1;
    }
    let layers: Vec<Value> = layers
        .iter()
        .map(|name| json!({ "name": name, "artifacts": counts.get(name) }))
        .collect();
    let limit = page_limit(arguments.limit);
    let page: Vec<&ArtifactView> = artifacts
        .iter()
        .skip(arguments.offset)
        .take(limit)
        .collect();
    let end = arguments.offset.saturating_add(page.len());
    let next = (end < artifacts.len()).then_some(end);
    json!({ "layers": layers, "artifacts": page, "next_offset": next })
}

/// Drops the nodes of a lineage beyond a maximum, and the edges to them.
pub(super) fn bounded(mut lineage: Lineage) -> Lineage {
    if lineage.nodes.len() > MAX_NODES {
        lineage.nodes.truncate(MAX_NODES);
        lineage.is_truncated = true;
        let kept: std::collections::HashSet<&str> =
            lineage.nodes.iter().map(|node| node.id.as_str()).collect();
        lineage
            .edges
            .retain(|edge| kept.contains(edge.from.as_str()) && kept.contains(edge.to.as_str()));
    }
    lineage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(content: &str) -> Vec<String> {
        let (mut pieces, mut offset) = (Vec::new(), Some(0));
        while let Some(from) = offset {
            let mut document = json!({ "content": content });
            content_page(&mut document, from);
            pieces.push(document["content"].as_str().unwrap().to_owned());
            offset = document["next_offset"]
                .as_u64()
                .map(|next| usize::try_from(next).unwrap());
        }
        pieces
    }

    #[test]
    fn the_pieces_of_a_content_are_the_whole_content() {
        for length in [
            0,
            1,
            MAX_CONTENT - 1,
            MAX_CONTENT,
            MAX_CONTENT + 1,
            3 * MAX_CONTENT,
        ] {
            let content = "é".repeat(length);
            let pieces = pieces(&content);
            assert_eq!(
                pieces.len(),
                length.div_ceil(MAX_CONTENT).max(1),
                "{length}"
            );
            assert_eq!(pieces.concat(), content, "{length}");
        }
    }

    #[test]
    fn an_offset_beyond_the_end_is_the_end() {
        let mut document = json!({ "content": "short" });
        content_page(&mut document, 100);
        assert_eq!(document, json!({ "content": "", "next_offset": null }));
    }

    #[test]
    fn the_pages_of_a_list_are_the_whole_list() {
        let artifact = |number: usize| ArtifactView {
            layer: if number < 3 { "notes" } else { "days" }.to_owned(),
            label: number.to_string(),
            kind: "note".to_owned(),
            id: String::new(),
            build: String::new(),
            stale: None,
        };
        let artifacts: Vec<ArtifactView> = (0..5).map(artifact).collect();
        let page = |offset| {
            let arguments = ListArguments {
                layer: None,
                offset,
                limit: Some(2),
            };
            list_page(&artifacts, &arguments)
        };
        let first = page(0);
        assert_eq!(
            first["layers"],
            json!([{ "name": "notes", "artifacts": 3 }, { "name": "days", "artifacts": 2 }])
        );
        assert_eq!(
            (&first["next_offset"], &page(2)["next_offset"]),
            (&json!(2), &json!(4))
        );
        assert_eq!(page(4)["next_offset"], Value::Null);
        assert_eq!(page(4)["artifacts"][0]["label"], "4");
    }
}
