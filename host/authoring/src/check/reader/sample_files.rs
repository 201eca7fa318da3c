//! Ordinary files of common formats, for a reader whose own format the check does not know.

use super::SampleFile;

const FILES: [(&str, &str); 8] = [
    (
        "samples/notes.txt",
        "title: The roof\ndate: 2026-03-02\nCall Ann about the roof.\n\ntitle: The rent\nPay the rent by Friday.\n",
    ),
    (
        "samples/talk.txt",
        "User: What is a roof?\n\nAssistant: The top of a house.\n\nUser: Thank you.\n",
    ),
    (
        "samples/rows.jsonl",
        "{\"id\": 1, \"text\": \"Call Ann.\", \"content\": \"Call Ann.\", \"sample\": \"a\"}\n{\"id\": 2, \"text\": \"Pay the rent.\", \"content\": \"Pay the rent.\", \"sample\": \"b\"}\n",
    ),
    (
        "samples/rows.json",
        "[{\"id\": 1, \"text\": \"Call Ann.\", \"content\": \"Call Ann.\", \"sample\": \"a\"}, {\"id\": 2, \"text\": \"Pay the rent.\", \"content\": \"Pay the rent.\", \"sample\": \"b\"}]\n",
    ),
    (
        "samples/rows.csv",
        "id,text,content,sample\n1,Call Ann.,Call Ann.,a\n2,\"Pay the rent, now.\",Pay the rent.,b\n",
    ),
    (
        "samples/page.html",
        "<!doctype html><html><head><title>The roof</title></head><body><main><h1>The roof</h1><p>Call Ann about the roof, which has had a hole in it since the storm of last winter.</p></main></body></html>\n",
    ),
    (
        "samples/letter.eml",
        "From: Ann <ann@example.org>\r\nTo: Ben <ben@example.org>\r\nSubject: The roof\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nThe roof has a hole.\r\n",
    ),
    (
        "samples/box.mbox",
        "From ann@example.org Mon Mar  2 10:00:00 2026\nFrom: Ann <ann@example.org>\nTo: Ben <ben@example.org>\nSubject: The roof\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <1@example.org>\n\nThe roof has a hole.\n\n",
    ),
];

/// Returns small files of common formats.
pub(super) fn ordinary() -> Vec<SampleFile> {
    let file = |(name, text): (&str, &str)| SampleFile {
        name: name.to_owned(),
        bytes: text.as_bytes().into(),
    };
    FILES.into_iter().map(file).collect()
}
