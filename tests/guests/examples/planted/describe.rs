//! What the planted guests say of themselves.

use std::sync::atomic::{AtomicBool, Ordering};

use synix_plugin::{Descriptor, Shape};

use crate::kit;

/// Set by `execute`.
pub(crate) static USED: AtomicBool = AtomicBool::new(false);

const GROUPED: [&str; 5] = [
    "split-",
    "good-grouped",
    "mixed-",
    "many-",
    "good-split-refuses",
];
/// Those that ask a model.
const ASK: [&str; 22] = [
    "answer-",
    "round-",
    "swallow-",
    "label-answer",
    "label-lines",
    "request-",
    "good-rounds",
    "good-quiet",
    "good-fan",
    "good-votes",
    "good-guarded",
    "split-asks",
    "describe-asks",
    "good-unsure",
    "order-of",
    "state-ask",
    "good-json",
    "good-unused",
    "idle-",
    "good-late",
    "good-strict",
    "good-asks",
];

pub(crate) fn describe(fault: &str) -> Descriptor {
    match fault {
        "describe-asks" => drop(kit::ask("Who am I?")),
        "describe-traps" => kit::trap(),
        "describe-loops" => while std::hint::black_box(true) {},
        "describe-recurses" => drop(kit::depth(&[b'['; 1 << 20])),
        _ => {}
    }
    let asks = ASK.iter().any(|prefix| fault.starts_with(prefix));
    let mut descriptor = Descriptor {
        name: "planted".to_owned(),
        version: "1.0.0-rc.1+7".to_owned(),
        summary: "A guest for tests".to_owned(),
        config_schema: schema(fault),
        capabilities: if asks { vec!["llm".to_owned()] } else { vec![] },
        shape: if GROUPED.iter().any(|prefix| fault.starts_with(prefix)) {
            Shape::Grouped
        } else {
            Shape::PerInput
        },
    };
    match fault {
        "name-case" => descriptor.name = "Planted".to_owned(),
        "name-empty" => descriptor.name = String::new(),
        "name-escape" => descriptor.name = "\u{1b}[2Jx".to_owned(),
        "version-word" => descriptor.version = "latest".to_owned(),
        "version-two" => descriptor.version = "1.0".to_owned(),
        "version-end" => descriptor.version = "1.0.0-".to_owned(),
        "summary-lines" => descriptor.summary = "One.\nTwo.".to_owned(),
        "summary-blank" => descriptor.summary = "  ".to_owned(),
        "capability-case" => descriptor.capabilities = vec!["LLM".to_owned()],
        "capability-empty" => descriptor.capabilities = vec![String::new()],
        "good-twice-llm" => descriptor.capabilities = vec!["llm".to_owned(); 2],
        "describe-later" if USED.load(Ordering::Relaxed) => {
            descriptor.summary = "Another".to_owned();
        }
        "all-two" | "many-all" | "mixed-all" | "good-all" => descriptor.shape = Shape::All,
        _ => {}
    }
    descriptor
}

fn schema(fault: &str) -> String {
    let of = |properties: &str| {
        format!(
            r#"{{"type": "object", "properties": {{{properties}}}, "additionalProperties": false}}"#
        )
    };
    match fault {
        "schema-empty" => String::new(),
        "schema-list" => "[]".to_owned(),
        "schema-true" => "true".to_owned(),
        "schema-thing" => of(r#""a": {"type": "thing"}"#),
        "schema-url" => of(r#""a": {"$ref": "https://example.org/a.json"}"#),
        "schema-path" => of(r#""a": {"$ref": "file:///etc/hostname"}"#),
        "schema-dangling" => of(r##""a": {"$ref": "#/$defs/none"}"##),
        "schema-no-type" => r#"{"properties": {}, "additionalProperties": false}"#.to_owned(),
        "schema-look" => of(r#""a": {"type": "string", "pattern": "^(?!x)"}"#),
        "schema-inner-default" => of(r#""a": {"type": "object", "properties": {"n": {"type": "integer", "default": "x"}}, "additionalProperties": false}"#),
        "schema-item-default" => of(r#""a": {"type": "array", "items": {"type": "integer", "default": 1.5}}"#),
        "schema-root-default" => r#"{"type": "object", "default": {"a": 1}, "additionalProperties": false}"#.to_owned(),
        "schema-impossible" => r#"{"type": "object", "required": ["a"], "additionalProperties": false}"#.to_owned(),
        "schema-empty-enum" => of(r#""a": {"type": "string", "enum": [1, 2]}"#),
        "schema-range" => of(r#""a": {"type": "integer", "minimum": 5, "maximum": 2}"#),
        "schema-huge" => of(&format!(r#""a": {{"title": "{}"}}"#, "x".repeat(2 << 20))),
        "config-enum" => of(r#""mode": {"enum": ["fast", "slow"], "default": "fast"}"#),
        "config-false" => of(r#""strict": {"type": "boolean", "default": true}"#),
        "config-nested-open" => of(r#""filter": {"type": "object", "properties": {"by": {"type": "string"}}}"#),
        "config-nested-zero" | "config-nested-default" => of(r#""page": {"type": "object", "properties": {"size": {"type": "integer", "default": 10}}, "additionalProperties": false}"#),
        "config-items" => of(r#""words": {"type": "array", "items": {"type": "string"}}"#),
        "config-both" => of(r#""a": {"type": "string"}, "b": {"type": "string"}"#),
        "config-loop" => of(r#""step": {"type": "integer", "default": 1}"#),
        "config-loop-forbidden" => of(r#""step": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}"#),
        "config-silent-error" => of(r#""step": {"type": "integer", "default": 1}"#),
        "good-required" => r##"{"type": "object", "required": ["by", "count", "mode", "words", "page", "day"], "properties": {
            "by": {"type": "string", "minLength": 3}, "count": {"type": "integer", "minimum": 7, "multipleOf": 7},
            "mode": {"$ref": "#/$defs/mode"}, "words": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "page": {"type": "object", "required": ["size"], "properties": {"size": {"type": "number", "exclusiveMinimum": 0}}, "additionalProperties": false},
            "day": {"type": "string", "format": "date"}
        }, "$defs": {"mode": {"enum": ["fast", "slow"]}}, "additionalProperties": false}"##.to_owned(),
        "good-nested" => of(r##""page": {"type": "object", "properties": {"size": {"type": "integer", "default": 10, "minimum": 1}, "next": {"$ref": "#/properties/page"}}, "additionalProperties": false},
            "words": {"type": "array", "items": {"type": "string", "minLength": 1}, "default": []}, "note": {"type": ["string", "null"], "default": null}"##),
        "good-open" => r#"{"type": "object", "properties": {"tags": {"type": "object", "additionalProperties": {"type": "string"}}}, "additionalProperties": {"type": "integer"}}"#.to_owned(),
        "good-file" => r#"{"type": "object", "required": ["prompt_file"], "properties": {"prompt_file": {"type": "string", "format": "file"}}, "additionalProperties": false}"#.to_owned(),
        _ => of(""),
    }
}
