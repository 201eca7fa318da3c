//! The block of metadata at the start of a Markdown file.
//!
//! It is YAML 1.2 between two lines `---`, the first of them the file's
//! first. Dates stay texts, as do `yes` and `no`.

use serde_json::{Map, Value};
use serde_saphyr::{NonFiniteFloatPolicy, Options, UserMessageFormatter};

use super::FrontMatterProblem;
use synix_core::artifact::Metadata;
use synix_core::json::MAX_SAFE_INTEGER;

/// The longest name of a metadata value, in characters.
const MAX_NAME: usize = 128;
/// The longest line that an error writes out anew, in characters.
const MAX_ADVICE: usize = 200;

/// The largest block, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Divides a text into its metadata and what comes after the block, byte for byte.
///
/// A text that begins with a rule has no block. Fails with the line in the file and what is wrong there.
pub(super) fn split(text: &str) -> Result<(Metadata, &str), (usize, FrontMatterProblem)> {
    let without = Ok((Metadata::new(), text));
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else {
        return without;
    };
    let rest = &text[first.len()..];
    let mut end = 0;
    for line in lines {
        if is_fence(line) {
            let block = &rest[..end];
            return match metadata(block) {
                Ok(metadata) => Ok((metadata, &rest[end + line.len()..])),
                Err(problem) if is_meant(block) => Err(problem),
                Err(_) => without,
            };
        }
        end += line.len();
    }
    if is_meant(rest) {
        return Err((1, FrontMatterProblem::NoEnd));
    }
    without
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

/// Says whether what stands below a first line `---` is meant as metadata: it follows at once, and begins with a name.
fn is_meant(below: &str) -> bool {
    let mut lines = below.lines();
    let first = lines.find(|line| !line.trim_start().starts_with('#'));
    first.is_some_and(|line| key_of(line).is_some() || line.starts_with(['?', '{']))
}

/// Returns the name in a line `name: value`, or in one that lacks the space.
fn key_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let (key, rest) = line.split_once(':')?;
    let is_word = || {
        key.chars()
            .all(|one| one.is_alphanumeric() || matches!(one, '_' | '-'))
    };
    let follows = rest.is_empty() || rest.starts_with(char::is_whitespace);
    let is_key = !key.is_empty() && (follows || (is_word() && !rest.starts_with("//")));
    is_key.then_some(key)
}

