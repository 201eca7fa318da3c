//! Archives that are damaged, cut off, split, or bombs.

use super::*;

#[test]
fn entries_that_cannot_be_read_are_reported_once_and_the_others_read() {
    let mut maker = ZipMaker::default()
        .stored("../up", b"x")
        .stored("/etc/x", b"x")
        .stored("c:\\x", b"x");
    maker.flags = 1;
    maker = maker.stored("secret", b"x");
    maker.flags = 0;
    maker.method = Some(9);
    maker = maker.stored("d64", b"x");
    maker.method = Some(77);
    maker = maker.stored("odd", b"x");
    maker.method = None;
    let ran = run("a.zip", maker.add(b"caf\x82", b"437", b"437", 0).finish());
    let (outputs, skipped) = found(&ran);
    assert_eq!(outputs, [("a.zip/café", "437")]);
    let whats: Vec<_> = skipped.iter().map(|(_, what)| *what).collect();
    assert_eq!(
        whats,
        [
            "../up (its name leads out of the archive)",
            "/etc/x (its name leads out of the archive)",
            "c:/x (its name leads out of the archive)",
            "secret (encrypted)",
            "d64 (packed by Deflate64)",
            "odd (packed by method 77)",
        ]
    );
    let unreadable = ran
        .skipped
        .iter()
        .filter(|skipped| skipped.reason == Reason::Unreadable);
    assert_eq!(unreadable.count(), 3);
}

#[test]
fn a_cut_zip_is_read_as_far_as_it_is_whole() {
    for streams in [false, true] {
        let maker = if streams {
            ZipMaker::streaming()
        } else {
            ZipMaker::default()
        };
        let whole = maker
            .deflated("a", b"first")
            .deflated("b", b"second")
            .deflated("c", &[7; 90])
            .finish();
        let directory = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
        // Without its directory, and within the last entry.
        let last = memchr::memmem::rfind(&whole, b"PK\x03\x04").unwrap();
        for cut in [directory, last + 33] {
            let ran = run("a.zip", &whole[..cut]);
            let (outputs, skipped) = found(&ran);
            assert_eq!(outputs[..2], [("a.zip/a", "first"), ("a.zip/b", "second")]);
            assert_eq!(skipped[0], ("", "a.zip (it is cut off or damaged)"));
        }
    }
    let inner = ZipMaker::default()
        .stored("a", b"first")
        .stored("b", b"second")
        .finish();
    let outer = ZipMaker::default().stored("i.zip", &inner[..60]).finish();
    let ran = run("o.zip", &outer);
    assert_eq!(ran.outputs[0].label, "o.zip/i.zip/a");
    assert_eq!(ran.skipped[0].place, "i.zip");
}

#[test]
fn damaged_bytes_are_reported_and_the_other_entries_read() {
    let mut zip = ZipMaker::default()
        .stored("a", b"hello")
        .stored("b", b"world")
        .finish();
    let at = memchr::memmem::find(&zip, b"hello").unwrap();
    zip[at] = b'j';
    let ran = run("a.zip", zip);
    let (outputs, skipped) = found(&ran);
    assert_eq!(outputs, [("a.zip/a", "jello"), ("a.zip/b", "world")]);
    assert_eq!(skipped, [("a", "its checksum does not match")]);
    let cut = &gzip(&[7; 500])[..12];
    assert_eq!(run("a.gz", cut).skipped.len(), 1);
    let whole = zstd(&[7; 500]);
    assert_eq!(
        run("a.zst", &whole[..100]).skipped[0].what,
        "unexpected end of file"
    );
}

#[test]
fn a_bomb_is_an_error_that_says_the_limit() {
    let zeros = vec![0; 80 << 20];
    for (name, bytes) in [
        ("b.gz", gzip(&zeros)),
        ("b.zip", ZipMaker::default().deflated("a", &zeros).finish()),
    ] {
        let ran = run(name, bytes);
        let text = &ran.skipped[0].what;
        assert!(text.starts_with("it unpacks to more than "), "{text}");
    }
    let inner = ZipMaker::default().deflated("a", &zeros).finish();
    let nested = ZipMaker::default().deflated("i.zip", &inner).finish();
    assert!(!run("b.zip", nested).skipped.is_empty());
}

#[test]
fn a_zip_name_without_a_zip_is_an_error() {
    let text = message(&run("a.zip", "<html>Please log in</html>"));
    assert_eq!(
        text,
        "a.zip is not a zip archive, although its name ends with .zip: export or download it again"
    );
    let zip = ZipMaker::default().stored("i.zip", b"<html>").finish();
    assert_eq!(
        found(&run("o.zip", zip)).1,
        [("", "i.zip (it is not a zip)")]
    );
}

#[test]
fn a_part_of_a_split_archive_is_an_error() {
    let mut zip = ZipMaker::default().stored("a", b"x").finish();
    let end = zip.len() - 22;
    // The last part has the directory, the first one a mark.
    zip[end + 4] = 2;
    zip[end + 6] = 2;
    let first = [b"PK\x07\x08".to_vec(), zip[..end - 30].to_vec()].concat();
    for (name, bytes) in [("a.zip", &zip), ("a.z01", &first)] {
        let text = message(&run(name, bytes));
        let expected = format!("{name} is one part of a split archive: join the parts");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn an_entry_whose_header_is_damaged_does_not_lose_the_others() {
    let mut zip = ZipMaker::default()
        .stored("a", b"hello")
        .stored("b", b"world")
        .finish();
    zip[0] = b'X';
    // The name says that it is a zip.
    let ran = run("a.zip", zip);
    let (outputs, skipped) = found(&ran);
    assert_eq!(outputs, [("a.zip/a", ""), ("a.zip/b", "world")]);
    assert_eq!(skipped, [("a", "a record of the zip is damaged")]);
}
