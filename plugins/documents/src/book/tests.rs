//! Books as programs and shops write them.

use proptest::prelude::*;
use synix_plugin::reading::Reason;
use synix_reading::testing::ZipMaker;

use super::{join, percent_decoded};
use crate::tests::{error, metas, one, run, text};

const CONTAINER: &str =
    "<container><rootfiles><rootfile full-path='OEBPS/content.opf'/></rootfiles></container>";
const PACKAGE: &str = "<package xmlns:dc='dc'><metadata><dc:title>The book</dc:title><dc:creator>Ann</dc:creator>\
    <dc:date>2016-09-16</dc:date><dc:language>en</dc:language></metadata><manifest>\
    <item id='two' href='text/b%20two.xhtml'/><item id='one' href='text/a.xhtml'/><item id='css' href='a.css'/></manifest>\
    <spine><itemref idref='one'/><itemref idref='two'/><itemref idref='missing'/></spine></package>";

fn chapter(body: &str) -> String {
    format!(
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='x'/></head><body>{body}</body></html>"
    )
}

fn book(package: &str) -> ZipMaker {
    ZipMaker::default()
        .stored("mimetype", b"application/epub+zip")
        .deflated("META-INF/container.xml", CONTAINER.as_bytes())
        .deflated("OEBPS/content.opf", package.as_bytes())
        .deflated(
            "OEBPS/text/b two.xhtml",
            chapter("<h1>Two</h1><p>More<a id='x'/> text").as_bytes(),
        )
        .deflated(
            "OEBPS/text/a.xhtml",
            chapter("<h1>One</h1><p>Text").as_bytes(),
        )
}

#[test]
fn the_chapters_are_read_in_the_order_of_the_book() {
    let output = one("a.epub", book(PACKAGE).finish());
    assert_eq!(text(&output), "# One\n\nText\n\n# Two\n\nMore text");
    assert_eq!(
        metas(&output, &["title", "author", "date", "language", "format"]),
        ["The book", "Ann", "2016-09-16", "en", "epub"]
    );
}

#[test]
fn a_chapter_that_is_listed_again_is_read_once() {
    let package = "<package><manifest><item id='a' href='a.html'/></manifest><spine><itemref idref='a'/>\
        <itemref idref='a'/></spine></package>";
    let file = book(package).stored("OEBPS/a.html", chapter("<p>Once</p>").as_bytes());
    assert_eq!(text(&one("a.epub", file.finish())), "Once");
}

#[test]
fn a_missing_chapter_is_counted_and_the_others_are_kept() {
    let package = PACKAGE.replace("text/a.xhtml", "text/none.xhtml");
    let ran = run("a.epub", book(&package).finish());
    assert_eq!(text(&ran.outputs[0]), "# Two\n\nMore text");
    assert_eq!(
        (ran.skipped[0].what.as_str(), &ran.skipped[0].reason),
        ("OEBPS/text/none.xhtml", &Reason::Unreadable)
    );
}

#[test]
fn a_book_that_is_sold_locked_is_counted() {
    let lock = "<encryption><CipherReference URI='OEBPS/text/a.xhtml'/><CipherReference URI='OEBPS/text/b two.xhtml'/></encryption>";
    let ran = run(
        "a.epub",
        book(PACKAGE)
            .deflated("META-INF/encryption.xml", lock.as_bytes())
            .finish(),
    );
    assert!(
        ran.result.is_ok() && ran.skipped[0].reason == Reason::Unsupported,
        "{ran:?}"
    );
    let fonts = "<encryption><CipherReference URI='OEBPS/font.otf'/></encryption>";
    assert_eq!(
        run(
            "a.epub",
            book(PACKAGE)
                .deflated("META-INF/encryption.xml", fonts.as_bytes())
                .finish()
        )
        .outputs
        .len(),
        1
    );
}

#[test]
fn a_book_of_pictures_has_no_text() {
    let zip = ZipMaker::default()
        .deflated("META-INF/container.xml", CONTAINER.as_bytes())
        .deflated("OEBPS/content.opf", PACKAGE.as_bytes())
        .deflated("OEBPS/text/a.xhtml", chapter("<svg/>").as_bytes())
        .finish();
    assert_eq!(
        run("a.epub", zip).skipped.last().unwrap().reason,
        Reason::NoText
    );
}

#[test]
fn a_damaged_book_is_an_error() {
    for (name, damage) in [
        ("rootfile", CONTAINER.replace("rootfile ", "x ")),
        ("OEBPS/content.opf", CONTAINER.to_owned()),
    ] {
        let zip = ZipMaker::default()
            .deflated("META-INF/container.xml", damage.as_bytes())
            .finish();
        let ran = run("a.epub", zip);
        assert!(error(&ran).contains(name), "{ran:?}");
    }
    let ran = run("a.epub", book("<package/>").finish());
    assert!(error(&ran).contains("list of chapters"), "{ran:?}");
}

#[test]
fn links_lead_to_files_in_the_book() {
    for (link, path) in [
        ("a.xhtml", "OEBPS/a.xhtml"),
        ("./a/../b.xhtml#c", "OEBPS/b.xhtml"),
        ("../a.xhtml", "a.xhtml"),
        ("../../../etc/passwd", "etc/passwd"),
        ("a%20b%C3%A4.xhtml", "OEBPS/a bä.xhtml"),
        ("100%.xhtml", "OEBPS/100%.xhtml"),
    ] {
        assert_eq!(join("OEBPS", link), path, "{link}");
    }
}

proptest! {
    #[test]
    fn any_link_is_decoded(text in "[%0-9a-zé/]{0,20}") {
        let decoded = percent_decoded(&text);
        prop_assert!(text.contains('%') || decoded == text);
    }
}
