use std::fmt::Write as _;

use serde_json::{Map, json};

use super::*;

/// Returns the limit that a schema exceeds.
#[track_caller]
fn exceeded_limit(schema: &Value) -> LimitExceeded {
    match Schema::compile(schema) {
        Err(SchemaError::LimitExceeded(limit)) => limit,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it compiles"),
    }
}

/// Returns a schema with `levels` definitions. `form` makes each of them from a reference to the next.
fn chained(levels: usize, form: impl Fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for level in 0..levels {
        let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
        defs.insert(format!("a{level}"), form(next));
    }
    defs.insert(format!("a{levels}"), json!({"type": "string"}));
    json!({"properties": {"a": {"$ref": "#/$defs/a0"}}, "$defs": defs})
}

/// W7: a schema of 2 KB that requires 2²⁸ steps.
#[test]
fn exponential_steps_at_one_location_are_rejected_for_each_keyword() {
    type Form = fn(Value) -> Value;
    let forms: [(&str, Form); 9] = [
        ("anyOf", |next| json!({"anyOf": [next, next]})),
        ("allOf", |next| json!({"allOf": [next, next]})),
        ("oneOf", |next| json!({"oneOf": [next, next]})),
        ("not", |next| json!({"not": next, "anyOf": [next]})),
        ("if", |next| json!({"if": next, "then": next, "else": next})),
        (
            "dependentSchemas",
            |next| json!({"dependentSchemas": {"x": next, "y": next}}),
        ),
        (
            "dependencies",
            |next| json!({"dependencies": {"x": next, "y": next}}),
        ),
        (
            "mixed",
            |next| json!({"allOf": [next], "$ref": next["$ref"]}),
        ),
        (
            "unevaluated",
            |next| json!({"allOf": [next], "unevaluatedProperties": false}),
        ),
    ];
    for (name, form) in forms {
        let limit = exceeded_limit(&chained(28, form));
        assert!(
            matches!(limit, LimitExceeded::Steps { .. }),
            "{name}: {limit:?}"
        );
    }
}

#[test]
fn references_by_anchor_and_by_identifier_are_counted_like_pointers() {
    let mut defs = Map::new();
    for level in 0..28 {
        let next = json!({"$ref": format!("#n{}", level + 1)});
        defs.insert(
            format!("a{level}"),
            json!({"$anchor": format!("n{level}"), "anyOf": [next, next]}),
        );
    }
    defs.insert(
        "a28".to_owned(),
        json!({"$anchor": "n28", "type": "string"}),
    );
    let anchored = json!({"properties": {"a": {"$ref": "#n0"}}, "$defs": defs});
    assert!(matches!(
        exceeded_limit(&anchored),
        LimitExceeded::Steps { .. }
    ));
    let dynamic = anchored
        .to_string()
        .replace("\"$anchor\"", "\"$dynamicAnchor\"")
        .replace("\"$ref\"", "\"$dynamicRef\"");
    let dynamic: Value = serde_json::from_str(&dynamic).unwrap();
    assert!(matches!(
        exceeded_limit(&dynamic),
        LimitExceeded::Steps { .. }
    ));
    let mut whole = chained(28, |next| json!({"anyOf": [next, next]}));
    let text = whole.to_string().replace("\"#/$defs", "\"urn:x#/%24defs");
    whole = serde_json::from_str(&text).unwrap();
    whole["$id"] = json!("urn:x");
    assert!(matches!(
        exceeded_limit(&whole),
        LimitExceeded::Steps { .. }
    ));
}

#[test]
fn endless_recursion_is_rejected() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        json!({"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]}),
        json!({"$recursiveAnchor": true, "allOf": [{"$recursiveRef": "#"}]}),
    ] {
        assert_eq!(
            exceeded_limit(&schema),
            LimitExceeded::EndlessRecursion,
            "{schema}"
        );
    }
}

