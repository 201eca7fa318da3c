//! Gemini and plain text.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, read_with, said, turns};

fn activity(title: &str, time: &str, answer: Option<&str>) -> Value {
    let mut value =
        json!({"header": "Gemini Apps", "title": title, "time": time, "products": ["Gemini Apps"]});
    if let Some(answer) = answer {
        value["safeHtmlItem"] = json!([{"html": answer}]);
    }
    value
}

#[test]
fn the_activity_of_gemini_is_grouped_by_day_in_the_order_of_time() {
    let run = read("MyActivity.json", json!([
        activity("Prompted Third", "2026-01-03T00:00:00.000Z", Some("<p>C</p>")),
        activity("Prompted Second", "2026-01-02T10:00:00Z", Some("<p>B &amp; <b>b</b></p>")),
        activity("Prompted First", "2026-01-02T10:00:00Z", None),
        activity("Used an Assistant feature", "2026-01-02T09:00:00Z", None),
        {"header": "Maps", "title": "Searched for x", "time": "2026-01-02T09:00:00Z", "products": ["Maps"]},
    ]).to_string());
    assert_eq!(run.labels(), ["gemini-2026-01-02", "gemini-2026-01-03"]);
    let first = &run.outputs[0];
    assert_eq!(
        turns(first),
        [
            ("User".into(), "First".into()),
            ("User".into(), "Second".into()),
            ("Assistant".into(), "B & **b**".into())
        ]
    );
    assert_eq!(meta(first, "date"), "2026-01-02");
    // What was no prompt, and what other products recorded.
    assert_eq!(run.count(&Reason::Unsupported), 2);
}

#[test]
fn the_words_before_a_prompt_are_found_in_any_language() {
    let records: Vec<_> = ["eins", "zwei drei", "vier"]
        .iter()
        .map(|prompt| {
            activity(
                &format!("Du hast gefragt: {prompt}"),
                "2026-01-02T10:00:00Z",
                Some("x"),
            )
        })
        .collect();
    let run = read("MeineAktivitäten.json", json!(records).to_string());
    assert_eq!(
        said(run.only()),
        ["vier", "x", "zwei drei", "x", "eins", "x"]
    );
}

#[test]
fn other_products_alone_are_not_a_conversation() {
    let run = read(
        "MyActivity.json",
        json!([{"header": "Maps", "title": "x", "time": "2026-01-02T09:00:00Z"}]).to_string(),
    );
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Unsupported), 1);
}

#[test]
fn a_plain_text_is_a_conversation() {
    let run = read(
        "notes/trip.md",
        "# Trip to Rome\n\nUser: Where?\nAnd when?\n\nAssistant: Rome.\n\n```\nUser: not me\n```\n",
    );
    let output = run.only();
    assert_eq!(output.label, "text-notes/trip");
    assert_eq!(meta(output, "title"), "Trip to Rome");
    assert_eq!(
        turns(output),
        [
            ("User".into(), "Where?\nAnd when?".into()),
            ("Assistant".into(), "Rome.\n\n```\nUser: not me\n```".into())
        ]
    );
}

#[test]
fn what_the_reader_wrote_it_can_read() {
    let text =
        "## User · 2026-01-02T03:04:05Z\n\nHi\n\n## Assistant · 2026-01-02T03:04:06Z\n\nHello\n";
    assert_eq!(content(read("a.md", text).only()), text);
}

#[test]
fn a_text_with_one_side_is_read_where_the_config_says_so() {
    let text = "Human: only me";
    assert!(read("a.txt", text).error().contains("`User:`"));
    assert_eq!(
        said(read_with("a.txt", text, r#"{"format": "text"}"#).only()),
        ["only me"]
    );
}

#[test]
fn an_unknown_structure_is_named_with_what_is_accepted() {
    for (text, found) in [
        (r#"[{"lorem": 1}]"#, "`lorem`"),
        (r#"{"ipsum": 1}"#, "`ipsum`"),
        ("[1, 2]", "a number"),
        ("<html></html>", "HTML"),
        ("Just a text", "a text"),
    ] {
        let error = read("a.json", text).error();
        assert!(
            error.contains(found) && error.contains("ChatGPT") && error.contains("a.json"),
            "{error}"
        );
    }
}

#[test]
fn another_format_than_the_config_says_is_an_error_that_names_both() {
    let text =
        json!([{"uuid": "u", "name": "n", "chat_messages": [{"sender": "human", "text": "x"}]}])
            .to_string();
    let error = read_with("a.json", &text, r#"{"format": "chatgpt"}"#).error();
    assert!(
        error.contains("Claude") && error.contains("ChatGPT"),
        "{error}"
    );
    assert_eq!(
        read_with("a.json", &text, r#"{"format": "claude"}"#).labels(),
        ["claude-u"]
    );
}
