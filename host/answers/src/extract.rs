//! Finds the JSON in an answer. The rules are in `docs/replies.md`.
//!
//! Models put fences and words around the JSON that they were asked for. The result is always a slice of the answer, so
//! nothing of it is written anew. If an answer has two different values that could be meant, none is chosen.

use super::Problem;
use super::fences;
use super::kinds::Kinds;
use super::scan::{after_broken, value_end};
use super::value;

/// The tags around the thoughts of a model that thinks within its answer.
const THOUGHTS: (&str, &str) = ("<think>", "</think>");

/// Returns the JSON in an answer; `kinds` are those that its schema asks for.
pub(crate) fn json_in(answer: &str, kinds: Kinds) -> Result<&str, Problem> {
    let answer = trimmed(answer);
    if is_json(answer) {
        return Ok(answer);
    }
    let answer = without_thoughts(answer);
    if is_json(answer) {
        return Ok(answer);
    }
    let blocks = fences::blocks(answer).into_iter().map(trimmed);
    let blocks: Vec<&str> = blocks.filter(|block| is_json(block)).collect();
    let values = if blocks.is_empty() {
        values_in(answer)
    } else {
        blocks
    };
    only_value(&values, kinds)
}

/// Returns the text without the white space and the byte order marks around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|one: char| one.is_whitespace() || one == '\u{feff}')
}

fn is_json(text: &str) -> bool {
    value_end(text, 0) == Ok(text.len())
}

fn without_thoughts(answer: &str) -> &str {
    let (begin, end) = THOUGHTS;
    let thoughts = answer.strip_prefix(begin);
    let rest = thoughts.and_then(|thoughts| thoughts.split_once(end));
    rest.map_or(answer, |(_, rest)| trimmed(rest))
}

/// Returns the objects and lists in a text that are not part of a larger one, broken or not.
fn values_in(text: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '[']) {
        let start = at + offset;
        at = match value_end(text, start) {
            Ok(end) => {
                values.push(&text[start..end]);
                end
            }
            Err(broken) => after_broken(text, broken),
        };
    }
    values
}

