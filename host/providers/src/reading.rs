//! The bytes of a reply: read with care, or refused with a reason.
//!
//! Everything that a provider sends comes through here: sync replies, batch
//! objects and lists, errors, and the rows of batches. `docs/replies.md` says
//! what is tolerated. What cannot be read is said in a few words that name it.

use serde_json::Value;

use super::events;
use super::fault;
use super::lenient;

/// More values than this are not taken in: each needs many times its bytes in memory.
const MOST_VALUES: usize = 8 << 20;

/// Reads a reply that is one document.
pub(super) fn document(bytes: &[u8]) -> Result<Value, String> {
    let text = trimmed(bytes);
    if text.is_empty() {
        return Err("an empty reply".to_owned());
    }
    if events::is_stream(text) {
        let whole = events::pieces(text).and_then(events::whole);
        return whole.map_err(|what| format!("an event stream {}", of_a_stream(&what)));
    }
    bounded(text)?;
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let (value, end) = lenient::value(text).map_err(|broken| no_json(text, &broken))?;
    let rest = trimmed(&text[end..]);
    if !rest.is_empty() && !matches!(value, Value::Object(_) | Value::Array(_)) {
        return Err(named(text));
    }
    if events::is_piece(&value) {
        // Pieces without the fields of an event stream, a line each.
        let whole = events::documents(text).and_then(events::whole);
        return whole.map_err(|what| format!("pieces of a stream {}", of_a_stream(&what)));
    }
    Ok(value)
}

/// Reads a text that may hold several documents, one behind the other: a line of a file of rows.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = trimmed(bytes);
    bounded(text)?;
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(vec![value]);
    }
    let fields = text.strip_prefix(b"data:").unwrap_or(text);
    // The word that ends a stream says nothing, nor does a comment in one.
    if fields.trim_ascii().starts_with(b"[DONE]") || text.starts_with(b":") {
        return Ok(Vec::new());
    }
    let (first, end) = lenient::value(fields).map_err(|broken| no_json(text, &broken))?;
    // What stands behind a row is no part of it; a row that stands there is one more.
    let (more, _) = events::as_far_as_possible(&fields[end..]);
    Ok(std::iter::once(first).chain(more.values).collect())
}

/// Reads a document that a server wrote into a text.
pub(super) fn within(text: &str) -> Result<Value, String> {
    document(text.as_bytes())
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let start = lenient::skip_space(bytes, 0);
    let text = &bytes[start..];
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let end = text.iter().rposition(|byte| !padding(byte));
    &text[..end.map_or(0, |end| end + 1)]
}

fn bounded(text: &[u8]) -> Result<(), String> {
    // Each value but the first stands behind a comma, or in a container of its own.
    let marks = text.iter().filter(|byte| b",[{".contains(byte)).count();
    if text.len() > MOST_VALUES && marks > MOST_VALUES {
        return Err(format!("a document of more than {MOST_VALUES} values"));
    }
    Ok(())
}

fn of_a_stream(what: &str) -> String {
    if what.starts_with("without") {
        what.to_owned()
    } else {
        format!("whose {what}")
    }
}

fn no_json(text: &[u8], broken: &lenient::Broken) -> String {
    let is_document = matches!(text.first(), Some(b'{' | b'['));
    if is_document {
        let start = fault::cut_to(&String::from_utf8_lossy(text), 120);
        format!("broken JSON ({broken}): {start:?}")
    } else {
        named(text)
    }
}

