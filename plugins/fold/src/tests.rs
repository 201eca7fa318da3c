//! `fold` as a host sees it.

use synix_plugin::llm::Part;
use synix_plugin::testing::{bytes, described, execute, input, says, settings, split, with_model};
use synix_plugin::{MetadataEntry, Request};

use super::*;

fn dated(label: &str, date: &str) -> Input {
    let mut input = input(label, label);
    input.header.metadata.push(MetadataEntry {
        key: "date".to_owned(),
        value: date.to_owned(),
    });
    input
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

const CONFIG: &str =
    r#"{"label": "story", "initial": "0", "prompt": "{{ so_far }}+{{ content }}"}"#;

#[test]
fn every_setting_that_is_read_is_described() {
    assert_eq!(
        described::<Fold>(),
        sorted([settings::<Own>(), settings::<prompt::Config>()].concat())
    );
}

#[test]
fn the_request_of_each_step_has_the_previous_answer() {
    let ran = with_model(
        |request| says(format!("{}", request.messages.len())),
        || execute::<Fold>(&[input("b", "B"), input("a", "A")], CONFIG),
    );
    assert_eq!(ran.requests, [Request::user("0+A"), Request::user("1+B")]);
    assert_eq!(
        ran.result.unwrap(),
        [Output::text("story", "text", "1").with_metadata("steps", &json!(2))]
    );
}

#[test]
fn one_unit_has_every_input_in_label_order() {
    let units = split::<Fold>(&[input("b", ""), input("c", ""), input("a", "")], CONFIG);
    let unit = Unit {
        key: "all".to_owned(),
        inputs: vec![2, 0, 1],
        config: None,
    };
    assert_eq!(units.unwrap(), [unit]);
}

#[test]
fn a_metadata_key_can_order_the_steps() {
    let config = r#"{"label": "l", "order_by": "date", "prompt": "{{ content }}"}"#;
    let ran = with_model(
        |_| says("x"),
        || execute::<Fold>(&[dated("a", "10"), dated("b", "9")], config),
    );
    assert_eq!(ran.requests, [Request::user("b"), Request::user("a")]);
}

#[test]
fn an_input_without_the_key_is_refused_before_a_request() {
    let config = r#"{"label": "l", "order_by": "date", "prompt": "q"}"#;
    let ran = with_model(
        |_| says("x"),
        || execute::<Fold>(&[dated("a", "1"), input("b", "")], config),
    );
    assert!(matches!(ran.result, Err(Error::InvalidInput(text)) if text.contains("`b`")));
    assert!(ran.requests.is_empty());
}

#[test]
fn numbers_come_before_texts_and_equal_values_are_ordered_by_label() {
    let config = r#"{"label": "l", "order_by": "date", "prompt": "{{ label }}"}"#;
    let inputs = [
        dated("g", r#""2026-02""#),
        dated("f", r#""2026-01""#),
        dated("e", r#""10""#),
        dated("d", "10"),
        dated("c", "9.5"),
        dated("b", "-1"),
        dated("a", "10"),
    ];
    let ran = with_model(|_| says("x"), || execute::<Fold>(&inputs, config));
    let expected = ["b", "c", "a", "d", "e", "f", "g"].map(Request::user);
    assert_eq!(ran.requests, expected);
}

#[test]
fn without_inputs_there_are_no_outputs() {
    let ran = with_model(|_| says("?"), || execute::<Fold>(&[], CONFIG));
    assert_eq!(ran.result.unwrap(), []);
    assert!(ran.requests.is_empty());
}

#[test]
fn a_value_that_has_no_order_is_refused() {
    let config = r#"{"label": "l", "order_by": "date", "prompt": "q"}"#;
    for value in ["null", "true", "[1]", "{}"] {
        let ran = with_model(
            |_| says("x"),
            || execute::<Fold>(&[dated("a", value)], config),
        );
        assert!(
            matches!(&ran.result, Err(Error::InvalidInput(text)) if text.contains("`a` has no text or number")),
            "{value}: {:?}",
            ran.result
        );
    }
}

#[test]
fn the_label_is_no_template_and_the_kind_can_be_set() {
    let run = |config: &'static str| {
        with_model(
            |_| says("x"),
            || execute::<Fold>(&[input("a", "A")], config),
        )
        .result
    };
    for config in [
        r#"{"label": "{{ label }}", "prompt": "q"}"#,
        r#"{"label": "{% if 1 %}l{% endif %}", "prompt": "q"}"#,
    ] {
        assert!(
            matches!(run(config), Err(Error::InvalidConfig(text)) if text.contains("as it stands")),
            "{config}"
        );
    }
    for config in [
        r#"{"label": "two\nlines", "prompt": "q"}"#,
        r#"{"label": "", "prompt": "q"}"#,
    ] {
        assert!(
            matches!(run(config), Err(Error::InvalidConfig(text)) if text.starts_with("`label` ")),
            "{config}"
        );
    }
    assert_eq!(
        run(r#"{"label": "l", "kind": "story", "prompt": "q"}"#).unwrap()[0].kind,
        "story"
    );
}

#[test]
fn an_input_that_is_not_text_is_refused_before_a_request() {
    let sound = bytes("b", "audio/wav", &[0]);
    let ran = with_model(
        |_| says("x"),
        || execute::<Fold>(&[input("a", "A"), sound], CONFIG),
    );
    assert!(
        matches!(ran.result, Err(Error::InvalidInput(text)) if text == "the input `b` is audio/wav, not text")
    );
    assert!(ran.requests.is_empty());
}

#[test]
fn a_step_that_fails_names_its_input() {
    let run = |config: &'static str| {
        let inputs = [dated("a", "1"), input("b", "B")];
        with_model(|_| says("no JSON"), || execute::<Fold>(&inputs, config)).result
    };
    let missing = run(r#"{"label": "l", "prompt": "{{ metadata.date }}"}"#);
    assert!(
        matches!(&missing, Err(Error::InvalidInput(text)) if text.starts_with("the step of `b`: `metadata.date` is undefined: of `metadata`, it has none")),
        "{missing:?}"
    );
    let answer = run(r#"{"label": "l", "prompt": "q", "response_format": {}}"#);
    assert!(
        matches!(&answer, Err(Error::InvalidAnswer(text)) if text.starts_with("the step of `a`: the answer is not JSON")),
        "{answer:?}"
    );
}

#[test]
fn members_are_read_from_the_last_answer_only() {
    let config = r#"{"label": "story", "prompt": "{{ so_far }}", "response_format": {}, "fields": ["mood"], "explode": "items"}"#;
    let answers = |first: &'static str, last: &'static str| {
        let mut asked = 0;
        with_model(
            move |_| {
                asked += 1;
                says(if asked == 1 { first } else { last })
            },
            || execute::<Fold>(&[input("a", "A"), input("b", "B")], config),
        )
    };
    let ran = answers("{}", r#"{"items": [{"mood": "dry"}]}"#);
    let expected = Output::text("story-001", "text", r#"{"mood":"dry"}"#)
        .with_metadata("mood", &json!("dry"))
        .with_metadata("steps", &json!(2));
    assert_eq!(ran.result.unwrap(), [expected]);
    let wrong = answers(r#"{"items": []}"#, "{}").result;
    assert!(
        matches!(&wrong, Err(Error::InvalidAnswer(text)) if text.starts_with("the step of `b`: the answer has no member `items`")),
        "{wrong:?}"
    );
    let config = r#"{"label": "story", "prompt": "q", "fields": ["mood"]}"#;
    let early = with_model(
        |_| says("{}"),
        || execute::<Fold>(&[input("a", "A")], config),
    );
    assert!(matches!(early.result, Err(Error::InvalidConfig(_))));
    assert!(early.requests.is_empty());
}

#[test]
fn the_picture_of_each_step_is_sent_with_its_question() {
    let config =
        r#"{"label": "story", "attach": true, "prompt": "{{ so_far }}+{{ label }}{{ content }}"}"#;
    let inputs = [bytes("a", "image/png", &[1]), input("b", "B")];
    let ran = with_model(|_| says("0"), || execute::<Fold>(&inputs, config));
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let parts = ran.requests.iter().map(|one| &one.messages[0].parts[..]);
    let parts: Vec<&[Part]> = parts.collect();
    assert!(
        matches!(&parts[..], [[Part::Image(_), Part::Text(first)], [Part::Text(last)]] if first == "+a" && last == "0+bB"),
        "{parts:?}"
    );
}
