//! Small components that are costly to compile, or whose schema is costly to check a config against.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

pub(crate) fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

pub(crate) fn module(body: &str) -> Vec<u8> {
    component(&format!("(component (core module {body}))"))
}

/// Components that are refused before they are compiled: a name, the bytes, and the expected message.
pub(crate) fn costly_to_compile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let doubled = (0..30).fold("(component $c)".to_owned(), |inner, _| {
        format!("(component $c {inner} (instance (instantiate $c)) (instance (instantiate $c)))")
    });
    let results = "i32 ".repeat(300);
    let given = "i32.const 0 ".repeat(300);
    let jumps = format!(
        "(func (result {results}) (block (result {results}) {given} i32.const 0 br_table {}))",
        "0 ".repeat(43_000)
    );
    let loops = format!(
        "(func (local {}) {}{})",
        "i32 ".repeat(5000),
        "(loop ".repeat(5000),
        ")".repeat(5000)
    );
    let images =
        r#"(core module (memory 1) (data (i32.const 0) "a") (data (i32.const 16000000) "a"))"#;
    vec![
        (
            "instances",
            component(&doubled),
            "instances of components; 1000 are allowed",
        ),
        ("jumps", module(&jumps), "values that they carry"),
        (
            "loops",
            module(&loops),
            "locals times loops in one function",
        ),
        (
            "functions",
            module(&"(func)".repeat(100_000)),
            "100000 functions; 50000 are allowed",
        ),
        (
            "a million functions",
            module(&"(func)".repeat(1_000_000)),
            "1000000 functions",
        ),
        (
            "images",
            component(&format!("(component {})", images.repeat(200))),
            "memories; 16 are allowed",
        ),
        (
            "a table",
            module("(table 4000000000 funcref)"),
            "elements in one table",
        ),
    ]
}

/// A guest with this config schema.
pub(crate) fn with_schema(schema: &str) -> Vec<u8> {
    let bytes = schema.len();
    let escaped = schema.replace('\\', "\\5c").replace('"', "\\22");
    let mut core = wat::parse_str(format!(
        r#"(module
    (memory (export "memory") 40)
    (data (i32.const 0) "guest")
    (data (i32.const 64) "1.0.0")
    (data (i32.const 128) "A guest.")
    (data (i32.const 4096) "{escaped}")
    (func $pair (param $at i32) (param $address i32) (param $length i32)
        (i32.store (local.get $at) (local.get $address))
        (i32.store offset=4 (local.get $at) (local.get $length)))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2097152))
    (func (export "describe") (result i32)
        (call $pair (i32.const 2112) (i32.const 0) (i32.const 5))
        (call $pair (i32.const 2120) (i32.const 64) (i32.const 5))
        (call $pair (i32.const 2128) (i32.const 128) (i32.const 8))
        (call $pair (i32.const 2136) (i32.const 4096) (i32.const {bytes}))
        (call $pair (i32.const 2144) (i32.const 2160) (i32.const 0))
        (i32.store8 (i32.const 2152) (i32.const 0))
        (i32.const 2112))
    (func (export "split") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "execute") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#
    ))
    .unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some("transform")).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&core)
        .unwrap();
    encoder.encode().unwrap()
}

/// A schema of 28 levels of definitions. `form` makes each of them from a reference to the next.
pub(crate) fn nested_schema(form: &str) -> String {
    let mut defs = String::new();
    for level in 0..28 {
        let next = format!(r##"{{"$ref": "#/$defs/a{}"}}"##, level + 1);
        let _ = write!(defs, r#""a{level}": {},"#, form.replace('X', &next));
    }
    format!(
        r##"{{"type": "object", "properties": {{"a": {{"$ref": "#/$defs/a0"}}}}, "$defs": {{{defs} "a28": {{"type": "string"}}}}}}"##
    )
}
