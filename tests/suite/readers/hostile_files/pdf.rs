//! PDFs with trees that lead back to themselves, objects without number, and streams that unpack to more than any memory.

use super::End::{self, Fails, Reads, Skips};
use super::making::zlib;
use super::{DOCUMENTS, HostileFile, assert_ends, hostile};

const CATALOG: (u32, &str) = (1, "<</Type/Catalog/Pages 2 0 R>>");
const FONT: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
const TEXT: &str = "BT /F 12 Tf 72 700 Td (Hello) Tj ET ";
const NO_PAGES: &str = "the PDF is damaged: it has no pages that can be found";
/// What a hostile stream unpacks to: more than a reader may have.
const BOMB_BYTES: usize = 300 << 20;

/// Writes objects with a table of their places; `more` is in the trailer.
fn pdf(objects: &[(u32, Vec<u8>)], more: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.5\n".to_vec();
    let mut table = String::new();
    for (number, object) in objects {
        table += &format!("{number} 1\n{:010} 00000 n \n", file.len());
        file.extend(format!("{number} 0 obj\n").as_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let more = more.replace("START", &start.to_string());
    let end = format!(
        "xref\n{table}trailer <</Size 1000/Root 1 0 R{more}>>\nstartxref\n{start}\n%%EOF\n"
    );
    file.extend(end.as_bytes());
    file
}

fn objects(objects: &[(u32, &str)]) -> Vec<(u32, Vec<u8>)> {
    let owned = objects.iter();
    owned
        .map(|(number, object)| (*number, object.as_bytes().to_vec()))
        .collect()
}

fn stream(content: &[u8], keys: &str) -> Vec<u8> {
    let head = format!("<<{keys}/Length {}>> stream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// A document of one page with this content; the forms are objects from 10 on.
fn page(content: Vec<u8>, forms: Vec<(u32, Vec<u8>)>) -> Vec<(u32, Vec<u8>)> {
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R\
        /Resources<</Font<</F 5 0 R>>/XObject<</X 10 0 R>>>>>>";
    let pages = (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
    let mut all = objects(&[CATALOG, pages, (3, page), (5, FONT)]);
    all.push((4, content));
    all.extend(forms);
    all
}

fn form(content: &str, next: u32) -> Vec<u8> {
    let keys = format!(
        "/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 5 0 R>>/XObject<</X {next} 0 R>>>>"
    );
    stream(content.as_bytes(), &keys)
}

fn file(name: &str, objects: &[(u32, Vec<u8>)], end: End) -> HostileFile {
    hostile(name, pdf(objects, ""), end)
}

#[test]
fn objects_that_lead_to_themselves_are_read_once() {
    let kids = |kids: &str| format!("<</Type/Pages/Kids[{kids}]/Count 3>>");
    let tree = objects(&[
        CATALOG,
        (2, &kids("2 0 R 3 0 R")),
        (3, &kids("2 0 R 3 0 R")),
    ]);
    let mut wide = objects(&[CATALOG]);
    for number in 2..22 {
        let ten = format!("{} 0 R ", number + 1).repeat(10);
        wide.push((number, kids(&ten).into_bytes()));
    }
    let drawn = stream(format!("{TEXT} /X Do").as_bytes(), "");
    let forms = (10..25).map(|number| (number, form(&"/X Do ".repeat(10), number + 1)));
    let hello = page(stream(TEXT.as_bytes(), ""), Vec::new());
    let count = "<</Type/Pages/Kids[]/Count 2147483647>>";
    let extends = stream(
        b"2 0 3 5 <<>> <<>>",
        "/Type/ObjStm/N 100000000/First 8/Extends 4 0 R",
    );
    assert_ends(
        &DOCUMENTS,
        &[
            file("tree.pdf", &tree, Skips("no_text", "tree.pdf")),
            file("wide.pdf", &wide, Skips("no_text", "wide.pdf")),
            file(
                "form.pdf",
                &page(
                    drawn.clone(),
                    vec![(10, form(&format!("/X Do {TEXT}"), 10))],
                ),
                Reads,
            ),
            file(
                "forms.pdf",
                &page(drawn, forms.collect()),
                Fails("page 1 draws its forms with more than 2000000 instructions"),
            ),
            hostile("tables.pdf", pdf(&hello, "/Prev START"), Reads),
            file(
                "count.pdf",
                &objects(&[CATALOG, (2, count)]),
                Skips("no_text", "count.pdf"),
            ),
            file(
                "extends.pdf",
                &[(1, CATALOG.1.into()), (4, extends)],
                Fails(NO_PAGES),
            ),
            hostile("size.pdf", pdf(&hello, "/Size 4294967295"), Reads),
        ],
    );
}

#[test]
fn deep_objects_and_locked_documents_end_with_a_reason() {
    let no_pages = |deep: String| {
        objects(&[
            (1, &format!("<</Type/Catalog/Pages 2 0 R/X {deep}>>")),
            (2, "<</Type/Pages/Kids[]/Count 0>>"),
        ])
    };
    let content = |text: &str| page(stream(text.as_bytes(), ""), Vec::new());
    let lock = format!(
        "/Encrypt <</Filter/Standard/V 2/R 3/Length 128/P -44/O({0})/U({0})>>/ID[<00><00>]",
        "a".repeat(32)
    );
    assert_ends(
        &DOCUMENTS,
        &[
            file(
                "lists.pdf",
                &no_pages("[".repeat(1_000_000)),
                Fails(NO_PAGES),
            ),
            file(
                "tables.pdf",
                &no_pages("<</A".repeat(500_000)),
                Fails(NO_PAGES),
            ),
            file(
                "content.pdf",
                &content(&"[".repeat(1_000_000)),
                Skips("no_text", "content.pdf"),
            ),
            file(
                "states.pdf",
                &content(&("q ".repeat(1_000_000) + TEXT)),
                Reads,
            ),
            hostile(
                "locked.pdf",
                pdf(&content(TEXT), &lock),
                Skips("unsupported", "locked.pdf"),
            ),
            hostile("start.pdf", "%PDF-1.7\n", Fails("the PDF is damaged")),
        ],
    );
}

#[test]
fn streams_that_unpack_to_more_than_the_memory_fail_alone() {
    const LIMIT: &str = "the PDF unpacks to more than 64 MiB";
    let once = zlib(&vec![b' '; BOMB_BYTES]);
    let twice = zlib(&once);
    let packed = |bytes: &[u8], filter: &str| page(stream(bytes, filter), Vec::new());
    assert_ends(
        &DOCUMENTS,
        &[
            file(
                "bomb.pdf",
                &packed(&once, "/Filter/FlateDecode"),
                Fails(LIMIT),
            ),
            file(
                "bombs.pdf",
                &packed(&twice, "/Filter[/FlateDecode/FlateDecode]"),
                Fails(LIMIT),
            ),
        ],
    );
}
