//! `documents` as a host sees it.

use serde_json::Value;
use synix_plugin::reading::Reason;
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Content, Error, Output};
use synix_reading::testing::{ZipMaker, assert_single_bytes_suffice, gzip};

use super::Documents;

pub(crate) fn run(name: &str, file: impl AsRef<[u8]>) -> ReaderRun {
    read::<Documents>(name, file.as_ref().to_vec(), "{}")
}

/// Reads a file that is one document.
pub(crate) fn one(name: &str, file: impl AsRef<[u8]>) -> Output {
    let ran = run(name, file);
    assert!(ran.result.is_ok() && ran.outputs.len() == 1, "{ran:?}");
    ran.outputs.into_iter().next().unwrap()
}

pub(crate) fn text(output: &Output) -> &str {
    match &output.content {
        Content::Text(text) => text,
        Content::Bytes(_) => panic!("bytes"),
    }
}

pub(crate) fn meta(output: &Output, key: &str) -> Option<Value> {
    let entry = output.metadata.iter().find(|entry| entry.key == key)?;
    Some(serde_json::from_str(&entry.value).unwrap())
}

pub(crate) fn metas(output: &Output, keys: &[&str]) -> Vec<String> {
    let text = |key: &&str| match meta(output, key) {
        Some(Value::String(text)) => text,
        other => panic!("{key}: {other:?}"),
    };
    keys.iter().map(text).collect()
}

