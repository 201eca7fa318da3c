use super::*;
use crate::fixture::Guest;

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// What a component of this text has too much of.
#[track_caller]
fn too_much(text: &str) -> TooComplex {
    match measure(&binary(text)) {
        Err(Fault::TooComplex(complex)) => complex,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn fits(text: &str) {
    if let Err(fault) = measure(&binary(text)) {
        panic!("{fault}");
    }
}

fn module(body: &str) -> String {
    format!("(component (core module {body}))")
}

#[test]
fn a_file_is_known_by_its_first_bytes() {
    assert!(matches!(check(b""), Err(Fault::NotWasm)));
    assert!(matches!(check(b"(component)"), Err(Fault::NotWasm)));
    assert!(matches!(check(b"\0asm\x01\0\0\0"), Err(Fault::CoreModule)));
    assert!(matches!(check(b"\0asm\x0d\0\x01\0"), Ok(())));
    assert!(matches!(
        check(&vec![0; COMPONENT_BYTES + 1]),
        Err(Fault::TooLarge { .. })
    ));
}

#[test]
fn components_may_stand_in_components_so_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    fits(&nested(NESTING + 1));
    let deeper = measure(&binary(&nested(NESTING + 2)));
    assert!(matches!(deeper, Err(Fault::Corrupt { detail }) if detail.contains("too deeply")));
    fits(&format!("(component {})", "(component)".repeat(100)));
}

/// Each level instantiates the one within twice: `levels` make 2^levels instances.
fn doubled(levels: usize) -> String {
    (0..levels).fold("(component $c)".to_owned(), |inner, _| {
        format!("(component $c {inner} (instance (instantiate $c)) (instance (instantiate $c)))")
    })
}

#[test]
fn what_is_instantiated_is_counted_with_what_it_instantiates() {
    fits(&doubled(8));
    for levels in [10, 30] {
        let complex = too_much(&doubled(levels));
        assert_eq!(complex.what, "instances of components");
    }
    // The same side by side, by names from outside.
    let outer = (1..20).fold("(component $c0)".to_owned(), |before, level| {
        let below = level - 1;
        let inner = format!("(alias outer $top $c{below} (component $x)) (instance (instantiate $x)) (instance (instantiate $x))");
        format!("{before} (component $c{level} {inner})")
    });
    let complex = too_much(&format!(
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
    fits(&instances(40));
    assert_eq!(too_much(&instances(41)).what, "instances of modules");
    let memories = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        format!("(component (core module $m (memory 1)) {instances})")
    };
    fits(&memories(4));
    assert_eq!(too_much(&memories(5)).what, "memories of all instances");
    let items = "(export \"a\" (func $f))";
    let exporting = format!(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (alias core export $i \"f\" (core func $f)) {})",
        format!("(core instance {items})").repeat(10)
    );
    fits(&exporting);
}

/// What such a component comes to would follow from what it is given.
#[test]
fn components_are_no_arguments() {
    let passed = r#"(component
        (component $apply (import "x" (component $x)) (instance (instantiate $x)) (instance (instantiate $x)))
        (component $one)
        (instance (instantiate $apply (with "x" (component $one)))))"#;
    assert!(too_much(passed).what.contains("passed as arguments"));
    let exported = r#"(component (component $a (component $b) (export "b" (component $b))) (instance $i (instantiate $a)) (alias export $i "b" (component $b)))"#;
    assert!(too_much(exported).what.contains("passed as arguments"));
}

#[test]
fn a_jump_counts_with_what_it_carries() {
    let results = "i32 ".repeat(300);
    let table = |targets: usize| {
        let given = "i32.const 0 ".repeat(300);
        module(&format!(
            "(func (result {results}) (block (result {results}) {given} (i32.const 0) (br_table {})))",
            "0 ".repeat(targets)
        ))
    };
    fits(&table(100));
    assert!(
        too_much(&table(43_000))
            .what
            .contains("values that they pass on")
    );
    // Jumps one by one, and calls.
    let jumps = module(&format!(
        "(func (result {results}) {} {})",
        "i32.const 0 ".repeat(300),
        "i32.const 0 br_if 0 ".repeat(10_000)
    ));
    assert!(too_much(&jumps).what.contains("values that they pass on"));
    let calls = module(&format!(
        "(func $f (param {results}) (result {results}) unreachable) (func (result {results}) {} {})",
        "i32.const 0 ".repeat(300),
        "call $f ".repeat(10_000)
    ));
    assert!(too_much(&calls).what.contains("values that they pass on"));
}

#[test]
fn locals_multiply_with_loops_and_branches() {
    let with = |locals: usize, body: &str| {
        module(&format!("(func (local {}) {body})", "i32 ".repeat(locals)))
    };
    let loops = |count: usize| format!("{}{}", "(loop ".repeat(count), ")".repeat(count));
    fits(&with(400, &loops(400)));
    let complex = too_much(&with(5000, &loops(5000)));
    assert_eq!(complex.what, "locals times loops in one function");
    let branches = "i32.const 0 br_if 0 ".repeat(10_000);
    let complex = too_much(&with(5000, &branches));
    assert_eq!(complex.what, "locals times branches in one function");
    assert_eq!(too_much(&with(10_001, "")).what, "locals in one function");
}

#[test]
fn functions_memories_tables_and_elements_are_bounded_together() {
    let many = |count: usize| module(&"(func)".repeat(count));
    fits(&many(1000));
    assert_eq!(too_much(&many(50_001)).what, "functions");
    let halves = format!(
        "(core module {0}) (core module {0})",
        "(func)".repeat(25_001)
    );
    assert_eq!(too_much(&format!("(component {halves})")).what, "functions");
    let modules =
        "(core module (memory 1) (data (i32.const 0) \"a\") (data (i32.const 16000000) \"a\"))";
    let sparse = format!("(component {})", modules.repeat(17));
    assert_eq!(too_much(&sparse).what, "memories");
    assert_eq!(
        too_much(&module("(table 65537 funcref)")).what,
        "elements in one table"
    );
    assert_eq!(
        too_much(&module(&"(table 1 funcref)".repeat(257))).what,
        "tables"
    );
    let segment = format!("(elem func {})", "$f ".repeat(100_000));
    let segments = module(&format!("(func $f) {}", segment.repeat(21)));
    assert_eq!(too_much(&segments).what, "entries of element segments");
    let globals = module(&"(global i32 (i32.const 0))".repeat(200_001));
    assert!(too_much(&globals).what.contains("globals"));
}

#[test]
fn a_large_function_is_refused() {
    let body = "nop ".repeat((1 << 20) + 1);
    let complex = too_much(&module(&format!("(func {body})")));
    assert_eq!(complex.what, "bytes in one function");
}

#[test]
fn what_is_broken_is_said_and_what_is_whole_fits() {
    let mut broken = Guest::default().component();
    assert!(measure(&broken).is_ok());
    broken.truncate(broken.len() - 1);
    assert!(matches!(measure(&broken), Err(Fault::Corrupt { .. })));
}

#[test]
fn every_guest_of_the_tests_fits() {
    for (name, path) in synix_test_components::ALL {
        let component = synix_disk::read(path.as_ref()).unwrap();
        if let Err(fault) = measure(&component) {
            panic!("{name}: {fault}");
        }
    }
}
