//! Mail, tables and conversations without an end or a bottom.

use super::End::{Fails, Reads, Skips};
use super::{CHATS, MAIL, ROWS, assert_ends, hostile};

/// Longer than any part of a text that a reader holds.
const ENDLESS: usize = 100 << 20;

fn endless(start: &str, end: &str) -> Vec<u8> {
    [start.as_bytes(), &vec![b'x'; ENDLESS], end.as_bytes()].concat()
}

#[test]
fn mail_without_end_is_cut_and_reported() {
    const FROM: &str = "From a@b Fri Sep 16 22:26:51 2016\n";
    let parts: String = (0..100_000)
        .map(|number| {
            format!(
                "--b{number}\nContent-Type: multipart/mixed; boundary=b{}\n\n",
                number + 1
            )
        })
        .collect();
    let multipart = "Subject: n\nContent-Type: multipart/mixed; boundary=b0\n\n";
    let many = "--b0\n\nx\n".repeat(1_000_000);
    let forwarded = "Content-Type: message/rfc822\n\n".repeat(100_000);
    let named = (0..100_000).map(|number| format!("X-{number}: y\n"));
    let named: String = std::iter::once("Subject: n\n".to_owned())
        .chain(named)
        .collect();
    assert_ends(
        &MAIL,
        &[
            hostile(
                "line.mbox",
                endless(
                    &format!("{FROM}Subject: x\n\nText\n\n{FROM}Subject: y\n\n"),
                    "",
                ),
                Skips("unsupported", "which is too long"),
            ),
            hostile(
                "header.mbox",
                endless(&format!("{FROM}Subject: "), ""),
                Skips("unsupported", "which is too long"),
            ),
            hostile(
                "from.mbox",
                endless("From ", ""),
                Fails("1 messages found, 1 unreadable"),
            ),
            hostile(
                "nested.eml",
                format!("{multipart}{parts}text\n"),
                Skips("unsupported", "which is too long"),
            ),
            hostile(
                "parts.eml",
                format!("{multipart}{many}"),
                Skips("unsupported", "which is too long"),
            ),
            hostile(
                "forwarded.eml",
                format!("Subject: n\n{forwarded}"),
                Fails("too many messages inside one another"),
            ),
            hostile("headers.eml", format!("{named}\ntext\n"), Reads),
            hostile(
                "page.eml",
                format!(
                    "Subject: n\nContent-Type: text/html\n\n{}text",
                    "<div>".repeat(500_000)
                ),
                Skips("empty", "page.eml"),
            ),
        ],
    );
}

#[test]
fn rows_without_end_lose_nothing_but_themselves() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let wide = "0,".repeat(7 << 20);
    let unreadable = |text| Skips("unreadable", text);
    let lines =
        |row: &str| format!("{{\"text\": \"a\"}}\n{{\"text\": {row}}}\n{{\"text\": \"c\"}}\n");
    assert_ends(
        &ROWS,
        &[
            hostile(
                "quote.csv",
                endless("text\na\n\"", "\nc\n"),
                unreadable("line 3: a quote is not closed"),
            ),
            hostile(
                "field.csv",
                endless("text\na\n", "\nc\n"),
                unreadable("line 3: the line is too long"),
            ),
            hostile(
                "columns.csv",
                format!("text{}\na\n", ",x".repeat(5_000_000)),
                Fails("it has more than 100000 fields"),
            ),
            hostile(
                "line.jsonl",
                endless(
                    "{\"text\": \"a\"}\n{\"text\": \"",
                    "\"}\n{\"text\": \"c\"}\n",
                ),
                unreadable("line 2: it is longer than 16 MiB"),
            ),
            hostile(
                "element.json",
                endless(
                    "[{\"text\": \"a\"}, {\"text\": \"",
                    "\"}, {\"text\": \"c\"}]",
                ),
                unreadable("element 2: it is longer than 16 MiB"),
            ),
            hostile(
                "name.json",
                endless("{\"", "\": [{\"text\": \"a\"}]}"),
                Fails("element 1: it is longer than 16 MiB"),
            ),
            hostile(
                "values.jsonl",
                lines(&format!("[{wide}0]")),
                unreadable("line 2: it has more than 250000 values"),
            ),
            hostile(
                "deep.jsonl",
                lines(&deep),
                unreadable("line 2: it has more than 250000 values"),
            ),
            hostile("deep.json", deep, Fails("it has more than 250000 values")),
            hostile(
                "open.json",
                "{\"text\":".repeat(1_000_000),
                Fails("the file is cut off"),
            ),
        ],
    );
}

#[test]
fn conversations_without_end_are_reported() {
    let good = |id: &str| CHATS.content[1..CHATS.content.len() - 1].replace("good", id);
    let before = format!("[{}, {{\"uuid\": \"", good("a"));
    assert_ends(
        &CHATS,
        &[
            hostile(
                "text.json",
                endless(&before, &format!("\"}}, {}]", good("b"))),
                Skips("unreadable", "it is longer than 64 MiB"),
            ),
            hostile(
                "alone.json",
                endless("[{\"uuid\": \"", "\"}]"),
                Fails("1 unreadable"),
            ),
            hostile("deep.json", "[".repeat(1_000_000), Fails("1 unreadable")),
            hostile(
                "open.json",
                "{\"a\":".repeat(1_000_000),
                Fails("1 unreadable"),
            ),
            hostile(
                "zeros.json",
                vec![0; 1 << 20],
                Fails("bytes that are not text"),
            ),
        ],
    );
}
