//! Pages and letters as they are met.

use proptest::prelude::*;

use super::*;

fn text(html: &str) -> String {
    page(html, true).unwrap().text
}

#[test]
fn what_nobody_reads_is_left_out() {
    let html = "<html><head><style>p{}</style><script>var a;</script></head><body><script>b()</script>\
        <noscript>Switch on</noscript><p>Text<!-- not this --></p></body>";
    assert_eq!(text(html), "Text");
}

#[test]
fn menus_and_footers_are_left_out_of_the_main_text_only() {
    let html = "<body><header>Site</header><nav><a href=/>Home</a></nav><p>Text</p><footer>2016</footer></body>";
    assert_eq!(text(html), "Text");
    let whole = page(html, false).unwrap().text;
    assert!(
        whole.contains("Site") && whole.contains("Home") && whole.contains("2016"),
        "{whole}"
    );
}

#[test]
fn the_article_of_a_page_without_words_for_its_parts_is_found() {
    let paragraph = "<p>This is a sentence, which has commas, and goes on for a while, as sentences of articles do, \
        so that what scores them, by length and by commas, finds that this is the text of the page.</p>";
    let menu: String = (0..40)
        .map(|item| format!("<li><a href=/{item}>Item {item}</a></li>"))
        .collect();
    let html = format!(
        "<body><div class=menu><ul>{menu}</ul></div><div class=post><h2>Heading</h2>{}</div></body>",
        paragraph.repeat(8)
    );
    let text = text(&html);
    assert!(!text.contains("Item 7"), "{text}");
    assert_eq!(text.matches("This is a sentence").count(), 8);
}

#[test]
fn a_manual_keeps_its_tables_lists_and_code() {
    let html = "<h1>Manual</h1><table><tr><th>Key</th><th>Does</th></tr><tr><td>a</td><td>b</td></tr></table>\
        <ul><li>one<li>two</ul><pre><code>let a = 1;\n  b</code></pre><p>See <a href=\"https://x.org/\">x</a>.";
    let expected = "# Manual\n\n| Key | Does |\n| --- | ---- |\n| a | b |\n\n- one\n- two\n\n\
        ```\nlet a = 1;\n  b\n```\n\nSee [x](https://x.org/).";
    assert_eq!(text(html), expected);
}

#[test]
fn a_page_inside_a_form_is_read() {
    let html = format!(
        "<body><form action=/><p>{}</p></form></body>",
        "Words of a page, in a form. ".repeat(40)
    );
    assert!(text(&html).contains("Words of a page"));
}

#[test]
fn a_page_that_is_hidden_until_its_script_runs_is_read() {
    assert_eq!(
        text("<body aria-hidden=true><div hidden><p>Text</p></div></body>"),
        "Text"
    );
}

#[test]
fn a_form_beside_the_text_is_left_out() {
    let html = format!(
        "<p>{}</p><form><label>Your name</label><input></form>",
        "Words of a page. ".repeat(20)
    );
    assert!(!text(&html).contains("Your name"));
}

#[test]
fn a_page_says_what_it_is() {
    let page = page(
        "<html lang=de><head><title> A\n page </title><meta name=author content='Ann'>\
         <meta property='article:published_time' content='2016-09-16T22:26:51Z'></head><p>x",
        true,
    )
    .unwrap();
    assert_eq!(page.title.as_deref(), Some("A page"));
    assert_eq!(page.author.as_deref(), Some("Ann"));
    assert_eq!(page.published.as_deref(), Some("2016-09-16T22:26:51Z"));
    assert_eq!(page.language.as_deref(), Some("de"));
}

#[test]
fn a_page_without_a_title_is_called_by_its_heading() {
    assert_eq!(
        page("<h1>A</h1>", true).unwrap().title.as_deref(),
        Some("A")
    );
    assert_eq!(page("<p>A", true).unwrap().title, None);
}

