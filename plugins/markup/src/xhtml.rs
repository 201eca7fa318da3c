//! Pages that are XML: an element that ends itself, as in `<title/>`, is an open one for a parser of HTML.

use std::borrow::Cow;

/// Where a page says that it is XML.
const START_BYTES: usize = 2048;
/// Elements that never have content, in either language.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Gives each element that ends itself an end of its own, if the page is XML.
pub(crate) fn opened(page: &str) -> Cow<'_, str> {
    let start = &page[..page.floor_char_boundary(START_BYTES)];
    if !start.trim_start().starts_with("<?xml") && !start.contains("http://www.w3.org/1999/xhtml") {
        return Cow::Borrowed(page);
    }
    let mut opened = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = page[at..].find("/>") {
        let end = at + found;
        at = end + 2;
        // The bracket that this one closes; in a text or a quotation there is another one between.
        let Some(begin) = page[kept..end].rfind('<').map(|begin| kept + begin) else {
            continue;
        };
        let rest = &page[begin + 1..end];
        let length = rest.find(|char: char| !char.is_ascii_alphanumeric() && !":-_".contains(char));
        let name = &rest[..length.unwrap_or(rest.len())];
        if name.is_empty() || VOID.contains(&name) || rest.contains('>') {
            continue;
        }
        opened.push_str(&page[kept..end]);
        opened.push_str("></");
        opened.push_str(name);
        opened.push('>');
        kept = at;
    }
    if kept == 0 {
        return Cow::Borrowed(page);
    }
    opened.push_str(&page[kept..]);
    Cow::Owned(opened)
}

#[cfg(test)]
mod tests {
    use super::opened;

    #[test]
    fn an_element_that_ends_itself_ends_in_html_too() {
        let page = "<?xml version='1.0'?><html><title/><a id='x' /><br/><svg:path d='a'/>1/>2<script src='a'/>text</html>";
        let expected = "<?xml version='1.0'?><html><title></title><a id='x' ></a><br/><svg:path d='a'></svg:path>1/>2\
            <script src='a'></script>text</html>";
        assert_eq!(opened(page), expected);
    }

    #[test]
    fn a_page_in_html_stays_as_it_is() {
        assert_eq!(opened("<p/>text"), "<p/>text");
    }
}
