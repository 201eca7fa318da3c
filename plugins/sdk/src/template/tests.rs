//! Templates over an input and over its header.

use super::*;
use crate::testing;

fn render(source: &str) -> Result<String, Error> {
    let mut input = testing::input("alice", "She paints.\n");
    input.header.metadata = vec![
        MetadataEntry {
            key: "tags".to_owned(),
            value: r#"["x","y"]"#.to_owned(),
        },
        MetadataEntry {
            key: "year".to_owned(),
            value: "2026".to_owned(),
        },
    ];
    Template {
        name: "prompt",
        source,
    }
    .render(&variables_of(&input).unwrap())
}

#[test]
fn every_variable_of_an_input_can_be_named() {
    let text = render(
        "{{ label }}/{{ kind }}/{{ metadata.year + 1 }}/{{ metadata.tags | join('+') }}: {{ content }}",
    );
    assert_eq!(text.unwrap(), "alice/text/2027/x+y: She paints.\n");
}

#[test]
fn metadata_is_listed_in_the_order_of_its_keys() {
    assert_eq!(
        render("{{ metadata | tojson }}").unwrap(),
        r#"{"tags": ["x", "y"], "year": 2026}"#
    );
}

#[test]
fn text_is_not_escaped() {
    assert_eq!(render("{{ '<&>' }}").unwrap(), "<&>");
}

#[test]
fn the_last_line_break_is_dropped_with_and_without_a_variable() {
    assert_eq!(render("plain\n").unwrap(), "plain");
    assert_eq!(render("{{ label }}\n").unwrap(), "alice");
}

#[test]
fn an_unknown_variable_is_an_invalid_input_that_names_template_and_line() {
    let error = render("one\nSay {{ contents }}").unwrap_err();
    let Error::InvalidInput(text) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        text,
        "undefined value, in prompt line 2: Say {{ contents }}"
    );
}

#[test]
fn a_syntax_error_is_an_invalid_config_that_names_template_and_line() {
    let error = render("one\n\n{% if %}").unwrap_err();
    let Error::InvalidConfig(text) = error else {
        panic!("{error:?}")
    };
    assert!(text.contains("in prompt line 3: {% if %}"), "{text}");
}

#[test]
fn a_missing_metadata_value_can_have_a_default() {
    assert_eq!(
        render("{{ metadata.author | default('nobody') }}").unwrap(),
        "nobody"
    );
    assert!(matches!(
        render("{{ metadata.author }}"),
        Err(Error::InvalidInput(_))
    ));
}

fn group_name(source: &str) -> Result<Option<String>, Error> {
    let name = "by_template";
    Template { name, source }.render_if_defined(&testing::input("alice", "").header)
}

#[test]
fn a_missing_value_of_a_header_is_none_and_an_unknown_variable_is_an_invalid_config() {
    assert_eq!(
        group_name("{{ kind }}-{{ label[:2] }}").unwrap().as_deref(),
        Some("text-al")
    );
    assert_eq!(group_name("{{ metadata.topic }}"), Ok(None));
    assert_eq!(
        group_name("{% for at in range(2) %}{{ metadata.topic }}{% endfor %}"),
        Ok(None)
    );
    assert_eq!(
        group_name("{{ topic | default('rest') }}")
            .unwrap()
            .as_deref(),
        Some("rest")
    );
    for source in ["{{ content }}", "{{ metdata.topic }}", "{{ content[:3] }}"] {
        let said = source
            .trim_matches(['{', ' ', '}'])
            .split(['.', '['])
            .next()
            .unwrap();
        assert_eq!(
            group_name(source),
            Err(Error::InvalidConfig(format!(
                "`by_template` names `{said}`; it can name `label`, `kind` and `metadata`"
            )))
        );
    }
}

#[test]
fn a_text_without_variables_loses_its_last_line_break_whichever_it_is() {
    assert_eq!(render("plain\r\n").unwrap(), "plain");
    assert_eq!(render("{{ label }}\r\n").unwrap(), "alice");
    assert_eq!(render("plain\n\n").unwrap(), "plain\n");
}
