//! Members of an answer that become metadata.

use super::*;

#[test]
fn named_members_are_added_to_the_metadata_of_the_input() {
    let answer = r#"{"summary": "Rain.", "tags": ["a", "b"], "mood": null}"#;
    let made = outputs(&json!({"fields": ["tags", "mood"]}), answer);
    assert_eq!(made.len(), 1);
    assert_eq!(
        parts(&made[0]),
        ("note", answer, json!({"tags": ["a", "b"], "mood": null}))
    );
    assert_eq!(made[0].metadata.len(), 5);
}

#[test]
fn true_takes_every_member_and_false_none() {
    let answer = r#"{"tags": ["a"], "mood": "dry"}"#;
    let of = |fields: Value| parts(&outputs(&json!({"fields": fields}), answer)[0]).2;
    assert_eq!(of(json!(true)), json!({"tags": ["a"], "mood": "dry"}));
    assert_eq!(of(json!(false)), json!({}));
}

/// An answer must not change what a note says of itself, unless the config names the member.
#[test]
fn metadata_of_the_input_is_replaced_only_by_a_named_member() {
    let answer = r#"{"date": "1999", "author": "ann"}"#;
    let all = ran(&json!({"fields": true}), answer);
    let metadata = |output: &Output, key: &str| {
        let entry = output.metadata.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.value.clone())
    };
    let output = &all.result.unwrap()[0];
    assert_eq!(metadata(output, "date").unwrap(), r#""2026-01-03""#);
    let said: Vec<_> = all.lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(
        said,
        ["the member `date` of the answer is ignored, because the input sets this metadata"]
    );
    let named = ran(&json!({"fields": ["date"]}), answer);
    let output = &named.result.unwrap()[0];
    assert_eq!(metadata(output, "date").unwrap(), r#""1999""#);
    assert_eq!(output.metadata.len(), 3);
    assert!(named.lines[0].1.contains("`date`"), "{:?}", named.lines);
}

#[test]
fn the_metadata_of_the_transform_is_never_replaced() {
    let all = outputs(&json!({"fields": true}), r#"{"count": 1}"#);
    assert!(all[0].metadata.iter().any(|entry| entry.value == "7"));
    let ran = ran(&json!({"fields": ["count"]}), r#"{"count": 1}"#);
    assert!(
        matches!(&ran.result, Err(Error::InvalidConfig(text)) if text.contains("`count`")),
        "{:?}",
        ran.result
    );
    assert!(ran.requests.is_empty());
}

#[test]
fn what_cannot_be_metadata_is_refused_with_the_member() {
    let all = json!({"fields": true});
    assert_eq!(
        refused(&all, r#"{"id": [9007199254740993]}"#),
        "the member `id` of the answer has the number 9007199254740993, which a double cannot represent; request it as a string"
    );
    assert_eq!(
        refused(&all, r#"{"": 1}"#),
        "a member of the answer cannot be metadata: its name `` is empty"
    );
    let control = refused(&all, r#"{"a\u001bb": 1}"#);
    assert!(
        control.contains("`a\\u{1b}b` has a control character"),
        "{control}"
    );
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(4000), "]".repeat(4000));
    assert!(refused(&all, &deep).starts_with("the answer is not JSON: recursion limit"));
}

#[test]
fn settings_without_an_answer_in_json_are_refused_before_a_question() {
    for (settings, words) in [
        (
            json!({"fields": true}),
            "`fields` needs a `response_format`",
        ),
        (
            json!({"fields": ["a"]}),
            "`fields` needs a `response_format`",
        ),
        (
            json!({"explode": "items"}),
            "`explode` needs a `response_format`",
        ),
        (json!({"item_label": "x"}), "`item_label` needs `explode`"),
    ] {
        let mut with_prompt = settings.clone();
        with_prompt["prompt"] = json!("q");
        let config: crate::prompt::Config = serde_json::from_value(with_prompt).unwrap();
        let refused = config.check(&[]).unwrap_err();
        assert!(
            matches!(&refused, Error::InvalidConfig(text) if text.starts_with(words)),
            "{settings}: {refused:?}"
        );
    }
}
