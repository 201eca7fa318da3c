//! Parses pages, and stops at those that are nested to attack a parser.
//!
//! For each element html5ever looks through those that are open, so that time is the square of the depth; what writes
//! Markdown recurses. Browsers stop at 512 levels as well.

use crate::attributes;
use dom_query::{Document, NodeRef};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};

/// The most elements inside one another.
const DEPTH: usize = 512;
/// What is parsed before the depth is looked at again.
const STEP_BYTES: usize = 4096;

/// The most elements and texts of a page. Each takes some hundred bytes.
const NODES: usize = 500_000;

/// Why a page is not read: it is damaged, or made to stop its readers.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PageFault {
    /// It is nested too deeply.
    #[error(
        "the page has more than {DEPTH} elements inside one another: it is damaged, or made to stop its readers"
    )]
    TooDeep,
    /// Its tree would not fit into memory.
    #[error(
        "the page has more than {NODES} elements and texts: it is damaged, or made to stop its readers"
    )]
    TooLarge,
    /// Its elements have too many attributes.
    #[error(
        "the page has elements with thousands of attributes: it is damaged, or made to stop its readers"
    )]
    TooManyAttributes,
}

/// Parses a page, which may be as wrong as a browser accepts.
pub(crate) fn parse(html: &str) -> Result<Document, PageFault> {
    if attributes::are_too_many(html) {
        return Err(PageFault::TooManyAttributes);
    }
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            // What is inside `noscript` is read as elements, and can be left out.
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    let mut parser = parse_document(Document::default(), options);
    let mut rest = html;
    while !rest.is_empty() {
        let (step, after) = rest.split_at(rest.floor_char_boundary(STEP_BYTES));
        parser.process(StrTendril::from_slice(step));
        let document = &parser.tokenizer.sink.sink;
        if open_elements(document) > DEPTH {
            return Err(PageFault::TooDeep);
        }
        if document.tree.len() > NODES {
            return Err(PageFault::TooLarge);
        }
        rest = after;
    }
    let document = parser.finish();
    let deep = depth(&document.root()) > DEPTH;
    if deep {
        Err(PageFault::TooDeep)
    } else {
        Ok(document)
    }
}

/// Returns the depth of the place where the parser is: the last child of the last child.
fn open_elements(document: &Document) -> usize {
    let mut node = document.root();
    let mut depth = 0;
    while let Some(last) = node.last_child() {
        node = last;
        depth += 1;
        if depth > DEPTH {
            break;
        }
    }
    depth
}

/// Returns the depth of a tree, without recursion.
fn depth(root: &NodeRef<'_>) -> usize {
    let (mut deepest, mut depth) = (0, 0);
    let mut node = *root;
    loop {
        if let Some(child) = node.first_child() {
            node = child;
            depth += 1;
            deepest = deepest.max(depth);
            continue;
        }
        loop {
            if depth == 0 {
                return deepest;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else {
                return deepest;
            };
            node = parent;
            depth -= 1;
        }
    }
}
