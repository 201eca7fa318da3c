//! Elements of a list that become outputs.

use super::*;

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
fn true_makes_outputs_from_an_answer_that_is_a_list() {
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
fn an_empty_list_makes_no_outputs_and_a_log_line() {
    let ran = ran(&json!({"explode": "items"}), r#"{"items": []}"#);
    assert_eq!(ran.result.unwrap(), []);
    assert_eq!(
        ran.lines[0].1,
        "`items` in the answer is an empty list, so there are no outputs"
    );
}

#[test]
fn a_template_names_elements_uniquely() {
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
fn a_long_name_is_truncated_to_the_limit_of_a_label() {
    let settings = json!({"explode": true, "item_label": "{{ item }}"});
    let long = "ä".repeat(600);
    let made = labels(&settings, &json!([long, long]).to_string());
    let lengths: Vec<_> = made.iter().map(|label| label.chars().count()).collect();
    assert_eq!(lengths, [512, 512]);
    assert!(made[0] != made[1] && made[1].ends_with("ä-2"), "{made:?}");
}

#[test]
fn an_answer_of_another_form_is_refused_with_the_location() {
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
            "the answer is a list, and `explode` names its member `items`; use `explode = true` for a list that is the answer itself",
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
fn a_missing_value_is_an_invalid_answer_and_an_unknown_variable_an_invalid_config() {
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
fn a_label_that_is_too_long_is_refused_before_a_request() {
    let ran = with_model(
        |_| says("[1]"),
        || {
            let made = Output::text("x".repeat(500), "text", "");
            config(&json!({"explode": true})).answer(made, &[], &Question::default())
        },
    );
    assert!(matches!(ran.result, Err(Error::InvalidInput(_))));
    assert!(ran.requests.is_empty());
}

#[test]
fn only_white_space_between_values_is_removed() {
    assert_eq!(
        compact("{ \"a b\" : [ 1 ,\n\t\"c \\\" d\\\\\" , \" \" ] }"),
        r#"{"a b":[1,"c \" d\\"," "]}"#
    );
}
