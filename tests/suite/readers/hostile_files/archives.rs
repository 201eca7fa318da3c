//! Archives for every reader: bombs, names that lead out, entries that lie about their sizes or share their bytes.

use synix_reading::testing::ZipMaker;

use super::End::{Fails, Reads, Skips};
use super::making::{gzip_bomb, patched, repeated, zstd_bomb};
use super::{CHATS, DOCUMENTS, HostileFile, MAIL, ROWS, SUBJECTS, Subject, assert_ends, hostile};

/// The number of the method zstd in a zip.
const ZSTD: u16 = 93;
/// Blocks of a bomb: 256 MiB.
const BOMB_BLOCKS: u32 = 2048;

/// The good file under another label, so that it can be in a layer with the good one.
fn other(subject: &Subject) -> Vec<u8> {
    subject.content.replace("good", "other").into_bytes()
}

#[test]
fn names_links_and_sizes_of_archives_are_not_trusted() {
    for subject in SUBJECTS {
        let extension = subject.extension();
        let other = other(subject);
        let name = format!("a.{extension}");
        let size = u32::try_from(other.len()).unwrap();
        let zip = || ZipMaker::default().deflated(&name, &other);
        let leading_out = ["../../evil", "/etc/abs", "C:\\evil"];
        let leading_out = leading_out.iter().fold(zip(), |zip, name| {
            zip.stored(&format!("{name}.{extension}"), &other)
        });
        let mut linking = zip();
        linking.mode = 0o120_777;
        let linking = linking.stored(&format!("link.{extension}"), b"/etc/passwd");
        let mut nested = zip().finish();
        for _ in 0..10 {
            nested = ZipMaker::default().deflated("n.zip", &nested).finish();
        }
        let mut encrypted = ZipMaker::default();
        encrypted.flags = 1;
        let encrypted = encrypted.deflated(&name, &other);
        let long = [other.as_slice(), &[b' '; 5000]].concat();
        let mut cut = zip().stored(&format!("b.{extension}"), &long).finish();
        cut.truncate(cut.len() - 4000);
        assert_ends(
            subject,
            &[
                hostile(
                    "out.zip",
                    leading_out.finish(),
                    Skips("unreadable", "(its name leads out of the archive)"),
                ),
                hostile("link.zip", linking.finish(), Reads),
                hostile("nested.zip", nested, Fails("(a zip in 3 others)")),
                hostile("encrypted.zip", encrypted.finish(), Fails("(encrypted)")),
                hostile(
                    "cut.zip",
                    cut,
                    Skips("unreadable", "(it is cut off or damaged)"),
                ),
                hostile("small.zip", patched(zip().finish(), size, 3), Reads),
                hostile(
                    "large.zip",
                    patched(zip().finish(), size, u32::MAX - 1),
                    Reads,
                ),
            ],
        );
    }
}

#[test]
fn bombs_end_where_they_are_larger_than_their_archive_may_be() {
    const LIMIT: &str = "it unpacks to more than";
    for (subject, start, in_zip, alone) in [
        (
            &CHATS,
            "[{\"uuid\": \"",
            Skips("unreadable", LIMIT),
            Fails("1 unreadable"),
        ),
        (
            &DOCUMENTS,
            "<html>",
            Skips("unreadable", "this page is larger than 16 MiB"),
            Fails("this page is larger than 16 MiB"),
        ),
        (
            &MAIL,
            "Subject: x\n\n",
            Skips("unreadable", LIMIT),
            Fails("1 unreadable"),
        ),
        (
            &ROWS,
            "text\n",
            Skips("unreadable", LIMIT),
            Fails("the line is too long"),
        ),
    ] {
        let extension = subject.extension();
        let bomb = zstd_bomb(start.as_bytes(), BOMB_BLOCKS);
        let zip = ZipMaker::default()
            .deflated(&format!("a.{extension}"), &other(subject))
            .add(format!("bomb.{extension}").as_bytes(), b"", &bomb, ZSTD);
        let gzip = gzip_bomb(start.as_bytes(), 10);
        assert_ends(
            subject,
            &[
                hostile("bomb.zip", zip.finish(), in_zip),
                hostile(format!("bomb.{extension}.zst"), bomb, alone),
                hostile(format!("bomb.{extension}.gz"), gzip, alone),
            ],
        );
    }
}

/// Ten thousand entries of a MiB, in 1 MiB.
#[test]
fn entries_that_share_their_bytes_are_a_bomb() {
    for (subject, end) in [
        (&CHATS, Fails("unreadable")),
        (&DOCUMENTS, Fails("the archive yields nothing")),
        (&MAIL, Fails("the archive has no mail in it")),
        (&ROWS, Fails("it unpacks to more than")),
    ] {
        let content = vec![0; 1 << 20];
        let zip = ZipMaker::default().stored(&format!("a.{}", subject.extension()), &content);
        let file = hostile("shared.zip", repeated(&zip.finish(), 10_000), end);
        assert_ends(subject, &[file]);
    }
}

#[test]
fn an_archive_of_more_than_a_million_entries_is_refused() {
    const MANY: &str = "has more than 1000000 entries: unpack it";
    for subject in [&DOCUMENTS, &ROWS] {
        let zip = ZipMaker::default().stored("a", b"").finish();
        let file = HostileFile {
            name: "many.zip".to_owned(),
            bytes: repeated(&zip, 1_000_001),
            end: Fails(MANY),
        };
        assert_ends(subject, &[file]);
    }
}
