//! Tests of `group` through its exported functions.

mod answers;

use synix_plugin::llm::Part;
use synix_plugin::testing::{
    bytes, described, execute_unit, input, says, settings, split, with_model,
};
use synix_plugin::{MetadataEntry, Request};

use super::*;

fn about(label: &str, topic: &str) -> Input {
    let mut input = input(label, &format!("text {label}"));
    input.header.metadata.push(MetadataEntry {
        key: "topic".to_owned(),
        value: topic.to_owned(),
    });
    input
}

/// Runs one unit of all inputs, whatever group they name.
fn execute(inputs: &[Input], config: &str) -> Result<Vec<Output>, Error> {
    let count = u32::try_from(inputs.len()).unwrap();
    let unit = Unit {
        key: "unit".to_owned(),
        inputs: (0..count).collect(),
        config: None,
    };
    execute_unit::<Group>(&unit, inputs, config)
}

fn groups(inputs: &[Input], config: &str) -> Vec<(String, Vec<u32>)> {
    let units = split::<Group>(inputs, config).unwrap();
    units
        .into_iter()
        .map(|unit| (unit.key, unit.inputs))
        .collect()
}

#[test]
fn every_setting_that_is_read_is_described() {
    let mut read = settings::<Own>();
    read.extend(settings::<prompt::Config>());
    read.extend(settings::<synix_parts::tree::PartSettings>());
    read.sort();
    assert_eq!(described::<Group>(), read);
}

