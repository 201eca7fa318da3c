//! Parses the bytes of a reply, or says in a few words why it cannot.
//!
//! This is the one place that parses what providers send: replies to single
//! calls, batch objects and lists, errors, and the rows of batches.
//! `docs/replies.md` lists what it tolerates.

use serde_json::Value;

use super::{event_stream, excerpt, lenient_json};

/// The most values of a document, because each one takes many times its bytes in memory.
const MAX_VALUES: usize = 8 << 20;

/// Parses a reply that is one document.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = trimmed(bytes);
    if text.is_empty() {
        return Err("an empty reply".to_owned());
    }
    if event_stream::is_stream(text) {
        let reply = event_stream::parse(text).and_then(event_stream::assemble);
        return reply.map_err(|problem| format!("an event stream {}", after_noun(&problem)));
    }
    check_size(text)?;
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let (value, end) =
        lenient_json::parse_value(text).map_err(|error| describe_error(text, &error))?;
    let rest = trimmed(&text[end..]);
    if !rest.is_empty() && !matches!(value, Value::Object(_) | Value::Array(_)) {
        return Err(describe(text));
    }
    if event_stream::is_chunk(&value) {
        // The chunks of a stream, one per line, without the fields of an event stream.
        let reply = event_stream::parse_documents(text).and_then(event_stream::assemble);
        return reply.map_err(|problem| format!("chunks of a stream {}", after_noun(&problem)));
    }
    Ok(value)
}

/// Parses a line of a file of rows, which may contain several consecutive documents.
pub(super) fn parse_all(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = trimmed(bytes);
    check_size(text)?;
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(vec![value]);
    }
    let fields = text.strip_prefix(b"data:").unwrap_or(text);
    // The end marker of a stream is no row, nor is a comment.
    if fields.trim_ascii().starts_with(b"[DONE]") || text.starts_with(b":") {
        return Ok(Vec::new());
    }
    let (first, end) =
        lenient_json::parse_value(fields).map_err(|error| describe_error(text, &error))?;
    // A document after the first row is another row. Any other text after it is ignored.
    let (more, _) = event_stream::parse_prefix(&fields[end..]);
    Ok(std::iter::once(first).chain(more.values).collect())
}

/// Parses a document that a server wrote into a JSON string.
pub(super) fn parse_text(text: &str) -> Result<Value, String> {
    parse(text.as_bytes())
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let start = lenient_json::skip_space(bytes, 0);
    let text = &bytes[start..];
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let end = text.iter().rposition(|byte| !padding(byte));
    &text[..end.map_or(0, |end| end + 1)]
}

fn check_size(text: &[u8]) -> Result<(), String> {
    // Each value except the first follows a comma or begins a container.
    let marks = text.iter().filter(|byte| b",[{".contains(byte)).count();
    if text.len() > MAX_VALUES && marks > MAX_VALUES {
        return Err(format!("a document of more than {MAX_VALUES} values"));
    }
    Ok(())
}

/// Makes a problem follow the noun that has it.
fn after_noun(problem: &str) -> String {
    if problem.starts_with("without") {
        problem.to_owned()
    } else {
        format!("whose {problem}")
    }
}

fn describe_error(text: &[u8], error: &lenient_json::JsonError) -> String {
    let is_document = matches!(text.first(), Some(b'{' | b'['));
    if is_document {
        let start = excerpt::truncate(&String::from_utf8_lossy(text), 120);
        format!("invalid JSON ({error}): {start:?}")
    } else {
        describe(text)
    }
}

