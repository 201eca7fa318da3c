//! Components and schemas that a few bytes make costly: each command ends with words, within 2 GB of address space and
//! without a lasting process, also on what no structural rule names.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::workbench::{Run, Workbench, command_in, guest_layers};

/// What a shell lets the command and all that it starts reserve, in KiB.
const ADDRESS_SPACE: u32 = 2_000_000;

/// The command under a limit of address space.
fn limited(command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!("ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

/// What `plugin inspect` says of a component, without a cache that would know it.
fn inspect(component: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.wasm"), component).unwrap();
    let mut command = command_in(folder.path(), &["plugin", "inspect", "p.wasm"]);
    command.env("SYNIX_CACHE_DIR", folder.path().join("cache"));
    Run::of(&mut limited(&command))
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn module(body: &str) -> Vec<u8> {
    component(&format!("(component (core module {body}))"))
}

/// W6: rows 53 to 56 of the attacks, and others of their kind.
#[cfg(target_os = "linux")]
#[test]
fn a_component_that_is_costly_to_compile_is_refused_in_words() {
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
    for (attack, component, said) in [
        (
            "instances",
            component(&doubled),
            "instances of components; 1000 are allowed",
        ),
        ("jumps", module(&jumps), "values that they pass on"),
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
    ] {
        let run = inspect(&component);
        assert_eq!(run.code, 1, "{attack}: {run:?}");
        assert!(
            run.says("cannot be compiled: it has") && run.says(said),
            "{attack}: {run:?}"
        );
    }
}

/// What passes the rules and is costly all the same ends with the process that compiles it.
#[cfg(target_os = "linux")]
#[test]
fn a_compilers_process_keeps_to_its_limits() {
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;

    const SIGXCPU: i32 = 24;
    let body = "(i32.add (i32.const 1) (i32.const 2)) drop ".repeat(20);
    let component = module(&format!("(func {body})").repeat(40_000));
    let folder = tempfile::tempdir().unwrap();
    let compile = |bytes: &str, seconds: &str| {
        let mut command = command_in(folder.path(), &["__compile", "pool", bytes, seconds]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may be gone before it has read all.
        let _ = child.stdin.take().unwrap().write_all(&component);
        child.wait_with_output().unwrap()
    };
    let slow = compile("4000000000", "1");
    assert_eq!(slow.status.signal(), Some(SIGXCPU), "{:?}", slow.status);
    let large = compile("200000000", "600");
    assert!(!large.status.success(), "{:?}", large.status);
    assert!(large.stdout.is_empty());
    // Nobody types it, and typed it does nothing.
    let typed = Run::of(&mut command_in(folder.path(), &["__compile"]));
    assert_eq!(typed.code, 1, "{typed:?}");
}

/// A guest with this config schema.
fn with_schema(schema: &str) -> Vec<u8> {
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
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some("transform")).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&core)
        .unwrap();
    encoder.encode().unwrap()
}

/// 28 levels of definitions, each of which `form` makes of a reference to the next.
fn bomb(form: &str) -> String {
    let mut defs = String::new();
    for level in 0..28 {
        let below = format!(r##"{{"$ref": "#/$defs/a{}"}}"##, level + 1);
        let _ = write!(defs, r#""a{level}": {},"#, form.replace('X', &below));
    }
    format!(
        r##"{{"type": "object", "properties": {{"a": {{"$ref": "#/$defs/a0"}}}}, "$defs": {{{defs} "a28": {{"type": "string"}}}}}}"##
    )
}

fn project(component: &[u8], config: &str) -> Workbench {
    let layers = format!("{}[layers.made.config]\n{config}\n", guest_layers("bomb"));
    let bench = Workbench::with_layers(&layers);
    let path = bench.path("plugins/bomb.wasm");
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    fs::write(path, component).unwrap();
    bench.write("texts/one.md", "One.");
    bench
}

/// W7: rows 58 and 59.
#[cfg(target_os = "linux")]
#[test]
fn a_schema_that_is_costly_to_check_is_refused_by_every_command() {
    for form in [
        r#"{"anyOf": [X, X]}"#,
        r#"{"allOf": [X, X]}"#,
        r#"{"if": X, "then": X, "else": X}"#,
        r#"{"dependentSchemas": {"x": X, "y": X}}"#,
    ] {
        let bench = project(&with_schema(&bomb(form)), "a = 1");
        for command in [
            &["plan"][..],
            &["build"],
            &["plugin", "inspect", "plugins/bomb.wasm"],
            &["plugin", "check", "plugins/bomb.wasm"],
        ] {
            let run = Run::of(&mut limited(&bench.command(command)));
            assert_ne!(run.code, 0, "{form} {command:?}: {run:?}");
            assert!(
                run.says("takes more than 10000 steps"),
                "{form} {command:?}: {run:?}"
            );
        }
    }
}

/// The same for a schema that multiplies with the depth of what it checks: `check` makes values of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_schema_that_multiplies_with_the_depth_of_a_config_is_bounded() {
    let schema = r##"{"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}}, "required": ["a", "b", "c"]}"##;
    let bench = project(&with_schema(schema), "a = 1");
    let run = Run::of(&mut limited(&bench.command(&["plan"])));
    assert_eq!(run.code, 2, "{run:?}");
    let run = Run::of(&mut limited(&bench.command(&[
        "plugin",
        "check",
        "plugins/bomb.wasm",
    ])));
    assert!(
        run.says("no config that fits the schema") || run.says("no config fits the schema"),
        "{run:?}"
    );
    let twice =
        r##"{"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}"##;
    let nested = format!("a{} = 1", ".a".repeat(60));
    let bench = project(&with_schema(twice), &nested);
    let run = Run::of(&mut limited(&bench.command(&["plan"])));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.says("takes more than 2000000 steps"), "{run:?}");
}

/// X19: without room for the pool of memories, a project is built as ever.
#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_address_space_changes_nothing_that_is_made() {
    let texts = [("one", "a b c"), ("two", "d")];
    let free = Workbench::guest("echo", &texts);
    free.run(&["build"]).expect_code(0);
    let bounded = Workbench::guest("echo", &texts);
    let run = Run::of(&mut limited(&bounded.command(&["build"])));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(bounded.artifacts(), free.artifacts());
    let hoard = Workbench::guest("hoard_memory", &texts);
    let run = Run::of(&mut limited(&hoard.command(&["build"])));
    assert!(
        run.says("out of memory: needs more than 268435456 bytes"),
        "{run:?}"
    );
}

/// The transform `map` as somebody else's plugin.
fn foreign_map(options: &str, layer: &str) -> Workbench {
    let bench = Workbench::with_layers(&format!(
        r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "./plugins/map.wasm"
inputs = ["texts"]
{layer}
[layers.made.config]
prompt = "Say: {{{{ content }}}}"
options = {options}
"#
    ));
    bench.plugin("map");
    bench.write("texts/one.md", "One.");
    bench
}

/// W15: a plugin reaches no further than the model unless the layer names how.
#[test]
fn a_plugins_options_say_how_the_model_answers_and_nothing_else() {
    for far in [
        r#"{ tools = [{ type = "web_search" }] }"#,
        r#"{ service_tier = "flex", seed = 1 }"#,
        r#"{ models = ["another"] }"#,
    ] {
        let bench = foreign_map(far, "");
        let run = bench.run(&["build"]).expect_code(3);
        assert!(
            run.says("options_allowed = [") && run.says("in [layers.made]"),
            "{far}: {run:?}"
        );
        assert_eq!(bench.sent(), 0, "{far}");
    }
    let near = foreign_map("{ seed = 1, top_p = 0.5 }", "");
    near.run(&["build"]).expect_code(0);
    let admitted = foreign_map(
        r#"{ service_tier = "flex" }"#,
        r#"options_allowed = ["service_tier"]"#,
    );
    admitted.run(&["build"]).expect_code(0);
    assert_eq!((near.sent(), admitted.sent()), (1, 1));
}

/// A unit that was refused is tried again when the layer admits what it asked.
#[test]
fn admitting_an_option_makes_the_layers_units_stale() {
    let bench = foreign_map(r#"{ service_tier = "flex" }"#, "");
    bench.run(&["build"]).expect_code(3);
    let file = fs::read_to_string(bench.path("synix.toml")).unwrap();
    let inputs = "inputs = [\"texts\"]\n";
    let admitted = format!("{inputs}options_allowed = [\"service_tier\"]\n");
    bench.write("synix.toml", &file.replace(inputs, &admitted));
    bench.run(&["build"]).expect_code(0);
    assert_eq!(bench.sent(), 1);
}

/// W17: how long a project may keep this machine busy is its user's to say.
#[test]
fn limits_beyond_the_users_own_are_refused_with_the_way_out() {
    for (limit, variable) in [
        ("wall_s = 86400", "SYNIX_MAX_WALL"),
        ("fuel = 9007199254740991", "SYNIX_MAX_FUEL"),
        ("memory_mb = 1025", "SYNIX_MAX_MEMORY"),
        ("output_mb = 1025", "SYNIX_MAX_MEMORY"),
    ] {
        let layers = format!("{}[layers.made.limits]\n{limit}\n", guest_layers("echo"));
        let bench = Workbench::guest("echo", &[("one", "a")]);
        bench.pipeline("synix.toml", &layers);
        for command in [&["plan"][..], &["build"]] {
            let run = bench.run(command).expect_code(2);
            assert!(
                run.says(variable) && run.says("[layers.made.limits]"),
                "{run:?}"
            );
        }
        let mut raised = bench.command(&["build"]);
        raised.env(variable, "9007199254740991");
        let run = Run::of(&mut raised);
        assert_eq!(run.code, 0, "{run:?}");
    }
}
