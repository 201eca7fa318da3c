//! HTML as Markdown, for readers of pages and of mail.
//!
//! `html5ever` parses as browsers do, `dom_query` holds the tree in one vector and writes Markdown, `dom_smoothie` finds
//! the text of an article as Firefox does. Tried and not taken: `htmd`, whose tree and writer recurse with the depth of
//! the page and which brings a second tree; `html2md`, without care since 2023; `html2text`, which draws for a terminal.
//!
//! ```
//! let page = synix_markup::page("<title>A</title><nav>Menu</nav><main><h1>B</h1><p>Text &amp; more", true).unwrap();
//! assert_eq!(page.title.as_deref(), Some("A"));
//! assert_eq!(page.text, "# B\n\nText & more");
//! ```

mod attributes;
mod charset;
mod main_text;
mod tree;
mod xhtml;

use dom_query::{Document, NodeRef};

pub use charset::decode;
pub use tree::PageFault;

/// What nobody reads.
const UNSEEN: &str =
    "script, style, noscript, template, head, iframe, object, svg, canvas, audio, video";

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it calls itself.
    pub title: Option<String>,
    /// Who wrote it, by its own account.
    pub author: Option<String>,
    /// When it was published, by its own account.
    pub published: Option<String>,
    /// The language of its text, such as `en`.
    pub language: Option<String>,
    /// Its text, as Markdown.
    pub text: String,
}

/// Reads a page. With `main`, what is around its text is left out: menus, footers, forms.
pub fn page(html: &str, main: bool) -> Result<Page, PageFault> {
    let document = tree::parse(&xhtml::opened(html))?;
    let mut page = about(&document);
    page.text = if main {
        main_text::of(&document)
    } else {
        document.select(UNSEEN).remove();
        markdown(&document)
    };
    Ok(page)
}

/// Reads a letter in HTML. Its tables place its parts, and are no tables; its pictures are left out.
pub fn letter(html: &str) -> Result<String, PageFault> {
    let document = tree::parse(html)?;
    document.select(UNSEEN).remove();
    document.select("img").remove();
    // Programs write the answered letter into an element of their own, and not all as a quotation.
    let quoted = document.select("blockquote");
    if quoted.is_empty() {
        document
            .select("div.yahoo_quoted, div.protonmail_quote, div.moz-cite-prefix + div")
            .rename("blockquote");
    }
    for table in document.select("table").nodes() {
        if !has_header(table) {
            table.rename("div");
        }
    }
    let outside = "div > tbody, div > thead, div > tfoot, div > tr";
    document.select(outside).rename("div");
    document.select("div > tr").rename("div");
    document.select("div > td").rename("div");
    Ok(markdown(&document))
}

/// Whether a table itself, rather than one inside of it, has a cell that is a heading.
fn has_header(table: &NodeRef<'_>) -> bool {
    let paths: [&[&str]; 3] = [
        &["tr", "th"],
        &["tbody", "tr", "th"],
        &["thead", "tr", "th"],
    ];
    paths.iter().any(|path| !table.find(path).is_empty())
}

/// Signs that programs put beside each heading as a link to it.
const PERMALINKS: [&str; 4] = ["¶", "#", "§", "🔗"];

/// Returns the Markdown of what is left of a document.
fn markdown(document: &Document) -> String {
    for link in document.select("a").nodes() {
        let text = link.text();
        let text = text.trim();
        let is_mark = link.attr("href").is_none() && text.is_empty();
        // A mark is a target of links, and at the start of a heading the writer loses the space before the text.
        if (is_mark && link.element_children().is_empty()) || PERMALINKS.contains(&text) {
            link.remove_from_parent();
        }
    }
    tidy(&document.root().md(Some(&[])))
}

/// Returns the text without spaces at the end of lines that break nothing, and with one empty line between paragraphs.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = line.trim_end_matches(['\r', '\u{a0}', ' ', '\t']);
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty > 1 || (empty == 1 && tidied.is_empty()) {
            continue;
        }
        tidied.extend(
            line.chars()
                .filter(|&char| char == '\t' || !char.is_control()),
        );
        tidied.push('\n');
    }
    tidied.truncate(tidied.trim_end().len());
    tidied
}

fn about(document: &Document) -> Page {
    let text = |found: Option<String>| {
        let found = found.map(|text| one_line(&text));
        found.filter(|text| !text.is_empty())
    };
    let meta = |names: &[&str]| {
        names.iter().find_map(|name| {
            let found =
                document.select_single(&format!("meta[name='{name}'], meta[property='{name}']"));
            text(found.attr("content").map(|content| content.to_string()))
        })
    };
    let element = |name: &str| {
        let found = document.select_single(name);
        text(found.nodes().first().map(|node| node.text().to_string()))
    };
    let language = document.select_single("html").attr("lang");
    Page {
        title: element("head > title")
            .or_else(|| meta(&["og:title"]))
            .or_else(|| element("h1"))
            .or_else(|| element("title")),
        author: meta(&["author", "article:author", "dc.creator", "DC.creator"]),
        published: meta(&[
            "article:published_time",
            "date",
            "dcterms.date",
            "DC.date",
            "dc.date",
        ]),
        language: text(language.map(|language| language.to_string())),
        text: String::new(),
    }
}

fn one_line(text: &str) -> String {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
