//! Outputs with and without a prompt.

use super::*;

#[test]
fn a_list_from_an_answer_groups_downstream_inputs() {
    let config = r#"{"by": "topic", "prompt": "q", "response_format": {}, "fields": ["tags"]}"#;
    let ran = with_model(
        |_| says(r#"{"tags": ["a", "b"]}"#),
        || execute(&[about("n", r#""x""#)], config),
    );
    let made = ran.result.unwrap();
    let next = Input {
        header: Header {
            label: made[0].label.clone(),
            metadata: made[0].metadata.clone(),
            ..input("x", "").header
        },
        ..input("x", "")
    };
    let names = groups(&[next], r#"{"by": "tags"}"#);
    assert_eq!(
        names,
        [("a".to_owned(), vec![0]), ("b".to_owned(), vec![0])]
    );
}

#[test]
fn fields_need_a_prompt_and_are_none_of_the_own_keys() {
    for config in [
        r#"{"by": "topic", "response_format": {}, "fields": ["a"]}"#,
        r#"{"by": "topic", "prompt": "q", "fields": ["a"]}"#,
        r#"{"by": "topic", "prompt": "q", "response_format": {}, "fields": ["count"]}"#,
    ] {
        let refused = split::<Group>(&[about("a", r#""x""#)], config);
        assert!(
            matches!(refused, Err(Error::InvalidConfig(_))),
            "{config}: {refused:?}"
        );
    }
}

#[test]
fn with_a_prompt_one_request_is_sent_about_the_group() {
    let config = r#"{"by": "topic", "label": "about-{{ group }}", "prompt": "{{ group }}:{% for a in inputs %} {{ a.content }}{% endfor %}"}"#;
    let inputs = [input("b", "two"), input("a", "one")];
    let ran = with_model(|_| says("sum"), || execute(&inputs, config));
    assert_eq!(ran.requests, [Request::user("unit: one two")]);
    assert_eq!(ran.result.unwrap()[0].label, "about-unit");
}

#[test]
fn without_a_prompt_the_contents_are_joined_without_a_request() {
    let inputs = [input("b", "two"), input("a", "one"), input("c", "three")];
    let made = |config: &'static str| {
        let ran = with_model(|_| says("?"), || execute(&inputs, config));
        assert!(ran.requests.is_empty());
        ran.result.unwrap()
    };
    let expected = |kind: &str, text: &str| {
        Output::text("unit", kind, text)
            .with_metadata("group", &json!("unit"))
            .with_metadata("count", &json!(3))
    };
    assert_eq!(
        made(r#"{"by": "topic"}"#),
        [expected("text", "one\n\ntwo\n\nthree")]
    );
    assert_eq!(
        made(r#"{"by": "topic", "separator": "|", "kind": "digest"}"#),
        [expected("digest", "one|two|three")]
    );
}

#[test]
fn the_pictures_of_a_group_are_sent_with_its_question() {
    let mut face = bytes("face", "image/png", &[1]);
    face.header.metadata = about("face", r#""x""#).header.metadata;
    let inputs = [about("note", r#""x""#), face];
    let config = r#"{"by": "topic", "attach": true, "prompt": "{% for i in inputs %}{{ i.label }} {% endfor %}"}"#;
    let ran = with_model(|_| says("a"), || execute(&inputs, config));
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let parts = &ran.requests[0].messages[0].parts;
    assert!(matches!(&parts[..], [Part::Image(_), Part::Text(text)] if text == "face note "));
}

#[test]
fn without_a_prompt_there_is_nothing_to_attach_to() {
    let config = r#"{"by": "topic", "attach": true}"#;
    let refused = split::<Group>(&[about("n", r#""x""#)], config);
    assert!(
        matches!(&refused, Err(Error::InvalidConfig(text)) if text.contains("`attach` needs a prompt")),
        "{refused:?}"
    );
}
