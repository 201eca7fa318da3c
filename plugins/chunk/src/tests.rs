//! `chunk` as a host sees it.

use proptest::prelude::*;
use synix_plugin::MetadataEntry;
use synix_plugin::testing::{described, execute, input, settings};

use super::*;

fn chunk(text: &str, config: &Value) -> Vec<Output> {
    execute::<Chunk>(&[input("note", text)], &config.to_string()).unwrap()
}

fn refused(config: &Value) -> String {
    match execute::<Chunk>(&[input("note", "text")], &config.to_string()) {
        Err(Error::InvalidConfig(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn content(output: &Output) -> &str {
    match &output.content {
        synix_plugin::Content::Text(text) => text,
        synix_plugin::Content::Bytes(_) => panic!("bytes"),
    }
}

fn meta(output: &Output, key: &str) -> Value {
    let found = output.metadata.iter().filter(|entry| entry.key == key);
    let [entry] = found.collect::<Vec<_>>()[..] else {
        panic!("{key} in {output:?}")
    };
    serde_json::from_str(&entry.value).unwrap()
}

fn number(output: &Output, key: &str) -> usize {
    usize::try_from(meta(output, key).as_u64().unwrap()).unwrap()
}

#[test]
fn every_setting_that_is_read_is_described() {
    assert_eq!(described::<Chunk>(), settings::<Config>());
}

#[test]
fn pieces_are_numbered_and_have_their_offsets() {
    let made = chunk(
        "Grüße an alle. Bis bald.",
        &json!({"size": 15, "overlap": 4, "kind": "piece"}),
    );
    let seen: Vec<_> = made
        .iter()
        .map(|piece| {
            let place = ["index", "count", "start", "end", "overlap"].map(|key| number(piece, key));
            (
                piece.label.as_str(),
                piece.kind.as_str(),
                content(piece),
                place,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("note-001", "piece", "Grüße an alle. ", [1, 2, 0, 15, 0]),
            ("note-002", "piece", "le. Bis bald.", [2, 2, 11, 24, 4]),
        ]
    );
    assert_eq!(meta(&made[0], "source"), "note");
}

#[test]
fn labels_sort_like_the_pieces() {
    for count in [9, 10, 999, 1000, 12_345] {
        let made = chunk(&"x".repeat(count), &json!({"size": 1}));
        assert_eq!(made.len(), count);
        assert!(made.is_sorted_by_key(|piece| piece.label.clone()));
    }
    assert_eq!(chunk("x", &json!({}))[0].label, "note-001");
}

#[test]
fn an_empty_text_has_no_piece() {
    assert_eq!(chunk("", &json!({})), []);
    assert_eq!(chunk("", &json!({"by": "headings"})), []);
}

#[test]
fn sections_are_cut_at_headings_and_where_they_are_too_long() {
    let text = "# Trip\n\n## Friday\nWe left early. The train was late.\n## Saturday\nRain.\n";
    let made = chunk(text, &json!({"by": "headings", "size": 38, "overlap": 10}));
    let seen: Vec<_> = made
        .iter()
        .map(|piece| (content(piece), meta(piece, "headings")))
        .collect();
    assert_eq!(
        seen,
        [
            (
                "# Trip\n\n## Friday\nWe left early. ",
                json!(["Trip", "Friday"])
            ),
            ("early. The train was late.\n", json!(["Trip", "Friday"])),
            ("## Saturday\nRain.\n", json!(["Trip", "Saturday"])),
        ]
    );
}

#[test]
fn a_piece_has_the_metadata_of_its_input_under_its_own() {
    let mut note = input("note", "text");
    for (key, value) in [("topic", r#""x""#), ("source", r#""a book""#)] {
        note.header.metadata.push(MetadataEntry {
            key: key.to_owned(),
            value: value.to_owned(),
        });
    }
    let made = execute::<Chunk>(&[note], "{}").unwrap();
    assert_eq!(meta(&made[0], "topic"), "x");
    assert_eq!(meta(&made[0], "source"), "note");
}

#[test]
fn a_token_is_four_bytes() {
    let seen: Vec<usize> = chunk("漢字漢字漢字", &json!({"size": 3, "unit": "tokens"}))
        .iter()
        .map(|piece| content(piece).len())
        .collect();
    assert_eq!(seen, [12, 6]);
    let overlapping = chunk(
        "漢字漢字漢字",
        &json!({"size": 3, "overlap": 1, "unit": "tokens"}),
    );
    let seen: Vec<(&str, usize)> = overlapping
        .iter()
        .map(|piece| (content(piece), number(piece, "overlap")))
        .collect();
    assert_eq!(seen, [("漢字漢字", 0), ("字漢字", 1)]);
}

#[test]
fn a_piece_has_two_thousand_characters_by_default() {
    let lengths = |text: &str| -> Vec<usize> {
        let made = chunk(text, &json!({}));
        made.iter()
            .map(|one| content(one).chars().count())
            .collect()
    };
    assert_eq!(lengths(&"ä".repeat(2000)), [2000]);
    assert_eq!(lengths(&"ä".repeat(2001)), [2000, 1]);
}

/// Each text has one place to cut after, in the second half of a piece, before worse ones.
#[test]
fn a_text_is_cut_after_paragraphs_lines_sentences_and_words_in_this_order() {
    for (best, worse) in [
        ("\n\n", "\n"),
        ("\r\n\r\n", "\r\n"),
        ("\n", ". "),
        (". ", " "),
        ("? ", " "),
        ("! ", " "),
        ("。", " "),
    ] {
        let text = format!("aaaaaaaa{best}b{worse}cccccccccccc");
        let made = chunk(&text, &json!({"size": 16}));
        assert_eq!(content(&made[0]), format!("aaaaaaaa{best}"), "{best:?}");
    }
}

#[test]
fn only_pieces_by_headings_name_their_headings() {
    let has = |by: &str| {
        let made = chunk("# A\ntext\n", &json!({ "by": by }));
        made[0].metadata.iter().any(|one| one.key == "headings")
    };
    assert!(has("headings") && !has("size"));
}

#[test]
fn the_error_of_an_invalid_config_names_the_key_and_the_correction() {
    let text = refused(&json!({"size": 100, "overlap": 100}));
    assert_eq!(
        text,
        "`overlap` is 100 and `size` is 100: write an `overlap` of at most 99"
    );
    assert!(refused(&json!({"size": 0})).contains("`size` is 0: write 1"));
    assert!(refused(&json!({"separator": ["\n", ""]})).contains("`separator` has an empty text"));
    assert!(refused(&json!({"sise": 1})).contains("sise"));
}

#[test]
fn a_text_and_a_list_of_one_text_are_the_same_separator() {
    let one = chunk("a|b|c|d", &json!({"size": 4, "separator": "|"}));
    assert_eq!(
        one,
        chunk("a|b|c|d", &json!({"size": 4, "separator": ["|"]}))
    );
    assert_eq!(content(&one[0]), "a|b|");
}

fn markdown() -> impl Strategy<Value = String> {
    let lines = prop_oneof![
        "#{1,7} ?[A-C]{0,3} ?#{0,2}",
        "[a-zé漢 .]{0,40}",
        Just("```".to_owned()),
        Just("~~~~".to_owned()),
        Just(String::new()),
    ];
    let ends = prop::sample::select(vec!["\n", "\r\n", "\n\n", ""]);
    prop::collection::vec((lines, ends), 0..24)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_new_texts_of_pieces_are_the_source_and_their_offsets_are_correct(
        text in markdown(), size in 1..80_u32, overlap in 0..80_u32, by in prop::sample::select(vec!["size", "headings"]),
    ) {
        let made = chunk(&text, &json!({"by": by, "size": size, "overlap": overlap % size}));
        let characters: Vec<char> = text.chars().collect();
        let mut joined = String::new();
        let mut reached = 0;
        for piece in &made {
            let (start, end, overlap) = (number(piece, "start"), number(piece, "end"), number(piece, "overlap"));
            prop_assert_eq!(content(piece), characters[start..end].iter().collect::<String>());
            prop_assert_eq!(start + overlap, reached);
            prop_assert!(end - start <= size as usize);
            joined.extend(content(piece).chars().skip(overlap));
            reached = end;
        }
        prop_assert_eq!(joined, text);
        prop_assert!(made.iter().all(|piece| number(piece, "count") == made.len()));
    }
}

#[test]
fn a_conversation_is_cut_between_turns_and_only_a_turn_that_does_not_fit_is_cut() {
    let short = "## User · 2026-01-03T10:00:00Z\n\nWhat is for dinner?\n\n";
    let long = format!("## Assistant\n\n{}\n\n", "Soup and bread. ".repeat(30));
    let text = format!("{short}{short}{long}{short}");
    let made = chunk(&text, &json!({"by": "turns", "max_tokens": 60}));
    let joined: String = made.iter().map(content).collect();
    assert_eq!(joined, text);
    assert_eq!(content(&made[0]), format!("{short}{short}"));
    assert_eq!(content(made.last().unwrap()), short);
    let turns: Vec<usize> = made.iter().map(|piece| number(piece, "turns")).collect();
    assert_eq!(turns[0], 2);
    assert!(
        turns.len() > 3 && turns[1..].iter().all(|count| *count == 1),
        "{turns:?}"
    );
}

#[test]
fn a_piece_by_tokens_has_at_most_as_many_by_estimate() {
    let text = "Zwölf Boxkämpfer jagen Viktor. 委员会星期二开会。 ".repeat(50);
    let made = chunk(
        &text,
        &json!({"by": "tokens", "max_tokens": 40, "overlap": 8}),
    );
    assert!(made.len() > 20);
    for piece in &made {
        assert!(synix_parts::tokens::estimate(content(piece)) <= 40);
    }
    assert!(made[1..].iter().all(|piece| number(piece, "overlap") > 0));
}

#[test]
fn what_max_tokens_needs_is_named() {
    for (config, says) in [
        (json!({"by": "tokens"}), "needs `max_tokens`"),
        (json!({"max_tokens": 100}), "write `by = \"tokens\"`"),
        (json!({"by": "turns", "max_tokens": 3}), "write at least 16"),
        (
            json!({"by": "tokens", "max_tokens": 20, "overlap": 13}),
            "an `overlap` of at most 12",
        ),
    ] {
        assert!(
            refused(&config).contains(says),
            "{config}: {}",
            refused(&config)
        );
    }
}
