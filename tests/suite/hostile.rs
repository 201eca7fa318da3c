//! Guests and files that are malicious or broken: each ends in an error that names the plugin and the reason, the units
//! of other plugins are made, and the state stays usable.

use crate::test_project::{Run, TestProject};

/// A layer of the guest, and a layer of a guest that works.
fn layers(plugin: &str) -> String {
    format!(
        r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "./plugins/{plugin}.wasm"
inputs = ["texts"]
[layers.made.limits]
fuel = 2_000_000_000
memory_mb = 256
output_mb = 8
requests = 20

[layers.fine]
transform = "./plugins/echo.wasm"
inputs = ["texts"]
"#
    )
}

fn project_with_plugin(plugin: &str, texts: &[(&str, &str)]) -> TestProject {
    let project = TestProject::guest("echo", texts);
    if synix_test_components::ALL
        .iter()
        .any(|(name, _)| *name == plugin)
    {
        project.plugin(plugin);
    }
    project.pipeline("synix.toml", &layers(plugin));
    project
}

/// The maximum size of all messages, whatever a guest prints.
const MESSAGE_BYTES: usize = 64 << 10;

#[track_caller]
fn assert_reports(plugin: &str, run: &Run, message: &str) {
    assert!(
        run.says(message) && run.says(&format!("./plugins/{plugin}.wasm")),
        "{plugin}: {} {}",
        run.stdout,
        run.stderr
    );
    assert!(
        run.stdout.len() + run.stderr.len() < MESSAGE_BYTES,
        "{plugin}: {} bytes",
        run.stdout.len() + run.stderr.len()
    );
    assert!(!run.stderr.contains("panicked at host"), "{plugin}");
}

#[test]
fn a_misbehaving_unit_fails_alone() {
    for (plugin, text, message) in [
        ("bad_kind", "x", "output 0 is invalid"),
        ("bad_label", "x", "control character"),
        ("bad_metadata", "x", "output 0 is invalid"),
        ("bad_request", "x", "invalid request"),
        ("deep_metadata", "x", "output 0 is invalid"),
        (
            "duplicate_labels",
            "same same",
            "two outputs have the label",
        ),
        ("empty_label", "x", "is empty"),
        (
            "endless_fold",
            "x",
            "over the limit: 20 requests in one unit",
        ),
        ("flood_output", "x", "bytes"),
        ("hoard_memory", "x", "out of memory"),
        ("huge_error", "x", "invalid-input: woe"),
        ("huge_label", "x", "is too long"),
        ("huge_panic", "x", "crashed"),
        ("huge_request", "x", "bytes to the host"),
        ("many_outputs", "x", "out of memory"),
        ("panic", "x", "cannot bear the input only"),
        ("recurse", "x", "crashed: out of bounds memory access"),
        (
            "request_storm",
            "x",
            "over the limit: 20 requests in one unit",
        ),
        ("spin", "x", "out of fuel"),
        ("trap", "x", "crashed"),
        ("twice_metadata", "x", "occurs twice"),
        ("undeclared_llm", "x", "without permission"),
        ("unknown_role", "x", "no model role \"oracle\""),
        ("wasi_exit", "x", "it exited with status 1"),
        ("wasi_hoard", "bytes", "bytes to the host"),
        ("wasi_hoard", "streams", "resource table has no free keys"),
        ("wasi_print", "die", "ValueError: cannot go on"),
    ] {
        let project = project_with_plugin(plugin, &[("only", text)]);
        let run = project.run(&["build"]);
        assert_eq!(run.code, 3, "{plugin}: {run:?}");
        assert_reports(plugin, &run, message);
        assert_eq!(
            project.artifact_names(),
            ["fine/only", "texts/only"],
            "{plugin}"
        );
        if plugin != "endless_fold" {
            assert_eq!(project.sent(), 0, "{plugin}");
        }
    }
}

#[test]
fn a_plugin_that_does_not_load_stops_the_build_before_anything_is_made() {
    for (plugin, message) in [
        ("bad_schema", "not a JSON Schema"),
        ("deep_schema", "the config schema is unusable"),
        ("huge_descriptor", "describes itself wrongly"),
        ("spin_describe", "out of fuel"),
        ("unknown_capability", "declares the capability \"network\""),
    ] {
        assert_does_not_load(
            &project_with_plugin(plugin, &[("only", "x")]),
            plugin,
            message,
        );
    }
}

#[test]
fn a_failing_split_fails_its_layer() {
    for (plugin, message) in [
        ("ask_in_split", "without permission"),
        ("spin_split", "out of fuel"),
        ("split_bomb", "out of memory"),
    ] {
        let project = project_with_plugin(plugin, &[("only", "x")]);
        let run = project.run(&["build"]);
        assert!(run.code != 0, "{plugin}: {run:?}");
        assert_reports(plugin, &run, message);
        assert_eq!(project.sent(), 0, "{plugin}");
        assert_eq!(
            project.artifact_names(),
            ["fine/only", "texts/only"],
            "{plugin}"
        );
    }
}

