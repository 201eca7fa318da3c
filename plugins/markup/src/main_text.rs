//! The text of a page without what is around it.
//!
//! Firefox's rules find the text of an article, and lose half of a manual or a list. So their result is taken only if it
//! has most of what is written on the page outside of links; else the page is taken without its menus and footers.

use dom_query::{Document, NodeRef, Selection};
use dom_smoothie::{Config, Readability};

use crate::{UNSEEN, markdown};

/// What is around the text, by the words of HTML and ARIA.
const AROUND: &str = "nav, footer, aside, button, select, input, textarea, dialog, \
    [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=complementary], [role=dialog], \
    [aria-hidden=true], [hidden], body > header";
/// Where a page says its text is.
const MAIN: [&str; 3] = ["main", "[role=main]", "article"];
/// The most elements that are scored: it takes time for each and all that it is in.
const ELEMENTS: usize = 20_000;
/// The least text that is an article.
const ARTICLE_CHARS: usize = 1000;

/// Returns the text as Markdown.
pub(crate) fn of(document: &Document) -> String {
    let article = article(document);
    document.select(UNSEEN).remove();
    let all = prose(&document.root());
    let forms = document.select("form");
    let in_forms: usize = forms.nodes().iter().map(prose).sum();
    if in_forms * 4 < all {
        forms.remove();
    } else {
        // Some programs put the whole page into one.
        forms.rename("div");
    }
    let whole = is_small(document).then(|| document.clone());
    document.select(AROUND).remove();
    let kept = prose(&document.root());
    if kept * 4 < all {
        // A page that is hidden until its script runs.
        return markdown(article.as_ref().or(whole.as_ref()).unwrap_or(document));
    }
    for place in MAIN {
        let found: Selection<'_> = document.select(place);
        if let [main] = found.nodes()
            && prose(main) * 2 > kept
        {
            let main = main.to_fragment();
            return markdown(&main);
        }
    }
    if let Some(article) = article
        && prose(&article.root()) * 4 >= kept * 3
    {
        return markdown(&article);
    }
    markdown(document)
}

/// Returns what Firefox would show of the page.
fn article(document: &Document) -> Option<Document> {
    if !is_small(document) {
        return None;
    }
    let config = Config {
        max_elements_to_parse: ELEMENTS,
        ..Config::default()
    };
    let mut readability = Readability::with_document(document.clone(), None, Some(config)).ok()?;
    let article = readability.parse().ok()?;
    let article = Document::from(article.content);
    (prose(&article.root()) >= ARTICLE_CHARS).then_some(article)
}

fn is_small(document: &Document) -> bool {
    document.root().descendants_it().take(ELEMENTS).count() < ELEMENTS
}

/// Returns how many characters are written outside of links.
fn prose(root: &NodeRef<'_>) -> usize {
    let mut count = 0;
    let mut nodes = vec![*root];
    while let Some(node) = nodes.pop() {
        if node.is_text() {
            count += node
                .text()
                .chars()
                .filter(|char| !char.is_whitespace())
                .count();
        } else if !node.has_name("a") {
            nodes.extend(node.children_it(false));
        }
    }
    count
}
