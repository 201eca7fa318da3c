use std::fmt::Write as _;

use serde_json::{Map, json};

use super::*;

/// Why a schema is not made ready.
#[track_caller]
fn costly(schema: &Value) -> TooCostly {
    match Schema::new(schema) {
        Err(Unusable::Costly(costly)) => costly,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is ready"),
    }
}

/// A schema with `levels` definitions, each of which `form` makes from a reference to the next.
fn doubled(levels: usize, form: impl Fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for level in 0..levels {
        let below = json!({"$ref": format!("#/$defs/a{}", level + 1)});
        defs.insert(format!("a{level}"), form(below));
    }
    defs.insert(format!("a{levels}"), json!({"type": "string"}));
    json!({"properties": {"a": {"$ref": "#/$defs/a0"}}, "$defs": defs})
}

/// W7: 2 KB of schema that ask for 2²⁸ steps.
#[test]
fn steps_that_multiply_at_one_place_are_refused_whatever_multiplies_them() {
    type Form = fn(Value) -> Value;
    let forms: [(&str, Form); 9] = [
        ("anyOf", |below| json!({"anyOf": [below, below]})),
        ("allOf", |below| json!({"allOf": [below, below]})),
        ("oneOf", |below| json!({"oneOf": [below, below]})),
        ("not", |below| json!({"not": below, "anyOf": [below]})),
        (
            "if",
            |below| json!({"if": below, "then": below, "else": below}),
        ),
        (
            "dependentSchemas",
            |below| json!({"dependentSchemas": {"x": below, "y": below}}),
        ),
        (
            "dependencies",
            |below| json!({"dependencies": {"x": below, "y": below}}),
        ),
        (
            "mixed",
            |below| json!({"allOf": [below], "$ref": below["$ref"]}),
        ),
        (
            "unevaluated",
            |below| json!({"allOf": [below], "unevaluatedProperties": false}),
        ),
    ];
    for (name, form) in forms {
        let costly = costly(&doubled(28, form));
        assert!(
            matches!(costly, TooCostly::Steps { .. }),
            "{name}: {costly:?}"
        );
    }
}

#[test]
fn references_by_anchor_and_by_identifier_count_like_those_by_pointer() {
    let mut defs = Map::new();
    for level in 0..28 {
        let below = json!({"$ref": format!("#n{}", level + 1)});
        defs.insert(
            format!("a{level}"),
            json!({"$anchor": format!("n{level}"), "anyOf": [below, below]}),
        );
    }
    defs.insert(
        "a28".to_owned(),
        json!({"$anchor": "n28", "type": "string"}),
    );
    let anchored = json!({"properties": {"a": {"$ref": "#n0"}}, "$defs": defs});
    assert!(matches!(costly(&anchored), TooCostly::Steps { .. }));
    let dynamic = anchored
        .to_string()
        .replace("\"$anchor\"", "\"$dynamicAnchor\"")
        .replace("\"$ref\"", "\"$dynamicRef\"");
    let dynamic: Value = serde_json::from_str(&dynamic).unwrap();
    assert!(matches!(costly(&dynamic), TooCostly::Steps { .. }));
    let mut whole = doubled(28, |below| json!({"anyOf": [below, below]}));
    let text = whole.to_string().replace("\"#/$defs", "\"urn:x#/%24defs");
    whole = serde_json::from_str(&text).unwrap();
    whole["$id"] = json!("urn:x");
    assert!(matches!(costly(&whole), TooCostly::Steps { .. }));
}

#[test]
fn a_schema_that_never_looks_deeper_is_refused() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        json!({"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]}),
        json!({"$recursiveAnchor": true, "allOf": [{"$recursiveRef": "#"}]}),
    ] {
        assert_eq!(costly(&schema), TooCostly::Endless, "{schema}");
    }
}

