use serde_json::json;
use synix_plugin::{Descriptor, Error, ExportedReader};
use synix_rows::Rows;

use super::{made, message, metadata, run, skipped};

const ROW: &str = r#"{"id": 7, "subject": "S", "body": "B", "user": {"name": "ann"}, "note": null, "file": "own", "row": "r"}"#;

#[test]
fn content_is_a_field_fields_or_a_template() {
    for (content, expected) in [
        (json!("body"), "B"),
        (json!("user.name"), "ann"),
        (json!("/user/name"), "ann"),
        (json!(["subject", "note", "gone", "body"]), "S\n\nB"),
        (json!("{{ subject }}: {{ row.body }}{{ note }}"), "S: B"),
        (
            json!("{{ row['user'].name | upper }}{% if id > 3 %}!{% endif %}"),
            "ANN!",
        ),
        (json!("{{ row.row }}"), "r"),
    ] {
        let ran = run("t.jsonl", ROW, &json!({"content": content, "label": "id"}));
        assert_eq!(made(&ran), [("7", expected)], "{content}");
    }
}

#[test]
fn a_label_is_a_field_or_a_template() {
    for (label, expected) in [
        ("id", "7"),
        ("user.name", "ann"),
        ("{{ user.name }}-{{ id }}", "ann-7"),
    ] {
        let ran = run("t.jsonl", ROW, &json!({"content": "body", "label": label}));
        assert_eq!(made(&ran), [(expected, "B")], "{label}");
    }
    let ran = run("t.jsonl", ROW, &json!({"content": "body", "label": "user"}));
    assert!(message(&ran).contains("`user` is an object, which is no label"));
}

#[test]
fn metadata_may_have_names_of_their_own() {
    let renamed =
        json!({"author": "user.name", "Betreff": "subject", "gone": "nothing", "id": "note"});
    let ran = run(
        "t.jsonl",
        ROW,
        &json!({"content": "body", "metadata": renamed}),
    );
    let expected = json!({"file": "t.jsonl", "author": "ann", "Betreff": "S"});
    assert_eq!(metadata(&ran.outputs[0]), expected);
    let listed = json!(["user.name", "subject"]);
    let ran = run(
        "t.jsonl",
        ROW,
        &json!({"content": "body", "metadata": listed}),
    );
    let expected = json!({"file": "t.jsonl", "user.name": "ann", "subject": "S"});
    assert_eq!(metadata(&ran.outputs[0]), expected);
}

#[test]
fn a_name_that_metadata_cannot_have_is_an_error() {
    for (name, expected) in [
        (
            "file",
            "gives a field the name `file`, which is the path of the file",
        ),
        ("", "write 1 to 128 characters"),
        (" a", "write 1 to 128 characters"),
        ("a\nb", "write 1 to 128 characters"),
        (&"x".repeat(129), "write 1 to 128 characters"),
    ] {
        let ran = run(
            "t.jsonl",
            ROW,
            &json!({"content": "body", "metadata": {name: "id"}}),
        );
        assert!(
            matches!(ran.result, Err(Error::InvalidConfig(_))),
            "{ran:?}"
        );
        assert!(message(&ran).contains(expected), "{ran:?}");
    }
}

#[test]
fn metadata_are_the_fields_that_are_not_in_the_content() {
    for (content, expected) in [
        (
            json!("body"),
            json!({"file": "t.jsonl", "id": 7, "subject": "S", "user": {"name": "ann"}, "row": "r"}),
        ),
        (
            json!(["body", "subject"]),
            json!({"file": "t.jsonl", "id": 7, "user": {"name": "ann"}, "row": "r"}),
        ),
        (
            json!("{{ body }} {{ row.subject }}"),
            json!({"file": "t.jsonl", "id": 7, "user": {"name": "ann"}, "row": "r"}),
        ),
    ] {
        let ran = run("t.jsonl", ROW, &json!({"content": content}));
        assert_eq!(metadata(&ran.outputs[0]), expected, "{content}");
    }
    let config = json!({"content": "body", "metadata": ["id", "body", "user.name", "gone"]});
    let ran = run("t.jsonl", ROW, &config);
    assert_eq!(
        metadata(&ran.outputs[0]),
        json!({"file": "t.jsonl", "id": 7, "body": "B", "user.name": "ann"})
    );
}

#[test]
fn a_metadata_key_is_valid_whatever_the_field_is_called() {
    let long = "k".repeat(200);
    let file = json!({"t": "x", "": 1, "a\nb": 2, long: 3}).to_string();
    let ran = run("t.json", file, &json!({"content": "t"}));
    assert_eq!(
        metadata(&ran.outputs[0]),
        json!({"file": "t.json", "a b": 2, "k".repeat(128): 3})
    );
}

