use serde_json::json;

use super::*;
use synix_core::request::Part;

#[track_caller]
fn problems(schema: Value, answer: &str) -> Vec<String> {
    let format = AnswerFormat::compile(schema).unwrap();
    match format.fit(answer).unwrap() {
        Fit::Json(_) => Vec::new(),
        Fit::Unfit(unfit) => unfit.problems.iter().map(ToString::to_string).collect(),
    }
}

/// The words are part of request keys: a new version of the validator must not change them.
#[test]
fn each_keyword_has_words_of_its_own() {
    for (schema, answer, message) in [
        (
            json!({"type": "object"}),
            "[1]",
            "expected object, found array of 1 items",
        ),
        (
            json!({"type": ["string", "null"]}),
            "{}",
            "expected null or string, found object of 0 members",
        ),
        (
            json!({"type": "integer"}),
            "1.5",
            "expected integer, found number 1.5",
        ),
        (
            json!({"enum": ["a", 1]}),
            "\"b\"",
            "expected one of [\"a\",1], found string \"b\"",
        ),
        (
            json!({"const": {"a": 1}}),
            "true",
            "expected {\"a\":1}, found boolean true",
        ),
        (
            json!({"required": ["a"]}),
            "{\"b\": 1}",
            "expected the member \"a\", found an object without it",
        ),
        (
            json!({"properties": {"a": {}}, "additionalProperties": false}),
            "{\"a\": 1, \"b\": 2}",
            "expected no other members than those of the schema, found the members \"b\"",
        ),
        (
            json!({"minimum": 3}),
            "2",
            "expected at least 3, found number 2",
        ),
        (
            json!({"exclusiveMaximum": 3}),
            "3",
            "expected less than 3, found number 3",
        ),
        (
            json!({"multipleOf": 2}),
            "3",
            "expected a multiple of 2, found number 3",
        ),
        (
            json!({"minLength": 3}),
            "\"ä\"",
            "expected at least 3 characters, found 1 characters",
        ),
        (
            json!({"maxItems": 1}),
            "[1, 2]",
            "expected at most 1 items, found 2 items",
        ),
        (
            json!({"uniqueItems": true}),
            "[1, 1]",
            "expected no item twice, found array of 2 items",
        ),
        (
            json!({"pattern": "^a"}),
            "\"b\"",
            "expected a string that matches the pattern ^a, found string \"b\"",
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
            "1",
            "expected a value that matches one of `anyOf`, found number 1",
        ),
        (
            json!({"oneOf": [{}, {}]}),
            "1",
            "expected a value that matches exactly one of `oneOf`, found number 1",
        ),
        (
            json!({"not": {}}),
            "1",
            "expected a value that satisfies `not`, found number 1",
        ),
        (json!(false), "null", "expected nothing, found null"),
        (
            json!({"contains": {"const": 1}}),
            "[2]",
            "expected a value that satisfies `contains`, found array of 1 items",
        ),
    ] {
        let shown = schema.to_string();
        let found = problems(schema, answer);
        assert_eq!(found, [format!("at the top level: {message}")], "{shown}");
    }
}

#[test]
fn problems_are_in_the_order_of_their_places() {
    let schema = json!({
        "type": "object",
        "required": ["z", "y"],
        "properties": {"b": {"type": "string"}, "a": {"items": {"type": "string"}}},
    });
    assert_eq!(
        problems(schema, "{\"b\": 1, \"a\": [\"x\", null, {}]}"),
        [
            "at the top level: expected the member \"y\", found an object without it",
            "at the top level: expected the member \"z\", found an object without it",
            "at /a/1: expected string, found null",
            "at /a/2: expected string, found object of 0 members",
            "at /b: expected string, found number 1",
        ]
    );
}

#[test]
fn a_long_value_is_quoted_in_part() {
    let [problem] = &problems(
        json!({"type": "array"}),
        &json!("ä\n".repeat(999)).to_string(),
    )[..] else {
        panic!("one problem")
    };
    assert!(problem.len() < 250 && problem.ends_with("…\""), "{problem}");
}

#[test]
fn an_unfit_answer_is_not_made_to_fit_by_a_second_reading() {
    for answer in ["{\"a\": 1, \"a\": \"x\"}", "{\"a\": 1e999}"] {
        let schema = json!({"properties": {"a": {"type": ["string", "number"]}}});
        let found = problems(schema, answer);
        assert_eq!(found.len(), 1, "{answer}");
        assert!(found[0].starts_with("at /a: "), "{found:?}");
    }
}

#[test]
fn a_schema_that_is_wrong_or_leads_elsewhere_is_refused() {
    for schema in [
        json!({"type": "thing"}),
        json!({"$ref": "http://127.0.0.1:9/x.json"}),
        json!({"properties": {"a": {"$ref": "file:///etc/passwd"}}}),
        json!({"pattern": "("}),
    ] {
        let shown = schema.to_string();
        assert!(AnswerFormat::compile(schema).is_err(), "{shown}");
    }
}

#[test]
fn an_answer_that_costs_too_much_to_check_does_not_fit() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let schema = json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let found = problems(schema, &nested(60));
    assert!(found[0].contains("cheaper to check"), "{found:?}");
}

/// The rest of a JSON text that the plugin began is not JSON.
#[test]
fn an_answer_that_continues_a_message_of_the_model_has_no_format() {
    let message = |role| Message {
        role,
        parts: vec![Part::Text("{".to_owned())],
    };
    let format = json!({});
    let mut messages = vec![message(Role::User)];
    assert_eq!(required_format(&messages, Some(&format)), Some(&format));
    assert_eq!(required_format(&messages, None), None);
    messages.push(message(Role::Assistant));
    assert_eq!(required_format(&messages, Some(&format)), None);
}
