use super::*;

#[test]
fn raw_html_is_text() {
    for hostile in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=alert(1)>b</b>",
        "<style>*{display:none}</style>",
        "<!-- --><iframe src=//x></iframe>",
        "`<script>`",
        "    <script>",
        "```\n<script>\n```",
        "[<script>](http://a)",
        "![<script>](http://a)",
        "| <script> |\n|---|\n| <script> |",
    ] {
        let shown = render(hostile).into_string();
        for tag in ["<script", "<img", "<b ", "<style", "<iframe", "<!--"] {
            assert!(!shown.contains(tag), "{hostile}: {shown}");
        }
    }
}

#[test]
fn only_links_to_pages_and_mails_are_links() {
    for (markdown, is_link) in [
        ("[a](https://example.com)", true),
        ("[a](HTTP://example.com)", true),
        ("<mailto:a@example.com>", true),
        ("[a](javascript:alert(1))", false),
        ("[a](JaVaScRiPt:alert(1))", false),
        ("[a](java\tscript:alert(1))", false),
        ("[a](&#106;avascript:alert(1))", false),
        ("[a](data:text/html,x)", false),
        ("[a](vbscript:x)", false),
        ("[a](file:///etc/passwd)", false),
        ("[a](/search?q=x)", false),
        ("[a](//example.com)", false),
        ("[a]( javascript:alert(1))", false),
    ] {
        let shown = render(markdown).into_string();
        assert_eq!(shown.contains("<a "), is_link, "{markdown}: {shown}");
        assert_eq!(shown.contains("href="), is_link, "{markdown}: {shown}");
    }
}

#[test]
fn the_address_of_a_link_cannot_leave_its_attribute() {
    let shown = render("[a](<https://a/\"onmouseover=\"alert(1)>)").into_string();
    assert!(!shown.contains("\"onmouseover"), "{shown}");
}

#[test]
fn no_image_is_loaded() {
    let shown = render("![a *b*](https://example.com/x.png)").into_string();
    assert!(!shown.contains("src="), "{shown}");
    assert!(shown.contains("image not loaded: a b"), "{shown}");
}

#[test]
fn every_element_is_closed_however_deep_it_is() {
    let deep = ">".repeat(5_000) + " end";
    let shown = render(&deep).into_string();
    let count = |tag: &str| shown.matches(tag).count();
    assert_eq!(count("<blockquote>"), count("</blockquote>"));
    assert!(count("<blockquote>") <= MAX_DEPTH);
    assert!(shown.contains("end"));
}

#[test]
fn headings_are_below_those_of_the_page() {
    let shown = render("# a\n\n###### b").into_string();
    assert!(
        shown.contains("<h3>a</h3>") && shown.contains("<h6>b</h6>"),
        "{shown}"
    );
}

#[test]
fn a_table_has_a_head_and_a_body() {
    let shown = render("| a | b |\n|---|--:|\n| 1 | 2 |").into_string();
    assert!(
        shown.contains("<thead><tr><th scope=\"col\">a</th>"),
        "{shown}"
    );
    assert!(
        shown.contains("<tbody><tr><td>1</td><td class=\"number\">2</td></tr></tbody>"),
        "{shown}"
    );
}

#[test]
fn text_that_changes_its_direction_is_visible() {
    let shown = render("a\u{202e}b").into_string();
    assert!(shown.contains("\\u{202e}"), "{shown}");
}
