//! Small documents, written by hand.

use synix_plugin::reading::Reason;

use crate::tests::{error, meta, metas, one, run, text};

/// Writes a document with a page for each content; `more` are objects from 10 on.
fn pdf(pages: &[&str], more: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj".to_owned(),
        format!(
            "2 0 obj <</Type/Pages/Count {}/Kids[{}]>> endobj",
            pages.len(),
            (0..pages.len()).map(|page| format!("{} 0 R ", 100 + 2 * page)).collect::<String>()
        ),
        "3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>> endobj".to_owned(),
        "4 0 obj <</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>> stream\n0\nendstream endobj"
            .to_owned(),
    ];
    objects.extend(more.iter().map(|&object| object.to_owned()));
    for (page, content) in pages.iter().enumerate() {
        let number = 100 + 2 * page;
        objects.push(format!(
            "{number} 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R\
             /Resources<</Font<</F 3 0 R/G 10 0 R>>/XObject<</I 4 0 R/X 11 0 R>>>>>> endobj",
            number + 1
        ));
        objects.push(format!(
            "{} 0 obj <</Length {}>> stream\n{content}\nendstream endobj",
            number + 1,
            content.len()
        ));
    }
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for object in &objects {
        let number: usize = object.split(' ').next().unwrap().parse().unwrap();
        places.push((number, file.len()));
        file.extend(object.as_bytes());
        file.push(b'\n');
    }
    let start = file.len();
    file.extend(b"xref\n");
    for (number, place) in places {
        file.extend(format!("{number} 1\n{place:010} 00000 n \n").as_bytes());
    }
    file.extend(
        format!("trailer <</Size 500/Root 1 0 R/Info 12 0 R>>\nstartxref\n{start}\n%%EOF\n")
            .as_bytes(),
    );
    file
}

#[test]
fn forms_that_draw_each_other_without_end_are_an_error() {
    let page = "BT /F 10 Tf 50 700 Td (Text) Tj ET /X Do";
    let form = |number: usize, times: usize| {
        let content = "/X Do ".repeat(times);
        format!(
            "{number} 0 obj <</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X {} 0 R>>>>/Length {}>> \
             stream\n{content}\nendstream endobj",
            number + 1,
            content.len()
        )
    };
    let forms = |times| -> Vec<String> { (11..30).map(|number| form(number, times)).collect() };
    let read = |forms: &[String]| {
        let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
        pdf(&[page], &forms)
    };
    let ran = run("a.pdf", read(&forms(10)));
    assert!(error(&ran).contains("page 1 draws its forms"), "{ran:?}");
    assert_eq!(text(&one("a.pdf", read(&forms(1)))), "Text");
    // Nobody draws a form inside of itself.
    let itself = form(11, 2).replace("/X 12 0 R", "/X 11 0 R");
    assert_eq!(text(&one("a.pdf", read(&[itself]))), "Text");
}

#[test]
fn lines_become_paragraphs() {
    let page = "BT /F 10 Tf 50 700 Td (The first line of a para-) Tj 0 -12 Td (graph, and more \\(of it\\).) Tj 0 -30 Td [(Ano) -20 (ther) -400 (one)] TJ ET";
    let output = one(
        "a.pdf",
        pdf(&[page, "BT /F 10 Tf 50 700 Td (Page two) Tj ET"], &[]),
    );
    assert_eq!(
        text(&output),
        "The first line of a paragraph, and more (of it).\n\nAnother one\n\nPage two"
    );
    assert_eq!(meta(&output, "pages"), Some(2.into()));
    assert_eq!(metas(&output, &["format", "title"]), ["pdf", "a"]);
}

#[test]
fn letters_beyond_ascii_are_read() {
    let page = "BT /F 10 Tf 50 700 Td <4772FCDF65> Tj ET";
    assert_eq!(text(&one("a.pdf", pdf(&[page], &[]))), "Grüße");
}