/// The value has 40 levels, and the schema visits each level twice.
#[test]
fn steps_that_grow_exponentially_with_the_depth_of_a_value_are_rejected() {
    for schema in [
        json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}),
        json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^a": {"$ref": "#"}}}),
        json!({"additionalProperties": {"$ref": "#"}, "unevaluatedProperties": {"$ref": "#"}}),
        json!({"properties": {"a": {"$ref": "#"}}, "allOf": [{"properties": {"a": {"$ref": "#"}}}]}),
    ] {
        let compiled = Schema::compile(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let value = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(
            matches!(compiled.is_valid(&value), Err(LimitExceeded::Steps { .. })),
            "{schema}"
        );
        assert!(compiled.errors(&value, |_| ()).is_err());
        assert_eq!(
            compiled.is_valid(&json!({"a": {"a": 1}})),
            Ok(true),
            "{schema}"
        );
    }
}

#[test]
fn long_chains_of_references_are_rejected_or_have_enough_stack() {
    let chain = |levels: usize| {
        let mut defs = Map::new();
        for level in 0..levels {
            let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
            defs.insert(format!("a{level}"), json!({"properties": {"x": next}}));
        }
        defs.insert(format!("a{levels}"), json!({"type": "string"}));
        json!({"$ref": "#/$defs/a0", "$defs": defs})
    };
    assert!(matches!(
        exceeded_limit(&chain(5000)),
        LimitExceeded::Size { .. }
    ));
    let long = chain(900);
    let compiled = Schema::compile(&long).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compiled.is_valid(&json!({"x": {"x": {}}})), Ok(true));
}

#[test]
fn the_size_of_a_schema_is_limited() {
    let mut many = String::from(r#"{"allOf": ["#);
    for number in 0..21_000 {
        let _ = write!(many, r#"{}{{}}"#, if number == 0 { "" } else { "," });
    }
    many.push_str("]}");
    let many: Value = serde_json::from_str(&many).unwrap();
    assert!(matches!(
        exceeded_limit(&many),
        LimitExceeded::Size {
            what: "objects",
            ..
        }
    ));
    let patterns: Map<String, Value> = (0..501)
        .map(|number| (format!("\\w{{100}}{number}"), json!({})))
        .collect();
    let patterns = json!({"patternProperties": patterns});
    assert!(matches!(
        exceeded_limit(&patterns),
        LimitExceeded::Size {
            what: "patterns",
            ..
        }
    ));
    let deep = json!({"properties": {"a": {"pattern": "((\\w{100}){100}){100}"}}});
    assert!(matches!(
        Schema::compile(&deep),
        Err(SchemaError::Invalid(_))
    ));
}

/// Schemas as tools generate them, including recursive ones.
#[test]
fn ordinary_schemas_compile_and_report_errors() {
    let tree = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"data": true, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
        "unevaluatedProperties": false
    });
    let compiled = Schema::compile(&tree).unwrap_or_else(|error| panic!("{error}"));
    let wide: Vec<Value> = (0..1000).map(|number| json!({"data": number})).collect();
    assert_eq!(compiled.is_valid(&json!({"children": wide})), Ok(true));
    assert_eq!(
        compiled.is_valid(&json!({"children": [{"daat": 1}]})),
        Ok(false)
    );
    let schemas =
        json!({"properties": {"schema": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}});
    let compiled = Schema::compile(&schemas).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compiled.is_valid(&json!({"schema": tree})), Ok(true));
    let list = json!({"items": {"enum": ["a", "b"]}});
    let compiled = Schema::compile(&list).unwrap_or_else(|error| panic!("{error}"));
    let wrong: Vec<Value> = (0..500).map(Value::from).collect();
    let errors = compiled
        .errors(&json!(wrong), |error| error.to_string())
        .unwrap();
    assert_eq!(errors.len(), MAX_ERRORS);
}

#[test]
fn references_never_lead_to_a_file_or_server() {
    for elsewhere in ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "x.json"] {
        let schema = json!({"properties": {"a": {"$ref": elsewhere}}});
        assert!(
            matches!(Schema::compile(&schema), Err(SchemaError::Invalid(_))),
            "{elsewhere}"
        );
    }
}
