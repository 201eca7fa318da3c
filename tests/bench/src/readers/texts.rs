//! Writes files of rows, sessions of Claude Code, mailboxes and web pages.

use std::fs;
use std::path::Path;

use serde_json::json;
use synix_reading::testing::gzip;

use crate::Outcome;
use crate::corpus::write;
use crate::words::Words;

const ROW_BYTES: usize = 1_000;

pub(crate) fn jsonl(folder: &Path, bytes: u64) -> Outcome<u64> {
    let text = json_lines(bytes);
    write(&folder.join("rows.jsonl"), &text)?;
    Ok(text.len() as u64)
}

pub(crate) fn jsonl_gz(folder: &Path, bytes: u64) -> Outcome<u64> {
    let text = json_lines(bytes);
    write_bytes(&folder.join("rows.jsonl.gz"), &gzip(text.as_bytes()))?;
    Ok(text.len() as u64)
}

fn json_lines(bytes: u64) -> String {
    let mut words = Words::new(1);
    let mut text = String::new();
    for number in 0.. {
        if text.len() as u64 >= bytes {
            break;
        }
        let row = json!({
            "id": number,
            "title": words.line(40),
            "body": words.text(ROW_BYTES),
            "created": "2026-01-02T03:04:05Z",
            "score": words.below(100),
            "tags": [words.line(5), words.line(5)],
        });
        text.push_str(&row.to_string());
        text.push('\n');
    }
    text
}

pub(crate) fn csv(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut words = Words::new(2);
    let mut text = "id,title,body,created,score\n".to_owned();
    for number in 0.. {
        if text.len() as u64 >= bytes {
            break;
        }
        let (title, body) = (words.line(40), words.text(ROW_BYTES));
        let score = words.below(100);
        text.push_str(&format!(
            "{number},\"{title}\",\"{body}\",2026-01-02T03:04:05Z,{score}\n"
        ));
    }
    write(&folder.join("rows.csv"), &text)?;
    Ok(text.len() as u64)
}

/// Each session has 400 lines of about 1.5 KB.
pub(crate) fn claude_code(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut all = 0;
    for session in 0.. {
        if all >= bytes {
            break;
        }
        let mut words = Words::new(session + 3);
        let mut text = String::new();
        for at in 0..400 {
            let is_question = at % 4 == 0;
            let kind = if is_question { "user" } else { "assistant" };
            let said = if is_question {
                json!(words.text(200))
            } else if at % 4 == 2 {
                json!([{"type": "tool_use", "id": format!("t{at}"), "name": "Read", "input": {"path": words.line(900)}}])
            } else {
                json!([{"type": "text", "text": words.text(1_200)}])
            };
            let line = json!({
                "type": kind,
                "uuid": format!("u{at}"),
                "parentUuid": (at > 0).then(|| format!("u{}", at - 1)),
                "sessionId": format!("session-{session}"),
                "timestamp": "2026-01-02T03:04:05.678Z",
                "cwd": "/home/a/project",
                "gitBranch": "main",
                "isSidechain": false,
                "version": "2.0.0",
                "message": {
                    "id": format!("m{at}"),
                    "role": kind,
                    "model": "claude-opus-4-5",
                    "content": said,
                },
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
        write(&folder.join(format!("session-{session}.jsonl")), &text)?;
        all += text.len() as u64;
    }
    Ok(all)
}

/// A mailbox of threads of four letters; every eighth letter has an attachment of 40 KB.
pub(crate) fn mbox(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut words = Words::new(4);
    let mut text = String::new();
    for number in 0_u64.. {
        if text.len() as u64 >= bytes {
            break;
        }
        let thread = number / 4;
        let (minute, second) = (number / 60 % 60, number % 60);
        let (subject, body) = (words.line(40), words.text(3_000));
        text.push_str(&format!(
            "From a@example.org Thu Jan  1 10:{minute:02}:{second:02} 2026\nMessage-ID: <{number}@example.org>\n"
        ));
        if number % 4 > 0 {
            text.push_str(&format!("In-Reply-To: <{}@example.org>\n", number - 1));
        }
        text.push_str(&format!(
            "X-GM-THRID: {thread}\nFrom: Ann <a@example.org>\nTo: Bob <b@example.org>\nSubject: {subject}\n\
             Date: Thu, 1 Jan 2026 10:{minute:02}:{second:02} +0000\nMIME-Version: 1.0\n"
        ));
        let plain = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n";
        if number % 8 == 0 {
            text.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=\"part\"\n\n--part\n{plain}\n{body}\n--part\nContent-Type: \
                 application/pdf; name=\"a.pdf\"\nContent-Transfer-Encoding: base64\n\n"
            ));
            for _ in 0..530 {
                text.push_str(&"JVBERi0xLjcK".repeat(6));
                text.push_str("JVBE\n");
            }
            text.push_str("--part--\n\n");
        } else {
            text.push_str(&format!("{plain}\n{body}\n\n"));
        }
    }
    write(&folder.join("mail.mbox"), &text)?;
    Ok(text.len() as u64)
}

/// Pages of about 60 KB, with menus, headings, links, a list and a table.
pub(crate) fn html(folder: &Path, bytes: u64) -> Outcome<u64> {
    let mut all = 0;
    for number in 0.. {
        if all >= bytes {
            break;
        }
        let mut words = Words::new(number + 5);
        let mut text = format!(
            "<!doctype html><html lang=\"en\"><head><title>Page {number}</title><style>p {{ margin: 0 }}</style></head>\
             <body><nav><ul>{}</ul></nav><main><h1>Page {number}</h1>",
            "<li><a href=\"/a\">Menu</a></li>".repeat(30)
        );
        for _ in 0..20 {
            text.push_str(&format!("<h2>{}</h2>", words.line(30)));
            for _ in 0..4 {
                let (before, link, after) = (words.line(300), words.line(10), words.line(250));
                text.push_str(&format!(
                    "<p class=\"text\">{before} <a href=\"https://example.org/{number}\">{link}</a> &amp; <em>{after}</em></p>\n"
                ));
            }
            text.push_str(&format!("<ul><li>{}</li></ul>", words.line(40)));
            text.push_str(&format!(
                "<table><tr><th>A</th><th>B</th></tr><tr><td>{}</td><td>1</td></tr></table>",
                words.line(20)
            ));
        }
        text.push_str("</main><footer>Footer</footer></body></html>");
        write(&folder.join(format!("page-{number}.html")), &text)?;
        all += text.len() as u64;
    }
    Ok(all)
}

/// Writes bytes without protection against a crash.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Outcome<()> {
    use std::io::Write as _;
    Ok(fs::File::create(path)?.write_all(bytes)?)
}