/// Returns the value that is meant: one of the kinds that the schema asks for, or else any, if all of them are equal.
fn only_value<'t>(values: &[&'t str], kinds: Kinds) -> Result<&'t str, Problem> {
    let mut meant: Vec<&str> = values
        .iter()
        .copied()
        .filter(|json| kinds.include(json))
        .collect();
    if meant.is_empty() {
        meant = values.to_vec();
    }
    let Some((&first, others)) = meant.split_first() else {
        return Err(Problem::new(String::new(), "JSON", "a text without JSON"));
    };
    let mut value_of_first = None;
    for other in others {
        if *other == first {
            continue;
        }
        let expected = value_of_first.get_or_insert_with(|| value::read(first));
        if !matches!((expected, value::read(other)), (Ok(left), Ok(right)) if *left == right) {
            let found = format!("{} JSON values that differ", meant.len());
            return Err(Problem::new(String::new(), "one JSON value", found));
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(answer: &str) -> Result<&str, String> {
        let kinds = Kinds::of_schema(&json!({"type": "object"}));
        json_in(answer, kinds).map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_json_of_an_answer_is_found_by_the_documented_rules() {
        for (answer, json) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("\u{feff} \r\n{\"a\": 1}\r\n", r#"{"a": 1}"#),
            ("\"a text\"", "\"a text\""),
            // Fences.
            ("```json\n{\"a\": 1}\n```", r#"{"a": 1}"#),
            (
                "Sure!\r\n\r\n```JSON\r\n{\"a\": 1}\r\n```\r\nDone.",
                r#"{"a": 1}"#,
            ),
            (
                "```json\n{\"a\": \"```\\n```\"}\n```",
                r#"{"a": "```\n```"}"#,
            ),
            ("````\n```json\n{\"a\": 1}\n```\n````", r#"{"a": 1}"#),
            ("```json\n{\"a\": 1}", r#"{"a": 1}"#),
            (
                "```python\nx = {}\n```\n```\n{\"a\": 1}\n```",
                r#"{"a": 1}"#,
            ),
            ("Not {\"a\": 0}, but:\n```\n{\"a\": 1}\n```", r#"{"a": 1}"#),
            ("```\n[0]\n```\n```\n{\"a\": 1}\n```", r#"{"a": 1}"#),
            ("```json {\"a\": 1}```", r#"{"a": 1}"#),
            ("```json\n// the result\n{\"a\": 1}\n```", r#"{"a": 1}"#),
            // Words around it.
            ("Here it is: {\"a\": 1}. I hope it helps!", r#"{"a": 1}"#),
            ("As [1] says, of {names}: {\"a\": [2]}", r#"{"a": [2]}"#),
            ("{\"a\": 1} and again {\"a\":1}", r#"{"a": 1}"#),
            ("{\"a\": 1}}", r#"{"a": 1}"#),
            ("The list [1, 2] only", "[1, 2]"),
            // Thoughts.
            ("<think>{\"a\": 0}?</think>\n{\"a\": 1}", r#"{"a": 1}"#),
            ("<think>{\"a\": 0}?</think>\nSo: {\"a\": 1}", r#"{"a": 1}"#),
        ] {
            assert_eq!(found(answer), Ok(json), "{answer}");
        }
    }

    #[test]
    fn an_answer_whose_json_is_not_certain_has_none() {
        let none = "expected JSON, found a text without JSON";
        for (answer, message) in [
            ("", none),
            ("I cannot do that.", none),
            ("{\"a\": 1", none),
            ("{\"a\": {\"b\": 1}, c}", none),
            ("{'a': {\"b\": 1}}", none),
            ("{\"a\": 1,}", none),
            ("```json\n{\"a\": 1,}\n```", none),
            ("{\"a\": 1}\n{\"a\": 2}", "found 2 JSON values that differ"),
            (
                "```\n{\"a\": 1}\n```\n```\n{\"a\": 2}\n```",
                "found 2 JSON values that differ",
            ),
            (
                "<think>{\"a\": 0} {\"a\": 1}",
                "found 2 JSON values that differ",
            ),
        ] {
            let error = found(answer).unwrap_err();
            assert!(error.ends_with(message), "{answer}: {error}");
        }
    }

    /// A quadratic search would take minutes.
    #[test]
    fn a_large_answer_takes_linear_time() {
        let many = 1 << 18;
        for part in [
            "{",
            "[",
            "[{\"a\":",
            "{x}",
            "\"{",
            "```\n{\n",
            "{}",
            "[\"\\",
            "~~~a\n[1]\n~~~\n",
        ] {
            let answer = part.repeat(many / part.len());
            let _ = found(&format!("answer: {answer}"));
            let _ = found(&format!("{answer}{{\"a\": 1}}"));
        }
    }

    /// Texts that are rich in what the rules look at.
    fn answers() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just("\"".to_owned()),
            Just("\\".to_owned()),
            Just(",".to_owned()),
            Just(":".to_owned()),
            Just("\n```\n".to_owned()),
            Just("\r\n~~~~\n".to_owned()),
            Just("```json\n".to_owned()),
            Just("\"a\": 1".to_owned()),
            Just("{\"a\": \"}\"}".to_owned()),
            Just("[1, 2]".to_owned()),
            Just("\u{feff}".to_owned()),
            Just("<think>".to_owned()),
            Just("</think>".to_owned()),
            Just("ä😀".to_owned()),
            Just("-1e9".to_owned()),
            any::<String>(),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_found_is_a_slice_that_parses_and_is_found_in_itself(answer in answers()) {
            for schema in [json!({}), json!({"type": "object"}), json!({"type": "array"}), json!({"type": "string"})] {
                let kinds = Kinds::of_schema(&schema);
                if let Ok(json) = json_in(&answer, kinds) {
                    let parsed = serde_json::from_str::<&serde_json::value::RawValue>(json);
                    prop_assert!(parsed.is_ok(), "{json}");
                    let outer = answer.as_bytes().as_ptr_range();
                    let inner = json.as_bytes().as_ptr_range();
                    prop_assert!(outer.start <= inner.start && inner.end <= outer.end);
                    prop_assert_eq!(json_in(json, kinds), Ok(json));
                }
            }
        }

        /// The grammar is the one of another reader.
        #[test]
        fn a_whole_answer_is_json_exactly_if_serde_json_says_so(answer in answers()) {
            let text = trimmed(&answer);
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            prop_assert_eq!(is_json(text), expected);
        }

        #[test]
        fn any_object_is_found_between_words_and_fences(members in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4)) {
            let json = serde_json::to_string_pretty(&members).unwrap();
            for answer in [json.clone(), format!("Here you are:\n{json}\nDone."), format!("x\n````json\n{json}\n````\n")] {
                prop_assert_eq!(found(&answer), Ok(json.as_str()));
            }
        }
    }
}
