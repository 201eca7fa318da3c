//! The config schema itself: that it describes an object, and that what it says of values can be true.

use serde_json::{Value, json};

use super::report::{Notes, Point};
use super::sample::Fitting;

/// Schemas in schemas that are looked into.
const DEPTH: usize = 24;
/// Values of one part that are tried.
const EXAMPLES: usize = 200;
/// Bytes of schema that are made ready for values to be tried.
const WORK_BYTES: usize = 8 << 20;
/// Characters shown of a value.
const SHOWN: usize = 200;
/// The name by which a schema is referred to while its parts are tried.
const NAME: &str = "urn:synix:config-schema";
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
/// Pairs of a least and a most.
const BOUNDS: [(&str, &str); 4] = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

/// Checks the schema and every schema within it.
pub(super) fn check(schema: &Value, notes: &mut Notes) {
    let point = Point::ConfigSchema;
    if schema.get("type") != Some(&json!("object")) {
        let detail = r#"the config schema does not say `"type": "object"`"#;
        return notes.fail(point, detail);
    }
    let mut parts = Vec::new();
    collect(schema, String::new(), DEPTH, &mut parts);
    let mut tried = 0_usize;
    let mut work = schema.to_string().len().max(1);
    let each = work;
    for (pointer, part) in &parts {
        if let Some(wrong) = impossible(part) {
            return notes.fail(point, format!("{}: {wrong}", place(pointer)));
        }
        let mut examples = examples(part);
        examples.truncate(EXAMPLES);
        // The whole schema is made ready for each part of it that names values.
        if examples.is_empty() || work > WORK_BYTES {
            continue;
        }
        work += each;
        tried += examples.len();
        if let Some((word, value)) = misfit_at(schema, pointer, &examples) {
            let shown: String = value.to_string().chars().take(SHOWN).collect();
            let detail = format!(
                "{}: the {word} {shown} does not fit its own schema",
                place(pointer)
            );
            return notes.fail(point, detail);
        }
    }
    notes.pass(
        point,
        format!("an object; its defaults, examples and choices fit ({tried} tried)"),
    );
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() {
        "the config schema".to_owned()
    } else {
        format!("the config schema at `{pointer}`")
    }
}

/// Lists a schema and those within it, each with its pointer.
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

/// Returns the values that a schema itself names.
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

/// Says what no value can do justice to.
fn impossible(part: &Value) -> Option<String> {
    for (least, most) in BOUNDS {
        let bound = |key: &str| part.get(key).and_then(Value::as_f64);
        if let (Some(low), Some(high)) = (bound(least), bound(most))
            && low > high
        {
            return Some(format!("`{least}` {low} is more than `{most}` {high}"));
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
        "`{unknown}` is required and, with `additionalProperties` false, allowed nowhere"
    ))
}

/// Returns the first of some values that does not fit the part of a schema at a pointer; references in it lead from the
/// schema's root.
fn misfit_at<'a>(
    schema: &Value,
    pointer: &str,
    values: &[(&'static str, &'a Value)],
) -> Option<(&'static str, &'a Value)> {
    let mut whole = schema.clone();
    if let Value::Object(members) = &mut whole {
        members.insert("$id".to_owned(), json!(NAME));
    }
    let reference = format!("{NAME}#{}", fragment(pointer));
    let part = json!({"$ref": reference, "$defs": {"config": whole}});
    let fitting = Fitting::new(&part);
    let holds = |value: &Value| fitting.as_ref().is_some_and(|fitting| fitting.holds(value));
    values.iter().find(|(_, value)| !holds(value)).copied()
}

/// Writes a pointer as the end of a URI.
fn fragment(pointer: &str) -> String {
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
    use super::super::report::Outcome;
    use super::*;

    fn outcome(schema: &Value) -> (Outcome, String) {
        let mut notes = Notes::default();
        check(schema, &mut notes);
        let report = notes.finish("x".to_owned(), None, "not tried");
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
    fn values_named_anywhere_in_a_schema_must_fit_where_they_stand() {
        for good in [
            json!({"$ref": "#/$defs/count", "default": 3}),
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/count", "default": 2}}, "default": {"n": 5}}),
            json!({"enum": ["x", null]}),
            json!({"type": "array", "items": {"type": "string", "examples": ["x"]}, "default": []}),
            json!({"anyOf": [{"type": "null"}, {"$ref": "#/properties/other"}], "default": null}),
        ] {
            let (outcome, detail) = outcome(&of(&good));
            assert_eq!(outcome, Outcome::Pass, "{good}: {detail}");
        }
        for bad in [
            json!({"$ref": "#/$defs/count", "default": 0}),
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/count", "default": "2"}}}),
            json!({"type": "string", "enum": ["x", 1]}),
            json!({"type": "array", "items": {"type": "string", "examples": [1]}}),
            json!({"anyOf": [{"type": "integer", "default": 1.5}, {"type": "null"}]}),
        ] {
            let (outcome, detail) = outcome(&of(&bad));
            assert_eq!(outcome, Outcome::Fail, "{bad}");
            assert!(detail.contains("a b~1ü"), "{detail}");
        }
    }

    #[test]
    fn what_no_value_can_fit_is_named() {
        let (_, detail) = outcome(&of(&json!({"minimum": 5, "maximum": 2})));
        assert!(
            detail.ends_with("`minimum` 5 is more than `maximum` 2"),
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