#[test]
fn a_document_says_who_wrote_it_and_when() {
    let info = "12 0 obj <</Title<FEFF00DC0062006500720020>/Author(Ann)/CreationDate(D:20160916222651+02'00')>> endobj";
    let output = one(
        "a.pdf",
        pdf(&["BT /F 10 Tf 50 700 Td (Text) Tj ET"], &[info]),
    );
    assert_eq!(
        metas(&output, &["title", "author", "created"]),
        ["Über", "Ann", "2016-09-16T20:26:51Z"]
    );
}

#[test]
fn a_scanned_document_has_no_text_and_says_so() {
    let ran = run(
        "a.pdf",
        pdf(
            &["600 0 0 800 0 0 cm /I Do", "600 0 0 800 0 0 cm /I Do"],
            &[],
        ),
    );
    assert!(ran.result.is_ok() && ran.outputs.is_empty(), "{ran:?}");
    let what: Vec<&str> = ran
        .skipped
        .iter()
        .map(|skipped| skipped.what.as_str())
        .collect();
    assert_eq!(what, ["page 1", "page 2", "a.pdf"]);
    assert!(
        ran.skipped
            .iter()
            .all(|skipped| skipped.reason == Reason::NoText),
        "{ran:?}"
    );
}

#[test]
fn a_scanned_page_among_others_is_counted() {
    let ran = run(
        "a.pdf",
        pdf(&["/I Do", "BT /F 10 Tf 50 700 Td (Text) Tj ET", ""], &[]),
    );
    assert_eq!(ran.outputs.len(), 1);
    assert_eq!(
        (ran.skipped.len(), ran.skipped[0].what.as_str()),
        (1, "page 1")
    );
}

#[test]
fn a_font_that_does_not_name_its_letters_is_no_text() {
    let font = "10 0 obj <</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</g1 4 0 R>>\
        /Encoding<</Differences[65/g1 66/g1]>>/FirstChar 65/LastChar 66/Widths[500 500]>> endobj";
    let ran = run(
        "a.pdf",
        pdf(&["BT /G 10 Tf 50 700 Td (ABABAB) Tj ET"], &[font]),
    );
    assert!(ran.result.is_ok() && ran.outputs.is_empty(), "{ran:?}");
    assert_eq!(ran.skipped.last().unwrap().reason, Reason::NoText);
}

#[test]
fn a_file_that_only_begins_like_a_document_is_an_error() {
    for file in [
        "%PDF-1.7",
        "%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\ntrailer <</Root 1 0 R>>\n",
    ] {
        assert!(error(&run("a.pdf", file)).contains("the PDF is damaged"));
    }
}

#[test]
fn a_document_without_a_table_of_its_objects_is_read() {
    let mut file = pdf(&["BT /F 10 Tf 50 700 Td (Text) Tj ET"], &[]);
    let end = file.windows(4).rposition(|word| word == b"xref").unwrap();
    let table = file.windows(5).position(|word| word == b"xref\n").unwrap();
    assert!(table < end);
    file.truncate(table);
    assert_eq!(text(&one("a.pdf", file)), "Text");
}

#[test]
fn forms_and_pages_that_contain_themselves_end() {
    let form = "11 0 obj <</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 11 0 R>>>>/Length 11>> stream\n/X Do /X Do\nendstream endobj";
    let ran = run(
        "a.pdf",
        pdf(&["/X Do BT /F 10 Tf 50 700 Td (Text) Tj ET"], &[form]),
    );
    assert_eq!(text(&ran.outputs[0]), "Text");
    let pages = b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>> endobj\ntrailer <</Root 1 0 R>>\n";
    let ran = run("a.pdf", pages);
    assert!(ran.outputs.is_empty(), "{ran:?}");
}

#[test]
fn any_beginning_of_a_document_is_read_without_a_panic() {
    let file = pdf(
        &["BT /F 10 Tf 50 700 Td (Text) Tj ET", "/I Do"],
        &["12 0 obj <</Title(x)>> endobj"],
    );
    for end in (0..file.len()).step_by(23) {
        let _ = run("a.pdf", &file[..end]);
        let mut damaged = file.clone();
        damaged[end] ^= 0x15;
        let _ = run("a.pdf", damaged);
    }
}
