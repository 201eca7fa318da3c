use proptest::prelude::*;
use serde_json::json;

use super::*;

fn metadata_of(text: &str) -> Value {
    let (metadata, _) = split(text).unwrap();
    serde_json::to_value(metadata).unwrap()
}

#[test]
fn the_content_is_the_unchanged_text_after_the_front_matter() {
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
fn a_text_without_front_matter_is_unchanged() {
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
fn dates_and_yaml_1_1_booleans_are_texts() {
    assert_eq!(
        metadata_of(
            "---\na: 2026-01-02\nb: yes\nc: 12:30\nd: [true, 1.5, null, x]\ne: {f: -3}\n---\n"
        ),
        json!({"a": "2026-01-02", "b": "yes", "c": "12:30", "d": [true, 1.5, null, "x"], "e": {"f": -3}})
    );
}

#[test]
fn invalid_metadata_is_an_error_with_its_line() {
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

/// U14: a thematic break is Markdown and not invalid metadata.
#[test]
fn a_text_that_starts_with_a_thematic_break_is_unchanged() {
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
fn the_error_for_a_value_that_needs_quotes_has_a_corrected_line() {
    for (line, advice) in [
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
        assert!(problem.to_string().ends_with(advice), "{problem}");
    }
}

#[test]
fn the_size_of_front_matter_is_limited() {
    let long = format!("---\na: {}\n---\n", "x".repeat(MAX_BYTES));
    let result = split(&long).map(|_| ());
    assert_eq!(result, Err((1, FrontMatterProblem::TooLarge)));
}

#[test]
fn an_alias_bomb_is_rejected() {
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
    fn no_front_matter_makes_the_parser_panic(block in "[-a-c:&*\\[\\]{}\"'?!|> \\n0-9.]{0,80}") {
        let _ = split(&format!("---\n{block}\n---\nx"));
    }
}
