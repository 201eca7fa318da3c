//! Checks on the config schema: it describes an object, its values are valid, and no part is impossible.

use serde_json::{Value, json};

use super::point::Point;
use super::report::ReportBuilder;
use super::sample::Validator;

/// The deepest level of nested schemas that is checked.
const MAX_DEPTH: usize = 24;
/// The most values of one part that are tried.
const MAX_VALUES: usize = 200;
/// The most bytes of schemas that are compiled to try values.
const MAX_COMPILED_BYTES: usize = 8 << 20;
/// The most characters of a value in a message.
const MAX_SHOWN: usize = 200;
/// The id of the schema in references to its parts.
const SCHEMA_ID: &str = "urn:synix:config-schema";
/// Keywords that hold schemas by name, one schema, or a list of them.
const BY_NAME: [&str; 5] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];
const SINGLE: [&str; 7] = [
    "items",
    "additionalProperties",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
];
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Pairs of a minimum and a maximum.
const BOUNDS: [(&str, &str); 4] = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

/// Checks the schema and every schema within it.
pub(super) fn check(schema: &Value, report: &mut ReportBuilder) {
    let point = Point::ConfigSchema;
    if schema.get("type") != Some(&json!("object")) {
        let detail = r#"the config schema does not have `"type": "object"`"#;
        return report.fail(point, detail);
    }
    let mut parts = Vec::new();
    collect(schema, String::new(), MAX_DEPTH, &mut parts);
    let mut tried = 0_usize;
    let mut work = schema.to_string().len().max(1);
    let each = work;
    for (pointer, part) in &parts {
        if let Some(problem) = find_contradiction(part) {
            return report.fail(point, format!("{}: {problem}", place(pointer)));
        }
        let mut examples = examples(part);
        examples.truncate(MAX_VALUES);
        // Each part with values compiles the whole schema.
        if examples.is_empty() || work > MAX_COMPILED_BYTES {
            continue;
        }
        work += each;
        tried += examples.len();
        if let Some((keyword, value)) = find_invalid(schema, pointer, &examples) {
            let shown: String = value.to_string().chars().take(MAX_SHOWN).collect();
            let detail = format!(
                "{}: the {keyword} {shown} is not valid in its own schema",
                place(pointer)
            );
            return report.fail(point, detail);
        }
    }
    report.pass(
        point,
        format!("an object; its defaults, examples and choices are valid ({tried} tried)"),
    );
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() {
        "the config schema".to_owned()
    } else {
        format!("the config schema at `{pointer}`")
    }
}

/// Lists a schema and its nested schemas, each with its pointer.
fn collect<'a>(
    schema: &'a Value,
    pointer: String,
    depth: usize,
    parts: &mut Vec<(String, &'a Value)>,
) {
    if depth == 0 || !schema.is_object() {
        return;
    }
    for key in BY_NAME {
        for (name, part) in schema
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let name = name.replace('~', "~0").replace('/', "~1");
            collect(part, format!("{pointer}/{key}/{name}"), depth - 1, parts);
        }
    }
    for key in SINGLE {
        if let Some(part) = schema.get(key) {
            collect(part, format!("{pointer}/{key}"), depth - 1, parts);
        }
    }
    for key in LISTED {
        let listed = schema.get(key).and_then(Value::as_array).into_iter();
        for (position, part) in listed.flatten().enumerate() {
            collect(
                part,
                format!("{pointer}/{key}/{position}"),
                depth - 1,
                parts,
            );
        }
    }
    parts.push((pointer, schema));
}

/// Returns the values in a schema, with the keyword of each.
fn examples(part: &Value) -> Vec<(&'static str, &Value)> {
    let one = |key: &'static str| part.get(key).map(|value| (key, value));
    let several = |key: &str, word: &'static str| {
        let listed = part.get(key).and_then(Value::as_array).into_iter();
        listed.flatten().map(move |value| (word, value))
    };
    one("default")
        .into_iter()
        .chain(one("const"))
        .chain(several("examples", "example"))
        .chain(several("enum", "choice"))
        .collect()
}

