//! Texts as Word, LibreOffice and their like write them.

use synix_plugin::reading::Reason;
use synix_reading::testing::ZipMaker;

use crate::tests::{error, meta, metas, one, run, text};

const TYPES: &str = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";

fn document(body: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><w:document xmlns:w='w' xmlns:r='r'><w:body>{body}</w:body></w:document>"
    )
}

fn parts(body: &str) -> ZipMaker {
    ZipMaker::default()
        .deflated("[Content_Types].xml", TYPES.as_bytes())
        .deflated("word/document.xml", document(body).as_bytes())
}

fn markdown(body: &str) -> String {
    text(&one("a.docx", parts(body).finish())).to_owned()
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn paragraphs_are_joined_from_their_runs() {
    let body = "<w:p><w:r><w:t xml:space='preserve'>One </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>&amp; two</w:t></w:r>\
        <w:r><w:tab/><w:t>three</w:t><w:br/><w:t>four</w:t><w:noBreakHyphen/><w:t>five</w:t></w:r></w:p>\n<w:p/>\n<w:p><w:r><w:t>Next</w:t></w:r></w:p>";
    assert_eq!(markdown(body), "One & two\tthree\nfour-five\n\nNext");
}

#[test]
fn headings_are_known_by_name_and_by_level() {
    let styles = "<w:styles xmlns:w='w'><w:style w:styleId='berschrift2'><w:name w:val='heading 2'/></w:style>\
        <w:style w:styleId='Eigene'><w:basedOn w:val='berschrift2'/></w:style>\
        <w:style w:styleId='Level'><w:name w:val='Mine'/><w:pPr><w:outlineLvl w:val='2'/></w:pPr></w:style>\
        <w:style w:styleId='Loop'><w:basedOn w:val='Loop'/></w:style></w:styles>";
    let styled = |style: &str| {
        format!(
            "<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{style}</w:t></w:r></w:p>"
        )
    };
    let body = ["berschrift2", "Eigene", "Level", "Loop", "Unknown"]
        .map(styled)
        .concat();
    let zip = parts(&body)
        .deflated("word/styles.xml", styles.as_bytes())
        .finish();
    assert_eq!(
        text(&one("a.docx", zip)),
        "## berschrift2\n\n## Eigene\n\n### Level\n\nLoop\n\nUnknown"
    );
}

#[test]
fn lists_are_lists() {
    let numbering = "<w:numbering xmlns:w='w'><w:abstractNum w:abstractNumId='7'><w:lvl w:ilvl='0'><w:numFmt w:val='decimal'/></w:lvl>\
        <w:lvl w:ilvl='1'><w:numFmt w:val='bullet'/></w:lvl></w:abstractNum>\
        <w:num w:numId='3'><w:abstractNumId w:val='7'/></w:num></w:numbering>";
    let item = |level: usize, text: &str| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='3'/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
        )
    };
    let body = [item(0, "a"), item(1, "b"), item(0, "c"), paragraph("Text")].concat();
    let zip = parts(&body)
        .deflated("word/numbering.xml", numbering.as_bytes())
        .finish();
    assert_eq!(text(&one("a.docx", zip)), "1. a\n   - b\n2. c\n\nText");
}

#[test]
fn two_lists_are_not_one() {
    let item = |list: u8, level: u8, text: &str| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{list}'/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
        )
    };
    let body = [
        item(3, 0, "a"),
        item(4, 1, "b"),
        item(3, 0, "c"),
        item(5, 0, "d"),
    ]
    .concat();
    assert_eq!(markdown(&body), "- a\n   - b\n- c\n\n- d");
}

#[test]
fn a_text_that_is_too_large_is_an_error_that_says_the_limit() {
    let body = paragraph(&"word ".repeat(300_000));
    assert!(
        error(&run("a.docx", parts(&body).finish())).contains("document.xml is larger than 1 MiB")
    );
}

#[test]
fn tables_are_tables_and_those_of_one_column_are_text() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph(text));
    let row = |cells: &[&str]| {
        format!(
            "<w:tr>{}</w:tr>",
            cells.iter().map(|text| cell(text)).collect::<String>()
        )
    };
    let table = format!(
        "<w:tbl>{}{}</w:tbl>",
        row(&["Key", "Value"]),
        row(&["a|b", "c"])
    );
    assert_eq!(
        markdown(&table),
        "| Key | Value |\n| --- | --- |\n| a\\|b | c |"
    );
    assert_eq!(
        markdown(&format!("<w:tbl>{}{}</w:tbl>", row(&["a"]), row(&["b"]))),
        "a\n\nb"
    );
    let outer = format!(
        "<w:tbl><w:tr>{}<w:tc>{table}</w:tc></w:tr></w:tbl>",
        cell("x")
    );
    assert_eq!(markdown(&outer), "| x | Key Value a\\|b c |\n| --- | --- |");
}