/// A value of 40 levels against a schema that visits each level twice.
#[test]
fn steps_that_multiply_with_the_depth_of_a_value_are_counted_before_they_are_taken() {
    for schema in [
        json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}),
        json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^a": {"$ref": "#"}}}),
        json!({"additionalProperties": {"$ref": "#"}, "unevaluatedProperties": {"$ref": "#"}}),
        json!({"properties": {"a": {"$ref": "#"}}, "allOf": [{"properties": {"a": {"$ref": "#"}}}]}),
    ] {
        let ready = Schema::new(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let value = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(
            matches!(ready.is_valid(&value), Err(TooCostly::Steps { .. })),
            "{schema}"
        );
        assert!(ready.errors(&value, |_| ()).is_err());
        assert_eq!(
            ready.is_valid(&json!({"a": {"a": 1}})),
            Ok(true),
            "{schema}"
        );
    }
}

#[test]
fn chains_of_references_have_an_end_and_room_on_the_stack() {
    let chain = |levels: usize| {
        let mut defs = Map::new();
        for level in 0..levels {
            let below = json!({"$ref": format!("#/$defs/a{}", level + 1)});
            defs.insert(format!("a{level}"), json!({"properties": {"x": below}}));
        }
        defs.insert(format!("a{levels}"), json!({"type": "string"}));
        json!({"$ref": "#/$defs/a0", "$defs": defs})
    };
    assert!(matches!(costly(&chain(5000)), TooCostly::Size { .. }));
    let long = chain(900);
    let ready = Schema::new(&long).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ready.is_valid(&json!({"x": {"x": {}}})), Ok(true));
}

#[test]
fn what_a_schema_holds_is_bounded() {
    let mut many = String::from(r#"{"allOf": ["#);
    for number in 0..21_000 {
        let _ = write!(many, r#"{}{{}}"#, if number == 0 { "" } else { "," });
    }
    many.push_str("]}");
    let many: Value = serde_json::from_str(&many).unwrap();
    assert!(matches!(
        costly(&many),
        TooCostly::Size {
            what: "objects",
            ..
        }
    ));
    let patterns: Map<String, Value> = (0..501)
        .map(|number| (format!("\\w{{100}}{number}"), json!({})))
        .collect();
    let patterns = json!({"patternProperties": patterns});
    assert!(matches!(
        costly(&patterns),
        TooCostly::Size {
            what: "patterns",
            ..
        }
    ));
    let deep = json!({"properties": {"a": {"pattern": "((\\w{100}){100}){100}"}}});
    assert!(matches!(Schema::new(&deep), Err(Unusable::Invalid(_))));
}

/// Schemas as tools write them, and the draft that recursive ones need.
#[test]
fn ordinary_schemas_are_ready_and_tell_what_is_wrong() {
    let tree = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"data": true, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
        "unevaluatedProperties": false
    });
    let ready = Schema::new(&tree).unwrap_or_else(|error| panic!("{error}"));
    let wide: Vec<Value> = (0..1000).map(|number| json!({"data": number})).collect();
    assert_eq!(ready.is_valid(&json!({"children": wide})), Ok(true));
    assert_eq!(
        ready.is_valid(&json!({"children": [{"daat": 1}]})),
        Ok(false)
    );
    let schemas =
        json!({"properties": {"schema": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}});
    let ready = Schema::new(&schemas).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ready.is_valid(&json!({"schema": tree})), Ok(true));
    let list = json!({"items": {"enum": ["a", "b"]}});
    let ready = Schema::new(&list).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<Value> = (0..500).map(Value::from).collect();
    let told = ready
        .errors(&json!(wrong), |error| error.to_string())
        .unwrap();
    assert_eq!(told.len(), MOST_ERRORS);
}

#[test]
fn references_lead_to_no_file_and_no_server() {
    for elsewhere in ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "x.json"] {
        let schema = json!({"properties": {"a": {"$ref": elsewhere}}});
        assert!(
            matches!(Schema::new(&schema), Err(Unusable::Invalid(_))),
            "{elsewhere}"
        );
    }
}
