use super::*;
use crate::fixture::Guest;

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Returns the limit that the component of this text exceeds.
#[track_caller]
fn complexity_error(text: &str) -> TooComplex {
    match check_complexity(&binary(text)) {
        Err(Fault::TooComplex(complex)) => complex,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_allowed(text: &str) {
    if let Err(fault) = check_complexity(&binary(text)) {
        panic!("{fault}");
    }
}

fn module(body: &str) -> String {
    format!("(component (core module {body}))")
}

#[test]
fn the_first_bytes_show_whether_a_file_is_a_component() {
    assert!(matches!(check_header(b""), Err(Fault::NotWasm)));
    assert!(matches!(check_header(b"(component)"), Err(Fault::NotWasm)));
    assert!(matches!(
        check_header(b"\0asm\x01\0\0\0"),
        Err(Fault::CoreModule)
    ));
    assert!(matches!(check_header(b"\0asm\x0d\0\x01\0"), Ok(())));
    assert!(matches!(
        check_header(&vec![0; COMPONENT_BYTES + 1]),
        Err(Fault::TooLarge { .. })
    ));
}

#[test]
fn components_are_nested_to_a_limited_depth() {
    let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    assert_allowed(&nested(NESTING + 1));
    let deeper = check_complexity(&binary(&nested(NESTING + 2)));
    assert!(matches!(deeper, Err(Fault::Corrupt { detail }) if detail.contains("too deeply")));
    assert_allowed(&format!("(component {})", "(component)".repeat(100)));
}

/// Each level instantiates the one within it twice, so `levels` levels make 2^levels instances.
fn doubled(levels: usize) -> String {
    (0..levels).fold("(component $c)".to_owned(), |inner, _| {
        format!("(component $c {inner} (instance (instantiate $c)) (instance (instantiate $c)))")
    })
}

#[test]
fn nested_instances_are_counted() {
    assert_allowed(&doubled(8));
    for levels in [10, 30] {
        let complex = complexity_error(&doubled(levels));
        assert_eq!(complex.what, "instances of components");
    }
    // The same with sibling components and outer aliases.
    let outer = (1..20).fold("(component $c0)".to_owned(), |before, level| {
        let below = level - 1;
        let inner = format!("(alias outer $top $c{below} (component $x)) (instance (instantiate $x)) (instance (instantiate $x))");
        format!("{before} (component $c{level} {inner})")
    });
    let complex = complexity_error(&format!(
        "(component $top {outer} (instance (instantiate $c19)))"
    ));
    assert_eq!(complex.what, "instances of components");
}

#[test]
fn modules_are_counted_for_each_instance() {
    let instances = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        format!("(component (core module $m) {instances})")
    };
    assert_allowed(&instances(40));
    assert_eq!(
        complexity_error(&instances(41)).what,
        "instances of modules"
    );
    let memories = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        format!("(component (core module $m (memory 1)) {instances})")
    };
    assert_allowed(&memories(4));
    assert_eq!(
        complexity_error(&memories(5)).what,
        "memories of all instances"
    );
    let exports = "(export \"a\" (func $f))";
    let exporting = format!(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (alias core export $i \"f\" (core func $f)) {})",
        format!("(core instance {exports})").repeat(10)
    );
    assert_allowed(&exporting);
}

/// The cost of such a component would depend on its arguments.
#[test]
fn a_component_is_not_passed_as_an_argument() {
    let passed = r#"(component
        (component $apply (import "x" (component $x)) (instance (instantiate $x)) (instance (instantiate $x)))
        (component $one)
        (instance (instantiate $apply (with "x" (component $one)))))"#;
    assert!(
        complexity_error(passed)
            .what
            .contains("passed as arguments")
    );
    let exported = r#"(component (component $a (component $b) (export "b" (component $b))) (instance $i (instantiate $a)) (alias export $i "b" (component $b)))"#;
    assert!(
        complexity_error(exported)
            .what
            .contains("passed as arguments")
    );
}

