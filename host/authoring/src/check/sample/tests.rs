use super::*;

#[test]
fn a_config_has_the_required_settings_with_valid_values() {
    let schema = json!({
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "minimum": 3, "maximum": 9},
            "mode": {"$ref": "#/$defs/mode"},
            "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
            "nested": {"type": "object", "required": ["x"], "properties": {"x": {"type": "boolean"}}},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 20}]},
            "extra": {"type": "string"}
        },
        "required": ["limit", "mode", "day", "nested", "maybe"],
        "additionalProperties": false,
        "$defs": {"mode": {"enum": ["fast", "slow"]}}
    });
    let config = configs(&schema).remove(0);
    assert_eq!(config["limit"], json!(3));
    assert_eq!(config["mode"], json!("fast"));
    assert_eq!(config["day"], json!("2024-01-01"));
    assert!(!config.contains_key("extra"));
}

#[test]
fn each_alternative_is_a_config() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}]
    });
    let configs = configs(&schema);
    assert!(configs.iter().any(|config| config.contains_key("a")));
    assert!(configs.iter().any(|config| config.contains_key("b")));
}

#[test]
fn a_schema_that_requires_itself_has_no_config() {
    let schema = json!({
        "type": "object",
        "properties": {"next": {"$ref": "#"}},
        "required": ["next"]
    });
    assert!(configs(&schema).is_empty());
}

/// W7: each level of this schema multiplies the cost of the next one.
#[test]
fn the_work_on_a_recursive_schema_is_limited() {
    let itself = json!({
        "type": "object",
        "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}},
        "required": ["a", "b", "c"]
    });
    assert!(configs(&itself).is_empty());
    let sampler = Sampler::new(&itself);
    sampler.values(&itself, MAX_DEPTH);
    assert_eq!(sampler.remaining.get(), 0);
}
