//! Writes documents of Word and PDF.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use synix_reading::testing::ZipMaker;

use super::texts::write_bytes;
use crate::Outcome;
use crate::words::Words;

/// The number of pages of a document, and of lines on a page.
const PAGES: usize = 20;
const LINES: usize = 45;

const TYPES: &str = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";

/// Documents of about 140 KB of XML. Returns the size of the XML.
pub(crate) fn docx(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut all = 0;
    for number in 0.. {
        if all >= bytes {
            break;
        }
        let mut words = Words::new(number + 6);
        let mut body = String::new();
        for paragraph in 0..200 {
            let style = if paragraph % 20 == 0 {
                "Heading1"
            } else {
                "Normal"
            };
            body.push_str(&format!(
                "<w:p w:rsidR=\"00A77B3E\"><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>"
            ));
            // Word divides a paragraph wherever it was edited.
            for _ in 0..4 {
                body.push_str(&format!(
                    "<w:r w:rsidRPr=\"00C12F3D\"><w:rPr><w:lang w:val=\"en-GB\"/></w:rPr><w:t xml:space=\"preserve\">{} </w:t></w:r>",
                    words.line(80)
                ));
            }
            body.push_str("</w:p>");
        }
        let document = format!(
            "<?xml version='1.0' encoding='UTF-8'?><w:document xmlns:w='w' xmlns:r='r'><w:body>{body}</w:body></w:document>"
        );
        let archive = ZipMaker::default()
            .deflated("[Content_Types].xml", TYPES.as_bytes())
            .deflated("word/document.xml", document.as_bytes());
        write_bytes(
            &folder.join(format!("letter-{number}.docx")),
            &archive.finish(),
        )?;
        all += document.len() as u64;
    }
    Ok(all)
}

/// Documents of 20 pages of packed text. Returns the size of the unpacked pages.
pub(crate) fn pdf(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut all = 0;
    for number in 0.. {
        if all >= bytes {
            break;
        }
        let mut words = Words::new(number + 7);
        let pages: Vec<String> = (0..PAGES).map(|_| page(&mut words)).collect();
        all += pages.iter().map(|page| page.len() as u64).sum::<u64>();
        write_bytes(
            &folder.join(format!("paper-{number}.pdf")),
            &pdf_file(&pages)?,
        )?;
    }
    Ok(all)
}

fn page(words: &mut Words) -> String {
    let mut page = "BT /F 10 Tf 50 780 Td\n".to_owned();
    for line in 0..LINES {
        let drop = if line % 9 == 8 { 30 } else { 12 };
        page.push_str(&format!("({}) Tj 0 -{drop} Td\n", words.line(80)));
    }
    page.push_str("ET");
    page
}

fn pdf_file(pages: &[String]) -> Outcome<Vec<u8>> {
    // The objects 1 to 3, then each page with its content.
    let kids: String = (0..pages.len())
        .map(|page| format!("{} 0 R ", 4 + 2 * page))
        .collect();
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.len()).into_bytes(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
    ];
    for (page, content) in pages.iter().enumerate() {
        objects.push(
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R/Resources<</Font<</F 3 0 R>>>>>>",
                5 + 2 * page
            )
            .into_bytes(),
        );
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content.as_bytes())?;
        let packed = encoder.finish()?;
        let head = format!("<</Length {}/Filter/FlateDecode>> stream\n", packed.len());
        objects.push([head.as_bytes(), packed.as_slice(), b"\nendstream"].concat());
    }
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (position, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{} 0 obj ", position + 1).as_bytes());
        file.extend(object);
        file.extend(b" endobj\n");
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file.extend(
        format!("{table}trailer <</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n")
            .as_bytes(),
    );
    Ok(file)
}
