//! Files that are not components of this contract, and components that are too large or nested too deeply.

use crate::hostile_plugins::misbehaving_units::assert_does_not_load;
use crate::hostile_plugins::project_with_plugin;

/// Asserts that a build refuses these bytes as a plugin.
#[track_caller]
fn assert_file_is_refused(name: &str, bytes: &[u8], message: &str) {
    let project = project_with_plugin(name, &[("only", "x")]);
    std::fs::write(project.path(&format!("plugins/{name}.wasm")), bytes).unwrap();
    assert_does_not_load(&project, name, message);
}

#[test]
fn a_file_that_is_not_a_component_is_refused() {
    let whole = synix_test_components::bytes("echo");
    let mut corrupt = whole.clone();
    let middle = whole.len() / 2;
    corrupt[middle..middle + 64].fill(0xff);
    let mut of_the_future = whole.clone();
    of_the_future[4] = 0xee;
    for (name, bytes, message) in [
        ("empty", &b""[..], "not a WebAssembly file"),
        ("a_text", b"hello", "not a WebAssembly file"),
        (
            "core_module",
            b"\0asm\x01\0\0\0",
            "a core module, not a component",
        ),
        ("truncated", &whole[..middle], "cannot be compiled"),
        (
            "one_byte_short",
            &whole[..whole.len() - 1],
            "cannot be compiled",
        ),
        ("corrupt", &corrupt, "cannot be compiled"),
        ("of_the_future", &of_the_future, "cannot be compiled"),
    ] {
        assert_file_is_refused(name, bytes, message);
    }
}

#[test]
fn a_component_of_another_world_is_refused() {
    for (name, import, message) in [
        (
            "older",
            "synix:plugin/llm@0.0.9",
            "built for the contract synix:plugin/llm@0.0.9",
        ),
        (
            "newer",
            "synix:plugin/llm@0.2.0",
            "this host offers synix:plugin@0.1.1",
        ),
        (
            "without_version",
            "synix:plugin/llm",
            "this host offers synix:plugin@0.1.1",
        ),
        (
            "http",
            "wasi:http/types@0.2.0",
            "build it without this interface",
        ),
        (
            "wasi_3",
            "wasi:cli/stdout@0.3.0",
            "imports wasi:cli/stdout@0.3.0",
        ),
        (
            "other_host",
            "acme:disk/format@1.0.0",
            "imports acme:disk/format@1.0.0",
        ),
    ] {
        let text = format!("(component (import \"{import}\" (instance)))");
        assert_file_is_refused(name, &wat::parse_str(text).unwrap(), message);
    }
    let empty = wat::parse_str("(component)").unwrap();
    assert_file_is_refused("empty_world", &empty, "does not export describe");
}

#[test]
fn a_component_bomb_is_refused() {
    let instances = format!(
        "(component (core module $m) {})",
        "(core instance (instantiate $m))".repeat(5000)
    );
    let memories = format!(
        "(component (core module $m (memory 1)) {})",
        "(core instance (instantiate $m))".repeat(100)
    );
    let types = format!(
        "(component (type $t0 (list u8)) {})",
        (0..200_000)
            .map(|at| format!("(type $t{} (tuple $t{at} $t{at}))", at + 1))
            .collect::<String>()
    );
    let bombs = [
        ("instances", instances.as_str()),
        ("memories", &memories),
        ("types", &types),
        (
            "huge_table",
            "(component (core module $m (table 100000000 funcref)) (core instance (instantiate $m)))",
        ),
        (
            "huge_memory_64",
            "(component (core module $m (memory i64 281474976710656)) (core instance (instantiate $m)))",
        ),
        (
            "shared_memory",
            "(component (core module $m (memory 1 2 shared)) (core instance (instantiate $m)))",
        ),
    ];
    let written = bombs.map(|(name, text)| (name, wat::parse_str(text).unwrap()));
    for (name, bytes) in written {
        let project = project_with_plugin(name, &[("only", "x")]);
        std::fs::write(project.path(&format!("plugins/{name}.wasm")), bytes).unwrap();
        assert_does_not_load(&project, name, "cannot be compiled");
    }
}

#[test]
fn deeply_nested_components_are_refused() {
    assert_file_is_refused(
        "nested",
        &deeply_nested_component(),
        "components are nested too deeply",
    );
}

/// A component that contains a component, and so on, 500,000 levels deep.
fn deeply_nested_component() -> Vec<u8> {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const COMPONENT_SECTION: u8 = 4;
    let mut size = EMPTY.len();
    // From the innermost to the outermost: the bytes before each component.
    let mut heads = Vec::new();
    for _ in 0..500_000 {
        let mut head = [EMPTY, &[COMPONENT_SECTION]].concat();
        let mut rest = size;
        while rest >= 0x80 {
            head.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
            rest /= 0x80;
        }
        head.push(u8::try_from(rest).unwrap());
        size += head.len();
        heads.push(head);
    }
    heads.push(EMPTY.to_vec());
    let last = heads.len() - 1;
    heads[..last].reverse();
    heads.concat()
}