/// Reads a block that starts on line 2 of its file.
fn metadata(block: &str) -> Result<Metadata, (usize, FrontMatterProblem)> {
    if block.trim().is_empty() {
        return Ok(Metadata::new());
    }
    if block.len() > MAX_BYTES {
        return Err((1, FrontMatterProblem::TooLarge));
    }
    let problem = |error: &serde_saphyr::Error| {
        let line = error
            .location()
            .and_then(|place| usize::try_from(place.line()).ok())
            .unwrap_or(1);
        let mut words = words(error);
        let written = block.lines().nth(line.saturating_sub(1));
        words.push_str(&written.and_then(advice).unwrap_or_default());
        (line + 1, FrontMatterProblem::Yaml(words))
    };
    let value: Value =
        serde_saphyr::from_str_with_options(block, options()).map_err(|error| problem(&error))?;
    match value {
        Value::Object(members) => checked(members, block),
        Value::Null => Ok(Metadata::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err((2, FrontMatterProblem::NotAMapping))
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        // Small against what a page of metadata needs, large against nothing:
        // a file may be hostile.
        budget: serde_saphyr::budget! { max_events: 100_000, max_nodes: 50_000, max_depth: 32 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        strict_booleans: true,
        no_schema: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

/// Returns the parser's words without the place, which is counted in the block.
fn words(error: &serde_saphyr::Error) -> String {
    let words = error.render_with_formatter(&UserMessageFormatter);
    match error.location() {
        Some(place) => {
            let suffix = format!(" at line {}, column {}", place.line(), place.column());
            words.strip_suffix(&suffix).unwrap_or(&words).to_owned()
        }
        None => words,
    }
}

/// Says what to write in place of a line whose value needs quotes.
fn advice(line: &str) -> Option<String> {
    let (key, value) = line.trim().split_once(':')?;
    let value = value.trim();
    let needs_quotes = value.contains(": ")
        || value.ends_with(':')
        || value.starts_with([
            '@', '`', '%', '*', '&', '!', '|', '>', '[', '{', ',', '?', '"', '\'',
        ]);
    if key.is_empty() || !needs_quotes || line.chars().nth(MAX_ADVICE).is_some() {
        return None;
    }
    let plain = value.trim_matches(['"', '\'']).replace('\'', "''");
    Some(format!("; put the value in quotes: {key}: '{plain}'"))
}

fn checked(
    members: Map<String, Value>,
    block: &str,
) -> Result<Metadata, (usize, FrontMatterProblem)> {
    for (name, value) in &members {
        let line = || line_of(block, name);
        if name.is_empty()
            || name.chars().any(char::is_control)
            || name.chars().nth(MAX_NAME).is_some()
        {
            return Err((
                line(),
                FrontMatterProblem::Name(name.chars().take(MAX_NAME).collect()),
            ));
        }
        if let Some(number) = rounded(value) {
            let problem = FrontMatterProblem::Number {
                name: name.clone(),
                number: number.clone(),
            };
            return Err((line(), problem));
        }
    }
    Ok(members.into_iter().collect())
}

/// Returns a whole number that a double may have rounded.
fn rounded(value: &Value) -> Option<&serde_json::Number> {
    match value {
        #[allow(clippy::cast_precision_loss, reason = "2^53 - 1 is a double")]
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or(f64::INFINITY);
            (double.fract() == 0.0 && double.abs() > MAX_SAFE_INTEGER as f64).then_some(number)
        }
        Value::Array(items) => items.iter().find_map(rounded),
        Value::Object(members) => members.values().find_map(rounded),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Returns the file's line on which a name of the block's outermost mapping probably stands.
fn line_of(block: &str, name: &str) -> usize {
    let forms = [name.to_owned(), format!("{name:?}"), format!("'{name}'")];
    let names_it = |line: &str| {
        let mut rests = forms
            .iter()
            .filter_map(|form| line.strip_prefix(form.as_str()));
        rests.any(|rest| rest.trim_start().starts_with(':'))
    };
    block.lines().position(names_it).map_or(2, |line| line + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn metadata_of(text: &str) -> Value {
        let (metadata, _) = split(text).unwrap();
        serde_json::to_value(metadata).unwrap()
    }

    #[test]
    fn the_content_is_what_comes_after_the_block_byte_for_byte() {
        for (text, content) in [
            ("---\na: 1\n---\n\n x\r\n", "\n x\r\n"),
            ("---\r\na: 1\r\n---\r\nx\r\n", "x\r\n"),
            ("---\na: 1\n---", ""),
            ("--- \na: 1\n---\t\n---\n", "---\n"),
        ] {
            let (metadata, rest) = split(text).unwrap();
            assert_eq!(rest, content, "{text:?}");
            assert_eq!(metadata["a"], json!(1), "{text:?}");
        }
    }

    #[test]
    fn a_text_without_a_block_is_left_as_it_is() {
        for text in ["", "x\n---\na: 1\n---\n", "----\n", " ---\na: 1\n---\n"] {
            assert_eq!(split(text).unwrap(), (Metadata::new(), text));
        }
        assert_eq!(split("---\n---\nx").unwrap(), (Metadata::new(), "x"));
        assert_eq!(
            split("---\n# nothing\n---\nx").unwrap(),
            (Metadata::new(), "x")
        );
    }

    #[test]
    fn dates_and_old_booleans_stay_texts() {
        assert_eq!(
            metadata_of(
                "---\na: 2026-01-02\nb: yes\nc: 12:30\nd: [true, 1.5, null, x]\ne: {f: -3}\n---\n"
            ),
            json!({"a": "2026-01-02", "b": "yes", "c": "12:30", "d": [true, 1.5, null, "x"], "e": {"f": -3}})
        );
    }

    #[test]
    fn what_cannot_be_metadata_is_an_error_at_its_line() {
        for (text, line) in [
            ("---\na: 1\n", 1),
            ("---\ntitle:x\n---\n", 2),
            ("---\n# c\ntitle: Re: x\n---\n", 3),
            ("---\na: 1\n2: x\n---\n", 3),
            ("---\na: 1\n? [b]\n: x\n---\n", 3),
            ("---\na: 1\nb: 2\na: 3\n---\n", 4),
            ("---\na: 1\nb: 9007199254740993\n---\n", 3),
            ("---\na: 1\nb: [99999999999999999999]\n---\n", 3),
            ("---\na: .inf\n---\n", 2),
            ("---\na: 1e400\n---\n", 2),
            ("---\na: 1\n\"\": 1\n---\n", 3),
            ("---\na: 1\nb: *none\n---\n", 3),
        ] {
            let error = split(text).unwrap_err();
            assert_eq!(error.0, line, "{text:?}: {}", error.1);
        }
    }

    /// U14: a rule is Markdown, and no metadata that went wrong.
    #[test]
    fn a_text_that_begins_with_a_rule_is_left_as_it_is() {
        for text in [
            "---\n",
            "---",
            "---\n\nOne.\n",
            "---\nOne.\n",
            "---\n\nNote: one.\ntwo\n\n---\n\nTwo.\n",
            "---\nOne.\n\n---\nTwo.\n",
            "---\n- a\n- b\n---\n",
            "---\n\n- a: b: c\n\n---\n",
            "---\nhttps://example.org\n---\n",
            "---\n# Title\nText\n---\n",
            "---\n\n\n# Title\n\n> [!note] x\n",
            "---\r\n\r\nOne.\r\n---\r\n",
        ] {
            assert_eq!(split(text), Ok((Metadata::new(), text)), "{text:?}");
        }
    }

    #[test]
    fn a_value_that_needs_quotes_is_written_out_with_them() {
        for (line, told) in [
            ("title: Re: x", "; put the value in quotes: title: 'Re: x'"),
            (
                "title: it's: x",
                "; put the value in quotes: title: 'it''s: x'",
            ),
            ("author: @ann", "; put the value in quotes: author: '@ann'"),
            ("tag: *one", "; put the value in quotes: tag: '*one'"),
            ("tags: [a, b", "; put the value in quotes: tags: '[a, b'"),
        ] {
            let (at, problem) = split(&format!("---\na: 1\n{line}\n---\nx"))
                .map(|_| ())
                .unwrap_err();
            assert_eq!(at, 3, "{line}: {problem}");
            assert!(problem.to_string().ends_with(told), "{problem}");
        }
    }

    #[test]
    fn a_block_has_a_limit() {
        let long = format!("---\na: {}\n---\n", "x".repeat(MAX_BYTES));
        let refused = split(&long).map(|_| ());
        assert_eq!(refused, Err((1, FrontMatterProblem::TooLarge)));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        text.push_str("---\n");
        assert!(matches!(
            split(&text),
            Err((_, FrontMatterProblem::Yaml(_)))
        ));
    }

    proptest! {
        #[test]
        fn no_block_makes_it_panic(block in "[-a-c:&*\\[\\]{}\"'?!|> \\n0-9.]{0,80}") {
            let _ = split(&format!("---\n{block}\n---\nx"));
        }
    }
}