/// Says what a text is that is no JSON.
fn named(text: &[u8]) -> String {
    // A title stands near the start.
    let head = String::from_utf8_lossy(&text[..text.len().min(1 << 16)]);
    let said = fault::words_of(&head);
    if said.starts_with("an HTML page") {
        return fault::cut_to(&said, 300);
    }
    format!("not JSON: {:?}", fault::cut_to(&said, 120))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use synix_test_edits as edits;

    /// What may stand beside what is needed.
    const ASIDES: [&str; 12] = [
        "NaN",
        "-Infinity",
        "1e999",
        "undefined",
        "0x1F",
        "\"\\ud83d\"",
        "\"\\q\\u12\"",
        "\"a\nb\"",
        "{\"a\":{\"a\":[]},\"a\":{}}",
        "18446744073709551616",
        "\"}]\"",
        "\"\u{fffd}\u{1f600}\"",
    ];

    const BEFORE: [&str; 4] = ["", "\u{feff}", "\n \r\n", "\u{feff}\n"];

    const BEHIND: [&str; 6] = [
        "",
        "\n",
        "\0\0",
        "data: [DONE]",
        "\n\ndata: [DONE]\n\n",
        " bye {",
    ];

    fn expected() -> Value {
        json!({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}], "model": "m"})
    }

    /// X3: one reply in every dress that servers and proxies put on it.
    #[test]
    fn a_reply_is_read_whatever_is_odd_about_it() {
        let plain = expected().to_string();
        let members = &plain[1..plain.len() - 1];
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for dressed in [
            plain.clone(),
            format!("\u{feff}{plain}"),
            format!("\n\n  {plain}\r\n"),
            format!("{plain}\n\0\0"),
            format!("{plain}\n\ndata: [DONE]\n\n"),
            format!("{plain}data: [DONE]"),
            format!("{plain} and more"),
            format!("{plain}{{\"x\":1}}"),
            format!("data: {plain}\n\n"),
            format!("data: {plain}\n\ndata: [DONE]\n\n"),
            format!(": keep-alive\n\n: keep-alive\n\ndata: {plain}\n\n"),
        ] {
            assert_eq!(document(dressed.as_bytes()), Ok(expected()), "{dressed}");
        }
        for aside in [
            "NaN",
            "-Infinity",
            "1e999",
            "\"\\ud83d\"",
            "\"\u{1}\"",
            "undefined",
            &deep,
        ] {
            let dressed = format!("{{\"x\":{aside},{members}}}");
            let read = document(dressed.as_bytes()).unwrap();
            assert_eq!(read["choices"], expected()["choices"], "{aside:.50}");
        }
        let bytes = [b"{\"x\":\"\xff\",".as_slice(), members.as_bytes(), b"}"].concat();
        assert_eq!(document(&bytes).unwrap()["choices"], expected()["choices"]);
    }

    /// X3: the reason is named, not the bytes thrown at the user.
    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, reason) in [
            ("", "an empty reply"),
            (" \n", "an empty reply"),
            (
                "<html><title>Sign in</title>…",
                "an HTML page titled \"Sign in\"",
            ),
            ("data: {\"x\":1}\n\n", "an event stream without an answer"),
            (
                "data: {\"choices\":[{\"delta\":{\"content\":\"H\"}}]}\n\n",
                "an event stream without its end",
            ),
            (
                "data: {\"choices\n\n",
                "an event stream whose piece 1 cannot be read: the text ends within a text at byte 10",
            ),
            ("OK", "not JSON: \"OK\""),
            ("404 page not found", "not JSON: \"404 page not found\""),
            (
                "{\"a\":1,}",
                "broken JSON (the name of a member is missing at byte 7): \"{\\\"a\\\":1,}\"",
            ),
        ] {
            assert_eq!(document(text.as_bytes()), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn pieces_without_fields_are_put_together() {
        let pieces = "{\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n";
        let read = document(pieces.as_bytes()).unwrap();
        assert_eq!(read["choices"][0]["message"]["content"], "Hello");
    }

    #[test]
    fn rows_on_one_line_are_told_apart() {
        let read = documents(b"\xef\xbb\xbf{\"a\":1}{\"b\":NaN} tail").unwrap();
        assert_eq!(read, [json!({"a": 1}), json!({"b": null})]);
        let read = documents(b"{\"a\":1}{\"b\":NaN}").unwrap();
        assert_eq!(read, [json!({"a": 1}), json!({"b": null})]);
        assert_eq!(documents(b"data: {\"a\":1}").unwrap(), [json!({"a": 1})]);
        assert!(documents(b"data: [DONE]").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn a_changed_reply_is_read_or_named_in_few_words(edits in edits::edits(), stream in any::<bool>()) {
            let plain = expected().to_string();
            let text = if stream { format!("data: {plain}\n\ndata: [DONE]\n\n") } else { plain };
            let bytes = edits::changed(text.as_bytes(), &edits);
            if let Err(reason) = document(&bytes) {
                prop_assert!(reason.len() < 2000, "{}", reason);
            }
            let _ = documents(&bytes);
        }

        /// Never lose what can be read: whatever is odd beside what is needed, in any mixture.
        #[test]
        fn no_mixture_of_oddities_hides_an_answer(
            asides in proptest::collection::vec((0_usize..ASIDES.len(), any::<bool>()), 0..6),
            before in 0_usize..BEFORE.len(),
            behind in 0_usize..BEHIND.len(),
            depth in 0_usize..400,
            stream in any::<bool>(),
        ) {
            let plain = expected().to_string();
            let mut members = plain[1..plain.len() - 1].to_owned();
            for (at, (aside, is_first)) in asides.into_iter().enumerate() {
                let deep = format!("{}{}{}", "[".repeat(depth), ASIDES[aside], "]".repeat(depth));
                let aside = format!("\"x{at}\":{deep}");
                members = if is_first {
                    format!("{aside},{members}")
                } else {
                    format!("{members},{aside}")
                };
            }
            let reply = format!("{{{members}}}");
            let text = if stream {
                format!("{}data: {reply}\n\ndata: [DONE]\n\n", BEFORE[before])
            } else {
                format!("{}{reply}{}", BEFORE[before], BEHIND[behind])
            };
            let read = document(text.as_bytes());
            prop_assert_eq!(&read.clone().unwrap_or_default()["choices"], &expected()["choices"], "{:?}", read);
        }

        /// Never lose what can be read: what is put behind a reply changes nothing.
        #[test]
        fn nothing_behind_a_reply_hides_it(tail in "\\PC*") {
            let text = format!("{} {tail}", expected());
            prop_assert_eq!(document(text.as_bytes()), Ok(expected()));
        }
    }
}
