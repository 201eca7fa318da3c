mod damaged;

use std::io::Read as _;

use synix_plugin::reading::{File, Reason};
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Error, Output, Reader, reading};

use super::Archive;
use crate::testing::{ZipMaker, gzip, zstd};

#[derive(serde::Deserialize)]
struct Config {}

/// One artifact for each entry; what cannot be read to its end has what came before.
struct Entries;

impl Reader for Entries {
    const NAME: &'static str = "entries";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Makes each entry an artifact";
    type Config = Config;

    fn config_schema() -> String {
        String::new()
    }

    fn read(file: &File<'_>, _: &Config) -> Result<(), Error> {
        let archive = Archive::open(file)?;
        // What a reader does to find the format must not be reported twice.
        archive.entries()?;
        archive.for_each(|entry| {
            reading::at(entry.inside());
            let mut bytes = Vec::new();
            if let Err(error) = entry.open()?.read_to_end(&mut bytes) {
                reading::skip(&error.to_string(), Reason::Unreadable);
            }
            let text = if bytes.len() > 100 {
                format!("{} bytes", bytes.len())
            } else {
                String::from_utf8_lossy(&bytes).into_owned()
            };
            reading::emit(Output::text(entry.path(), "entry", text));
            Ok(())
        })
    }
}

fn run(name: &str, bytes: impl AsRef<[u8]>) -> ReaderRun {
    read::<Entries>(name, bytes, "{}")
}

type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Returns label and content of each entry, and place and name of what was skipped.
fn found(ran: &ReaderRun) -> (Pairs<'_>, Pairs<'_>) {
    let outputs = ran.outputs.iter().map(|output| {
        let synix_plugin::Content::Text(text) = &output.content else {
            panic!("bytes");
        };
        (output.label.as_str(), text.as_str())
    });
    let skipped = ran
        .skipped
        .iter()
        .map(|skipped| (skipped.place.as_str(), skipped.what.as_str()));
    (outputs.collect(), skipped.collect())
}

