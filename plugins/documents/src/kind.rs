//! What a file is, by how it begins.

/// How far from its start the first line of a PDF may be.
const PDF_START: usize = 1024;
/// Elements that begin a page or are near its beginning.
const ELEMENTS: [&str; 22] = [
    "!doctype html",
    "html",
    "head",
    "title",
    "meta",
    "body",
    "div",
    "p",
    "h1",
    "h2",
    "h3",
    "table",
    "ul",
    "ol",
    "article",
    "main",
    "section",
    "span",
    "br",
    "center",
    "font",
    "a",
];

/// What the first bytes and the name say.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Kind {
    Page,
    Pdf,
    /// An archive, which may be a DOCX or an EPUB.
    Zip,
    Text(&'static str),
    Empty,
    Unknown,
}

/// Tells what a document is by how it begins; a text has no mark, so its name counts.
pub(crate) fn recognise(start: &[u8], name: &str) -> Kind {
    let near = start.get(..PDF_START).unwrap_or(start);
    if near.windows(5).any(|word| word == b"%PDF-") {
        return Kind::Pdf;
    }
    if start.starts_with(b"PK\x03\x04") {
        return Kind::Zip;
    }
    if start.is_empty() {
        return Kind::Empty;
    }
    let extension = name
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension)
        .to_lowercase();
    let wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    let has_zeros = start.contains(&0) && !wide;
    let text = synix_markup::decode(start).to_lowercase();
    let text = text.trim_start();
    // A page begins with an element, perhaps below a declaration or a comment; a feed or a drawing is XML as well.
    let element = |name: &&str| {
        let mut found = text.match_indices('<').map(|(at, _)| &text[at + 1..]);
        found.any(|rest| {
            rest.strip_prefix(*name)
                .is_some_and(|after| after.starts_with([' ', '>', '\n', '\r', '\t', '/']))
        })
    };
    let first = text.strip_prefix('<').unwrap_or_default();
    let declared = first.starts_with("?xml") || first.starts_with("!--");
    let page = first.starts_with("!doctype html")
        || if declared {
            element(&"html")
        } else {
            text.starts_with('<') && ELEMENTS.iter().any(element)
        };
    match extension.as_str() {
        // As a browser does, a page with a zero byte is read without it; other files with one are not text.
        _ if page => Kind::Page,
        _ if has_zeros => Kind::Unknown,
        "html" | "htm" | "xhtml" => Kind::Page,
        "md" | "markdown" => Kind::Text("markdown"),
        "txt" | "text" => Kind::Text("text"),
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_how_it_begins() {
        for (start, name, kind) in [
            (&b"%PDF-1.7"[..], "a.html", Kind::Pdf),
            (b"\n\njunk %PDF-1.4", "a", Kind::Pdf),
            (b"PK\x03\x04", "a.docx", Kind::Zip),
            (b"<!DOCTYPE html><html>", "a", Kind::Page),
            (b"\xef\xbb\xbf \n<HTML>", "a", Kind::Page),
            (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML'><html xmlns='x'>", "a", Kind::Page),
            (b"<!-- saved from url=(0014)about:internet -->\n<html>", "a", Kind::Page),
            (b"<p>Text", "a.txt", Kind::Page),
            (b"Text only", "a.HTM", Kind::Page),
            (b"\xff\xfe<\0h\0t\0m\0l\0>\0", "a", Kind::Page),
            (b"<?xml version='1.0'?><rss><channel><title>x", "a.xml", Kind::Unknown),
            (b"<svg xmlns='x'><path/>", "a.svg", Kind::Unknown),
            (b"# Notes <br>", "a.md", Kind::Text("markdown")),
            (b"a,b", "a.csv", Kind::Unknown),
            (b"\x89PNG\0", "a.txt", Kind::Unknown),
            (b"\0\0", "a.html", Kind::Unknown),
            (b"<html><p>te\0xt", "a", Kind::Page),
            (b"", "a.pdf", Kind::Empty),
        ] {
            assert_eq!(recognise(start, name), kind, "{:?}", String::from_utf8_lossy(start));
        }
    }
}
