//! Pages, DOCX and EPUB that were made to stop a parser.

use synix_reading::testing::ZipMaker;

use super::End::{Fails, Reads, Skips};
use super::{DOCUMENTS, assert_ends, hostile};

const DEEP: &str = "the page has more than 512 elements inside one another";

#[test]
fn pages_end_at_their_limits_of_depth_and_size() {
    let page = |body: &str| format!("<html><body>{body}text");
    let attribute = page(&format!("<p class=\"{}\">", "x".repeat(100 << 20)));
    let attributes: String = (0..20_000).map(|number| format!("a{number} ")).collect();
    assert_ends(
        &DOCUMENTS,
        &[
            hostile("deep.html", page(&"<div>".repeat(1_000_000)), Fails(DEEP)),
            hostile("bold.html", page(&"<b>".repeat(1_000_000)), Fails(DEEP)),
            hostile(
                "tables.html",
                page(&"<table><tr><td>".repeat(100_000)),
                Fails(DEEP),
            ),
            hostile(
                "lists.html",
                page(&"<ul><li>x".repeat(100_000)),
                Fails(DEEP),
            ),
            hostile(
                "large.html",
                attribute,
                Fails("this page is larger than 16 MiB"),
            ),
            hostile(
                "attributes.html",
                page(&format!("<p {attributes}>")),
                Fails("elements with thousands of attributes"),
            ),
            hostile(
                "formats.html",
                page(&"<p><b><i><a href=x>".repeat(100_000)),
                Fails("the page has more than 500000 elements and texts"),
            ),
            hostile("zeros.html", "<html><body>\0<p>te\0xt</p>\0\0", Reads),
            hostile("none.html", [0; 5000], Fails("no document that is known")),
        ],
    );
}

/// What is wrong with one document is no reason to lose the others.
#[test]
fn a_hostile_document_in_an_archive_loses_itself_alone() {
    let attributes: String = (0..20_000).map(|number| format!("a{number} ")).collect();
    let other = DOCUMENTS.content.replace("Hello", "Other");
    let zip = ZipMaker::default()
        .deflated("a.html", other.as_bytes())
        .deflated("bad.html", format!("<p {attributes}>x").as_bytes())
        .deflated("bold.html", "<b>".repeat(100_000).as_bytes())
        .deflated(
            "formats.html",
            "<p><b><i><a href=x>".repeat(100_000).as_bytes(),
        )
        .deflated("z.html", other.as_bytes());
    let file = hostile(
        "pages.zip",
        zip.finish(),
        Skips(
            "unreadable",
            "bad.html: the page has elements with thousands of attributes",
        ),
    );
    assert_ends(&DOCUMENTS, &[file]);
}

/// Each entity is ten of the one before: a hundred billion words.
fn entities() -> String {
    let mut entities = "<!DOCTYPE x [<!ENTITY a0 \"lol\">".to_owned();
    for number in 1..12 {
        let before = format!("&a{};", number - 1).repeat(10);
        entities += &format!("<!ENTITY a{number} \"{before}\">");
    }
    entities + "<!ENTITY file SYSTEM \"file:///etc/passwd\">]>"
}

fn docx(body: &str) -> ZipMaker {
    let entities = entities();
    let document = format!(
        "<?xml version=\"1.0\"?>{entities}<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>"
    );
    ZipMaker::default()
        .deflated("[Content_Types].xml", b"<Types/>")
        .deflated("word/document.xml", document.as_bytes())
}

fn epub(chapter: &str, spine: &str) -> ZipMaker {
    let package = format!(
        "<?xml version=\"1.0\"?>{}<package><metadata><title>T &a11; &file;</title></metadata><manifest>\
         <item id=\"a\" href=\"a.html\"/></manifest><spine>{spine}</spine></package>",
        entities()
    );
    ZipMaker::default()
        .deflated(
            "META-INF/container.xml",
            b"<container><rootfile full-path=\"p\"/></container>",
        )
        .deflated("p", package.as_bytes())
        .deflated("a.html", chapter.as_bytes())
}

#[test]
fn entities_and_depth_of_xml_cost_nothing() {
    let paragraph = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let word = paragraph("one &a11; &file; two");
    let tables = "<w:tbl><w:tr><w:tc>".repeat(200_000) + &paragraph("deep");
    let chapter = format!("{}<html><body><p>one &a11; &file; two", entities());
    let long = format!("<html><body><p>{}", "word ".repeat(100_000));
    let listed = "<itemref idref=\"a\"/>";
    assert_ends(
        &DOCUMENTS,
        &[
            hostile("entities.docx", docx(&word).finish(), Reads),
            hostile("tables.docx", docx(&tables).finish(), Reads),
            hostile(
                "large.docx",
                docx(&paragraph(&"x".repeat(40 << 20))).finish(),
                Fails("document.xml is larger than 32 MiB"),
            ),
            hostile("entities.epub", epub(&chapter, listed).finish(), Reads),
            hostile(
                "repeated.epub",
                epub(&long, &listed.repeat(100_000)).finish(),
                Reads,
            ),
        ],
    );
}
