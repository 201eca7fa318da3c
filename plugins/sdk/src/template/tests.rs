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
        "`contents` is undefined: there are `content`, `kind`, `label` and `metadata`, in prompt line 2: Say {{ contents }}"
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

#[test]
fn an_undefined_value_is_named_with_the_existing_ones() {
    for (source, words) in [
        (
            "{{ metadata.author }}",
            "`metadata.author` is undefined: of `metadata`, it has `tags` and `year`",
        ),
        (
            "{{ metadata.author | upper }}",
            "`metadata.author` is undefined",
        ),
        (
            "{{ metadata.tags.first.name }}",
            "`metadata.tags.first` is undefined",
        ),
        (
            "{% for tag in tgas %}{% endfor %}",
            "`tgas` is undefined: there are `content`",
        ),
        (
            "{% for tag in metadata.tags %}{{ tag.name }}{% endfor %}",
            "`tag.name` is undefined: there is no such value",
        ),
    ] {
        let Err(Error::InvalidInput(text)) = render(source) else {
            panic!("{source}")
        };
        assert!(text.contains(words), "{source}: {text}");
        assert!(text.contains("in prompt line 1"), "{source}: {text}");
    }
}

#[test]
fn json_can_be_read_in_a_template() {
    let json = r#"{"a": [1, {"b": "x"}]}"#;
    let template = |source: &str| {
        let variables = Value::from_pairs([("answer", json)]);
        let name = "prompt";
        Template { name, source }.render(&variables)
    };
    assert_eq!(template("{{ (answer | fromjson).a[1].b }}").unwrap(), "x");
    assert_eq!(
        template("{% set one = answer | fromjson %}{{ one.a | length }}").unwrap(),
        "2"
    );
    let wrong = template("{{ answer[1:] | fromjson }}").unwrap_err();
    assert!(
        matches!(&wrong, Error::InvalidInput(text) if text.contains("fromjson: the text is not JSON")),
        "{wrong:?}"
    );
}

#[test]
fn texts_are_cut_as_jinja_cuts_them() {
    for (call, cut) in [
        ("truncate(9)", "Foo..."),
        ("truncate(9, true)", "Foo ba..."),
        ("truncate(length=9, killwords=true, end='~')", "Foo bar ~"),
        ("truncate(11)", "Foo bar baz qux"),
        ("truncate(11, leeway=0)", "Foo bar..."),
        ("truncate", "Foo bar baz qux"),
        ("wordcount", "4"),
        ("split(' ') | last", "qux"),
        ("split | join('+')", "Foo+bar+baz+qux"),
    ] {
        let source = format!("{{{{ 'Foo bar baz qux' | {call} }}}}");
        assert_eq!(render(&source).unwrap(), cut, "{call}");
    }
    assert_eq!(
        render("{{ 'äöüäöüäöü' | truncate(4, true, '…', 0) }}").unwrap(),
        "äöü…"
    );
    assert!(render("{{ 'x' | truncate(nght=3) }}").is_err());
}