/// The first unit keeps the label, and the other unit fails.
#[test]
fn a_unit_cannot_use_the_label_of_another_unit() {
    let project = project_with_plugin("forged_labels", &[("a", "x"), ("b", "y")]);
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("label mine is already used by unit"), "{run:?}");
    assert_eq!(
        project.artifact_names(),
        ["fine/a", "fine/b", "made/mine", "texts/a", "texts/b"]
    );
}

#[test]
fn an_input_larger_than_the_memory_limit_fails_its_unit() {
    let giant = "x".repeat(40 << 20);
    let project = project_with_plugin("nan_bits", &[("giant", &giant), ("small", "y")]);
    project.pipeline(
        "synix.toml",
        &layers("nan_bits").replace("memory_mb = 256", "memory_mb = 16"),
    );
    let run = project.run(&["build"]).expect_code(3);
    assert_reports(
        "nan_bits",
        &run,
        "out of memory: needs more than 16777216 bytes",
    );
    assert!(project.artifact_names().contains(&"made/small".to_owned()));
}

#[test]
fn nan_bits_are_the_same_in_every_run() {
    let project = project_with_plugin("nan_bits", &[("a", "x")]);
    project.ok(&["build"]);
    assert_eq!(
        project.content("made/a"),
        "7ff8000000000000 fff8000000000000 7ff8000000000000"
    );
}

#[track_caller]
fn assert_does_not_load(project: &TestProject, plugin: &str, message: &str) {
    let run = project.run(&["build"]);
    assert!(matches!(run.code, 1 | 2), "{plugin}: {run:?}");
    assert_reports(plugin, &run, message);
    assert_eq!(project.sent(), 0, "{plugin}");
    // The same project builds without the plugin.
    project.pipeline("synix.toml", &layers("echo"));
    project.ok(&["build"]);
}

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
    assert_file_is_refused("nested", &nested(), "components are nested too deeply");
}

/// A component that contains a component, and so on, 500,000 levels deep.
fn nested() -> Vec<u8> {
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

#[test]
fn wasi_gives_no_access_to_files_or_the_network() {
    let project = project_with_plugin("wasi_files", &[("a", "x")]);
    project.ok(&["build"]);
    assert_eq!(
        project.content("made/a"),
        "0 folders, 0 variables and arguments, stdin: StreamError::Closed"
    );
    let project = project_with_plugin("wasi_sockets", &[("a", "x")]);
    project.ok(&["build"]);
    let content = project.content("made/a");
    assert!(
        content.matches("access-denied").count() == 2
            && content.contains("permanent-resolver-failure"),
        "{content}"
    );
}

#[test]
fn excess_output_on_stdout_is_cut_off_and_does_not_fail_the_unit() {
    let project = project_with_plugin("wasi_flood", &[("a", "x")]);
    project.pipeline(
        "synix.toml",
        &layers("wasi_flood").replace("2_000_000_000", "20_000_000_000"),
    );
    project.ok(&["build"]);
    let size = std::fs::metadata(project.path(".synix/state.sqlite3"))
        .unwrap()
        .len();
    assert!(size < 10_000_000, "{size}");
}

/// The same unit always gets the same random bytes, another unit gets others, and the clock stands still.
#[test]
fn randomness_and_time_depend_only_on_the_unit() {
    let outputs = || {
        let project = project_with_plugin("wasi_random", &[("a", "x"), ("b", "x")]);
        project.ok(&["build"]);
        ["made/a", "made/b"].map(|name| project.content(name))
    };
    let [a, b] = outputs();
    assert_eq!([a.clone(), b.clone()], outputs());
    assert_ne!(a, b);
    assert!(a.ends_with(" 315532800.000000000 0"), "{a}");
}

#[test]
fn printed_lines_are_logged_with_their_layer_and_unit() {
    let project = project_with_plugin("wasi_print", &[("a", "x")]);
    let run = project.ok(&["build", "-v"]);
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("made/a: "))
        .collect();
    assert_eq!(
        lines,
        [
            "info: printed in pieces",
            "debug: logged between",
            "warn: warned",
            "info: and not ended",
        ]
    );
}

/// Every command calls `split` while it waits for other things. The guest may still print, and gets the same random
/// bytes.
#[test]
fn a_guest_may_print_during_split() {
    let project = project_with_plugin("wasi_split", &[("a", "x"), ("b", "y")]);
    project.ok(&["plan"]);
    project.ok(&["build"]);
    assert_eq!(project.artifact_names().len(), 6);
    let plan = project.json(&["plan"]);
    assert!(
        plan["layers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|layer| layer["stale"] == 0),
        "{plan}"
    );
}