/// Describes a text that is not JSON.
fn describe(text: &[u8]) -> String {
    // A title is near the start.
    let head = String::from_utf8_lossy(&text[..text.len().min(1 << 16)]);
    let description = excerpt::describe_non_json(&head);
    if description.starts_with("an HTML page") {
        return excerpt::truncate(&description, 300);
    }
    format!("not JSON: {:?}", excerpt::truncate(&description, 120))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use synix_test_edits as edits;

    /// Unusual values, for members that synix does not read.
    const UNUSUAL_VALUES: [&str; 12] = [
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

    const AFTER: [&str; 6] = [
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

    /// X3: one reply in every form that servers and proxies give it.
    #[test]
    fn a_reply_is_read_in_every_tolerated_form() {
        let plain = expected().to_string();
        let members = &plain[1..plain.len() - 1];
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for form in [
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
            assert_eq!(parse(form.as_bytes()), Ok(expected()), "{form}");
        }
        for value in [
            "NaN",
            "-Infinity",
            "1e999",
            "\"\\ud83d\"",
            "\"\u{1}\"",
            "undefined",
            &deep,
        ] {
            let form = format!("{{\"x\":{value},{members}}}");
            let read = parse(form.as_bytes()).unwrap();
            assert_eq!(read["choices"], expected()["choices"], "{value:.50}");
        }
        let bytes = [b"{\"x\":\"\xff\",".as_slice(), members.as_bytes(), b"}"].concat();
        assert_eq!(parse(&bytes).unwrap()["choices"], expected()["choices"]);
    }

    /// X3: the error says the reason and does not print all the bytes.
    #[test]
    fn an_unreadable_reply_is_described() {
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
                "an event stream whose chunk 1 cannot be read: the text ends within a string at byte 10",
            ),
            ("OK", "not JSON: \"OK\""),
            ("404 page not found", "not JSON: \"404 page not found\""),
            (
                "{\"a\":1,}",
                "invalid JSON (the name of a member is missing at byte 7): \"{\\\"a\\\":1,}\"",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn chunks_without_fields_are_assembled() {
        let pieces = "{\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n";
        let read = parse(pieces.as_bytes()).unwrap();
        assert_eq!(read["choices"][0]["message"]["content"], "Hello");
    }

    #[test]
    fn rows_on_one_line_are_separated() {
        let read = parse_all(b"\xef\xbb\xbf{\"a\":1}{\"b\":NaN} tail").unwrap();
        assert_eq!(read, [json!({"a": 1}), json!({"b": null})]);
        let read = parse_all(b"{\"a\":1}{\"b\":NaN}").unwrap();
        assert_eq!(read, [json!({"a": 1}), json!({"b": null})]);
        assert_eq!(parse_all(b"data: {\"a\":1}").unwrap(), [json!({"a": 1})]);
        assert!(parse_all(b"data: [DONE]").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn a_corrupted_reply_is_read_or_described_briefly(edits in edits::edits(), stream in any::<bool>()) {
            let plain = expected().to_string();
            let text = if stream { format!("data: {plain}\n\ndata: [DONE]\n\n") } else { plain };
            let bytes = edits::changed(text.as_bytes(), &edits);
            if let Err(reason) = parse(&bytes) {
                prop_assert!(reason.len() < 2000, "{}", reason);
            }
            let _ = parse_all(&bytes);
        }

        /// A readable answer is never lost, whatever the rest of the reply contains.
        #[test]
        fn no_mixture_of_unusual_members_hides_an_answer(
            values in proptest::collection::vec((0_usize..UNUSUAL_VALUES.len(), any::<bool>()), 0..6),
            before in 0_usize..BEFORE.len(),
            after in 0_usize..AFTER.len(),
            depth in 0_usize..400,
            stream in any::<bool>(),
        ) {
            let plain = expected().to_string();
            let mut members = plain[1..plain.len() - 1].to_owned();
            for (at, (value, is_first)) in values.into_iter().enumerate() {
                let deep = format!("{}{}{}", "[".repeat(depth), UNUSUAL_VALUES[value], "]".repeat(depth));
                let member = format!("\"x{at}\":{deep}");
                members = if is_first {
                    format!("{member},{members}")
                } else {
                    format!("{members},{member}")
                };
            }
            let reply = format!("{{{members}}}");
            let text = if stream {
                format!("{}data: {reply}\n\ndata: [DONE]\n\n", BEFORE[before])
            } else {
                format!("{}{reply}{}", BEFORE[before], AFTER[after])
            };
            let read = parse(text.as_bytes());
            prop_assert_eq!(&read.clone().unwrap_or_default()["choices"], &expected()["choices"], "{:?}", read);
        }

        /// A readable answer is never lost, whatever follows the reply.
        #[test]
        fn no_text_after_a_reply_hides_it(tail in "\\PC*") {
            let text = format!("{} {tail}", expected());
            prop_assert_eq!(parse(text.as_bytes()), Ok(expected()));
        }
    }
}