#[test]
fn a_condition_leaves_rows_out_and_counts_them() {
    let file = "id,text,n\n1,a,5\n2,b,1\n3,c,\n";
    let config = json!({"content": "text", "label": "id", "where": "n | int(default=0) > 3"});
    let ran = run("t.csv", file, &config);
    assert_eq!(made(&ran), [("1", "a")]);
    let expected = [
        "Reason::Filtered at line 3: line 3",
        "Reason::Filtered at line 4: line 4",
    ];
    assert_eq!(skipped(&ran), expected);
    let file = "{\"t\": \"a\", \"s\": \"open\"}\n{\"t\": \"b\"}\n";
    let ran = run(
        "t.jsonl",
        file,
        &json!({"content": "t", "where": "s == 'open'"}),
    );
    assert_eq!(made(&ran), [("t-1", "a")]);
    assert_eq!(skipped(&ran), ["Reason::Filtered at line 2: line 2"]);
    // That nothing passes is the condition's right.
    let ran = run(
        "t.jsonl",
        file,
        &json!({"content": "t", "where": "s == 'x'"}),
    );
    assert!(made(&ran).is_empty());
}

#[test]
fn a_condition_on_a_field_that_no_row_has_is_an_error() {
    let file = "{\"t\": \"a\", \"s\": \"open\"}\n{\"t\": \"b\"}\n";
    for condition in [
        "status == 'open'",
        "row.status == 'open'",
        "status.x == 'open'",
    ] {
        let ran = run(
            "t.jsonl",
            file,
            &json!({"content": "t", "where": condition}),
        );
        assert_eq!(
            message(&ran),
            "t.jsonl: `where` names `status`, which none of 2 rows has, so none became an artifact"
        );
    }
}

#[test]
fn a_row_that_a_template_cannot_take_is_skipped() {
    let file = "{\"t\": \"a\", \"c\": \"x\"}\n{\"t\": \"b\"}\n";
    let ran = run("t.jsonl", file, &json!({"content": "{{ t }}{{ c }}"}));
    assert_eq!(made(&ran), [("t-1", "ax")]);
    let what = &ran.skipped[0].what;
    assert!(
        what.starts_with("line 2: `content`: undefined value"),
        "{what}"
    );
    let ran = run(
        "t.jsonl",
        file,
        &json!({"content": "{{ t }}{{ c | default('-') }}"}),
    );
    assert_eq!(made(&ran), [("t-1", "ax"), ("t-2", "b-")]);
}

#[test]
fn a_wrong_template_or_condition_is_an_invalid_config() {
    for (config, start) in [
        (json!({"content": "{{ t "}), "`content`: syntax error"),
        (json!({"content": "{{ t | nope }}"}), "`content`: "),
        (
            json!({"content": "t", "label": "{% if %}"}),
            "`label`: syntax error",
        ),
        (json!({"content": "t", "where": "a =="}), "`where`: "),
        (json!({"content": ""}), "`content` is empty"),
        (json!({"content": []}), "`content` is an empty list"),
        (json!({"content": "t", "label": ""}), "`label` is empty"),
        (
            json!({"content": "t", "lable": "x"}),
            "unknown field `lable`",
        ),
        (json!({}), "missing field `content`"),
    ] {
        let ran = run("t.jsonl", "{\"t\": \"a\"}", &config);
        let text = message(&ran);
        assert!(text.starts_with(start), "{config}: {text}");
    }
}

#[test]
fn the_kind_is_row_unless_it_is_set() {
    let ran = run("t.jsonl", ROW, &json!({"content": "body"}));
    assert_eq!(ran.outputs[0].kind, "row");
    let ran = run(
        "t.jsonl",
        ROW,
        &json!({"content": "body", "kind": "ticket"}),
    );
    assert_eq!(ran.outputs[0].kind, "ticket");
}

#[test]
fn each_setting_is_in_the_schema_with_a_description() {
    let Descriptor {
        name,
        config_schema,
        ..
    } = ExportedReader::<Rows>::described();
    assert_eq!(name, "rows");
    let schema: serde_json::Value = serde_json::from_str(&config_schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let names: Vec<_> = properties.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "columns",
            "content",
            "delimiter",
            "encoding",
            "format",
            "kind",
            "label",
            "metadata",
            "on_error",
            "pointer",
            "where"
        ]
    );
    assert!(
        properties
            .values()
            .all(|property| property["description"].is_string())
    );
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["required"], json!(["content"]));
}

#[test]
fn a_label_with_odd_characters_is_made_valid() {
    let ran = run(
        "t.jsonl",
        "{\"id\": \"a\\nb\", \"t\": \"x\"}",
        &json!({"content": "t", "label": "id"}),
    );
    assert!(matches!(ran.result, Ok::<(), Error>(())));
    assert!(ran.outputs[0].label.starts_with("a b-"));
}