fn message(ran: &ReaderRun) -> String {
    match &ran.result {
        Err(Error::InvalidInput(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_file_is_its_own_entry() {
    let ran = run("a/b.txt", "hello");
    assert_eq!(found(&ran).0, [("a/b.txt", "hello")]);
    assert_eq!(found(&run("empty", "")).0, [("empty", "")]);
    assert_eq!(found(&run("short", "PK")).0, [("short", "PK")]);
}

#[test]
fn gzip_and_zstd_are_unpacked_wherever_they_are() {
    let twice = [gzip(b"one "), gzip(b"two")].concat();
    assert_eq!(found(&run("a.gz", twice)).0, [("a.gz", "one two")]);
    let frames = [
        zstd(b"one "),
        b"\x50\x2a\x4d\x18\x02\0\0\0xx".to_vec(),
        zstd(b"two"),
    ]
    .concat();
    assert_eq!(found(&run("a.zst", frames)).0, [("a.zst", "one two")]);
    let zip = ZipMaker::default()
        .stored("b.gz", &gzip(b"in a zip"))
        .deflated("c", &zstd(b"too"))
        .finish();
    assert_eq!(
        found(&run("a.zip", zip)).0,
        [("a.zip/b.gz", "in a zip"), ("a.zip/c", "too")]
    );
}

#[test]
fn a_zip_is_known_by_its_bytes_and_read_in_its_order() {
    let zip = ZipMaker::default()
        .deflated("z/b.txt", b"deflated")
        .stored("a.txt", b"stored")
        .finish();
    let expected = [("x.dat/z/b.txt", "deflated"), ("x.dat/a.txt", "stored")];
    assert_eq!(found(&run("x.dat", &zip)).0, expected);
    // Sizes behind the bytes, and a program before the archive.
    let mut maker = ZipMaker::streaming();
    maker = maker
        .deflated("z/b.txt", b"deflated")
        .stored("a.txt", b"stored");
    let shifted = [b"#!/bin/sh\n".to_vec(), maker.finish()].concat();
    let expected = [("x.ZIP/z/b.txt", "deflated"), ("x.ZIP/a.txt", "stored")];
    assert_eq!(found(&run("x.ZIP", shifted)).0, expected);
    assert_eq!(found(&run("e.zip", ZipMaker::default().finish())).0, []);
}

#[test]
fn a_zip_in_a_zip_is_entered_three_deep() {
    let leaf = ZipMaker::default().deflated("d.txt", b"deep").finish();
    let third = ZipMaker::default()
        .stored("c.zip", &leaf)
        .deflated("c.txt", b"c")
        .finish();
    let second = ZipMaker::default().deflated("B (1).ZIP", &third).finish();
    let ran = run(
        "a.zip",
        ZipMaker::default().stored("x/b.zip", &second).finish(),
    );
    let (outputs, skipped) = found(&ran);
    assert_eq!(outputs, [("a.zip/x/b.zip/B (1).ZIP/c.txt", "c")]);
    assert_eq!(
        skipped,
        [("x/b.zip/B (1).ZIP", "c.zip (a zip in 3 others)")]
    );
    assert_eq!(ran.skipped[0].reason, Reason::Unsupported);
    assert_eq!(
        found(&run("b.zip", second)).0[0],
        ("b.zip/B (1).ZIP/c.zip/d.txt", "deep")
    );
}

/// An inner zip that is larger than what is unpacked at once.
#[test]
fn a_large_packed_zip_in_a_zip_is_streamed() {
    let mut noise = 7_u32;
    let mut bytes = |length: usize| -> Vec<u8> {
        let next = |_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        };
        (0..length).map(next).collect()
    };
    let inner = ZipMaker::default()
        .stored("a", &bytes(3_000_000))
        .deflated("b", &bytes(2_500_000))
        .stored("c", b"last")
        .finish();
    let ran = run(
        "o.zip",
        ZipMaker::default().deflated("i.zip", &inner).finish(),
    );
    let expected = [
        ("o.zip/i.zip/a", "3000000 bytes"),
        ("o.zip/i.zip/b", "2500000 bytes"),
        ("o.zip/i.zip/c", "last"),
    ];
    assert_eq!(found(&ran), (expected.to_vec(), vec![]));
}

/// A document that is a zip is an entry until its reader enters it.
#[test]
fn an_entry_that_is_a_zip_by_another_name_can_be_entered() {
    struct Documents;
    impl Reader for Documents {
        const NAME: &'static str = "documents";
        const VERSION: &'static str = "0.1.0";
        const SUMMARY: &'static str = "Enters each entry";
        type Config = Config;

        fn config_schema() -> String {
            String::new()
        }

        fn read(file: &File<'_>, _: &Config) -> Result<(), Error> {
            Archive::open(file)?.for_each(|entry| {
                let inner = Archive::enter(entry)?;
                assert!(inner.is_zip());
                inner.for_each(|part| {
                    reading::emit(Output::text(part.path(), "part", part.inside()));
                    Ok(())
                })
            })
        }
    }
    let docx = ZipMaker::default()
        .deflated("word/document.xml", b"<w/>")
        .finish();
    let zip = ZipMaker::default()
        .deflated("a.docx", &docx)
        .stored("b.epub", &docx)
        .finish();
    let ran = read::<Documents>("x/z.zip", zip, "{}");
    let expected = [
        (
            "x/z.zip/a.docx/word/document.xml",
            "a.docx/word/document.xml",
        ),
        (
            "x/z.zip/b.epub/word/document.xml",
            "b.epub/word/document.xml",
        ),
    ];
    assert_eq!(found(&ran).0, expected);
}

#[test]
fn folders_links_and_what_a_system_adds_are_left_out() {
    let mut maker = ZipMaker::default()
        .stored("a/", b"")
        .stored("__MACOSX/a/._b.json", b"x")
        .stored("a/.DS_Store", b"x");
    maker.mode = 0o120_777;
    maker = maker.stored("link", b"/etc/passwd");
    maker.mode = 0o100_644;
    let ran = run("a.zip", maker.stored("a/b.json", b"[]").finish());
    assert_eq!(found(&ran), (vec![("a.zip/a/b.json", "[]")], vec![]));
}

/// The end record has room for 65,535 entries, the one of 64 bits for more.
#[test]
fn the_directory_of_64_bits_is_read() {
    let zip = ZipMaker::default().stored("a", b"x").finish();
    let start = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap() as u64;
    let end = zip.len() - 22;
    let mut wide = zip[..end].to_vec();
    wide.extend(b"PK\x06\x06");
    wide.extend(44_u64.to_le_bytes());
    wide.extend([0; 12]);
    for number in [1, 1, end as u64 - start, start] {
        wide.extend(number.to_le_bytes());
    }
    wide.extend(b"PK\x06\x07\0\0\0\0");
    wide.extend((end as u64).to_le_bytes());
    wide.extend([1, 0, 0, 0]);
    wide.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
    wide.extend([0xff; 8]);
    wide.extend([0, 0]);
    assert_eq!(found(&run("a.zip", wide)).0, [("a.zip/a", "x")]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 1..6), cut in proptest::prelude::any::<proptest::sample::Index>()) {
        let inner = ZipMaker::default().deflated("a", b"first").finish();
        let maker = ZipMaker::streaming();
        let mut zip = maker.deflated("a", b"first").stored("i.zip", &inner).deflated("j.zip", &inner).finish();
        for (at, byte) in changes {
            let at = at.index(zip.len());
            zip[at] = byte;
        }
        let _ = run("a.zip", &zip);
        zip.truncate(cut.index(zip.len()));
        let _ = run("a.zip", &zip);
    }
}