#[test]
fn a_jump_counts_with_the_values_that_it_carries() {
    let results = "i32 ".repeat(300);
    let table = |targets: usize| {
        let operands = "i32.const 0 ".repeat(300);
        module(&format!(
            "(func (result {results}) (block (result {results}) {operands} (i32.const 0) (br_table {})))",
            "0 ".repeat(targets)
        ))
    };
    assert_allowed(&table(100));
    assert!(
        complexity_error(&table(43_000))
            .what
            .contains("values that they carry")
    );
    // The same with single jumps and with calls.
    let jumps = module(&format!(
        "(func (result {results}) {} {})",
        "i32.const 0 ".repeat(300),
        "i32.const 0 br_if 0 ".repeat(10_000)
    ));
    assert!(
        complexity_error(&jumps)
            .what
            .contains("values that they carry")
    );
    let calls = module(&format!(
        "(func $f (param {results}) (result {results}) unreachable) (func (result {results}) {} {})",
        "i32.const 0 ".repeat(300),
        "call $f ".repeat(10_000)
    ));
    assert!(
        complexity_error(&calls)
            .what
            .contains("values that they carry")
    );
}

#[test]
fn locals_multiply_with_loops_and_branches() {
    let with = |locals: usize, body: &str| {
        module(&format!("(func (local {}) {body})", "i32 ".repeat(locals)))
    };
    let loops = |count: usize| format!("{}{}", "(loop ".repeat(count), ")".repeat(count));
    assert_allowed(&with(400, &loops(400)));
    let complex = complexity_error(&with(5000, &loops(5000)));
    assert_eq!(complex.what, "locals times loops in one function");
    let branches = "i32.const 0 br_if 0 ".repeat(10_000);
    let complex = complexity_error(&with(5000, &branches));
    assert_eq!(complex.what, "locals times branches in one function");
    assert_eq!(
        complexity_error(&with(10_001, "")).what,
        "locals in one function"
    );
}

#[test]
fn functions_memories_tables_and_elements_of_all_modules_are_limited() {
    let many = |count: usize| module(&"(func)".repeat(count));
    assert_allowed(&many(1000));
    assert_eq!(complexity_error(&many(50_001)).what, "functions");
    let halves = format!(
        "(core module {0}) (core module {0})",
        "(func)".repeat(25_001)
    );
    assert_eq!(
        complexity_error(&format!("(component {halves})")).what,
        "functions"
    );
    let modules =
        "(core module (memory 1) (data (i32.const 0) \"a\") (data (i32.const 16000000) \"a\"))";
    let sparse = format!("(component {})", modules.repeat(17));
    assert_eq!(complexity_error(&sparse).what, "memories");
    assert_eq!(
        complexity_error(&module("(table 65537 funcref)")).what,
        "elements in one table"
    );
    assert_eq!(
        complexity_error(&module(&"(table 1 funcref)".repeat(257))).what,
        "tables"
    );
    let segment = format!("(elem func {})", "$f ".repeat(100_000));
    let segments = module(&format!("(func $f) {}", segment.repeat(21)));
    assert_eq!(
        complexity_error(&segments).what,
        "entries of element segments"
    );
    let globals = module(&"(global i32 (i32.const 0))".repeat(200_001));
    assert!(complexity_error(&globals).what.contains("globals"));
}

#[test]
fn a_large_function_is_refused() {
    let body = "nop ".repeat((1 << 20) + 1);
    let complex = complexity_error(&module(&format!("(func {body})")));
    assert_eq!(complex.what, "bytes in one function");
}

#[test]
fn a_damaged_component_is_corrupt_and_an_intact_one_is_allowed() {
    let mut bytes = Guest::default().component();
    assert!(check_complexity(&bytes).is_ok());
    bytes.truncate(bytes.len() - 1);
    assert!(matches!(
        check_complexity(&bytes),
        Err(Fault::Corrupt { .. })
    ));
}

#[test]
fn every_test_guest_is_allowed() {
    for (name, path) in synix_test_components::ALL {
        let component = synix_disk::read(path.as_ref()).unwrap();
        if let Err(fault) = check_complexity(&component) {
            panic!("{name}: {fault}");
        }
    }
}
