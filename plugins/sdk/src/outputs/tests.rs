//! What becomes of answers in JSON.

use minijinja::value::Value as Variables;
use serde_json::json;

use super::*;
use crate::testing::{Ran, says, with_model};

fn config(settings: &Value) -> crate::prompt::Config {
    let mut config = json!({"prompt": "q", "response_format": {"type": "object"}});
    let Value::Object(members) = &mut config else {
        return unreachable_config();
    };
    members.extend(settings.as_object().cloned().unwrap_or_default());
    serde_json::from_value(config).unwrap()
}

fn unreachable_config() -> crate::prompt::Config {
    serde_json::from_str("{}").unwrap()
}

fn ran(settings: &Value, answer: &str) -> Ran<Result<Vec<Output>, Error>> {
    let answer = answer.to_owned();
    let made = Output::text("note", "text", "")
        .with_metadata("date", &json!("2026-01-03"))
        .with_metadata("author", &json!("ann"));
    with_model(
        move |_| says(answer.clone()),
        || {
            let own = [("count", json!(7))];
            let variables = Variables::from_pairs([("label", "note")]);
            config(settings).answer(made, &own, &variables)
        },
    )
}

fn outputs(settings: &Value, answer: &str) -> Vec<Output> {
    ran(settings, answer).result.unwrap()
}

/// Returns label, content and the metadata beside that of the input and of the transform.
fn parts(output: &Output) -> (&str, &str, Value) {
    let Content::Text(text) = &output.content else {
        return ("", "", Value::Null);
    };
    let added = output.metadata.iter();
    let added = added.filter(|entry| !["date", "author", "count"].contains(&entry.key.as_str()));
    let added: Map<String, Value> = added
        .map(|entry| {
            (
                entry.key.clone(),
                serde_json::from_str(&entry.value).unwrap(),
            )
        })
        .collect();
    (&output.label, text, Value::Object(added))
}

fn labels(settings: &Value, answer: &str) -> Vec<String> {
    let outputs = outputs(settings, answer);
    outputs.into_iter().map(|output| output.label).collect()
}

fn refused(settings: &Value, answer: &str) -> String {
    match ran(settings, answer).result {
        Err(Error::InvalidAnswer(text)) => text,
        other => format!("{other:?}"),
    }
}