#[test]
fn what_was_deleted_and_what_fields_are_made_of_is_left_out() {
    let body = "<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins>\
        <w:r><w:instrText> PAGE </w:instrText></w:r><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>\
        <mc:AlternateContent><mc:Choice><w:r><w:t> shape</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t> shape</w:t></w:r></mc:Fallback>\
        </mc:AlternateContent></w:p>";
    assert_eq!(markdown(body), "new shape");
}

#[test]
fn links_and_notes_are_kept() {
    let links = "<Relationships><Relationship Id='r1' Type='x/hyperlink' Target='https://x.org/' TargetMode='External'/></Relationships>";
    let notes = "<w:footnotes><w:footnote w:type='separator' w:id='-1'><w:p><w:r><w:t>line</w:t></w:r></w:p></w:footnote>\
        <w:footnote w:id='2'><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let body = "<w:p><w:r><w:t xml:space='preserve'>See </w:t></w:r><w:hyperlink r:id='r1'><w:r><w:t>this</w:t></w:r></w:hyperlink>\
        <w:r><w:footnoteReference w:id='2'/></w:r></w:p>";
    let zip = parts(body)
        .deflated("word/_rels/document.xml.rels", links.as_bytes())
        .deflated("word/footnotes.xml", notes.as_bytes())
        .finish();
    assert_eq!(
        text(&one("a.docx", zip)),
        "See [this](https://x.org/)[^2]\n\n[^2]: The note."
    );
}

#[test]
fn a_document_says_who_wrote_it_and_when() {
    let core = "<cp:coreProperties xmlns:dc='dc'><dc:title>The plan</dc:title><dc:creator>Ann</dc:creator>\
        <dcterms:created>2016-09-16T22:26:51Z</dcterms:created><dcterms:modified>2016-09-17T22:26:51Z</dcterms:modified></cp:coreProperties>";
    let output = one(
        "a.docx",
        parts(&paragraph("Text"))
            .deflated("docProps/core.xml", core.as_bytes())
            .finish(),
    );
    assert_eq!(
        metas(
            &output,
            &["title", "author", "created", "updated", "format"]
        ),
        [
            "The plan",
            "Ann",
            "2016-09-16T22:26:51Z",
            "2016-09-17T22:26:51Z",
            "docx"
        ]
    );
    let output = one(
        "b/Plan.docx",
        parts(&paragraph("Text"))
            .deflated("docProps/core.xml", b"<broken")
            .finish(),
    );
    assert_eq!(
        (metas(&output, &["title"]), meta(&output, "created")),
        (vec!["Plan".to_owned()], None)
    );
}

#[test]
fn the_text_is_where_the_document_says() {
    let rels = "<Relationships><Relationship Type='http://x/officeDocument' Target='/word/document2.xml'/></Relationships>";
    let zip = ZipMaker::default()
        .deflated("[Content_Types].xml", TYPES.as_bytes())
        .deflated("_rels/.rels", rels.as_bytes())
        .deflated(
            "word/document2.xml",
            document(&paragraph("Text")).as_bytes(),
        )
        .finish();
    assert_eq!(text(&one("a.docx", zip)), "Text");
}

#[test]
fn a_document_in_an_archive_is_one_artifact() {
    let zip = ZipMaker::default()
        .deflated("b/a.docx", &parts(&paragraph("Text")).finish())
        .finish();
    let output = one("c.zip", zip);
    assert_eq!(
        (output.label.as_str(), text(&output)),
        ("c.zip/b/a.docx", "Text")
    );
}

#[test]
fn another_file_of_office_is_an_error() {
    let rels = "<Relationships><Relationship Type='http://x/officeDocument' Target='xl/workbook.xml'/></Relationships>";
    let zip = ZipMaker::default()
        .deflated("[Content_Types].xml", TYPES.as_bytes())
        .deflated("_rels/.rels", rels.as_bytes())
        .deflated("xl/workbook.xml", b"<workbook/>")
        .finish();
    assert!(error(&run("a.xlsx", zip)).contains("yields nothing"));
}

#[test]
fn an_empty_document_is_counted() {
    let ran = run("a.docx", parts("<w:p/>").finish());
    assert!(
        ran.result.is_ok() && ran.skipped[0].reason == Reason::Empty,
        "{ran:?}"
    );
}

#[test]
fn a_damaged_document_is_an_error() {
    let zip = ZipMaker::default()
        .deflated("[Content_Types].xml", TYPES.as_bytes())
        .deflated("word/document.xml", b"<w:document><w:p><w:t>Text</w:t")
        .finish();
    assert!(error(&run("a.docx", zip)).contains("document.xml is damaged"));
}

#[test]
fn elements_in_any_number_and_depth_are_read() {
    let tables = "<w:tbl><w:tr><w:tc>".repeat(5000) + &paragraph("deep");
    assert!(markdown(&tables).contains("deep"));
    let boxes = "<w:p><w:r><w:t>x</w:t>".repeat(20_000) + &"</w:r></w:p>".repeat(20_000);
    assert_eq!(markdown(&boxes).matches('x').count(), 20_000);
}