/// Returns a rule that no value can satisfy.
fn find_contradiction(part: &Value) -> Option<String> {
    for (minimum, maximum) in BOUNDS {
        let bound = |key: &str| part.get(key).and_then(Value::as_f64);
        if let (Some(low), Some(high)) = (bound(minimum), bound(maximum))
            && low > high
        {
            return Some(format!(
                "`{minimum}` {low} is greater than `{maximum}` {high}"
            ));
        }
    }
    let is_closed = part.get("additionalProperties") == Some(&json!(false));
    if !is_closed || part.get("patternProperties").is_some() {
        return None;
    }
    let required = part.get("required").and_then(Value::as_array)?;
    let unknown = required.iter().filter_map(Value::as_str).find(|name| {
        let properties = part.get("properties").and_then(Value::as_object);
        properties.is_none_or(|known| !known.contains_key(*name))
    })?;
    Some(format!(
        "`{unknown}` is required, but `additionalProperties` is false and no property has this name"
    ))
}

/// Returns the first of some values that is not valid in the part of a schema at a pointer. References in the part
/// start at the root of the schema.
fn find_invalid<'a>(
    schema: &Value,
    pointer: &str,
    values: &[(&'static str, &'a Value)],
) -> Option<(&'static str, &'a Value)> {
    let mut whole = schema.clone();
    if let Value::Object(members) = &mut whole {
        members.insert("$id".to_owned(), json!(SCHEMA_ID));
    }
    let reference = format!("{SCHEMA_ID}#{}", encode_fragment(pointer));
    let part = json!({"$ref": reference, "$defs": {"config": whole}});
    let validator = Validator::new(&part);
    let is_valid = |value: &Value| {
        validator
            .as_ref()
            .is_some_and(|validator| validator.accepts(value))
    };
    values.iter().find(|(_, value)| !is_valid(value)).copied()
}

/// Encodes a pointer as the fragment of a URI.
fn encode_fragment(pointer: &str) -> String {
    let mut written = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~$".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::report::PointOutcome;
    use super::*;

    fn outcome(schema: &Value) -> (PointOutcome, String) {
        let mut report = ReportBuilder::default();
        check(schema, &mut report);
        let report = report.build("x".to_owned(), None, "not checked");
        let found = report.points.into_iter();
        let mut found = found.filter(|one| one.point == Point::ConfigSchema);
        let found = found.next().unwrap();
        (found.outcome, found.detail)
    }

    fn of(property: &Value) -> Value {
        json!({
            "type": "object",
            "properties": {"a b/ü": property, "other": {"type": "integer"}},
            "$defs": {"count": {"type": "integer", "minimum": 1}},
            "additionalProperties": false
        })
    }

    #[test]
    fn every_value_in_a_schema_must_be_valid_in_its_own_part() {
        for good in [
            json!({"$ref": "#/$defs/count", "default": 3}),
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/count", "default": 2}}, "default": {"n": 5}}),
            json!({"enum": ["x", null]}),
            json!({"type": "array", "items": {"type": "string", "examples": ["x"]}, "default": []}),
            json!({"anyOf": [{"type": "null"}, {"$ref": "#/properties/other"}], "default": null}),
        ] {
            let (outcome, detail) = outcome(&of(&good));
            assert_eq!(outcome, PointOutcome::Pass, "{good}: {detail}");
        }
        for bad in [
            json!({"$ref": "#/$defs/count", "default": 0}),
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/count", "default": "2"}}}),
            json!({"type": "string", "enum": ["x", 1]}),
            json!({"type": "array", "items": {"type": "string", "examples": [1]}}),
            json!({"anyOf": [{"type": "integer", "default": 1.5}, {"type": "null"}]}),
        ] {
            let (outcome, detail) = outcome(&of(&bad));
            assert_eq!(outcome, PointOutcome::Fail, "{bad}");
            assert!(detail.contains("a b~1ü"), "{detail}");
        }
    }

    #[test]
    fn a_contradiction_is_reported() {
        let (_, detail) = outcome(&of(&json!({"minimum": 5, "maximum": 2})));
        assert!(
            detail.ends_with("`minimum` 5 is greater than `maximum` 2"),
            "{detail}"
        );
        let closed = json!({"type": "object", "required": ["a"], "additionalProperties": false});
        let (_, detail) = outcome(&closed);
        assert!(
            detail.starts_with("the config schema: `a` is required"),
            "{detail}"
        );
    }
}
