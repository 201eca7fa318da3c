//! Conversations in pieces.

use serde_json::{Value, json};

use crate::support::{content, meta, read_with, said};

/// A conversation of Claude with a turn at each of these hours.
fn at_hours(hours: &[i64]) -> String {
    let start = 1_767_312_000; // 2026-01-02T00:00:00Z
    let message = |hour: &i64| {
        let seconds = start + hour * 3600;
        json!({"uuid": hour.to_string(), "sender": "human", "text": format!("hour {hour}"), "created_at": seconds})
    };
    let messages: Vec<Value> = hours.iter().map(message).collect();
    json!([{"uuid": "u", "name": "T", "created_at": start, "updated_at": start + 1_000_000, "chat_messages": messages}]).to_string()
}

fn pieces(text: &str, config: &str) -> Vec<(String, Vec<String>)> {
    let run = read_with("a.json", text, config);
    assert_eq!(run.result, Ok(()));
    run.outputs
        .iter()
        .map(|output| (output.label.clone(), said(output)))
        .collect()
}

#[test]
fn a_day_is_a_piece() {
    let text = at_hours(&[1, 23, 24, 25]);
    assert_eq!(
        pieces(&text, r#"{"split": "day"}"#),
        [
            (
                "claude-u-2026-01-02".to_owned(),
                vec!["hour 1".to_owned(), "hour 23".to_owned()]
            ),
            (
                "claude-u-2026-01-03".to_owned(),
                vec!["hour 24".to_owned(), "hour 25".to_owned()]
            ),
        ]
    );
}

#[test]
fn a_pause_ends_a_piece() {
    let text = at_hours(&[1, 2, 5, 6]);
    let labels: Vec<_> = pieces(&text, r#"{"split": "gap", "gap_hours": 3}"#)
        .into_iter()
        .map(|(label, said)| (label, said.len()))
        .collect();
    assert_eq!(
        labels,
        [
            ("claude-u-001".to_owned(), 2),
            ("claude-u-002".to_owned(), 2)
        ]
    );
}

#[test]
fn a_piece_does_not_change_when_the_conversation_grows() {
    let read = |hours: &[i64]| read_with("a.json", at_hours(hours), r#"{"split": "day"}"#).outputs;
    let before = read(&[1, 2, 30]);
    let after = read(&[1, 2, 30, 31, 60]);
    assert_eq!(before[0], after[0]);
    assert_eq!(meta(&after[0], "updated"), "2026-01-02T02:00:00Z");
    assert_eq!(meta(&after[1], "date"), "2026-01-03");
    assert_eq!(meta(&after[1], "messages"), 2);
}

#[test]
fn turns_fill_a_piece_and_none_that_fits_is_cut() {
    let long = "A sentence of some words. ".repeat(40);
    let text = json!([{"uuid": "u", "chat_messages": [
        {"uuid": "1", "sender": "human", "text": "x".repeat(150)},
        {"uuid": "2", "sender": "assistant", "text": "y".repeat(150)},
        {"uuid": "3", "sender": "human", "text": long},
    ]}])
    .to_string();
    let run = read_with("a.json", &text, r#"{"split": "turns", "max_tokens": 64}"#);
    assert!(
        run.outputs
            .iter()
            .all(|output| content(output).len() <= 256)
    );
    assert_eq!(said(&run.outputs[0]), ["x".repeat(150)]);
    assert_eq!(said(&run.outputs[1]), ["y".repeat(150)]);
    let rest: Vec<_> = run.outputs[2..].iter().flat_map(said).collect();
    assert_eq!(rest.join(" "), long.trim());
    assert!(run.labels().is_sorted());
}

#[test]
fn settings_out_of_range_are_refused() {
    for config in [
        r#"{"gap_hours": 0}"#,
        r#"{"max_tokens": 5}"#,
        r#"{"split": "week"}"#,
        r#"{"lorem": 1}"#,
    ] {
        let run = read_with("a.json", "[]", config);
        assert!(
            matches!(run.result, Err(synix_plugin::Error::InvalidConfig(_))),
            "{config}"
        );
    }
}