#[test]
fn a_page_nested_to_attack_is_an_error() {
    for element in [
        "<div>",
        "<b>",
        "<blockquote>",
        "<ul><li>",
        "<table><tr><td>",
    ] {
        assert_eq!(
            page(&element.repeat(100_000), true),
            Err(PageFault::TooDeep),
            "{element}"
        );
    }
    // Each `b` differs, so that none is dropped, and each `p` opens all of them again.
    let many: String = (0..600).map(|number| format!("<b id={number}>")).collect();
    assert_eq!(
        page(&(many + &"<p>x".repeat(1000)), true),
        Err(PageFault::TooDeep)
    );
}

#[test]
fn an_element_with_attributes_without_end_is_an_error() {
    let many = |count: usize| {
        let attributes: String = (0..count).map(|number| format!(" a{number}=x")).collect();
        page(&format!("<p{attributes}>text"), true)
    };
    assert_eq!(many(20_000), Err(PageFault::TooManyAttributes));
    assert_eq!(many(1000).unwrap().text, "text");
}

#[test]
fn a_page_whose_tree_does_not_fit_is_an_error() {
    let many = |count: usize| page(&"<i>x</i>".repeat(count), false);
    assert_eq!(many(300_000), Err(PageFault::TooLarge));
    assert!(many(1000).is_ok());
}

#[test]
fn a_page_as_deep_as_a_browser_reads_it_is_read() {
    for element in ["<div>", "<blockquote>", "<ul><li>"] {
        let count = 240;
        assert!(
            page(&(element.repeat(count) + "text"), true)
                .unwrap()
                .text
                .contains("text")
        );
    }
}

#[test]
fn the_tables_of_a_letter_are_its_layout() {
    let html = "<table><tr><td><table><tr><td>Hello</td><td>Ann</td></tr></table><p>Text</p></td></tr></table>";
    assert_eq!(letter(html).unwrap(), "Hello\n\nAnn\n\nText");
    let html = "<table><tr><th>Day</th><th>Sum</th></tr><tr><td>1</td><td>2</td></tr></table>";
    assert!(letter(html).unwrap().contains("| Day | Sum |"));
    let inside = format!("<table><tr><td>{html}</td></tr></table>");
    assert_eq!(letter(&inside).unwrap(), letter(html).unwrap());
}

#[test]
fn the_letter_that_is_answered_is_a_quotation() {
    let html = "<div>Yes.</div><div class=gmail_quote><div>On Friday, 16 September 2016, Ann wrote:</div>\
        <blockquote>Shall we?</blockquote></div><img src=https://x.org/pixel.gif>";
    assert_eq!(
        letter(html).unwrap(),
        "Yes.\n\nOn Friday, 16 September 2016, Ann wrote:\n\n> Shall we?"
    );
}

proptest! {
    #[test]
    fn any_text_is_a_page(text in "(<[a-z/!?]{0,6}( [a-z]{0,4}=\"?)?>?|&[a-z#0-9]{0,4};?|[ a-z\n\u{e9}]){0,80}") {
        prop_assert!(page(&text, true).is_ok());
        prop_assert!(letter(&text).is_ok());
    }

    #[test]
    fn elements_in_any_order_are_a_page(names in proptest::collection::vec(proptest::sample::select(vec![
        "table", "/table", "tr", "td", "/td", "ul", "li", "/ul", "b", "/b", "a href=x", "/a", "p", "/p", "pre", "/pre", "code",
        "/code", "svg", "math", "select", "option", "form", "template", "/template", "body", "h1", "blockquote", "br", "th", "main",
    ]), 0..60)) {
        let html: String = names.iter().map(|name| format!("<{name}>x")).collect();
        prop_assert!(page(&html, true).is_ok());
        prop_assert!(page(&html, false).is_ok());
        prop_assert!(letter(&html).is_ok());
    }
}

#[test]
fn marks_and_permalinks_of_headings_are_left_out() {
    let html = "<h2><a id=x></a>One <code>two</code><a href='#x' title='Permalink'>¶</a></h2>\
        <p><a name=y></a>Text <a href='#x'>§ 5</a> <a href=b>#1</a></p><h3><a href='#y'>#</a> Three</h3>";
    let page = page(html, true).unwrap();
    assert_eq!(
        page.text,
        "## One `two`\n\nText [§ 5](#x) [#1](b)\n\n### Three"
    );
}