#[test]
fn inputs_with_the_same_value_are_one_unit() {
    let inputs = [about("a", r#""x""#), about("b", "7"), about("c", r#""x""#)];
    assert_eq!(
        groups(&inputs, r#"{"by": "topic"}"#),
        [("7".to_owned(), vec![1]), ("x".to_owned(), vec![0, 2])]
    );
}

#[test]
fn a_list_puts_an_input_into_each_of_its_groups_once() {
    assert_eq!(
        groups(&[about("a", r#"["x", "y", "x"]"#)], r#"{"by": "topic"}"#),
        [("x".to_owned(), vec![0]), ("y".to_owned(), vec![0])]
    );
}

#[test]
fn a_template_over_the_header_names_the_group() {
    let inputs = [input("2026-01-03", ""), input("2026-02-01", "")];
    let config = r#"{"by_template": "{{ label[:7] }}"}"#;
    let names: Vec<_> = groups(&inputs, config)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["2026-01", "2026-02"]);
}

#[test]
fn an_input_without_a_group_is_an_error_that_names_it() {
    for config in [
        r#"{"by": "topic"}"#,
        r#"{"by_template": "{{ metadata.topic }}"}"#,
    ] {
        let error = split::<Group>(&[input("a", "")], config).unwrap_err();
        assert!(
            matches!(error, Error::InvalidInput(text) if text.contains("`a`")),
            "{config}"
        );
    }
}

#[test]
fn the_error_of_an_input_without_a_group_names_the_key_and_the_existing_keys() {
    let refused = |inputs: &[Input], config: &str| match split::<Group>(inputs, config) {
        Err(Error::InvalidInput(text)) => text,
        other => panic!("{other:?}"),
    };
    let end = "; `on_missing` can be \"group\" or \"skip\"";
    let mut two = about("a", r#""x""#);
    two.header.metadata.push(MetadataEntry {
        key: "date".to_owned(),
        value: "1".to_owned(),
    });
    assert_eq!(
        refused(&[two.clone()], r#"{"by": "tags"}"#),
        format!(
            "the input `a` belongs to no group: it has no metadata `tags`; it has `topic` and `date`{end}"
        )
    );
    assert_eq!(
        refused(&[input("a", "")], r#"{"by": "tags"}"#),
        format!("the input `a` belongs to no group: it has no metadata `tags`; it has none{end}")
    );
    assert_eq!(
        refused(&[two], r#"{"by_template": "{{ metadata.tags }}"}"#),
        format!(
            "the input `a` belongs to no group: `metadata.tags` is undefined: of `metadata`, it has `topic` and `date`{end}"
        )
    );
    for (value, words) in [
        ("[]", "is an empty list, which names none"),
        ("[null]", "is a list without a name, which names none"),
        ("null", "is null, which names none"),
        ("{}", "is a table, which names none"),
        (r#"" ""#, "is empty, which names none"),
    ] {
        let text = refused(&[about("a", value)], r#"{"by": "topic"}"#);
        assert!(
            text.contains(&format!("its metadata `topic` {words}")),
            "{text}"
        );
    }
}

#[test]
fn values_of_every_type_name_a_group_or_none() {
    for (value, names) in [
        (r#"" x ""#, vec!["x"]),
        ("7", vec!["7"]),
        ("1.5", vec!["1.5"]),
        ("true", vec!["true"]),
        (r#"["x", 7, false]"#, vec!["7", "false", "x"]),
        (r#"["7", 7]"#, vec!["7"]),
        ("null", vec![]),
        (r#""""#, vec![]),
        (r#"" \n""#, vec![]),
        ("[]", vec![]),
        (r#"[null, "", ["x"], {}]"#, vec![]),
        (r#"{"x": 1}"#, vec![]),
    ] {
        let config = r#"{"by": "topic", "on_missing": "skip"}"#;
        let found = groups(&[about("a", value)], config);
        let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, names, "{value}");
    }
}

#[test]
fn a_name_from_a_template_is_trimmed_and_an_empty_one_is_missing() {
    let config = r#"{"by_template": " {{ metadata.topic }}\n", "on_missing": "group"}"#;
    assert_eq!(
        groups(&[about("a", r#"" ""#), about("b", r#""x""#)], config),
        [("ungrouped".to_owned(), vec![0]), ("x".to_owned(), vec![1])]
    );
}

#[test]
fn a_failed_template_names_the_input_and_an_invalid_one_the_variable() {
    let refused = |template: &str| {
        let config = json!({"by_template": template, "on_missing": "skip"}).to_string();
        split::<Group>(&[about("a", "7")], &config).unwrap_err()
    };
    let failed = refused("{{ metadata.topic[:2] }}");
    assert!(
        matches!(&failed, Error::InvalidInput(text) if text.starts_with("the input `a`: ") && text.contains("by_template line 1")),
        "{failed:?}"
    );
    let wrong = refused("{{ content }}");
    assert!(
        matches!(&wrong, Error::InvalidConfig(text) if text.contains("names `content`")),
        "{wrong:?}"
    );
}

#[test]
fn a_group_that_cannot_be_a_unit_is_refused_with_its_input() {
    for topic in ["two\nlines".to_owned(), "x".repeat(513)] {
        let inputs = [about("a", r#""x""#), about("b", &json!(topic).to_string())];
        let error = split::<Group>(&inputs, r#"{"by": "topic"}"#).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidInput(text) if text.starts_with("the input `b`: its group")),
            "{error:?}"
        );
    }
    let longest = about("a", &json!("ä".repeat(512)).to_string());
    assert_eq!(groups(&[longest], r#"{"by": "topic"}"#).len(), 1);
}

#[test]
fn one_of_by_and_by_template_is_needed() {
    for config in ["{}", r#"{"by": "topic", "by_template": "{{ label }}"}"#] {
        let error = split::<Group>(&[about("a", r#""x""#)], config).unwrap_err();
        assert!(
            matches!(error, Error::InvalidConfig(_)),
            "{config}: {error:?}"
        );
    }
}

#[test]
fn inputs_without_a_group_can_be_skipped_or_put_into_one() {
    let inputs = [input("a", ""), about("b", r#""x""#)];
    assert_eq!(
        groups(&inputs, r#"{"by": "topic", "on_missing": "skip"}"#),
        [("x".to_owned(), vec![1])]
    );
    assert_eq!(
        groups(
            &inputs,
            r#"{"by": "topic", "on_missing": "group", "missing_group": "rest"}"#
        ),
        [("rest".to_owned(), vec![0]), ("x".to_owned(), vec![1])]
    );
}

#[test]
fn an_invalid_label_is_found_before_a_request_is_paid_for() {
    let config = r#"{"by": "topic", "prompt": "q", "label": "{{ inputs[0].content }}"}"#;
    let ran = with_model(
        |_| says("a"),
        || execute(&[input("a", "two\nlines")], config),
    );
    assert!(
        matches!(&ran.result, Err(Error::InvalidInput(text)) if text.contains("has a control character")),
        "{:?}",
        ran.result
    );
    assert!(ran.requests.is_empty());
}