pub(crate) fn error(ran: &ReaderRun) -> &str {
    match &ran.result {
        Err(Error::InvalidInput(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn reasons(ran: &ReaderRun) -> Vec<(&str, Reason)> {
    ran.skipped
        .iter()
        .map(|skipped| (skipped.what.as_str(), skipped.reason.clone()))
        .collect()
}

#[test]
fn documents_are_read_byte_by_byte_as_at_once() {
    for (name, file) in [
        (
            "a.html",
            "\u{feff}\n<!DOCTYPE html><title>Ä</title><p>A page",
        ),
        ("a.md", "# Notes\n\nText\n"),
        ("a.pdf", HELLO),
    ] {
        assert_single_bytes_suffice::<Documents>(name, file.as_bytes(), "{}");
    }
}

/// A PDF without a table of its objects.
const HELLO: &str = "%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
    2 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>> endobj\n\
    4 0 obj <</Length 32>> stream\nBT /F 12 Tf 9 9 Td (Hello) Tj ET\nendstream endobj\n\
    5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\ntrailer <</Root 1 0 R>>\n";

#[test]
fn a_page_is_a_document() {
    let output = one(
        "docs/a.html",
        "<html lang=en><head><title>A page</title><meta name=date content=2016-09-16></head>\
        <body><nav>Menu</nav><p>Text &amp; more</p></body></html>",
    );
    assert_eq!(
        (output.label.as_str(), output.kind.as_str(), text(&output)),
        ("docs/a.html", "document", "Text & more")
    );
    assert_eq!(
        metas(
            &output,
            &[
                "file", "title", "format", "language", "date", "month", "created"
            ]
        ),
        [
            "docs/a.html",
            "A page",
            "html",
            "en",
            "2016-09-16",
            "2016-09",
            "2016-09-16T00:00:00Z"
        ]
    );
    assert_eq!(meta(&output, "author"), None);
    assert_eq!(meta(&output, "path"), None);
}

#[test]
fn a_page_is_read_as_a_whole_if_the_layer_says_so() {
    let page = b"<body><nav>Menu</nav><p>Text</p></body>".to_vec();
    let ran = read::<Documents>("a.html", page, r#"{"main_text": false}"#);
    assert_eq!(text(&ran.outputs[0]), "Menu\n\nText");
}

#[test]
fn a_title_is_never_missing() {
    assert_eq!(
        metas(&one("a/My page.html", "<p>Text"), &["title"]),
        ["My page"]
    );
    assert_eq!(
        metas(&one("a/b.md", "\n# The title #\n\nText"), &["title"]),
        ["The title"]
    );
}

#[test]
fn a_page_in_another_charset_is_read() {
    let output = one(
        "a.html",
        b"<meta charset=windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2",
    );
    assert_eq!(text(&output), "Привет");
}

#[test]
fn a_page_without_text_is_counted() {
    let ran = run("a.html", "<html><script>x</script></html>");
    assert_eq!(reasons(&ran), [("a.html", Reason::Empty)]);
    assert_eq!(reasons(&run("a.pdf", "")), [("a.pdf", Reason::Empty)]);
}

#[test]
fn what_is_no_document_is_an_error_that_says_what_was_found() {
    for (file, found) in [
        (&b"a,b\n1,2"[..], "begins with \"a,b\""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "before 2007"),
        (b"{\\rtf1 text}", "RTF"),
        (b"\x89PNG\r\n", "begins with"),
    ] {
        let ran = run("a.bin", file);
        let error = error(&ran);
        assert!(
            error.contains(found) && error.contains("HTML, PDF, DOCX, EPUB"),
            "{error}"
        );
    }
}

#[test]
fn a_page_made_to_stop_its_readers_is_an_error() {
    let ran = run("a.html", "<div>".repeat(100_000));
    assert!(error(&ran).contains("inside one another"), "{ran:?}");
}

#[test]
fn a_page_that_is_too_large_is_an_error_that_says_the_limit() {
    let ran = run("a.html", "<p>word".repeat(3 << 20));
    assert_eq!(
        error(&ran),
        "this page is larger than 16 MiB, which is the most that is read"
    );
}

#[test]
fn an_export_of_notion_yields_its_pages_by_their_identifiers() {
    let (a, b) = (
        "0123456789abcdef0123456789abcdef",
        "f123456789abcdef0123456789abcdef",
    );
    let part = ZipMaker::default()
        .deflated(&format!("Private/Plans {a}.md"), b"# Plans\n\nText\n")
        .deflated(
            &format!("Private/Plans {a}/Row {b}.md"),
            b"# Row\n\nStatus: Done\n",
        )
        .stored(
            &format!("Private/Plans {a}/Table {a}_all.csv"),
            b"Name,Status\n",
        )
        .stored("Private/picture.png", b"\x89PNG\r\n\x1a\n\0")
        .finish();
    let export = ZipMaker::default()
        .stored("Export-1-Part-1.zip", &part)
        .finish();
    let ran = run("exports/notion.zip", export);
    assert!(ran.result.is_ok(), "{ran:?}");
    let labels: Vec<&str> = ran
        .outputs
        .iter()
        .map(|output| output.label.as_str())
        .collect();
    assert_eq!(labels, [format!("notion-{a}"), format!("notion-{b}")]);
    assert_eq!(
        metas(&ran.outputs[0], &["title", "file", "path", "format"]),
        [
            "Plans".to_owned(),
            "exports/notion.zip".to_owned(),
            format!("Export-1-Part-1.zip/Private/Plans {a}.md"),
            "markdown".to_owned()
        ]
    );
    assert_eq!(ran.skipped.len(), 2);
    assert!(
        ran.skipped
            .iter()
            .all(|skipped| skipped.reason == Reason::Unsupported),
        "{ran:?}"
    );
}

#[test]
fn the_notes_of_google_keep_are_read_as_pages() {
    let note = "<?xml version=\"1.0\" ?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x\">\n\
        <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta http-equiv=\"Content-Type\" content=\"text/html;charset=UTF-8\" />\
        <title>Shopping</title><style type=\"text/css\">.note {}</style></head><body><div class=\"note\">\
        <div class=\"heading\"><div class=\"meta-icons\"></div>Sep 16, 2016</div><div class=\"title\">Shopping</div>\
        <div class=\"content\">Bread<br />Milk</div></div></body></html>";
    let output = one("Takeout/Keep/Shopping.html", note);
    assert_eq!(metas(&output, &["title"]), ["Shopping"]);
    assert!(
        text(&output).contains("Bread") && text(&output).contains("Milk"),
        "{output:?}"
    );
}

#[test]
fn a_document_that_cannot_be_read_does_not_lose_the_others() {
    let zip = ZipMaker::default()
        .stored("a.html", "<div>".repeat(10_000).as_bytes())
        .stored("b.pdf", b"%PDF-1.7\nnothing")
        .stored("c.docx", b"PK\x03\x04 cut off")
        .stored("d.html", b"<p>Text")
        .finish();
    let ran = run("a.zip", zip);
    assert!(ran.result.is_ok(), "{ran:?}");
    assert_eq!(ran.outputs.len(), 1);
    assert_eq!(ran.skipped.len(), 3, "{ran:?}");
    assert!(
        ran.skipped
            .iter()
            .take(2)
            .all(|skipped| skipped.reason == Reason::Unreadable)
    );
    // The place names the document, so what is said of it does not.
    let page = &ran.skipped[0];
    assert_eq!(page.place, "a.html");
    assert!(!page.what.contains("a.html"), "{page:?}");
}

#[test]
fn an_archive_without_documents_is_an_error_with_counts() {
    let zip = ZipMaker::default()
        .stored("a.csv", b"a,b")
        .stored("b.pdf", b"%PDF-1.7")
        .finish();
    let ran = run("a.zip", zip);
    let error = error(&ran);
    assert!(
        error.starts_with(
            "the archive yields nothing: 1 documents are unreadable, 1 files are no documents"
        ),
        "{error}"
    );
}

#[test]
fn a_packed_page_is_read() {
    assert_eq!(text(&one("a.html.gz", gzip(b"<p>Text"))), "Text");
}

#[test]
fn each_setting_is_documented() {
    let schema: Value =
        serde_json::from_str(&<Documents as synix_plugin::Reader>::config_schema()).unwrap();
    assert!(
        schema["properties"]["main_text"]["description"].is_string(),
        "{schema}"
    );
}