#[test]
fn named_members_become_metadata_beside_what_the_input_gives() {
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
fn of_two_with_one_name_the_inputs_stays_unless_the_member_is_named() {
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
        ["the member `date` of the answer is not taken: the input sets this metadata"]
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
fn each_element_is_an_output_with_a_number() {
    let answer = r#"{"items": ["Call Ann", {"b": 1.50, "a": "x y"}, 7, true, ["z"]]}"#;
    let made = outputs(&json!({"explode": "items"}), answer);
    let made: Vec<_> = made.iter().map(parts).collect();
    let expected = [
        ("note-001", "Call Ann"),
        ("note-002", r#"{"b":1.50,"a":"x y"}"#),
        ("note-003", "7"),
        ("note-004", "true"),
        ("note-005", r#"["z"]"#),
    ];
    for (made, (label, content)) in made.iter().zip(expected) {
        assert_eq!(made, &(label, content, json!({})));
    }
    assert_eq!(made.len(), 5);
}

#[test]
fn an_answer_that_is_a_list_is_taken_apart_by_true() {
    let made = outputs(
        &json!({"explode": true, "fields": ["due"]}),
        "[{\"due\": 1,\n \"what\": \"a\"}, {\"due\": 2}]",
    );
    let made: Vec<_> = made.iter().map(parts).collect();
    assert_eq!(
        made,
        [
            ("note-001", r#"{"due":1,"what":"a"}"#, json!({"due": 1})),
            ("note-002", r#"{"due":2}"#, json!({"due": 2})),
        ]
    );
}

#[test]
fn an_empty_list_makes_nothing_and_says_so() {
    let ran = ran(&json!({"explode": "items"}), r#"{"items": []}"#);
    assert_eq!(ran.result.unwrap(), []);
    assert_eq!(
        ran.lines[0].1,
        "`items` in the answer is an empty list, which makes no output"
    );
}

#[test]
fn a_template_names_elements_and_no_name_comes_twice() {
    let settings = json!({"explode": true, "item_label": "{{ item }}"});
    let answer = json!([
        "Pay rent",
        "Pay rent",
        "Pay rent-2",
        "Pay\n rent",
        "a/b",
        "..",
        "\u{202e}x\u{200b}",
        3
    ]);
    assert_eq!(
        labels(&settings, &answer.to_string()),
        [
            "note/Pay rent",
            "note/Pay rent-2",
            "note/Pay rent-2-2",
            "note/Pay rent-3",
            "note/a-b",
            "note/006",
            "note/x",
            "note/3",
        ]
    );
    let settings = json!({"explode": true, "item_label": "{{ label }} {{ number }} {{ item.id }}"});
    assert_eq!(labels(&settings, r#"[{"id": 9}]"#), ["note/note 1 9"]);
}

#[test]
fn a_long_name_is_cut_to_what_a_label_may_have() {
    let settings = json!({"explode": true, "item_label": "{{ item }}"});
    let long = "ä".repeat(600);
    let made = labels(&settings, &json!([long, long]).to_string());
    let lengths: Vec<_> = made.iter().map(|label| label.chars().count()).collect();
    assert_eq!(lengths, [512, 512]);
    assert!(made[0] != made[1] && made[1].ends_with("ä-2"), "{made:?}");
}

#[test]
fn an_answer_of_another_form_is_refused_with_the_place() {
    let fields = json!({"fields": ["tags"]});
    let items = json!({"explode": "items"});
    let whole = json!({"explode": true});
    let both = json!({"explode": "items", "fields": ["due"]});
    for (settings, answer, words) in [
        (
            &fields,
            "Sure! Here",
            "the answer is not JSON: expected value at line 1 column 1; it begins with \"Sure! Here\"",
        ),
        (
            &items,
            "{\"items\": [1",
            "the answer is not JSON: EOF while parsing a list at line 1 column 12; it begins with \"{\\\"items\\\": [1\"",
        ),
        (
            &whole,
            "",
            "the answer is not JSON: EOF while parsing a value at line 1 column 0; it is blank",
        ),
        (
            &fields,
            "[1]",
            "the answer is a list, not an object, and `fields` needs its members",
        ),
        (
            &fields,
            r#"{"tag": 1, "mood": 2}"#,
            "the answer has no member `tags`, which `fields` names; it has `mood` and `tag`",
        ),
        (
            &fields,
            "{}",
            "the answer has no member `tags`, which `fields` names; it has none",
        ),
        (
            &items,
            r#"{"item": []}"#,
            "the answer has no member `items`, which `explode` names; it has `item`",
        ),
        (
            &items,
            "[1]",
            "the answer is a list, and `explode` names its member `items`; `explode = true` takes the answer itself apart",
        ),
        (
            &items,
            r#"{"items": "x"}"#,
            "`items` in the answer is a text, not a list, as `explode` needs",
        ),
        (
            &items,
            r#"{"items": null}"#,
            "`items` in the answer is null, not a list, as `explode` needs",
        ),
        (
            &items,
            r#"{"items": ["a", null]}"#,
            "element 2 of `items` in the answer is null",
        ),
        (
            &items,
            r#"{"items": [" "]}"#,
            "element 1 of `items` in the answer is an empty text",
        ),
        (
            &whole,
            r#"{"items": [1]}"#,
            "the answer is an object, not a list, as `explode = true` needs: name the member with the list; it has `items`",
        ),
        (
            &both,
            r#"{"items": [{"due": 1}, "x"]}"#,
            "element 2 of `items` in the answer is a text, not an object, and `fields` needs its members",
        ),
        (
            &both,
            r#"{"items": [{"do": 1}]}"#,
            "element 1 of `items` in the answer has no member `due`, which `fields` names; it has `do`",
        ),
    ] {
        assert_eq!(refused(settings, answer), words, "{settings} {answer}");
    }
}

#[test]
fn what_cannot_be_metadata_is_refused_with_the_member() {
    let all = json!({"fields": true});
    assert_eq!(
        refused(&all, r#"{"id": [9007199254740993]}"#),
        "the member `id` of the answer has the number 9007199254740993, which a double cannot hold: ask for it as a text"
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
fn a_name_that_an_element_has_not_is_the_answers_fault_and_one_that_none_has_the_configs() {
    let missing = json!({"explode": true, "item_label": "{{ item.name }}"});
    let words = refused(&missing, r#"[{"nme": 1}]"#);
    assert!(
        words.starts_with("element 1 of the answer: `item.name` is undefined: of `item`, it has `nme`, in item_label line 1"),
        "{words}"
    );
    for source in ["{{ itm.name }}", "{{ item.name"] {
        let wrong = ran(&json!({"explode": true, "item_label": source}), "[1]");
        assert!(
            matches!(&wrong.result, Err(Error::InvalidConfig(_))),
            "{:?}",
            wrong.result
        );
        assert!(wrong.requests.is_empty());
    }
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

#[test]
fn a_label_that_leaves_no_room_is_refused_before_a_question() {
    let ran = with_model(
        |_| says("[1]"),
        || {
            let made = Output::text("x".repeat(500), "text", "");
            config(&json!({"explode": true})).answer(made, &[], &Variables::UNDEFINED)
        },
    );
    assert!(matches!(ran.result, Err(Error::InvalidInput(_))));
    assert!(ran.requests.is_empty());
}

#[test]
fn white_space_goes_and_texts_stay() {
    assert_eq!(
        compact("{ \"a b\" : [ 1 ,\n\t\"c \\\" d\\\\\" , \" \" ] }"),
        r#"{"a b":[1,"c \" d\\"," "]}"#
    );
}
